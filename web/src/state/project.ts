import { batch, computed, signal } from "@preact/signals";
import * as api from "../api/calls";
import { ApiError, messageOf } from "../api/client";
import type { Analysis, Draft, Edit, Finding, Json, Path, Project } from "../api/types";
import { placed } from "../document/findings";
import { isWithin, type Node, samePath, walk } from "../document/walk";
import { isReachable, reached } from "./reach";
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
/** How often a change is made again, for what was typed meanwhile or for a server that was away. */
const MOST_TRIES = 5;

/** What changes a document; by a function, where that depends on what the document is by then. */
export type Edits = Edit[] | ((document: Json) => Edit[]);

type Resend = () => Promise<unknown>;

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
  /** Why what is shown may be behind the text: it could not be analyzed. */
  readonly analysisFault = signal<string | null>(null);
  readonly errors = computed(() => this.findings.value.filter((finding) => finding.level === "error"));
  readonly failure = signal<string | null>(null);
  /** What this browser kept and the server never had, while the draft there is another one. */
  readonly kept = signal<string | null>(null);
  /** Whether what is shown can be changed: not while another window has saved, or nobody answers. */
  readonly isReadOnly = computed(() => this.saver.state.value.kind === "conflict" || !isReachable.value);
  /** What sends again the texts of fields that could not be told. */
  readonly unsent = signal<ReadonlySet<Resend>>(new Set());
  /** How many changes wait for the server. */
  readonly #waiting = signal(0);
  /** Whether there are changes that are not in the text yet, and so in no copy of it, either. */
  readonly isUnsent = computed(() => this.unsent.value.size > 0 || this.#waiting.value > 0);
  /** Grows when the text was changed by anything but the text editor. */
  readonly outside = signal(0);
  #queue: Promise<unknown> = Promise.resolve();
  /** The text that the analysis is of. */
  #analyzed: string | null = null;
  #analysing: AbortController | null = null;
  readonly #unwatch: () => void;
  #pause = SHORTEST_PAUSE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLeft = false;
  /** Pushes what the text editor has not told yet. */
  flushEditor: () => void = () => {};

  constructor(
    readonly workspace: string,
    readonly id: string,
  ) {
    this.api = api.workspaceApi(workspace);
    this.saver = new Saver(`draft:${workspace}/${id}`, (body) => this.api.save(id, body));
    this.#unwatch = isReachable.subscribe((isThere) => {
      if (isThere && this.analysisFault.peek() !== null) void this.analyze();
    });
  }

  async open(): Promise<void> {
    try {
      await this.saver.taken();
      const project = await this.api.get(this.id);
      const kept = this.saver.kept;
      this.info.value = project;
      this.saver.adopt(project.draft);
      this.text.value = project.draft.text;
      if (!kept || kept.text === project.draft.text) this.saver.forget();
      else if (kept.revision === project.draft.revision) {
        this.#change(kept.text, "Recover unsaved changes");
        toast("info", "Changes that had not been saved were recovered.");
      } else this.saver.setAside(kept);
      this.saver.decided(project.draft.text);
      this.kept.value = this.saver.undecided[0] ?? null;
      void this.analyze();
    } catch (error) {
      this.failure.value = messageOf(error);
    }
  }

  /** Decides on what this browser kept. */
  async decide(uses: boolean): Promise<void> {
    const text = this.kept.value;
    if (text === null) return;
    const shown = uses ? this.setText(text, "Recover unsaved changes") : null;
    // As an unsaved change it is kept anew, before it is forgotten here.
    this.saver.keep();
    this.saver.decided(text);
    this.kept.value = this.saver.undecided[0] ?? null;
    await shown;
  }

  #change(text: string, label: string): void {
    this.text.value = text;
    this.saver.changed(text, label);
  }

  async analyze(): Promise<void> {
    try {
      await this.#analyze();
    } catch (error) {
      // Told once: it is tried again by itself.
      if (this.analysisFault.value === null) toast("error", messageOf(error));
      this.analysisFault.value = messageOf(error);
      if (!(error instanceof ApiError && error.isTransient)) return;
      if (isReachable.value) this.#timer = setTimeout(() => void this.analyze(), LONGEST_PAUSE_MS);
    }
  }

  /** Reads the text anew; what another call has overtaken ends without a result. */
  async #analyze(): Promise<void> {
    clearTimeout(this.#timer);
    this.#analysing?.abort();
    const controller = new AbortController();
    this.#analysing = controller;
    const began = performance.now();
    const text = this.text.value;
    try {
      const analysis = await api.analyze(text, controller.signal);
      if (controller.signal.aborted) return;
      this.#analyzed = text;
      this.#pause = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, 2 * (performance.now() - began)));
      batch(() => {
        this.analysis.value = analysis;
        if (analysis.document !== null) this.document.value = analysis.document;
        this.isAnalyzed.value = true;
        this.analysisFault.value = null;
      });
    } catch (error) {
      if (!controller.signal.aborted) throw error;
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

  /** Makes another text of this one; again, where it was typed in meanwhile, or the server was away. */
  async #rewrite(make: (text: string) => Promise<string>, label: string): Promise<void> {
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      this.flushEditor();
      const base = this.text.value;
      try {
        const made = await make(base);
        this.flushEditor();
        if (this.text.value === base) return await this.setText(made, label);
      } catch (error) {
        const isAway = error instanceof ApiError && error.status === 0;
        if (!isAway || tries === MOST_TRIES || this.#isLeft) throw error;
        this.#waiting.value += 1;
        await reached();
        this.#waiting.value -= 1;
        // Who left meanwhile was told that this change is lost.
        if (this.#isLeft) return;
      }
    }
    throw new Error("The text was being typed in all the while: nothing else was changed in it.");
  }

  /** The document of the text as it is now. */
  async #current(): Promise<Json> {
    while (this.#analyzed !== this.text.value) await this.#analyze();
    return this.document.value;
  }

  /** As `edit`, for who shows what went wrong: it is thrown. */
  change(edits: Edits, label: string): Promise<void> {
    const make = async (text: string): Promise<string> => {
      const all = typeof edits === "function" ? edits(await this.#current()) : edits;
      return all.length ? (await api.edit(text, all)).text : text;
    };
    return this.#enqueue(() => this.#rewrite(make, label));
  }

  /** Changes the text where `edits` say, one after the other; every other line stays. */
  async edit(edits: Edits, label: string): Promise<boolean> {
    return (await tell(this.change(edits, label).then(() => true))) ?? false;
  }

  /** Once all edits that were asked for are in the text. */
  async settled(): Promise<void> {
    this.flushEditor();
    await this.#queue;
  }

  /** Saves all that was asked for, now; `false` where that cannot be done. */
  async save(): Promise<boolean> {
    await Promise.all([...this.unsent.value].map((resend) => resend()));
    await this.settled();
    return (await this.saver.saveAll()) && this.unsent.value.size === 0;
  }

  /** Notes that the text of a field could not be told, and how it is sent again, until it is let go. */
  hold(resend: Resend): () => void {
    let done = () => {};
    void this.saver.expect(new Promise<void>((resolve) => (done = resolve)));
    this.unsent.value = new Set(this.unsent.value).add(resend);
    return () => {
      this.unsent.value = new Set([...this.unsent.value].filter((one) => one !== resend));
      done();
    };
  }

  set(path: Path, value: Json, label = `Set ${path.at(-1) ?? "value"}`): Promise<boolean> {
    return this.edit([{ op: "set", path, value }], label);
  }

  /** Takes a value out, if it is there by then. */
  remove(path: Path, label = `Remove ${path.at(-1) ?? "value"}`): Promise<boolean> {
    const edits = (document: Json): Edit[] =>
      walk(document, path).value === undefined ? [] : [{ op: "remove", path }];
    return this.edit(edits, label);
  }

  async fix(finding: Finding): Promise<void> {
    const make = async (text: string) => (await api.fix(text, finding.code, finding.path)).text;
    await tell(this.#enqueue(() => this.#rewrite(make, finding.fix?.label ?? "Fix")));
  }

  /** Puts another draft in the place of this one, which the server has to have then: it is what undo brings back. */
  async #replaceDraft(work: () => Promise<Draft | null>, outcome: string): Promise<boolean> {
    const replace = async (): Promise<boolean> => {
      this.flushEditor();
      if (!(await this.saver.saveAll())) throw new Error(notSaved(outcome));
      const base = this.text.value;
      const draft = await work();
      this.flushEditor();
      if (draft && this.text.value === base) await this.load(draft);
      else if (draft) {
        // What was typed meanwhile stays, as a change of the other draft.
        this.saver.adopt(draft);
        this.saver.changed(this.text.value, "Edit YAML");
      }
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
    this.flushEditor();
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
    this.#unwatch();
    clearTimeout(this.#timer);
    this.#analysing?.abort();
    this.#isLeft = true;
    // What waits for the server is not waited for.
    this.saver.leave(this.#waiting.value > 0 ? Promise.resolve() : this.settled());
  }
}
