import { computed, signal } from "@preact/signals";
import * as api from "../api/calls";
import { messageOf } from "../api/client";
import type { GeneratedStream, Json, JsonObject, LogLine, Path, TestResult } from "../api/types";
import { expand, isObject } from "../document/walk";
import type { OpenProject } from "../state/project";
import { entriesEdits, entriesOf } from "./entries";
import { importAutomatically } from "./importSchema";
import { storedSignal } from "../state/stored";
import { toast } from "../state/toasts";

export interface RequestSeen {
  id: string;
  kind: string;
  method: string;
  url: string;
  at: number;
  status: number | null;
  ended: number | null;
}

export interface Wait {
  seconds: number;
  reason: string;
  /** When it began, by this page's clock. */
  since: number;
}

/** One test of one stream: what is going on, then what came of it. */
export interface Run {
  stream: string;
  /** What was tested: the stream as it was then. */
  definition: string;
  status: "running" | "done" | "failed" | "cancelled";
  test: string | null;
  requests: RequestSeen[];
  records: number;
  wait: Wait | null;
  logs: LogLine[];
  result: TestResult | null;
  failure: { message: string; help?: string } | null;
}

export const limits = storedSignal("test-limits", { record_limit: 1000, page_limit: 5, slice_limit: 5 });

export class Testing {
  readonly runs = signal<Record<string, Run>>({});
  readonly stream = signal<string | null>(null);
  readonly values = signal<JsonObject>({});
  readonly secrets = signal<Path[]>([]);
  readonly hasValues = signal(false);
  readonly isEditingValues = signal(false);
  #knowsValues = false;
  readonly inputState = signal<Record<string, string>>({});
  readonly generated = signal<GeneratedStream[]>([]);
  /** All templates, as they were when streams were made of them. */
  readonly generatedFrom = signal<Record<string, string>>({});
  readonly generateFault = signal<string | null>(null);
  readonly isGenerating = signal(false);
  readonly run = computed(() => this.runs.value[this.stream.value ?? ""] ?? null);
  readonly isRunning = computed(() => this.run.value?.status === "running");
  /** What ends the last test of each stream. */
  #controllers = new Map<string, AbortController>();
  #isDisposed = false;

  /** How the last test of each stream ended, and of what: this browser keeps it. */
  readonly #tested;

  constructor(readonly project: OpenProject) {
    this.#tested = storedSignal<Record<string, { definition: string; as: "tested" | "failed" }>>(
      `tested:${project.workspace}/${project.id}`,
      {},
    );
  }

  /** The stream as it would be tested now, with everything that it refers to. */
  definitionOf(name: string): string {
    const document = this.project.document.value;
    const root = isObject(document) ? document : {};
    const { streams } = this.project.analysis.value.outline;
    const found = streams.find((stream) => stream.name === name);
    const list = Array.isArray(root.streams) ? root.streams : [];
    const entries = entriesOf(this.project).find((one) => one.name === name);
    const template = this.generated.value.find((one) => one.name === name)?.dynamic_stream_name;
    if (template !== undefined) return this.templateOf(template);
    const stream = found ? list[found.index] : entries && this.project.node(entries.retriever).value;
    return JSON.stringify([expand(document, withoutSchema(stream)), root.api_budget ?? null]);
  }

  /** A template with everything that it refers to. */
  templateOf(name: string): string {
    const document = this.project.document.value;
    const found = this.project.analysis.value.outline.dynamic_streams.find((one) => one.name === name);
    return JSON.stringify(found ? expand(document, this.project.node(found.path).value) : null);
  }

  /** Whether a template was changed since its streams were made. */
  isOutdated(template: string): boolean {
    const before = this.generatedFrom.value[template];
    return before !== undefined && before !== this.templateOf(template);
  }

  /** How a stream stands, by its last test, also one before a reload; nothing if there was none. */
  standing(name: string): "running" | "stale" | "tested" | "failed" | null {
    if (this.runs.value[name]?.status === "running") return "running";
    const last = this.#tested.value[name];
    if (!last) return null;
    return last.definition === fingerprint(this.definitionOf(name)) ? last.as : "stale";
  }

  /** Remembers how a test ended. */
  #conclude(stream: string): void {
    const run = this.runs.value[stream];
    if (!run || run.status === "running" || run.status === "cancelled") return;
    const as = run.result && !run.failure && !hasFailed(run.result) ? "tested" : "failed";
    const last = { definition: fingerprint(run.definition), as } as const;
    this.#tested.value = { ...this.#tested.value, [stream]: last };
  }

  isStale(run: Run): boolean {
    return run.status !== "running" && run.definition !== this.definitionOf(run.stream);
  }

  async loadValues(): Promise<void> {
    const { project } = this;
    const found = await project.api.testingValues(project.id);
    this.values.value = found.values;
    this.secrets.value = found.secrets;
    this.hasValues.value = found.saved;
    this.#knowsValues = true;
  }

  /** Opens the testing values, never without those that were saved: saving takes their place. */
  async editValues(): Promise<void> {
    if (!this.#knowsValues) {
      try {
        await this.loadValues();
      } catch (error) {
        toast("error", messageOf(error));
        return;
      }
    }
    this.isEditingValues.value = true;
  }

  async saveValues(values: JsonObject): Promise<boolean> {
    try {
      await this.project.api.saveTestingValues(this.project.id, values);
      await this.loadValues();
    } catch (error) {
      toast("error", messageOf(error));
      return false;
    }
    return true;
  }

  /** Adds one value to those that are saved, which are asked for first: saving takes their place. */
  async addValue(key: string, value: Json): Promise<boolean> {
    try {
      await this.loadValues();
    } catch (error) {
      toast("error", messageOf(error));
      return false;
    }
    return this.saveValues({ ...this.values.value, [key]: value });
  }

  #update(stream: string, change: (run: Run) => Run): void {
    const run = this.runs.value[stream];
    if (run) this.runs.value = { ...this.runs.value, [stream]: change(run) };
  }

  async test(): Promise<void> {
    const stream = this.stream.value;
    if (!stream) return;
    const { project } = this;
    await project.settled();
    if (this.#isDisposed) return;
    const state = this.inputState.value[stream]?.trim();
    let states: Json[] | undefined;
    try {
      if (state) states = asStates(JSON.parse(state) as Json);
    } catch {
      toast("error", "The input state is no JSON.");
      return;
    }
    this.#end(stream);
    const controller = new AbortController();
    this.#controllers.set(stream, controller);
    // A test that another one took the place of says nothing of that one.
    const update = (change: (run: Run) => Run) => {
      if (this.#controllers.get(stream) === controller) this.#update(stream, change);
    };
    const run: Run = {
      stream,
      definition: this.definitionOf(stream),
      status: "running",
      test: null,
      requests: [],
      records: 0,
      wait: null,
      logs: [],
      result: null,
      failure: null,
    };
    this.runs.value = { ...this.runs.value, [stream]: run };
    try {
      const settings = { stream_name: stream, ...limits.value, ...(states ? { state: states } : {}) };
      const text = await this.#textFor(stream);
      await this.#follow(update, project.api.test(project.id, text, settings, controller.signal));
      controller.signal.throwIfAborted();
      await importAutomatically(project, stream, this.runs.value[stream]?.result ?? null);
      update((one) =>
        one.status === "running"
          ? { ...one, status: "failed", failure: { message: "The test ended without a result." } }
          : one,
      );
    } catch (error) {
      const failure = { message: messageOf(error) };
      update((one) =>
        controller.signal.aborted
          ? { ...one, status: "cancelled", wait: null }
          : { ...one, status: "failed", failure, wait: null },
      );
    }
    if (this.#controllers.get(stream) === controller) this.#conclude(stream);
  }

  /** What is run: the draft, with a stream for what is no stream of its own. */
  async #textFor(stream: string): Promise<string> {
    const { project } = this;
    const entries = entriesOf(project).find((one) => one.name === stream);
    if (!entries) return project.text.value;
    return (await api.edit(project.text.value, entriesEdits(project.document.value, entries))).text;
  }

  async #follow(
    update: (change: (run: Run) => Run) => void,
    events: ReturnType<OpenProject["api"]["test"]>,
  ): Promise<void> {
    for await (const event of events) {
      update((run): Run => {
        switch (event.event) {
          case "started":
            return { ...run, test: event.test };
          case "request": {
            const seen: RequestSeen = {
              id: event.id,
              kind: event.kind,
              method: event.method,
              url: event.url,
              at: event.at_ms,
              status: null,
              ended: null,
            };
            return { ...run, requests: [...run.requests, seen].slice(-500), wait: null };
          }
          case "response":
            return {
              ...run,
              requests: run.requests.map((one) =>
                one.id === event.id ? { ...one, status: event.status, ended: event.at_ms } : one,
              ),
            };
          case "records":
            return { ...run, records: event.count };
          case "wait":
            return { ...run, wait: { seconds: event.seconds, reason: event.reason, since: Date.now() } };
          case "wait_ended":
            return { ...run, wait: null };
          case "unanswered":
            return {
              ...run,
              requests: run.requests.map((one) => (one.id === event.id ? { ...one, ended: event.at_ms } : one)),
            };
          case "log":
            return { ...run, logs: [...run.logs, { level: event.level, message: event.message }].slice(-1000) };
          case "result":
            return { ...run, result: event, status: "done", wait: null };
          case "failed":
            return {
              ...run,
              status: "failed",
              wait: null,
              failure: { message: event.message, ...(event.help ? { help: event.help } : {}) },
            };
          default:
            return run;
        }
      });
    }
  }

  /** Ends the test of a stream, here and on the server. */
  #end(stream: string): void {
    this.#controllers.get(stream)?.abort();
    const run = this.runs.value[stream];
    if (run?.status === "running" && run.test) void api.cancelTest(run.test).catch(() => undefined);
  }

  cancel(): void {
    if (this.run.value) this.#end(this.run.value.stream);
  }

  /** Ends all tests: nobody looks at them any more. */
  dispose(): void {
    this.#isDisposed = true;
    for (const stream of this.#controllers.keys()) this.#end(stream);
  }

  async skip(): Promise<void> {
    const run = this.run.value;
    if (!run?.test) return;
    await api.skipWait(run.test).catch((error: unknown) => toast("error", messageOf(error)));
    this.#update(run.stream, (one) => ({ ...one, wait: null }));
  }

  async generate(limit: number): Promise<void> {
    this.isGenerating.value = true;
    this.generateFault.value = null;
    try {
      const { project } = this;
      await project.settled();
      const { dynamic_streams } = project.analysis.value.outline;
      const from = Object.fromEntries(dynamic_streams.map(({ name }) => [name, this.templateOf(name)]));
      this.generated.value = (await project.api.generate(project.id, project.text.value, limit)).streams;
      this.generatedFrom.value = from;
    } catch (error) {
      this.generateFault.value = messageOf(error);
    } finally {
      this.isGenerating.value = false;
    }
  }
}

/** A short text that is another one for another definition. */
function fingerprint(text: string): string {
  let [one, other] = [0x811c9dc5, 0x1000193];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 0x1000193);
    other = Math.imul(other ^ code, 0x85ebca6b);
  }
  return `${text.length}.${(one >>> 0).toString(36)}.${(other >>> 0).toString(36)}`;
}

/** Whether a test came to an error: one of the log, or a response that is one. */
function hasFailed(result: TestResult): boolean {
  const pages = result.slices.flatMap((slice) => slice.pages);
  return (
    result.logs.some((line) => /error|fatal/i.test(line.level)) ||
    pages.some((page) => page.response && page.response.status >= 400)
  );
}

/** A state message, a list of them, or the bare state of the stream. */
function asStates(value: Json): Json[] {
  return Array.isArray(value) ? value : [value];
}

function withoutSchema(stream: Json | undefined): Json {
  if (!isObject(stream)) return stream ?? null;
  const { schema_loader: _, ...rest } = stream;
  return rest;
}

const open = new WeakMap<OpenProject, Testing>();

/** The tests of a project: one store for each that is open. */
export function testing(project: OpenProject): Testing {
  let store = open.get(project);
  if (!store) {
    store = new Testing(project);
    open.set(project, store);
  }
  return store;
}
