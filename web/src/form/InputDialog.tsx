import { useState } from "preact/hooks";
import type { Json, JsonObject } from "../api/types";
import { freeKey, inputsOf, putInputEdits, SPEC, type UserInput } from "../document/inputs";
import { slugOf } from "../document/words";
import { Button, Dialog, Labelled, Notice, Switch } from "../ui/basics";
import { TextField } from "../ui/TextField";
import { Chips } from "./Chips";
import { useForm } from "./context";
import { YamlInPlace } from "./YamlInPlace";

const KINDS = {
  string: { title: "Text", property: { type: "string" } },
  integer: { title: "Whole number", property: { type: "integer" } },
  number: { title: "Number", property: { type: "number" } },
  boolean: { title: "Yes or no", property: { type: "boolean" } },
  array: { title: "List of texts", property: { type: "array", items: { type: "string" } } },
  enum: { title: "One of a list", property: { type: "string" } },
  date: { title: "Date", property: { type: "string", format: "date" } },
  datetime: { title: "Date and time", property: { type: "string", format: "date-time" } },
} as const;
type Kind = keyof typeof KINDS;

const PATTERNS: Partial<Record<Kind, [string, string]>> = {
  date: ["^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "YYYY-MM-DD"],
  datetime: ["^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", "YYYY-MM-DDTHH:mm:ssZ"],
};
/** What this dialog writes; all else of a property stays as it is. */
const OWN = [
  "type",
  "title",
  "description",
  "items",
  "enum",
  "format",
  "default",
  "examples",
  "pattern",
  "pattern_descriptor",
  "airbyte_secret",
  "airbyte_hidden",
  "multiline",
];

function kindOf(property: JsonObject): Kind | null {
  const type = Array.isArray(property.type) ? property.type.find((one) => one !== "null") : property.type;
  if (Array.isArray(property.enum)) return "enum";
  if (type === "string")
    return property.format === "date" ? "date" : property.format === "date-time" ? "datetime" : "string";
  if (type === "array" && (property.items as JsonObject | undefined)?.type !== "string") return null;
  return typeof type === "string" && type in KINDS ? (type as Kind) : null;
}

const textOf = (value: Json | undefined): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);

/** Adds or changes one user input. */
export function InputDialog({ input, onClose }: { input: UserInput | null; onClose: () => void }) {
  const { project } = useForm();
  const old = input?.property ?? {};
  const [title, setTitle] = useState(textOf(old.title));
  const [key, setKey] = useState(input?.key ?? "");
  const [kind, setKind] = useState<Kind | null>(input ? kindOf(old) : "string");
  const [hint, setHint] = useState(textOf(old.description));
  const [preset, setPreset] = useState(textOf(old.default));
  const [placeholder, setPlaceholder] = useState(Array.isArray(old.examples) ? textOf(old.examples[0]) : "");
  const [pattern, setPattern] = useState(textOf(old.pattern));
  const [descriptor, setDescriptor] = useState(textOf(old.pattern_descriptor));
  const [options, setOptions] = useState<string[]>(Array.isArray(old.enum) ? old.enum.map(textOf) : []);
  const [flags, setFlags] = useState({
    secret: old.airbyte_secret === true,
    required: input?.required ?? true,
    hidden: old.airbyte_hidden === true,
    multiline: old.multiline === true,
  });
  const document = project.document.value;
  const name = key || freeKey(document, slugOf(title));
  const isTaken = name !== input?.key && inputsOf(document).some((one) => one.key === name);
  const fault =
    !title.trim() && !key
      ? null
      : !/^[\w-]+$/.test(name)
        ? "Letters, digits, “_” and “-” only."
        : isTaken
          ? "Another input has this key."
          : null;

  if (input && !kind) {
    return (
      <Dialog title={`Input “${input.key}”`} onClose={onClose} wide>
        <Notice>The form has no fields for this kind of input. Change it as YAML:</Notice>
        <YamlInPlace path={[...SPEC, "properties", input.key]} label={input.key} onClose={onClose} />
      </Dialog>
    );
  }
  const save = async () => {
    if (!kind || fault || !name) return;
    const property: JsonObject = { ...KINDS[kind].property, title: title.trim() || name };
    if (hint.trim()) property.description = hint.trim();
    if (kind === "enum") property.enum = options;
    if (preset !== "") property.default = valueOf(kind, preset);
    if (placeholder !== "") property.examples = [valueOf(kind, placeholder)];
    const [formPattern, formWords] = PATTERNS[kind] ?? ["", ""];
    if (pattern || formPattern) property.pattern = pattern || formPattern;
    if (descriptor || formWords) property.pattern_descriptor = descriptor || formWords;
    if (flags.secret) property.airbyte_secret = true;
    if (flags.hidden) property.airbyte_hidden = true;
    if (flags.multiline) property.multiline = true;
    for (const [other, value] of Object.entries(old)) if (!OWN.includes(other)) property[other] = value;
    property.order ??= inputsOf(document).length;
    const done = await project.edit(
      (now) => putInputEdits(now, { key: name, property, required: flags.required }, input?.key ?? null),
      input ? `Change ${name}` : `Add input ${name}`,
    );
    if (done) onClose();
  };
  const flag = (which: keyof typeof flags, label: string, about: string) => (
    <label class="flag">
      <Switch label={label} checked={flags[which]} onChange={(checked) => setFlags({ ...flags, [which]: checked })} />
      <span>
        {label}
        <span class="help"> {about}</span>
      </span>
    </label>
  );
  return (
    <Dialog
      title={input ? `Input “${input.key}”` : "New user input"}
      onClose={onClose}
      onSubmit={() => void save()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            disabled={!name || fault !== null || (kind === "enum" && !options.length)}
          >
            {input ? "Save" : "Add input"}
          </Button>
        </>
      }
    >
      <TextField label="Name" needed autofocus value={title} placeholder="Base currency" onInput={setTitle} />
      <div class="two">
        <TextField
          label="Key in the config"
          code
          fault={fault}
          help={input?.locked ? "The authenticator reads this key: it stays." : undefined}
          value={key}
          placeholder={name}
          disabled={input?.locked}
          onInput={setKey}
        />
        <Labelled label="Type">
          {(id) => (
            <select
              id={id}
              class="input"
              value={kind ?? "string"}
              onChange={(event) => setKind(event.currentTarget.value as Kind)}
            >
              {Object.entries(KINDS).map(([value, { title: words }]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Labelled>
      </div>
      {kind === "enum" && (
        <Labelled label="Values to choose from" needed>
          {(id) => <Chips id={id} values={options} onChange={setOptions} />}
        </Labelled>
      )}
      <TextField label="Hint" value={hint} placeholder="What it is and where to find it" onInput={setHint} />
      <div class="two">
        <TextField label="Default" value={preset} onInput={setPreset} />
        <TextField label="Placeholder" value={placeholder} onInput={setPlaceholder} />
      </div>
      {(kind === "string" || kind === "date" || kind === "datetime") && (
        <div class="two">
          <TextField
            label="Pattern"
            code
            value={pattern}
            placeholder={PATTERNS[kind]?.[0] ?? "^[A-Z]{3}$"}
            onInput={setPattern}
          />
          <TextField
            label="Pattern in words"
            value={descriptor}
            placeholder={PATTERNS[kind]?.[1] ?? "ABC"}
            onInput={setDescriptor}
          />
        </div>
      )}
      <div class="flags">
        {flag("required", "Required", "must be given")}
        {flag("secret", "Secret", "masked everywhere")}
        {flag("hidden", "Hidden", "not asked for")}
        {kind === "string" && flag("multiline", "Several lines", "a private key, say")}
      </div>
    </Dialog>
  );
}

function valueOf(kind: Kind, text: string): Json {
  if (kind === "integer" || kind === "number") return Number.isFinite(Number(text)) ? Number(text) : text;
  if (kind === "boolean") return text === "true";
  if (kind === "array")
    return text
      .replace(/^\[|\]$/g, "")
      .split(",")
      .map((part) => part.trim().replace(/^"|"$/g, ""))
      .filter(Boolean);
  return text;
}
