import { signal } from "@preact/signals";
import { ApiError, messageOf } from "../api/client";
import type { Draft } from "../api/types";
import { store, stored } from "./stored";

export type SaveState =
  | { kind: "saved"; at: string }
  | { kind: "unsaved" }
  | { kind: "saving" }
  | { kind: "failed"; message: string; retryIn: number }
  | { kind: "conflict"; theirs: Draft };

interface Kept {
  text: string;
  revision: number;
}

type Put = (body: Kept & { label?: string }) => Promise<Omit<Draft, "text">>;

const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 3000;
const FIRST_RETRY_S = 2;
const LAST_RETRY_S = 30;
/** What savers that were left still do, by their keys. */
const ending = new Map<string, Promise<void>>();

/** Saves a draft soon after each change, again when that fails; meanwhile the browser keeps a copy. */
export class Saver {
  readonly state = signal<SaveState>({ kind: "saved", at: "" });
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);
  revision = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending: { text: string; label: string } | null = null;
  /** How many changes are still being made; until they are there, nothing is said to be saved. */
  #coming = 0;
  #savedAt = "";
  #running: Promise<void> | null = null;
  #retry = FIRST_RETRY_S;
  #pause = SHORTEST_PAUSE_MS;
  #isLeft = false;

  constructor(
    readonly key: string,
    readonly put: Put,
  ) {}

  /** What the browser kept of a draft that never reached the server. */
  get kept(): Kept | null {
    return stored<Kept | null>(this.key, null);
  }

  /** Copies that somebody has to decide on, the oldest first; changes made meanwhile do not touch them. */
  get undecided(): string[] {
    return stored<string[]>(this.#aside, []);
  }

  /** Puts the copy of a draft aside, until it is decided on. */
  setAside(kept: Kept): void {
    // First, for a browser that has no room for both.
    this.forget();
    if (!this.undecided.includes(kept.text)) store(this.#aside, [...this.undecided, kept.text]);
    if (!this.undecided.includes(kept.text)) store(this.key, kept);
  }

  /** Forgets a copy that was decided on. */
  decided(text: string): void {
    const left = this.undecided.filter((one) => one !== text);
    store(this.#aside, left.length ? left : null);
  }

  get #aside(): string {
    return `${this.key}:undecided`;
  }

  adopt(draft: Omit<Draft, "text">): void {
    this.revision = draft.revision;
    this.canUndo.value = draft.can_undo;
    this.canRedo.value = draft.can_redo;
    this.#savedAt = draft.saved_at;
    this.#pending = null;
    this.#rest();
  }

  /** Forgets what the browser kept. */
  forget(): void {
    store(this.key, null);
  }

  /** Waits for a change that is being made elsewhere; `changed` tells of it when it is there. */
  async expect(work: Promise<unknown>): Promise<void> {
    this.#coming += 1;
    if (this.isSettled) this.state.value = { kind: "unsaved" };
    await work.catch(() => {});
    this.#coming -= 1;
    if (this.state.value.kind === "unsaved" && !this.#pending) this.#rest();
  }

  /** Where nothing waits to be saved. */
  #rest(): void {
    this.state.value = this.#coming > 0 ? { kind: "unsaved" } : { kind: "saved", at: this.#savedAt };
  }

  changed(text: string, label: string): void {
    // A change of another kind is another step of undo.
    if (this.#pending && this.#pending.label !== label) void this.flush();
    this.#pending = { text, label };
    if (this.state.value.kind !== "conflict") this.state.value = { kind: "unsaved" };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), this.#pause);
  }

  /** Leaves a copy in the browser, for when the server or this page goes away. */
  keep(): void {
    if (this.#pending) store(this.key, { text: this.#pending.text, revision: this.revision });
  }

  /** Saves now what is not saved yet. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.keep();
    while (this.#running) await this.#running;
    if (!this.#pending || this.state.value.kind === "conflict") return;
    const running = this.#save(this.#pending);
    this.#running = running.finally(() => (this.#running = null));
    await this.#running;
  }

  /** Saves until nothing waits any more; `false` where that cannot be done now. */
  async saveAll(): Promise<boolean> {
    do await this.flush();
    // What was changed meanwhile is saved, too.
    while (this.#pending && this.state.value.kind === "unsaved");
    return this.#pending === null;
  }

  async #save(job: { text: string; label: string }): Promise<void> {
    this.#pending = null;
    this.state.value = { kind: "saving" };
    const began = performance.now();
    try {
      const draft = await this.put({ text: job.text, revision: this.revision, label: job.label });
      this.#retry = FIRST_RETRY_S;
      this.#pause = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, 2 * (performance.now() - began)));
      this.revision = draft.revision;
      this.canUndo.value = draft.can_undo;
      this.canRedo.value = draft.can_redo;
      this.#savedAt = draft.saved_at;
      if (this.#pending) {
        this.state.value = { kind: "unsaved" };
        return;
      }
      this.#rest();
      store(this.key, null);
    } catch (error) {
      this.#pending ??= job;
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (error instanceof ApiError && error.status === 409) {
      const theirs = (error.body as { draft?: Draft } | null)?.draft;
      if (theirs) {
        this.state.value = { kind: "conflict", theirs };
        return;
      }
    }
    const retryIn = this.#retry;
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY_S);
    this.state.value = { kind: "failed", message: messageOf(error), retryIn };
    // Later it might be taken for another window's.
    if (this.#isLeft) return;
    this.#timer = setTimeout(() => void this.flush(), retryIn * 1000);
  }

  /** Ends a conflict in favour of what is here. */
  async keepMine(text: string): Promise<void> {
    const state = this.state.value;
    if (state.kind !== "conflict") return;
    this.revision = state.theirs.revision;
    this.state.value = { kind: "unsaved" };
    this.#pending = { text, label: "Keep my changes" };
    await this.flush();
  }

  /** Saves for the last time, after `before`; what fails now stays in the browser, for the next who opens the draft. */
  leave(before: Promise<unknown>): void {
    this.#isLeft = true;
    const end = before.then(() => this.flush());
    ending.set(this.key, end);
    void end.finally(() => {
      if (ending.get(this.key) === end) ending.delete(this.key);
    });
  }

  /** Once those who had the draft before, and left it, are done with it. */
  async taken(): Promise<void> {
    await ending.get(this.key);
  }

  get isSettled(): boolean {
    return this.state.value.kind === "saved";
  }
}
