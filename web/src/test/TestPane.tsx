import { useEffect, useState } from "preact/hooks";
import { section } from "../state/view";
import { Badge, Button, Empty, Notice } from "../ui/basics";
import { Icon } from "../ui/Icon";
import type { OpenProject } from "../state/project";
import { Sentence, Words } from "../ui/Words";
import { entriesOf } from "./entries";
import { LimitsDialog } from "./LimitsDialog";
import { ResultView } from "./ResultView";
import { type Run, testing } from "./store";
import { ValuesDialog } from "./ValuesDialog";

/** Where a stream is tried out, beside the form. */
export function TestPane({ project }: { project: OpenProject }) {
  const store = testing(project);
  const [showsLimits, setShowsLimits] = useState(false);
  const { streams } = project.analysis.value.outline;
  const entries = entriesOf(project);
  const names = [...streams, ...store.generated.value, ...entries].map((stream) => stream.name);
  const shown = section.value;
  useEffect(() => {
    const wanted =
      shown.kind === "stream"
        ? streams.find((stream) => stream.index === shown.index)?.name
        : shown.kind === "generated"
          ? shown.name
          : shown.kind === "template"
            ? entries.find((one) => one.index === shown.index)?.name
            : undefined;
    if (wanted) store.stream.value = wanted;
    else if (!store.stream.value || !names.includes(store.stream.value)) store.stream.value = names[0] ?? null;
  }, [shown, names.join("\0")]);
  const run = store.run.value;
  return (
    <aside class="test-pane" aria-label="Test">
      <header class="test-head">
        <select
          class="input"
          aria-label="Stream to test"
          value={store.stream.value ?? ""}
          disabled={!names.length}
          onChange={(event) => {
            const name = event.currentTarget.value;
            store.stream.value = name;
            const found = streams.find((stream) => stream.name === name);
            const made = store.generated.value.find((stream) => stream.name === name);
            const template = entries.find((one) => one.name === name);
            if (found) section.value = { kind: "stream", index: found.index };
            else if (made) section.value = { kind: "generated", template: made.dynamic_stream_name, name };
            else if (template) section.value = { kind: "template", index: template.index };
          }}
        >
          {!names.length && <option value="">No streams</option>}
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <Button
          icon="key"
          title="Testing values"
          aria-label="Testing values"
          onClick={() => void store.editValues()}
        >
          <span class="optional">Testing values</span>
          {!store.hasValues.value && project.analysis.value.outline.inputs.length > 0 && (
            <Badge kind="warning">!</Badge>
          )}
        </Button>
        <Button
          kind="quiet"
          icon="settings"
          aria-label="Limits and input state"
          title="Limits and input state"
          onClick={() => setShowsLimits(true)}
        />
        {store.isRunning.value ? (
          <Button icon="stop" onClick={() => store.cancel()}>
            Cancel
          </Button>
        ) : (
          <Button
            kind="primary"
            icon="play"
            title="Test (Ctrl+Enter)"
            disabled={!store.stream.value || project.isBroken.value}
            onClick={() => void store.test()}
          >
            Test
          </Button>
        )}
      </header>
      {run && store.isStale(run) && (
        <div class="test-strip">
          <Notice kind="warning">
            The stream was changed since this test.{" "}
            <button type="button" class="link small" onClick={() => void store.test()}>
              Test again
            </button>
          </Notice>
        </div>
      )}
      {!names.length ? (
        <Empty icon="stream" title="Nothing to test yet">
          Add a stream; then its requests and records are shown here.
        </Empty>
      ) : !run ? (
        <Untested project={project} />
      ) : (
        <RunView project={project} run={run} key={run.stream} />
      )}
      {store.isEditingValues.value && (
        <ValuesDialog project={project} onClose={() => (store.isEditingValues.value = false)} />
      )}
      {showsLimits && <LimitsDialog project={project} onClose={() => setShowsLimits(false)} />}
    </aside>
  );
}

function Untested({ project }: { project: OpenProject }) {
  const store = testing(project);
  const lacks = !store.hasValues.value && project.analysis.value.outline.inputs.length > 0;
  return (
    <Empty
      icon="play"
      title={`“${store.stream.value}” has not been tested yet`}
      actions={
        <>
          {lacks && (
            <Button kind="primary" icon="key" onClick={() => void store.editValues()}>
              Enter testing values
            </Button>
          )}
          <Button
            kind={lacks ? "plain" : "primary"}
            icon="play"
            disabled={project.isBroken.value}
            onClick={() => void store.test()}
          >
            Test stream
          </Button>
        </>
      }
    >
      {lacks
        ? "Enter your key and the other inputs first. They are kept apart from the manifest."
        : "A test reads a few pages and shows every request, response and record."}
    </Empty>
  );
}

function RunView({ project, run }: { project: OpenProject; run: Run }) {
  if (run.status === "running") return <Running project={project} run={run} />;
  if (run.result) return <ResultView project={project} run={run} result={run.result} />;
  if (run.status === "cancelled")
    return (
      <Empty icon="stop" title="The test was cancelled">
        {run.requests.length} requests had been sent.
      </Empty>
    );
  return (
    <div class="test-body pad">
      <Notice kind="error">
        <strong>The test failed.</strong> <Sentence text={run.failure?.message ?? ""} />
        {run.failure?.help && <p>{run.failure.help}</p>}
      </Notice>
      <RequestFeed run={run} />
      <ul class="logs">
        {run.logs.map((line, index) => (
          <li key={index}>
            <Badge>{line.level.toLowerCase()}</Badge>
            <span>
              <Words text={line.message} />
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Running({ project, run }: { project: OpenProject; run: Run }) {
  return (
    <div class="test-body pad" aria-busy="true">
      <div class="row" role="status">
        <span class="spinner" />
        <strong>Testing…</strong>
        <span class="muted">
          {run.requests.length} requests · {run.records} records
        </span>
      </div>
      {run.wait && <WaitNotice project={project} run={run} />}
      <RequestFeed run={run} />
    </div>
  );
}

function WaitNotice({ project, run }: { project: OpenProject; run: Run }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const { wait } = run;
  if (!wait) return null;
  const left = Math.max(0, wait.seconds - (now - wait.since) / 1000);
  return (
    <div class="notice accent" role="status">
      <Icon name="clock" size={15} />
      <span class="grow">
        Waiting {left.toFixed(left < 10 ? 1 : 0)} s: {wait.reason}
      </span>
      <Button small icon="skip" onClick={() => void testing(project).skip()}>
        Skip the wait
      </Button>
    </div>
  );
}

function RequestFeed({ run }: { run: Run }) {
  return (
    <ul class="feed">
      {run.requests.slice(-40).map((request) => (
        <li key={request.id}>
          <StatusBadge status={request.status} />
          <code class="clip" title={request.url}>
            {request.method} {request.url}
          </code>
          <span class="muted small">
            {request.ended === null ? "…" : `${Math.round(request.ended - request.at)} ms`}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function StatusBadge({ status }: { status: number | null | undefined }) {
  if (!status) return <Badge>···</Badge>;
  return <Badge kind={status < 300 ? "success" : status < 400 ? "accent" : "error"}>{status}</Badge>;
}
