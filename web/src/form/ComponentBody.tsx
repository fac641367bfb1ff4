import { useState } from "preact/hooks";
import type { Json, Path } from "../api/types";
import { removeEntry, renameEntry, setEntry } from "../document/edits";
import { inputsOf } from "../document/inputs";
import { componentName, type Schema } from "../document/schema";
import { variablesAt } from "../document/variables";
import { isObject, isWithin } from "../document/walk";
import { titleOfKey } from "../document/words";
import { target } from "../state/view";
import { Button } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { useForm } from "./context";
import { CustomBody } from "./CustomBody";
import { KeyValues } from "./KeyValues";
import { LAYOUTS } from "./layouts";
import { SchemaField } from "./SchemaField";
import { YamlInPlace } from "./YamlInPlace";

interface Props {
  path: Path;
  at: Path;
  schema: Schema;
  value: Json | undefined;
  label: string;
  /** No line beside: something around it shows already that it is one thing. */
  flat?: boolean;
  /** Fields that are shown elsewhere. */
  without?: string[];
  /** The order of fields, where no `type` says it. */
  layout?: string;
}

/** The fields of an object: those that matter first, the others behind a fold. */
export function ComponentBody({ path, at, schema, value, label, flat, without = [], layout: named }: Props) {
  const { project, readOnly } = useForm();
  const object = isObject(value) ? value : {};
  const additional = schema.additionalProperties;
  if (!schema.properties) {
    const isTexts = Object.values(object).every((item) => typeof item !== "object" || item === null);
    if (
      typeof additional !== "object" &&
      additional !== true &&
      Object.keys(object).length === 0 &&
      value !== undefined
    )
      return <YamlInPlace path={at} label={label} />;
    if (!isTexts || (typeof additional === "object" && additional.$ref))
      return value === undefined ? <AddAsYaml path={at} label={label} /> : <YamlInPlace path={at} label={label} />;
    const inputs = inputsOf(project.document.value).map((input) => ({
      key: input.key,
      title: String(input.property.title ?? input.key),
    }));
    return (
      <KeyValues
        value={object}
        label={label}
        variables={variablesAt(at, inputs)}
        disabled={readOnly}
        onSet={(names, item) => project.edit(setEntry(at, names, item), `Set ${names[0]}`)}
        onRename={(names, to) => project.edit(renameEntry(at, names, to), `Rename ${names[0]}`)}
        onRemove={(names) => void project.edit(removeEntry(at, names), `Remove ${names[0]}`)}
      />
    );
  }
  const component = componentName(schema);
  if (component?.startsWith("Custom")) return <CustomBody path={path} at={at} schema={schema} value={value} />;
  const layout = LAYOUTS[component ?? named ?? ""] ?? {};
  const isSet = (key: string) => project.node([...path, key]).value !== undefined;
  const keys = Object.keys(schema.properties).filter(
    (key) => key !== "type" && !without.includes(key) && !(key.startsWith("$") && !isSet(key)),
  );
  const required = schema.required ?? [];
  const main = layout.main ?? [];
  const rank = (key: string) =>
    main.includes(key) ? main.indexOf(key) : main.length + (required.includes(key) ? 0 : 1);
  const isMain = (key: string) => main.includes(key) || required.includes(key) || (!layout.main && keys.length <= 4);
  const first = keys
    .filter((key) => isMain(key) || (isSet(key) && !key.startsWith("$")))
    .sort((a, b) => rank(a) - rank(b));
  const rest = keys.filter((key) => !first.includes(key) && !layout.old?.includes(key));
  const unknown = Object.keys(object).filter(
    (key) => !schema.properties?.[key] && key !== "type" && key !== "$ref" && key !== "$parameters",
  );
  const field = (key: string) => {
    const property = schema.properties?.[key];
    return (
      property && <SchemaField key={key} path={[...path, key]} schema={property} required={required.includes(key)} />
    );
  };
  return (
    <div class={flat ? "component flat" : "component"}>
      {first.map(field)}
      <More path={at} keys={rest}>
        {rest.map(field)}
      </More>
      {unknown.map((key) => (
        <div class="field" key={key}>
          <span class="label">{titleOfKey(key)}</span>
          <YamlInPlace path={[...at, key]} label={key} />
        </div>
      ))}
    </div>
  );
}

/** What has no form and is not there: a button, until somebody wants it. */
function AddAsYaml({ path, label }: { path: Path; label: string }) {
  const { readOnly } = useForm();
  const [isOpen, setOpen] = useState(false);
  if (isOpen) return <YamlInPlace path={path} label={label} onClose={() => setOpen(false)} />;
  return readOnly ? null : (
    <div>
      <Button small icon="plus" onClick={() => setOpen(true)}>
        Add as YAML
      </Button>
    </div>
  );
}

/** A fold for what is seldom needed; it opens by itself for a field that is looked for. */
export function More({
  path,
  keys,
  title,
  children,
}: {
  path: Path;
  keys: string[];
  title?: string;
  children: preact.ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(false);
  if (!keys.length) return null;
  const wanted = target.value?.path;
  const isWanted = wanted !== undefined && keys.some((key) => isWithin(wanted, [...path, key]));
  const shown = isOpen || isWanted;
  return (
    <div class="more">
      <button type="button" class="more-head" aria-expanded={shown} onClick={() => setOpen(!shown)}>
        <Icon name={shown ? "down" : "right"} size={13} />
        {title ?? "More settings"} <span class="muted">{keys.length}</span>
      </button>
      {shown && <div class="more-body">{children}</div>}
    </div>
  );
}
