import { useState } from "preact/hooks";
import type { JsonObject, SchemaDifference, TestResult } from "../api/types";
import { mergeSchemas, typesOf } from "../document/schemas";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";
import { toast } from "../state/toasts";
import { Badge, Button, Empty, Notice, Segments, Switch } from "../ui/basics";
import { comparison, importsSchema, inlineSchema, setImportsSchema } from "./importSchema";
import { JsonView } from "./JsonView";

const WORDS = {
  missing: { title: "new", kind: "success", about: "found in the records, not declared" },
  extra: { title: "not seen", kind: undefined, about: "declared, not in these records" },
  type: { title: "other type", kind: "warning", about: "declared with another type than found" },
} as const;

const nameOf = (difference: SchemaDifference) =>
  Array.isArray(difference.path) ? difference.path.join(".") : difference.path;

/** The schema that the records have, beside the one that the manifest declares. */
export function SchemaTab({ project, result, stream }: { project: OpenProject; result: TestResult; stream: string }) {
  const place = inlineSchema(project, stream);
  const isOwn = project.analysis.value.outline.streams.some((one) => one.name === stream);
  const { declared, detected, differences } = comparison(project, stream, result);
  const [form, setForm] = useState<"changes" | "detected" | "declared">("changes");
  if (!detected)
    return (
      <Empty icon="table" title="No schema detected">
        There were no records to see it from.
      </Empty>
    );
  const isBare = !declared || !isObject(declared.properties) || !Object.keys(declared.properties).length;
  const conflicts = differences.filter((one) => one.kind === "type");
  const put = async (value: JsonObject, words: string) => {
    if (await place?.write(value, words))
      toast("success", "The schema was written into the manifest.", { label: "Undo", run: () => void project.undo() });
  };
  const isAutomatic = importsSchema(project, stream);
  return (
    <>
      <div class="body-tools">
        <Segments
          label="What is shown"
          value={form}
          onChange={setForm}
          options={[
            { value: "changes", title: `Differences (${differences.length})` },
            { value: "detected", title: "Detected" },
            { value: "declared", title: "Declared" },
          ]}
        />
        <span class="grow" />
        {place &&
          (isBare ? (
            <Button
              small
              kind="primary"
              icon="download"
              onClick={() => void put(detected, "Import the detected schema")}
            >
              Import schema
            </Button>
          ) : (
            differences.length > 0 && (
              <>
                <Button
                  small
                  onClick={() => void put(mergeSchemas(declared ?? {}, detected), "Merge the detected schema")}
                >
                  Merge
                </Button>
                <Button small onClick={() => void put(detected, "Overwrite the schema")}>
                  Overwrite
                </Button>
              </>
            )
          ))}
      </div>
      {isOwn && !place && (
        <div class="pad">
          <Notice>The schema of this stream is not written in the manifest, so it cannot be imported.</Notice>
        </div>
      )}
      {place && (
        <label class="automatic">
          <Switch
            label="Import after each test"
            checked={isAutomatic}
            onChange={(on) => setImportsSchema(project, stream, on)}
          />
          Import after each test<span class="help"> the detected schema replaces the declared one</span>
        </label>
      )}
      {conflicts.length > 0 && (
        <div class="pad">
          <Notice kind="warning">
            {conflicts.length === 1 ? "One field has" : `${conflicts.length} fields have`} another type than declared.
            Such records are converted or refused at the destination.
          </Notice>
        </div>
      )}
      {form === "changes" &&
        (differences.length ? (
          <ul class="differences">
            {differences.slice(0, 500).map((difference) => (
              <li key={nameOf(difference)}>
                <code class="grow breakable">{nameOf(difference)}</code>
                <span class="muted small">
                  {difference.kind === "type"
                    ? `${typesOf(difference.declared).join(" | ")} → ${typesOf(difference.detected).join(" | ")}`
                    : typesOf(difference.kind === "missing" ? difference.detected : difference.declared).join(" | ")}
                </span>
                <Badge kind={WORDS[difference.kind].kind} title={WORDS[difference.kind].about}>
                  {WORDS[difference.kind].title}
                </Badge>
              </li>
            ))}
          </ul>
        ) : (
          <Empty icon="check" title="Declared and detected agree" />
        ))}
      {form === "detected" && <JsonView value={detected} />}
      {form === "declared" && <JsonView value={declared ?? null} />}
    </>
  );
}
