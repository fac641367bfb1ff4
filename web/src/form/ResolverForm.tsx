import { useId } from "preact/hooks";
import type { Path } from "../api/types";
import { componentName } from "../document/schema";
import { chooseEdits, starterOf } from "../document/starters";
import { isObject } from "../document/walk";
import { titleOfComponent } from "../document/words";
import { ComponentBody } from "./ComponentBody";
import { useForm } from "./context";
import { Faults, Field } from "./Field";
import { SchemaField } from "./SchemaField";
import { Section } from "./Section";
import { OF_RETRIEVER } from "./sections";
import { typedValue } from "./variant";

const HTTP = "HttpComponentsResolver";

/** Where a template's streams come from, and which field of the template gets which value. */
export function ResolverForm({ path }: { path: Path }) {
  const { project, book, readOnly } = useForm();
  const id = useId();
  const node = project.node(path);
  const schema = book.definition("DynamicDeclarativeStream")?.properties?.components_resolver;
  if (!schema) return null;
  const variants = book.variants(schema);
  const variant = book.variantOf(schema, typedValue(project, path, node.value));
  const kind = (variant && componentName(variant)) ?? "";
  const retriever = project.node([...path, "retriever", "type"]).value;
  const isPlain = kind === HTTP && retriever === "SimpleRetriever";
  const mappings = variant?.properties?.components_mapping;
  const choose = (wanted: string) => {
    const value = starterOf(wanted) ?? { type: wanted };
    const kept = isObject(node.value) ? node.value.components_mapping : undefined;
    void project.edit(
      (document) =>
        chooseEdits(document, node.at, wanted, kept ? { ...value, components_mapping: kept } : value),
      "Choose where streams come from",
    );
  };
  return (
    <>
      <div class="section plain">
        <Faults findings={project.findingsAt(node.at)} />
        <Field
          path={[...node.at, "type"]}
          title="One stream for each entry of"
          id={id}
          required
          help="Each entry fills the template once: the mappings below say which field gets which value."
        >
          <select
            id={id}
            class="input"
            value={kind}
            disabled={readOnly}
            onChange={(event) => event.currentTarget.value && choose(event.currentTarget.value)}
          >
            {!kind && <option value="">Choose…</option>}
            {variants.map((one) => (
              <option key={componentName(one)} value={componentName(one) ?? ""}>
                {titleOfComponent(componentName(one) ?? "")}
              </option>
            ))}
          </select>
        </Field>
        {variant && !isPlain && (
          <ComponentBody
            path={path}
            at={node.at}
            schema={variant}
            value={node.value}
            label="Source of streams"
            without={["components_mapping"]}
            flat
          />
        )}
      </div>
      {isPlain &&
        OF_RETRIEVER.map((section) => <Section key={section.id} definition={HTTP} root={path} spec={section} />)}
      {mappings && (
        <section class="section" aria-label="Mappings">
          <div class="section-body first">
            <SchemaField
              path={[...path, "components_mapping"]}
              schema={mappings}
              title="What each entry fills in"
              required
              help="The path of a field of the template, and what it gets: `components_values` is the entry."
            />
          </div>
        </section>
      )}
    </>
  );
}
