import { useState } from "preact/hooks";
import type { JsonObject, SchemaDifference, TestResult } from "../api/types";
import { differencesOf, mergeSchemas, typesOf } from "../document/schemas";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";
import { toast } from "../state/toasts";
import { Badge, Button, Empty, Notice, Segments } from "../ui/basics";
import { JsonView } from "./JsonView";

const WORDS = {
  missing: { title: "new", kind: "success", about: "found in the records, not declared" },
  extra: { title: "not seen", kind: undefined, about: "declared, not in these records" },
  type: { title: "other type", kind: "warning", about: "declared with another type than found" },
} as const;

const nameOf = (difference: SchemaDifference) => (Array.isArray(difference.path) ? difference.path.join(".") : difference.path);

/** The schema that the records have, beside the one that the manifest declares. */
export function SchemaTab({ project, result, stream }: { project: OpenProject; result: TestResult; stream: string }) {
  const found = project.analysis.value.outline.streams.find((one) => one.name === stream);
  const loader = found && project.node([...found.path, "schema_loader"]);
  const isInline = !loader || loader.value === undefined || (isObject(loader.value) && loader.value.type === "InlineSchemaLoader");
  const schema = found && isInline ? project.node([...found.path, "schema_loader", "schema"]).value : result.declared_schema ?? undefined;
  const declared = isObject(schema) ? schema : null;
  const detected = result.inferred_schema;
  const [form, setForm] = useState<"changes" | "detected" | "declared">("changes");
  if (!detected) return <Empty icon="table" title="No schema detected">There were no records to see it from.</Empty>;
  const differences = differencesOf(declared ?? {}, detected);
  const isBare = !declared || !isObject(declared.properties) || !Object.keys(declared.properties).length;
  const conflicts = differences.filter((one) => one.kind === "type");
  const put = async (value: JsonObject, words: string) => {
    if (!found || !loader) return;
    const at = loader.value === undefined ? loader.at : project.node([...found.path, "schema_loader", "schema"]).at;
    const done = await project.set(at, loader.value === undefined ? { type: "InlineSchemaLoader", schema: value } : value, words);
    if (done) toast("success", "The schema was written into the manifest.", { label: "Undo", run: () => void project.undo() });
  };
  return (
    <>
      <div class="body-tools">
        <Segments label="What is shown" value={form} onChange={setForm} options={[{ value: "changes", title: `Differences (${differences.length})` }, { value: "detected", title: "Detected" }, { value: "declared", title: "Declared" }]} />
        <span class="grow" />
        {found && isInline && (isBare ? <Button small kind="primary" icon="download" onClick={() => void put(detected, "Import the detected schema")}>Import schema</Button> : differences.length > 0 && (
          <>
            <Button small onClick={() => void put(mergeSchemas(declared ?? {}, detected), "Merge the detected schema")}>Merge</Button>
            <Button small onClick={() => void put(detected, "Overwrite the schema")}>Overwrite</Button>
          </>
        ))}
      </div>
      {found && !isInline && <div class="pad"><Notice>The schema of this stream is not written in the manifest, so it cannot be imported.</Notice></div>}
      {conflicts.length > 0 && <div class="pad"><Notice kind="warning">{conflicts.length === 1 ? "One field has" : `${conflicts.length} fields have`} another type than declared. Such records are converted or refused at the destination.</Notice></div>}
      {form === "changes" && (differences.length ? (
        <ul class="differences">
          {differences.slice(0, 500).map((difference) => (
            <li key={nameOf(difference)}>
              <code class="grow breakable">{nameOf(difference)}</code>
              <span class="muted small">{difference.kind === "type" ? `${typesOf(difference.declared).join(" | ")} → ${typesOf(difference.detected).join(" | ")}` : typesOf(difference.kind === "missing" ? difference.detected : difference.declared).join(" | ")}</span>
              <Badge kind={WORDS[difference.kind].kind} title={WORDS[difference.kind].about}>{WORDS[difference.kind].title}</Badge>
            </li>
          ))}
        </ul>
      ) : <Empty icon="check" title="Declared and detected agree" />)}
      {form === "detected" && <JsonView value={detected} />}
      {form === "declared" && <JsonView value={declared ?? null} />}
    </>
  );
}
