import { useState } from "preact/hooks";
import * as api from "../api/calls";
import type { AuxiliaryRequest, HttpRequest, HttpResponse, Json } from "../api/types";
import { tell } from "../state/toasts";
import { Badge, Empty, Notice } from "../ui/basics";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { JsonView } from "./JsonView";
import { StatusBadge } from "./TestPane";

function Pairs({ title, pairs }: { title: string; pairs: Record<string, Json> | null | undefined }) {
  const entries = Object.entries(pairs ?? {});
  if (!entries.length) return null;
  return (
    <section class="pairs">
      <h3>{title}</h3>
      <dl>
        {entries.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function RequestView({ request }: { request: HttpRequest | null | undefined }) {
  if (!request) return <Empty icon="globe" title="No request was sent" />;
  const [address = "", query] = request.url.split("?");
  const parameters = request.parameters ?? (query ? Object.fromEntries(new URLSearchParams(query)) : null);
  return (
    <div class="pad stack">
      <div class="row request-line">
        <Badge kind="accent">{request.http_method ?? request.method ?? "GET"}</Badge>
        <code class="grow breakable">{address}</code>
        <CopyButton text={request.url} label="Copy the URL" />
      </div>
      <Pairs title="Query parameters" pairs={parameters} />
      <Pairs title="Headers" pairs={request.headers} />
      {request.body !== undefined && request.body !== null && request.body !== "" && (
        <section class="pairs">
          <h3>Body</h3>
          <JsonView value={request.body} />
        </section>
      )}
    </div>
  );
}

const PART = 256 * 1024;

export function ResponseView({ response, test }: { response: HttpResponse | null | undefined; test: string | null }) {
  const [more, setMore] = useState("");
  if (!response) return <Empty icon="globe" title="There was no response" />;
  const { body_id: id, body_length: length } = response;
  const body = typeof response.body === "string" ? response.body + more : response.body;
  const known = typeof body === "string" ? body.length : 0;
  const load = async () => {
    const part = id !== undefined && test ? await tell(api.bodyPart(test, id, known, PART)) : undefined;
    if (part) setMore(more + part);
  };
  return (
    <div class="pad stack">
      <div class="row">
        <StatusBadge status={response.status} />
        {length !== undefined && <span class="muted small">{length.toLocaleString()} bytes</span>}
      </div>
      <section class="pairs">
        <h3>Body</h3>
        <JsonView value={body} />
      </section>
      {id !== undefined && length !== undefined && known < length && (
        <Notice>
          The body is cut here.{" "}
          <button type="button" class="link small" onClick={() => void load()}>
            Load more
          </button>
        </Notice>
      )}
      <Pairs title="Headers" pairs={response.headers} />
    </div>
  );
}

/** A request that is not of the stream itself: a login, a parent, a job. */
export function Exchange({ exchange, test }: { exchange: AuxiliaryRequest; test: string | null }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div class="card">
      <div class="card-head">
        <button type="button" class="card-title" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? "down" : "right"} size={14} />
          <StatusBadge status={exchange.response?.status} />
          <span>{exchange.title}</span>
          <span class="muted clip small">{exchange.request?.url ?? exchange.description}</span>
        </button>
      </div>
      {isOpen && (
        <div class="card-body">
          {exchange.description && <p class="help">{exchange.description}</p>}
          <RequestView request={exchange.request} />
          <ResponseView response={exchange.response} test={test} />
        </div>
      )}
    </div>
  );
}
