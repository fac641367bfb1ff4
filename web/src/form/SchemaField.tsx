import { useId, useState } from "preact/hooks";
import type { Edit, Json, Path } from "../api/types";
import { graphqlFault } from "../document/graphql";
import { accepts, blank, componentName, type Schema } from "../document/schema";
import { dropInputsEdits } from "../document/inputs";
import { chooseEdits, starterOf } from "../document/starters";
import { isObject, pathText, samePath } from "../document/walk";
import { titleOfComponent, titleOfKey } from "../document/words";
import { jumpTo } from "../state/view";
import { Badge } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { Menu, type MenuItem } from "../ui/Menu";
import { ComponentBody } from "./ComponentBody";
import { useForm } from "./context";
import { Field } from "./Field";
import { ListField } from "./ListField";
import { isRequestOption, RequestOptionInput } from "./RequestOptionInput";
import { ScalarInput } from "./ScalarInput";
import { SecretOffer } from "./SecretOffer";
import { StreamReference } from "./StreamReference";
import { typedValue } from "./variant";
import { YamlInPlace } from "./YamlInPlace";

export interface SchemaFieldProps {
  path: Path;
  schema: Schema;
  title?: string;
  help?: string;
  required?: boolean;
  placeholder?: string;
}

const kindTitle = (schema: Schema): string =>
  componentName(schema) ??
  (schema.enum
    ? "Choice"
    : schema.type === "array"
      ? "List"
      : schema.type === "object"
        ? "Keys and values"
        : schema.type === "string"
          ? "Text"
          : titleOfKey(String(schema.type ?? "value")));

/** Whether a plain input shows it: texts, numbers, choices, lists of texts. */
const isScalar = (schema: Schema) =>
  ["string", "integer", "number", "boolean"].includes(String(schema.type)) || schema.enum !== undefined;

/** Any value of the manifest, as its schema says: the one component that all forms are made of. */
export function SchemaField({ path, schema, title, help, required, placeholder }: SchemaFieldProps) {
  const { project, book, readOnly } = useForm();
  const [asYaml, setAsYaml] = useState(false);
  const id = useId();
  const node = project.node(path);
  const { value, at } = node;
  const key = String(path.at(-1) ?? "");
  const variants = book.variants(schema).filter((variant) => variant.type !== "null");
  const isEmpty = value === undefined || value === null;
  // The `type` of a component may come from what it builds on.
  const variant = isEmpty ? emptyVariant(variants) : book.variantOf(schema, typedValue(project, path, value));
  const name = title ?? titleOfKey(key);
  const isStream = key === "stream" && variants.some((one) => componentName(one) === "DeclarativeStream");
  // What is laid over a reference has fields of its own; an anchor is one value in several places.
  const overlays = isObject(value) && "$ref" in value;
  const isShared = !isEmpty && !overlays && !node.inherited && isAliased(project.analysis.value.shared, at);
  const isQuery = key === "query" && path.includes("request_body");
  const queryFault = isQuery && typeof value === "string" ? graphqlFault(value) : null;
  const doesNotFit = !isEmpty && !variant && !isStream;

  const choose = (wanted: Schema) => {
    const component = componentName(wanted);
    const first = (component && starterOf(component)) || blank(book, wanted);
    const kept = component ? keepKnown(wanted, value, first) : first;
    if (!component) return project.edit([{ op: "set", path: at, value: kept }], `Choose ${name}`);
    // What only the authenticator before has asked for is not asked for any more.
    const edits = (document: Json): Edit[] => {
      const dropped = key === "authenticator" ? dropInputsEdits(document, at, value) : { edits: [], left: document };
      return [...dropped.edits, ...chooseEdits(dropped.left, at, component, kept)];
    };
    return project.edit(edits, `Choose ${name}`);
  };
  const components = variants.filter((one) => componentName(one));
  const isOption = isRequestOption(components, value);
  const others = variants.filter((one) => one !== variant && !componentName(one) && !(isEmpty && isScalar(one)));
  const isOwn = !isEmpty && !node.inherited;
  const menu: (MenuItem | null)[] = [
    { title: asYaml ? "Show as form" : "Edit as YAML", icon: "code", run: () => setAsYaml(!asYaml) },
    ...others.map((one): MenuItem => ({
      title: `Write as ${kindTitle(one).toLowerCase()}`,
      run: () => void choose(one),
    })),
    isOwn && !required ? { title: "Remove", icon: "trash", danger: true, run: () => void project.remove(at) } : null,
  ];
  const badge =
    node.inherited && !isEmpty ? (
      <Origin from={node.from} />
    ) : isShared ? (
      <Badge title="Written once and used in several places by an anchor">Shared</Badge>
    ) : node.from && !node.inherited && !samePath(at, path) && at.length <= path.length ? (
      <Origin from={node.from} isReference />
    ) : null;
  const tools = readOnly ? null : <Menu label={`More for ${name}`} items={menu.filter((item) => item !== null)} />;
  const showsChoice = components.length > 1 || (components.length === 1 && !required);
  const inner = () => {
    if (asYaml) return <YamlInPlace path={at} label={name} onClose={() => setAsYaml(false)} />;
    if (isStream) return <StreamReference id={id} path={path} />;
    if (isOption && !isShared)
      return (
        <RequestOptionInput id={id} at={at} components={components} value={value} required={required} label={name} />
      );
    if (doesNotFit || isShared) return <Unshown path={at} label={name} isShared={isShared} value={value} />;
    return (
      <>
        {showsChoice && (
          <select
            id={id}
            class="input"
            value={variant && !isEmpty ? (componentName(variant) ?? "") : ""}
            disabled={readOnly}
            onChange={(event) => {
              const select = event.currentTarget;
              const wanted = components.find((one) => componentName(one) === select.value);
              const before = variant && !isEmpty ? (componentName(variant) ?? "") : "";
              const chosen = wanted ? choose(wanted) : isOwn ? project.remove(at) : undefined;
              // What could not be written is not shown as chosen.
              void chosen?.then((done) => {
                if (!done) select.value = before;
              });
            }}
          >
            {(!required || isEmpty) && <option value="">{required ? "Choose…" : "Not set"}</option>}
            {!isEmpty && variant && !componentName(variant) && <option value="">{kindTitle(variant)}</option>}
            {components.map((one) => (
              <option key={componentName(one)} value={componentName(one) ?? ""}>
                {titleOfComponent(componentName(one) ?? "")}
              </option>
            ))}
          </select>
        )}
        {variant && !(showsChoice && isEmpty) && (
          <Value
            id={id}
            path={path}
            variant={variant}
            value={value}
            at={at}
            required={required}
            placeholder={placeholder}
            label={name}
          />
        )}
      </>
    );
  };
  return (
    <Field
      path={at}
      title={name}
      id={id}
      required={required}
      badge={badge}
      tools={tools}
      help={help ?? worthSaying(schema.description ?? variant?.description)}
      form={
        variant?.type === "boolean" && !asYaml
          ? "inline"
          : variant && !isScalar(variant) && variant.properties && !isEmpty && !isOption
            ? "outer"
            : "plain"
      }
      findings={project.findingsAt(at)}
    >
      {inner()}
      {isQuery && queryFault && (
        <p class="fault" role="alert">
          <Icon name="alert" size={13} />
          {queryFault}
        </p>
      )}
      {typeof value === "string" && isOwn && <SecretOffer path={at} name={key} text={value} />}
    </Field>
  );
}

function Value({
  id,
  path,
  variant,
  value,
  at,
  required,
  placeholder,
  label,
}: {
  id: string;
  path: Path;
  variant: Schema;
  value: Json | undefined;
  at: Path;
  required?: boolean;
  placeholder?: string;
  label: string;
}) {
  if (isScalar(variant))
    return <ScalarInput id={id} at={at} schema={variant} value={value} required={required} placeholder={placeholder} />;
  if (variant.type === "array")
    return (
      <ListField id={id} path={path} at={at} schema={variant} value={value} label={label} placeholder={placeholder} />
    );
  return <ComponentBody path={path} at={at} schema={variant} value={value} label={label} />;
}

/** Where an inherited value is written, and the way there. */
function Origin({ from, isReference }: { from: Path | null; isReference?: boolean }) {
  if (!from) return <Badge title="Set by $parameters of a component around this one">$parameters</Badge>;
  const place = from[0] === "definitions" ? String(from[1]) : pathText(from.slice(0, 2));
  return (
    <button
      type="button"
      class="badge accent"
      style={{ cursor: "pointer" }}
      title={
        isReference
          ? `Shared: a change here changes ${pathText(from)} for all who use it`
          : `Comes from ${pathText(from)}; a change here overrides it for this one`
      }
      onClick={() => jumpTo(from)}
    >
      from {place}
    </button>
  );
}

/** What the form cannot show, said so, with the YAML to change it right here. */
function Unshown({
  path,
  label,
  isShared,
  value,
}: {
  path: Path;
  label: string;
  isShared: boolean;
  value: Json | undefined;
}) {
  return (
    <div class="unshown">
      <p class="help">
        {isShared
          ? "This is written once and shared by a YAML anchor. Change it as YAML:"
          : `The form cannot show ${isObject(value) && typeof value.type === "string" ? `“${value.type}”` : "this value"} here. Change it as YAML:`}
      </p>
      <YamlInPlace path={path} label={label} />
    </div>
  );
}

/** An explanation of three words says no more than the name. */
const worthSaying = (text: string | undefined) => (text && text.split(/\s+/).length > 3 ? text : undefined);

const isAliased = (shared: Path[], at: Path) => shared.some((path) => samePath(path, at));

/** What an input is shown for while there is no value: the simplest alternative. */
function emptyVariant(variants: Schema[]): Schema | null {
  const plain = variants.filter((one) => !componentName(one));
  const pairs = plain.find((one) => one.type === "object" && !one.properties && one.additionalProperties !== undefined);
  return (
    plain.find((one) => one.enum) ??
    pairs ??
    plain.find((one) => one.type === "string") ??
    plain[0] ??
    variants[0] ??
    null
  );
}

/** What of the present value the newly chosen component can keep. */
function keepKnown(wanted: Schema, value: Json | undefined, first: Json): Json {
  if (!isObject(value) || !isObject(first)) return first;
  const known = Object.entries(value).filter(([key, item]) => {
    const property = wanted.properties?.[key];
    return (
      key !== "type" &&
      property !== undefined &&
      (accepts(property, item) || isObject(item)) &&
      !(key in first && typeof item === "string" && !item)
    );
  });
  return { ...first, ...Object.fromEntries(known) };
}
