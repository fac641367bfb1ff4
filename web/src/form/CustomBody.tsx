import type { Json, Path } from "../api/types";
import { removeEntry, renameEntry, setEntry } from "../document/edits";
import { inputsOf } from "../document/inputs";
import type { Schema } from "../document/schema";
import { variablesAt } from "../document/variables";
import { isObject } from "../document/walk";
import { titleOfKey } from "../document/words";
import { Notice } from "../ui/basics";
import { useForm } from "./context";
import { KeyValues } from "./KeyValues";
import { Property } from "./Property";
import { YamlInPlace } from "./YamlInPlace";

const OWN = ["type", "class_name", "$parameters", "$ref"];

/** A component that is a Python class: its name, the fields that it is given, and what is not done with it here. */
export function CustomBody({
  path,
  at,
  schema,
  value,
}: {
  path: Path;
  at: Path;
  schema: Schema;
  value: Json | undefined;
}) {
  const { project, readOnly } = useForm();
  const object = isObject(value) ? value : {};
  const fields = Object.entries(object).filter(([key]) => !OWN.includes(key));
  const texts = fields.filter(([, item]) => typeof item !== "object" || item === null);
  const inputs = inputsOf(project.document.value).map(({ key, property }) => ({
    key,
    title: String(property.title ?? key),
  }));
  return (
    <div class="component flat">
      <Notice kind="warning">
        <strong>Python code of the connector, which this program does not run.</strong> It is checked and kept as it
        stands; what uses it cannot be tested or read here. Airbyte's own runtime runs it, with the{" "}
        <code>components.py</code> that is kept beside the manifest, not in it.
      </Notice>
      <Property
        of={schema.properties ?? {}}
        name="class_name"
        path={path}
        title="Class"
        required
        placeholder="source_declarative_manifest.components.MyComponent"
      />
      <div class="field">
        <span class="label">Fields</span>
        <KeyValues
          value={Object.fromEntries(texts)}
          label="field"
          variables={variablesAt(at, inputs)}
          disabled={readOnly}
          onSet={(names, item) => project.edit(setEntry(at, names, item), `Set ${names[0]}`)}
          onRename={(names, to) => project.edit(renameEntry(at, names, to), `Rename ${names[0]}`)}
          onRemove={(names) => void project.edit(removeEntry(at, names, { keepsEmpty: true }), `Remove ${names[0]}`)}
        />
        <p class="help">What the class is given when it is made.</p>
      </div>
      {fields
        .filter(([, item]) => typeof item === "object" && item !== null)
        .map(([key]) => (
          <div class="field" key={key}>
            <span class="label">{titleOfKey(key)}</span>
            <YamlInPlace path={[...at, key]} label={key} />
          </div>
        ))}
    </div>
  );
}
