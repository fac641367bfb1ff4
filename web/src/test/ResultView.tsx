import { useState } from "preact/hooks";
import type { TestResult } from "../api/types";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";
import { Badge, type Tab, Tabs } from "../ui/basics";
import { Warnings } from "./WarningList";
import { comparison } from "./importSchema";
import { Exchange, RequestView, ResponseView } from "./Exchange";
import { Records } from "./Records";
import { SchemaTab } from "./SchemaTab";
import { StateTab } from "./StateTab";
import type { Run } from "./store";
import { Timeline } from "./Timeline";

type TabName = "records" | "request" | "response" | "schema" | "state" | "other" | "logs" | "timeline";

/** What a test read: one page of one partition at a time, and what belongs to the whole. */
export function ResultView({ project, run, result }: { project: OpenProject; run: Run; result: TestResult }) {
  const [slice, setSlice] = useState(0);
  const [page, setPage] = useState(0);
  const [tab, setTab] = useState<TabName>(
    result.slices.some((one) => one.pages.some((two) => two.records.length)) ? "records" : "response",
  );
  const chosen = result.slices[Math.min(slice, result.slices.length - 1)];
  const shown = chosen?.pages[Math.min(page, chosen.pages.length - 1)];
  const others = [
    ...(result.auxiliary_requests ?? []),
    ...result.slices.flatMap((one) => one.auxiliary_requests ?? []),
  ];
  const differences = comparison(project, run.stream, result).differences.length;
  const worst = result.logs.some((line) => /error|fatal/i.test(line.level))
    ? "error"
    : result.logs.some((line) => /warn/i.test(line.level))
      ? "warning"
      : undefined;
  const tabs: Tab<TabName>[] = [
    { value: "records", title: "Records", badge: <Badge>{shown?.records.length ?? 0}</Badge> },
    { value: "request", title: "Request" },
    {
      value: "response",
      title: "Response",
      badge:
        shown?.response && shown.response.status >= 400 ? (
          <Badge kind="error">{shown.response.status}</Badge>
        ) : undefined,
    },
    { value: "schema", title: "Schema", badge: differences ? <Badge kind="warning">{differences}</Badge> : undefined },
    { value: "state", title: "State" },
    ...(others.length
      ? [{ value: "other" as const, title: "Other requests", badge: <Badge>{others.length}</Badge> }]
      : []),
    {
      value: "logs",
      title: "Logs",
      badge: result.logs.length ? <Badge kind={worst}>{result.logs.length}</Badge> : undefined,
    },
    ...(result.timeline?.length ? [{ value: "timeline" as const, title: "Timeline" }] : []),
  ];
  return (
    <>
      <Warnings project={project} run={run} result={result} onTab={setTab} />
      {result.slices.length > 0 && (
        <div class="pickers">
          <Picker
            label="Partition"
            count={result.slices.length}
            value={slice}
            onChange={(next) => {
              setSlice(next);
              setPage(0);
            }}
            describe={(index) => describe(result.slices[index]?.slice_descriptor)}
          />
          <Picker label="Page" count={chosen?.pages.length ?? 0} value={page} onChange={setPage} />
        </div>
      )}
      <Tabs label="Result of the test" tabs={tabs} value={tab} onChange={setTab} />
      <div class="test-body" role="tabpanel" aria-label={tabs.find((one) => one.value === tab)?.title} tabIndex={0}>
        {tab === "records" && <Records records={shown?.records ?? []} />}
        {tab === "request" && <RequestView request={shown?.request} />}
        {tab === "response" && <ResponseView response={shown?.response} test={run.test} />}
        {tab === "schema" && <SchemaTab project={project} result={result} stream={run.stream} />}
        {tab === "state" && <StateTab project={project} stream={run.stream} state={chosen?.state ?? null} />}
        {tab === "other" && (
          <div class="pad stack">
            {others.map((one, index) => (
              <Exchange key={index} exchange={one} test={run.test} />
            ))}
          </div>
        )}
        {tab === "logs" && (
          <ul class="logs pad">
            {result.logs.map((line, index) => (
              <li key={index}>
                <Badge
                  kind={/error|fatal/i.test(line.level) ? "error" : /warn/i.test(line.level) ? "warning" : undefined}
                >
                  {line.level.toLowerCase()}
                </Badge>
                <span>
                  {line.message}
                  {line.stacktrace && <pre>{line.stacktrace}</pre>}
                </span>
              </li>
            ))}
            {!result.logs.length && <li class="muted">Nothing was logged.</li>}
          </ul>
        )}
        {tab === "timeline" && <Timeline entries={result.timeline ?? []} />}
      </div>
    </>
  );
}

/** A partition in a few words: its keys and values. */
export function describe(descriptor: unknown): string {
  if (!isObject(descriptor as never)) return descriptor && descriptor !== "{}" ? String(descriptor) : "";
  const parts = Object.entries(descriptor as Record<string, unknown>).filter(
    ([key]) => key !== "parent_slice" && key !== "extra_fields",
  );
  return parts
    .map(
      ([key, value]) =>
        `${key.replace(/^(start|end)_time$/, "$1")} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
    )
    .join(" · ");
}

function Picker({
  label,
  count,
  value,
  onChange,
  describe: words,
}: {
  label: string;
  count: number;
  value: number;
  onChange: (value: number) => void;
  describe?: (index: number) => string;
}) {
  const step = (by: number) => onChange(Math.min(count - 1, Math.max(0, value + by)));
  return (
    <div class="picker">
      <button
        type="button"
        class="button quiet small icon"
        aria-label={`${label} before`}
        disabled={value <= 0}
        onClick={() => step(-1)}
      >
        ‹
      </button>
      <select
        class="input"
        aria-label={label}
        value={String(value)}
        disabled={count < 2}
        onChange={(event) => onChange(Number(event.currentTarget.value))}
      >
        {count === 0 && <option>{label}: none</option>}
        {Array.from({ length: count }, (_, index) => (
          <option
            key={index}
            value={String(index)}
          >{`${label} ${index + 1} of ${count}${words?.(index) ? `: ${words(index)}` : ""}`}</option>
        ))}
      </select>
      <button
        type="button"
        class="button quiet small icon"
        aria-label={`Next ${label.toLowerCase()}`}
        disabled={value >= count - 1}
        onClick={() => step(1)}
      >
        ›
      </button>
    </div>
  );
}
