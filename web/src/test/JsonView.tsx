import { Suspense, lazy } from "preact/compat";
import type { Json } from "../api/types";

const CodeField = lazy(() => import("../editor/CodeField"));

/** Beyond this many characters the rest is left out: nobody reads it, and the page stays quick. */
const MOST = 400_000;

/** A value as indented JSON, with colours, folding aside; texts that are JSON are read. */
export function JsonView({ value }: { value: Json | undefined }) {
  const text = format(value);
  const shown = text.length > MOST ? `${text.slice(0, MOST)}\n…` : text;
  return (
    <Suspense fallback={<pre class="json" tabIndex={0} role="region" aria-label="JSON">{shown.slice(0, 4000)}</pre>}>
      <CodeField value={shown} language="json" label="JSON" readOnly />
    </Suspense>
  );
}

export function format(value: Json | undefined): string {
  if (typeof value !== "string") return JSON.stringify(value ?? null, null, 2);
  try {
    const parsed = JSON.parse(value) as Json;
    return typeof parsed === "object" ? JSON.stringify(parsed, null, 2) : value;
  } catch {
    return value;
  }
}
