import { batch, computed, signal } from "@preact/signals";
import * as api from "../api/calls";
import { messageOf } from "../api/client";
import type { Analysis, Draft, Edit, Finding, Json, Path, Project } from "../api/types";
import { placed } from "../document/findings";
import { isWithin, type Node, samePath, walk } from "../document/walk";
import { isReachable } from "./reach";
import { Saver } from "./saver";
import { tell, toast } from "./toasts";

const NOTHING: Analysis = {
  findings: [],
  document: null,
  outline: { streams: [], dynamic_streams: [], inputs: [], base_url: null },
  shared: [],
};
/** How long typing rests before the text is analysed; longer where an analysis takes longer than that. */
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 3000;

/** Why nothing came of what takes the draft as the server has it. */
export const notSaved = (outcome: string) => `Your changes could not be saved, so ${outcome}.`;

/** One connector that is open: its text is the document, all else is read from it. */
export class OpenProject {
  readonly api;
  readonly saver: Saver;
  readonly info = signal<Project | null>(null);
  readonly text = signal("");
  readonly analysis = signal<Analysis>(NOTHING);
  /** The last document that could be read: what forms show while the YAML is broken. */
  readonly document = signal<Json>(null);
  readonly isBroken = computed(() => this.analysis.value.document === null && this.text.value.trim() !== "");
  readonly findings = computed(() => this.analysis.value.findings.map(placed));
  readonly isAnalyzed = signal(false);
  readonly errors = computed(() => this.findings.value.filter((finding) => finding.level === "error"));
  readonly failure = signal<string | null>(null);
  /** What this browser kept and the server never had, while the draft there is another one. */
  readonly kept = signal<string | null>(null);
  /** Whether what is shown can be changed: not while another window has saved, or nobody answers. */
  readonly isReadOnly = computed(() => this.saver.state.value.kind === "conflict" || !isReachable.value);
  /** Grows when the text was changed by anything but the text editor. */
  readonly outside = signal(0);
  #queue: Promise<unknown> = Promise.resolve();
  #analysing: AbortController | null = null;
  #pause = SHORTEST_PAUSE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Pushes what the text editor has not told yet. */
  flushEditor: () => void = () => {};

  constructor(
    readonly workspace: string,
    readonly id: string,
  ) {
    this.api = api.workspaceApi(workspace);
    this.saver = new Saver(`draft:${workspace}/${id}`, (body) => this.api.save(id, body));
  }

  async open(): Promise<void> {
    try {
      const project = await this.api.get(this.id);
      const kept = this.saver.kept;
      this.info.value = project;
      this.saver.adopt(project.draft);
      this.text.value = project.draft.text;
      if (!kept || kept.text === project.draft.text) this.saver.forget();
      else if (kept.revision === project.draft.revision) {
        this.#change(kept.text, "Recover unsaved changes");
        toast("info", "Changes that had not been saved were recovered.");
      } else this.kept.value = kept.text;
      void this.analyze();
    } catch (error) {
      this.failure.value = messageOf(error);
    }
  }

  /** Decides on what this browser kept. */
  async decide(uses: boolean): Promise<void> {
    const text = this.kept.value;
    this.kept.value = null;
    if (uses && text !== null) await this.setText(text, "Recover unsaved changes");
    else this.saver.forget();
  }

  #change(text: string, label: string): void {
    this.text.value = text;
    this.saver.changed(text, label);
  }

  async analyze(): Promise<void> {
    clearTimeout(this.#timer);
    this.#analysing?.abort();
    const controller = new AbortController();
    this.#analysing = controller;
    const began = performance.now();
    try {
      const analysis = await api.analyze(this.text.value, controller.signal);
      this.#pause = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, 2 * (performance.now() - began)));
      batch(() => {
        this.analysis.value = analysis;
        if (analysis.document !== null) this.document.value = analysis.document;
        this.isAnalyzed.value = true;
      });
    } catch (error) {
      if (!controller.signal.aborted) toast("error", messageOf(error));
    }
  }

  /** The text as it is being typed. */
  typed(text: string): void {
    if (text === this.text.value) return;
    this.#change(text, "Edit YAML");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.analyze(), this.#pause);
  }

  async setText(text: string, label: string): Promise<void> {
    if (text === this.text.value) return;
    this.#change(text, label);
    this.outside.value += 1;
    await this.analyze();
  }

  /** Does what changes the text once all that was asked for before is in it. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = this.saver.expect(done);
    return done;
  }

  /** Changes the text where `edits` say, one after the other; every other line stays. */
  edit(edits: Edit[], label: string): Promise<boolean> {
    const work = async (): Promise<boolean> => {
      this.flushEditor();
      const { text } = await api.edit(this.text.value, edits);
      await this.setText(text, label);
      return true;
    };
    return this.#enqueue(async () => (await tell(work())) ?? false);
  }

  /** Once all edits that were asked for are in the text. */
  async settled(): Promise<void> {
    this.flushEditor();
    await this.#queue;
  }

  /** Saves all that was asked for, now; `false` where that cannot be done. */
  async save(): Promise<boolean> {
    await this.settled();
    return this.saver.saveAll();
  }

  set(path: Path, value: Json, label = `Set ${path.at(-1) ?? "value"}`): Promise<boolean> {
    return this.edit([{ op: "set", path, value }], label);
  }

  remove(path: Path, label = `Remove ${path.at(-1) ?? "value"}`): Promise<boolean> {
    return this.edit([{ op: "remove", path }], label);
  }

  async fix(finding: Finding): Promise<void> {
    this.flushEditor();
    const fixed = await tell(api.fix(this.text.value, finding.code, finding.path));
    if (fixed) await this.setText(fixed.text, finding.fix?.label ?? "Fix");
  }

  /** Puts another draft in the place of this one, which the server has to have then: it is what undo brings back. */
  async #replaceDraft(work: () => Promise<Draft | null>, outcome: string): Promise<boolean> {
    const replace = async (): Promise<boolean> => {
      this.flushEditor();
      if (!(await this.saver.saveAll())) throw new Error(notSaved(outcome));
      const draft = await work();
      if (draft) await this.load(draft);
      return draft !== null;
    };
    return (await tell(this.#enqueue(replace))) ?? false;
  }

  undo = () =>
    this.#replaceDraft(async () => (this.saver.canUndo.value ? this.api.undo(this.id) : null), "nothing was undone");
  redo = () =>
    this.#replaceDraft(async () => (this.saver.canRedo.value ? this.api.redo(this.id) : null), "nothing was redone");

  /** Makes the draft what a version is. */
  revert(version: number): Promise<boolean> {
    return this.#replaceDraft(() => this.api.revert(this.id, version), "the draft was not replaced");
  }

  /** Shows what the server holds. */
  async load(draft: Draft): Promise<void> {
    this.saver.adopt(draft);
    this.saver.forget();
    this.text.value = draft.text;
    this.outside.value += 1;
    await this.analyze();
  }

  /** Shows what another window has saved, where nothing was changed here. */
  async lookForNewer(): Promise<void> {
    if (!this.saver.isSettled || !this.info.value) return;
    const project = await this.api.get(this.id).catch(() => null);
    if (!project || !this.saver.isSettled || project.draft.revision <= this.saver.revision) return;
    await this.load(project.draft);
    toast("info", "The connector was changed in another window: this is the newer draft.");
  }

  async refresh(): Promise<void> {
    const project = await tell(this.api.get(this.id));
    if (project) this.info.value = project;
  }

  async rename(name: string): Promise<void> {
    if (!name.trim() || name === this.info.value?.name) return;
    await tell(this.api.rename(this.id, name.trim()));
    await this.refresh();
  }

  node(path: Path): Node {
    return walk(this.document.value, path);
  }

  /** What is wrong with the value at `path` itself. */
  findingsAt(path: Path): Finding[] {
    return this.findings.value.filter((finding) => samePath(finding.path, path));
  }

  findingsWithin(path: Path): Finding[] {
    return this.findings.value.filter((finding) => isWithin(finding.path, path));
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#analysing?.abort();
    void this.saver.flush();
  }
}
