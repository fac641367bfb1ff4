import type { Json, Path } from "../api/types";
import { componentName, type Schema } from "../document/schema";
import { isObject } from "../document/walk";
import { useForm } from "./context";
import { wordOf } from "./ScalarInput";
import { TextInput } from "./TextInput";

const NAMES = new Set(["RequestOption", "RequestPath"]);
/** Chosen instead of a part of the request: the value is the URL of the next one. */
const WHOLE_URL = "RequestPath";
const PARTS = ["request_parameter", "header", "body_data", "body_json"];

/** Whether a value says where in a request something goes, in a form that fits into one line. */
export function isRequestOption(components: Schema[], value: Json | undefined): boolean {
  const fits = components.length > 0 && components.every((one) => NAMES.has(componentName(one) ?? ""));
  if (!fits || value === undefined) return fits;
  const known = ["type", "inject_into", "field_name"];
  return isObject(value) && Object.keys(value).every((key) => known.includes(key));
}

/** A part of the request and the name there, side by side. */
export function RequestOptionInput({
  id,
  at,
  components,
  value,
  required,
  label,
}: {
  id: string;
  at: Path;
  components: Schema[];
  value: Json | undefined;
  required?: boolean;
  label: string;
}) {
  const { project, readOnly } = useForm();
  const option = isObject(value) ? value : null;
  const part = option ? (option.type === WHOLE_URL ? WHOLE_URL : String(option.inject_into ?? "")) : "";
  const choose = (chosen: string) => {
    if (!chosen) void project.remove(at);
    else if (chosen === WHOLE_URL) void project.set(at, { type: WHOLE_URL });
    else if (option && part !== WHOLE_URL) void project.set([...at, "inject_into"], chosen);
    else void project.set(at, { type: "RequestOption", inject_into: chosen, field_name: "" });
  };
  const takesUrl = components.some((one) => componentName(one) === WHOLE_URL);
  const parts = part && part !== WHOLE_URL && !PARTS.includes(part) ? [...PARTS, part] : PARTS;
  return (
    <div class="request-option">
      <select
        id={id}
        class="input"
        value={part}
        disabled={readOnly}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {(!required || !part) && <option value="">{required ? "Choose…" : "Nowhere"}</option>}
        {parts.map((one) => (
          <option key={one} value={one}>
            {wordOf(one)}
          </option>
        ))}
        {takesUrl && <option value={WHOLE_URL}>URL of the next request</option>}
      </select>
      {option && part !== WHOLE_URL && (
        <TextInput
          value={String(option.field_name ?? "")}
          label={`Name for “${label}”`}
          placeholder="Name"
          code
          disabled={readOnly}
          onCommit={(name) => project.set([...at, "field_name"], name)}
        />
      )}
    </div>
  );
}
