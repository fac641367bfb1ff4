import { useState } from "preact/hooks";
import type { Edit, Json } from "../api/types";
import { inputsOf, moveInputEdits, removeInputEdits, SPEC, type UserInput } from "../document/inputs";
import { configKeysIn, isObject } from "../document/walk";
import { Badge, Button, Empty } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { useForm } from "./context";
import { Faults } from "./Field";
import { InputDialog } from "./InputDialog";
import { YamlInPlace } from "./YamlInPlace";

/** Said by a badge at each input. */
const UNUSED = "unused-config";

/** What the person who runs the connector is asked for, in the order in which they see it. */
export function InputsForm() {
  const { project, readOnly } = useForm();
  const [edited, setEdited] = useState<UserInput | "new" | null>(null);
  const [asYaml, setAsYaml] = useState(false);
  const [dragged, setDragged] = useState<number | null>(null);
  const document = project.document.value;
  const inputs = inputsOf(document);
  const root = isObject(document) ? document : {};
  const used = configKeysIn({ ...root, spec: null });
  const missing = [...used].filter((key) => !inputs.some((input) => input.key === key) && !key.startsWith("__"));
  const move = (from: number, to: number) => {
    if (to < 0 || to >= inputs.length || from === to) return;
    const edits = (now: Json): Edit[] => {
      const list = inputsOf(now);
      const at = list.findIndex(({ key }) => key === inputs[from]?.key);
      const goal = Math.max(0, Math.min(list.length - 1, at + to - from));
      return at < 0 ? [] : moveInputEdits(list, at, goal);
    };
    void project.edit(edits, "Reorder user inputs");
  };
  return (
    <div class="sections">
      <div class="row">
        <p class="help grow">
          These are asked for when the connector is set up. In the manifest they are read as{" "}
          <code>{"{{ config['key'] }}"}</code>.
        </p>
        <Button small kind="quiet" icon="code" aria-pressed={asYaml} onClick={() => setAsYaml(!asYaml)}>
          {asYaml ? "Form" : "YAML"}
        </Button>
        {!readOnly && (
          <Button small kind="primary" icon="plus" onClick={() => setEdited("new")}>
            Add input
          </Button>
        )}
      </div>
      <Faults
        findings={project.findings.value.filter(
          ({ path, level, code }) =>
            path[0] === "spec" && path[1] !== "advanced_auth" && level !== "note" && !code.endsWith(UNUSED),
        )}
      />
      {asYaml ? (
        <YamlInPlace path={["spec"]} label="Specification" onClose={() => setAsYaml(false)} />
      ) : inputs.length === 0 ? (
        <Empty
          icon="user"
          title="No user inputs yet"
          actions={
            !readOnly && (
              <Button icon="plus" onClick={() => setEdited("new")}>
                Add input
              </Button>
            )
          }
        >
          Add one for what differs from user to user: a region, a start date. Authentication adds its own.
        </Empty>
      ) : (
        <ol class="inputs">
          {inputs.map((input, index) => (
            <li
              key={input.key}
              class={dragged === index ? "input-row dragged" : "input-row"}
              draggable={!readOnly}
              data-path={[...SPEC, "properties", input.key].join(".")}
              onDragStart={() => setDragged(index)}
              onDragEnd={() => setDragged(null)}
              onDragOver={(event) => event.preventDefault()}
              onDrop={(event) => {
                event.preventDefault();
                if (dragged !== null) move(dragged, index);
                setDragged(null);
              }}
            >
              <button
                type="button"
                class="drag"
                aria-label={`Move ${input.key}: arrow keys`}
                disabled={readOnly}
                onKeyDown={(event) => {
                  const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
                  if (step) {
                    event.preventDefault();
                    move(index, index + step);
                  }
                }}
              >
                <Icon name="drag" />
              </button>
              <button type="button" class="input-name" onClick={() => setEdited(input)}>
                <span class="row">
                  <strong class="clip">{String(input.property.title ?? input.key)}</strong>
                  {input.locked && (
                    <span title="Used by the authenticator">
                      <Icon name="lock" size={13} />
                    </span>
                  )}
                </span>
                <span class="muted small clip">
                  <code>{input.key}</code> · {typeOf(input)}
                  {input.property.description ? ` · ${String(input.property.description)}` : ""}
                </span>
              </button>
              {input.property.airbyte_secret === true && <Badge kind="accent">secret</Badge>}
              {input.property.airbyte_hidden === true && <Badge>hidden</Badge>}
              {input.required ? <Badge>required</Badge> : <Badge>optional</Badge>}
              {!used.has(input.key) && (
                <Badge kind="warning" title="No template reads it">
                  unused
                </Badge>
              )}
              {!readOnly && (
                <>
                  <Button
                    kind="quiet"
                    small
                    icon="edit"
                    aria-label={`Edit ${input.key}`}
                    onClick={() => setEdited(input)}
                  />
                  <Button
                    kind="quiet"
                    small
                    icon="trash"
                    disabled={input.locked}
                    aria-label={`Remove ${input.key}`}
                    title={input.locked ? "The authenticator uses it: change the authentication first" : undefined}
                    onClick={() => void project.edit((now) => removeInputEdits(now, input.key), `Remove ${input.key}`)}
                  />
                </>
              )}
            </li>
          ))}
        </ol>
      )}
      {missing.length > 0 && !asYaml && (
        <div class="notice warning">
          <Icon name="alert" size={15} />
          <div>
            Templates read what nobody is asked for:{" "}
            {missing.map((key) => (
              <code key={key}>{key} </code>
            ))}
          </div>
        </div>
      )}
      {edited && <InputDialog input={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </div>
  );
}

function typeOf(input: UserInput): string {
  const { type, format, enum: options } = input.property;
  if (Array.isArray(options)) return "one of a list";
  if (format === "date") return "date";
  if (format === "date-time") return "date and time";
  return Array.isArray(type) ? type.join(" or ") : String(type ?? "any");
}
