import { useEffect, useState } from "preact/hooks";
import type { Path } from "../api/types";
import type { Schema } from "../document/schema";
import { isObject, isWithin } from "../document/walk";
import { target } from "../state/view";
import { Badge, Switch } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { useForm } from "./context";
import { Faults, Field } from "./Field";
import { InheritedRequest } from "./InheritedRequest";
import { SchemaField } from "./SchemaField";
import type { FieldSpec, SectionSpec } from "./sections";
import { YamlInPlace } from "./YamlInPlace";

/** The schema of the value at `path` inside a component of this definition. */
export function useSchemaAt(definition: string, root: Path, path: Path): Schema | null {
  const { project, book } = useForm();
  let schema = book.definition(definition);
  let sofar = root;
  for (const key of path) {
    if (!schema) return null;
    schema = book.child(schema, project.node(sofar).value, key);
    sofar = [...sofar, key];
  }
  return schema;
}

/** A part of a stream, or of what is read like one: its fields, and whether it is there at all. */
export function Section({ definition, root, spec }: { definition: string; root: Path; spec: SectionSpec }) {
  const { project, readOnly } = useForm();
  const at: Path = [...root, ...(spec.path ?? [])];
  const node = project.node(at);
  const isOn =
    !spec.path ||
    (node.value !== undefined && node.value !== null && !(isObject(node.value) && node.value.type === "NoPagination"));
  const wanted = target.value?.path;
  const isWanted = wanted !== undefined && spec.fields.some((field) => isWithin(wanted, [...root, ...field.path]));
  const [isOpen, setOpen] = useState(spec.isOpen ?? true);
  useEffect(() => {
    if (isWanted) setOpen(true);
  }, [isWanted]);
  const around = (spec.around ?? []).flatMap((path) => project.findingsAt(project.node([...root, ...path]).at));
  const inside = spec.fields.flatMap((field) => project.findingsWithin(project.node([...root, ...field.path]).at));
  const faults = [...around, ...inside].filter((one) => one.level !== "note");
  const [asYaml, setAsYaml] = useState(false);
  const isShown = isOpen && isOn;
  const toggle = (on: boolean) => {
    setOpen(true);
    setAsYaml(false);
    if (!on) return project.remove(node.at, `Turn off ${spec.title.toLowerCase()}`);
    const { start } = spec;
    if (start) return project.edit((document) => start(document, node.at), `Turn on ${spec.title.toLowerCase()}`);
  };
  return (
    <section class="section" aria-label={spec.title} id={`section-${spec.id}`}>
      <header class="section-head">
        <button
          type="button"
          class="section-title"
          aria-expanded={isShown}
          onClick={() => void (isOn ? setOpen(!isOpen) : toggle(true))}
          disabled={readOnly && !isOn}
        >
          {isOn ? <Icon name={isShown ? "down" : "right"} size={14} /> : null}
          <h3>{spec.title}</h3>
          {faults.length > 0 && (
            <Badge kind={faults.some((one) => one.level === "error") ? "error" : "warning"}>{faults.length}</Badge>
          )}
        </button>
        <span class="help clip grow">{isOn ? "" : spec.about}</span>
        {isShown && spec.path && (
          <button
            type="button"
            class="button quiet small icon"
            title={asYaml ? "Show as form" : "Edit as YAML"}
            aria-label={`${spec.title}: ${asYaml ? "show as form" : "edit as YAML"}`}
            aria-pressed={asYaml}
            onClick={() => setAsYaml(!asYaml)}
          >
            <Icon name="code" size={14} />
          </button>
        )}
        {spec.path && spec.start && <Switch checked={isOn} label={spec.title} onChange={toggle} disabled={readOnly} />}
      </header>
      {isShown && (
        <div class="section-body">
          {asYaml ? (
            <YamlInPlace path={node.at} label={spec.title} onClose={() => setAsYaml(false)} />
          ) : (
            <>
              <Faults findings={around} />
              {spec.id === "request" && <InheritedRequest root={root} />}
              {spec.fields.map((field) => (
                <Entry key={field.path.join(".")} definition={definition} root={root} spec={field} />
              ))}
            </>
          )}
        </div>
      )}
    </section>
  );
}

function Entry({ definition, root, spec }: { definition: string; root: Path; spec: FieldSpec }) {
  const { project } = useForm();
  const schema = useSchemaAt(definition, root, spec.path);
  const path = [...root, ...spec.path];
  const node = project.node(path);
  if (!schema)
    return node.value === undefined ? null : (
      <Field path={node.at} title={spec.title ?? String(spec.path.at(-1))}>
        <YamlInPlace path={node.at} label={spec.title ?? ""} />
      </Field>
    );
  if (spec.onlyIfSet && node.value === undefined) return null;
  return (
    <SchemaField
      path={path}
      schema={schema}
      title={spec.title}
      help={spec.help}
      required={spec.required}
      placeholder={spec.placeholder}
    />
  );
}
