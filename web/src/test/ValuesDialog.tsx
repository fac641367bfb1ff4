import { useState } from "preact/hooks";
import { messageOf } from "../api/client";
import type { Json, JsonObject } from "../api/types";
import { CONSENT_REQUESTS } from "../document/consent";
import { inputsOf, type UserInput } from "../document/inputs";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";
import { Chips } from "../form/Chips";
import { Button, Dialog, Labelled, Notice, Switch } from "../ui/basics";
import { tell } from "../state/toasts";
import { configOf, withKept } from "./config";
import { Connect } from "./Connect";
import { testing } from "./store";

/** What the tests are run with: the user inputs, filled in. They are never part of the manifest. */
export function ValuesDialog({ project, onClose }: { project: OpenProject; onClose: () => void }) {
  const store = testing(project);
  const inputs = inputsOf(project.document.value).filter((input) => input.property.airbyte_hidden !== true);
  const [values, setValues] = useState<JsonObject>(() => {
    const presets = inputs.filter(
      ({ key, property }) => property.default !== undefined && !(key in store.values.value),
    );
    return {
      ...Object.fromEntries(presets.map(({ key, property }) => [key, property.default ?? null])),
      ...store.values.value,
    };
  });
  const [isBusy, setBusy] = useState(false);
  const [asJson, setAsJson] = useState(false);
  const [json, setJson] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const [checked, setChecked] = useState<{ success: boolean; message: string | null } | null>(null);
  /** The values as they are written now; none, with a fault shown, if they cannot be read. */
  const read = (): JsonObject | null => {
    if (!asJson) return values;
    try {
      const given = configOf(json);
      setFault(null);
      return given;
    } catch (error) {
      setFault(messageOf(error));
      return null;
    }
  };
  const change = () => {
    const given = read();
    if (!given) return;
    setValues(given);
    setJson(JSON.stringify(given, null, 2));
    setAsJson(!asJson);
  };
  const save = async (checks: boolean) => {
    setChecked(null);
    const given = read();
    if (!given) return;
    setBusy(true);
    const done = await store.saveValues(given);
    const answer = done && checks ? await tell(project.api.check(project.id, project.text.value)) : undefined;
    setBusy(false);
    if (answer) setChecked(answer);
    else if (done && !checks) onClose();
  };
  const set = (key: string, value: Json | undefined) =>
    setValues(({ [key]: _, ...rest }) => (value === undefined ? rest : { ...rest, [key]: value }));
  return (
    <Dialog
      title="Testing values"
      onClose={onClose}
      onSubmit={() => void save(false)}
      foot={
        <>
          <Button busy={isBusy} onClick={() => void save(true)}>
            Save and check
          </Button>
          <span class="grow" />
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={isBusy}>
            Save
          </Button>
        </>
      }
    >
      <div class="row">
        <p class="help grow">Used for tests only, and kept apart from the manifest. Secrets are stored encrypted.</p>
        <Button small kind="quiet" onClick={change}>
          {asJson ? "Form" : "JSON"}
        </Button>
      </div>
      {checked && (
        <Notice kind={checked.success ? "accent" : "error"} icon={checked.success ? "check" : "alert"}>
          {checked.success ? "The connection works." : (checked.message ?? "The connection does not work.")}
        </Notice>
      )}
      {isObject(project.node(CONSENT_REQUESTS).value) && !asJson && (
        <Connect
          project={project}
          before={() => store.saveValues(values)}
          onDone={(kept) => setValues((now) => withKept(now, store.values.value, kept))}
        />
      )}
      {asJson ? (
        <Labelled label="Config as JSON" fault={fault}>
          {(id) => (
            <textarea
              id={id}
              class="input code"
              rows={14}
              value={json}
              onInput={(event) => {
                setJson(event.currentTarget.value);
                setFault(null);
              }}
            />
          )}
        </Labelled>
      ) : inputs.length === 0 ? (
        <Notice>The connector asks for nothing: it has no user inputs.</Notice>
      ) : (
        inputs.map((input, index) => (
          <ValueField
            key={input.key}
            input={input}
            value={values[input.key]}
            isFirst={index === 0}
            onChange={(value) => set(input.key, value)}
          />
        ))
      )}
    </Dialog>
  );
}

function ValueField({
  input,
  value,
  isFirst,
  onChange,
}: {
  input: UserInput;
  value: Json | undefined;
  isFirst: boolean;
  onChange: (value: Json | undefined) => void;
}) {
  const { property } = input;
  const pattern = typeof property.pattern === "string" ? property.pattern : null;
  const text = value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const mismatch =
    pattern && text && !text.startsWith("***") && !matches(pattern, text)
      ? `Expected: ${String(property.pattern_descriptor ?? pattern)}`
      : null;
  const placeholder = Array.isArray(property.examples)
    ? String(property.examples[0] ?? "")
    : String(property.pattern_descriptor ?? "");
  const type = Array.isArray(property.type) ? property.type[0] : property.type;
  const control = (id: string) => {
    if (Array.isArray(property.enum)) {
      return (
        <select
          id={id}
          class="input"
          value={text}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        >
          <option value="">Choose…</option>
          {property.enum.map((one) => (
            <option key={String(one)} value={String(one)}>
              {String(one)}
            </option>
          ))}
        </select>
      );
    }
    if (type === "boolean")
      return (
        <span class="row">
          <Switch id={id} checked={value === true} onChange={onChange} />
        </span>
      );
    if (type === "array" && (!Array.isArray(value) || value.every((one) => typeof one !== "object"))) {
      return (
        <Chips id={id} values={Array.isArray(value) ? value.map(String) : []} onChange={(list) => onChange(list)} />
      );
    }
    if (property.multiline === true || type === "object" || type === "array") {
      return (
        <textarea
          id={id}
          class="input code"
          rows={5}
          value={typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : text}
          placeholder={placeholder}
          onInput={(event) =>
            onChange(property.multiline === true ? event.currentTarget.value : parsed(event.currentTarget.value))
          }
        />
      );
    }
    const isNumber = type === "integer" || type === "number";
    return (
      <input
        id={id}
        class="input"
        autofocus={isFirst}
        autocomplete="off"
        value={text}
        placeholder={placeholder}
        {...(property.airbyte_secret === true
          ? { type: "password" as const }
          : { inputMode: isNumber ? ("numeric" as const) : ("text" as const) })}
        onFocus={(event) => text.startsWith("***") && event.currentTarget.select()}
        onInput={(event) => {
          const typed = event.currentTarget.value;
          onChange(typed === "" ? undefined : isNumber && Number.isFinite(Number(typed)) ? Number(typed) : typed);
        }}
      />
    );
  };
  return (
    <Labelled
      label={String(property.title ?? input.key)}
      needed={input.required}
      fault={mismatch}
      help={property.description ? String(property.description) : undefined}
    >
      {control}
    </Labelled>
  );
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return true;
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
