import { useState } from "preact/hooks";
import type { TimelineEntry } from "../api/types";
import { Empty } from "../ui/basics";
import { ticksOf } from "./ticks";

const ROW = 22;
const LABEL = 190;
const WIDTH = 620;
const MOST = 300;

/** The end of an address tells requests apart better than its beginning. */
const tail = (title: string) => (title.length > 27 ? `…${title.slice(-26)}` : title);

/** A request that was cancelled has no end: it is shown as a point. */
const endOf = (entry: TimelineEntry) => entry.ended_ms ?? entry.started_ms;

const time = (ms: number) => (ms >= 1000 ? `${Number((ms / 1000).toFixed(2))} s` : `${Math.round(ms)} ms`);

/** When each request was sent, how long it waited and for what. */
export function Timeline({ entries }: { entries: TimelineEntry[] }) {
  const [shown, setShown] = useState<TimelineEntry | null>(null);
  if (!entries.length) return <Empty icon="clock" title="No requests" />;
  const rows = entries.slice(0, MOST);
  const start = Math.min(...rows.map((row) => row.started_ms - row.waited_ms));
  const total = Math.max(1, Math.max(...rows.map(endOf)) - start);
  const x = (ms: number) => LABEL + ((ms - start) / total) * (WIDTH - LABEL - 12);
  const height = rows.length * ROW + 30;
  const rowOf = new Map(rows.map((row, index) => [String(row.id), index]));
  return (
    <div class="pad stack">
      <div class="row wrap small muted legend">
        <span class="key waited" /> waiting for a slot or a limit <span class="key server" /> waiting for the server{" "}
        <span class="key body" /> reading
        <span class="grow" /> {rows.length} {rows.length === 1 ? "request" : "requests"} in {time(total)}
      </div>
      <svg
        class="timeline"
        viewBox={`0 0 ${WIDTH} ${height}`}
        role="img"
        aria-label={`Timeline of ${rows.length} requests in ${time(total)}`}
      >
        {ticksOf(total).map((tick) => (
          <g key={tick}>
            <line class="tick" x1={x(start + tick)} x2={x(start + tick)} y1={16} y2={height} />
            <text x={x(start + tick)} y={10} text-anchor="middle">
              {time(tick)}
            </text>
          </g>
        ))}
        {rows.map((row, index) => {
          const y = index * ROW + 22;
          const first = row.first_byte_ms ?? endOf(row);
          const parent = row.depends_on === null ? undefined : rowOf.get(String(row.depends_on));
          const parentRow = parent === undefined ? undefined : rows[parent];
          return (
            <g
              key={row.id}
              class={shown === row ? "bar shown" : "bar"}
              tabIndex={0}
              onMouseEnter={() => setShown(row)}
              onFocus={() => setShown(row)}
            >
              <title>{row.title}</title>
              <rect class="hit" x={0} y={y - 3} width={WIDTH} height={ROW} />
              <text x={0} y={y + 11} clip-path="url(#labels)">
                {tail(row.title)}
              </text>
              {parentRow && parent !== undefined && (
                <path
                  class="link-line"
                  d={`M ${x(endOf(parentRow))} ${parent * ROW + 30} V ${y + 8} H ${x(row.started_ms - row.waited_ms)}`}
                />
              )}
              {row.waited_ms > 0 && (
                <rect
                  class="waited"
                  x={x(row.started_ms - row.waited_ms)}
                  y={y + 3}
                  width={Math.max(1, x(row.started_ms) - x(row.started_ms - row.waited_ms))}
                  height={10}
                  rx={2}
                />
              )}
              <rect
                class={`server ${row.kind}`}
                x={x(row.started_ms)}
                y={y + 1}
                width={Math.max(2, x(first) - x(row.started_ms))}
                height={14}
                rx={2}
              />
              <rect
                class="body"
                x={x(first)}
                y={y + 1}
                width={Math.max(1, x(endOf(row)) - x(first))}
                height={14}
                rx={2}
              />
            </g>
          );
        })}
        <clipPath id="labels">
          <rect x={0} y={0} width={LABEL - 8} height={height} />
        </clipPath>
      </svg>
      {shown && (
        <div class="notice">
          <div class="grow">
            <strong>{shown.title}</strong> <span class="muted">({shown.kind})</span>
            <br />
            Sent at {time(shown.started_ms - start)}
            {shown.waited_ms > 0 && <>, after waiting {time(shown.waited_ms)}</>}, first byte after{" "}
            {time((shown.first_byte_ms ?? endOf(shown)) - shown.started_ms)}, done after{" "}
            {time(endOf(shown) - shown.started_ms)}
            {shown.depends_on !== null && rowOf.has(String(shown.depends_on)) && (
              <>; it needed “{rows[rowOf.get(String(shown.depends_on)) ?? 0]?.title}”</>
            )}
            .
          </div>
        </div>
      )}
      {entries.length > MOST && (
        <p class="muted small">
          The first {MOST} of {entries.length} requests are shown.
        </p>
      )}
    </div>
  );
}
