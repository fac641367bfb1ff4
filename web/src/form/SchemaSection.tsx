import { Suspense, lazy } from "preact/compat";
import { useEffect, useState } from "preact/hooks";
import type { Json, Path } from "../api/types";
import { isObject, isWithin } from "../document/walk";
import { target } from "../state/view";
import { Badge, Button, Notice } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { useForm } from "./context";
import { Faults } from "./Field";
import { SchemaField } from "./SchemaField";
import { useTyped } from "./useTyped";

const CodeField = lazy(() => import("../editor/CodeField"));

/** The JSON schema of a stream's records: written here as JSON, or whatever loader the manifest has. */
export function SchemaSection({ path }: { path: Path }) {
  const { project, book, readOnly } = useForm();
  const loader = project.node([...path, "schema_loader"]);
  const [isOpen, setOpen] = useState(false);
  const wanted = target.value?.path;
  useEffect(() => {
    if (wanted && isWithin(wanted, loader.at)) setOpen(true);
  }, [wanted]);
  const isInline = isObject(loader.value) && loader.value.type === "InlineSchemaLoader";
  const schema = isInline ? project.node([...path, "schema_loader", "schema"]) : null;
  const fields =
    isObject(schema?.value) && isObject(schema.value.properties) ? Object.keys(schema.value.properties).length : 0;
  const findings = project.findingsWithin(loader.at);
  const property = book.definition("DeclarativeStream")?.properties?.schema_loader;
  return (
    <section class="section" aria-label="Schema">
      <header class="section-head">
        <button type="button" class="section-title" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? "down" : "right"} size={14} />
          <h3>Schema</h3>
          {findings.some((one) => one.level !== "note") && <Badge kind="warning">{findings.length}</Badge>}
        </button>
        <span class="help clip grow">
          {isInline
            ? fields
              ? `${fields} ${fields === 1 ? "field" : "fields"} declared`
              : "Nothing declared yet: test the stream, then import the detected schema."
            : ""}
        </span>
      </header>
      {isOpen && (
        <div class="section-body">
          {schema && <Faults findings={findings} />}
          {schema && isObject(schema.value) ? (
            <SchemaEditor
              key={path.join(".")}
              value={schema.value}
              readOnly={readOnly}
              onApply={(value) => project.set(schema.at, value, "Change the schema")}
            />
          ) : (
            property && <SchemaField path={[...path, "schema_loader"]} schema={property} title="Schema" />
          )}
        </div>
      )}
    </section>
  );
}

function SchemaEditor({
  value,
  readOnly,
  onApply,
}: {
  value: Json;
  readOnly: boolean;
  onApply: (value: Json) => Promise<boolean>;
}) {
  const written = JSON.stringify(value, null, 2);
  const typed = useTyped(written);
  const [fault, setFault] = useState<string | null>(null);
  const apply = async () => {
    if (readOnly) return;
    try {
      const parsed = JSON.parse(typed.text) as Json;
      if (!isObject(parsed)) throw new Error("A schema is an object.");
      setFault(null);
      if (await onApply(parsed)) typed.applied(typed.text);
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <p class="help">The JSON schema of a record. A test detects it: see its tab “Schema”.</p>
      <Suspense fallback={<span class="spinner" />}>
        <CodeField
          value={written}
          isChanged={typed.isChanged}
          onChange={typed.type}
          language="json"
          label="Schema as JSON"
          readOnly={readOnly}
          onSubmit={apply}
        />
      </Suspense>
      {fault && <Notice kind="error">{fault}</Notice>}
      {!readOnly && typed.isChanged && (
        <div class="row">
          <Button small kind="primary" onClick={apply}>
            Apply
          </Button>
          <Button
            small
            onClick={() => {
              setFault(null);
              typed.discard();
            }}
          >
            Discard
          </Button>
        </div>
      )}
    </>
  );
}
