import type { Json, Path } from "../api/types";
import { inputsOf } from "../document/inputs";
import type { Schema } from "../document/schema";
import { variablesAt } from "../document/variables";
import { titleOfKey } from "../document/words";
import { Segments, Switch } from "../ui/basics";
import { useForm } from "./context";
import { PLACEHOLDERS, PLAIN_KEYS, SUGGESTIONS } from "./layouts";
import { TextInput } from "./TextInput";

/** Texts, numbers, choices, and yes or no. */
export function ScalarInput({
  id,
  at,
  schema,
  value,
  required,
  placeholder,
}: {
  id: string;
  at: Path;
  schema: Schema;
  value: Json | undefined;
  required?: boolean;
  placeholder?: string;
}) {
  const { project, readOnly } = useForm();
  const key = String(at.at(-1) ?? "");
  const set = (next: Json | undefined) => {
    const isCleared = next === undefined || (next === "" && !required);
    return isCleared ? project.remove(at) : project.set(at, next);
  };
  const wrong = project.findingsAt(at).some((finding) => finding.level === "error");
  if (schema.enum) {
    const options = schema.enum.map(String);
    if (options.length <= 4 && required && options.join("").length < 26) {
      return (
        <Segments
          label={titleOfKey(key)}
          value={String(value ?? "")}
          options={options.map((one) => ({ value: one, title: wordOf(one) }))}
          onChange={set}
        />
      );
    }
    return (
      <select
        id={id}
        class="input"
        value={value === undefined ? "" : String(value)}
        disabled={readOnly}
        onChange={(event) => set(event.currentTarget.value || undefined)}
      >
        {(!required || value === undefined) && (
          <option value="">
            {schema.default !== undefined ? `Default (${wordOf(String(schema.default))})` : "Not set"}
          </option>
        )}
        {options.map((one) => (
          <option key={one} value={one}>
            {wordOf(one)}
          </option>
        ))}
      </select>
    );
  }
  if (schema.type === "boolean") {
    return (
      <span class="row">
        <Switch
          id={id}
          checked={value === true}
          disabled={readOnly}
          onChange={(checked) => set(checked || (required ? false : undefined))}
        />
      </span>
    );
  }
  if (schema.type === "integer" || schema.type === "number") {
    return (
      <TextInput
        id={id}
        value={value === undefined || value === null ? "" : String(value)}
        disabled={readOnly}
        wrong={wrong}
        placeholder={schema.default !== undefined ? String(schema.default) : placeholder}
        onCommit={(text) => set(text.trim() === "" ? undefined : numberOr(text))}
      />
    );
  }
  const text = value === undefined || value === null ? "" : String(value);
  const inputs = inputsOf(project.document.value).map(({ key: name, property }) => ({
    key: name,
    title: String(property.title ?? name),
  }));
  const suggestions = SUGGESTIONS[key];
  return (
    <>
      <TextInput
        id={id}
        value={text}
        disabled={readOnly}
        wrong={wrong}
        multiline={text.includes("\n") || (key === "query" && at.includes("request_body"))}
        list={suggestions && `${id}-list`}
        variables={PLAIN_KEYS.has(key) ? [] : variablesAt(at, inputs)}
        onCommit={set}
        placeholder={
          placeholder ?? PLACEHOLDERS[key] ?? (typeof schema.default === "string" ? schema.default : undefined)
        }
      />
      {suggestions && (
        <datalist id={`${id}-list`}>
          {suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </>
  );
}

/** A number, or the text as it is: a template, or a fault that the analysis tells. */
const numberOr = (text: string): Json => (Number.isFinite(Number(text)) ? Number(text) : text);

const WORDS: Record<string, string> = {
  request_parameter: "Query parameter",
  header: "Header",
  body_data: "Form body",
  body_json: "JSON body",
  path: "Path",
};

/** `RATE_LIMITED` in plain words; methods of HTTP stay as they are. */
export const wordOf = (option: string): string =>
  WORDS[option] ??
  (/^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)$|\d/.test(option) ? option : titleOfKey(option.toLowerCase()));
