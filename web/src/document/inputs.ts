import type { Edit, Json, JsonObject, Path } from "../api/types";
import { configKeysIn, expand, isObject } from "./walk";

/** What the person who runs the connector fills in: one property of the specification. */
export interface UserInput {
  key: string;
  property: JsonObject;
  required: boolean;
  /** Derived from the authenticator: it can be worded, not removed. */
  locked: boolean;
}

export const SPEC: Path = ["spec", "connection_specification"];

function specificationOf(document: Json): JsonObject | null {
  const spec = isObject(document) ? document.spec : null;
  const found = isObject(spec) ? spec.connection_specification : null;
  return isObject(found) ? found : null;
}

/** All values under the key `authenticator`, at any depth. */
function* authenticatorsOf(value: Json | undefined): Generator<Json> {
  if (Array.isArray(value)) for (const item of value) yield* authenticatorsOf(item);
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === "authenticator" || key === "login_requester") yield item;
    yield* authenticatorsOf(item);
  }
}

export function inputsOf(document: Json): UserInput[] {
  const specification = specificationOf(document);
  const properties = isObject(specification?.properties) ? specification.properties : {};
  const required = Array.isArray(specification?.required) ? specification.required : [];
  const locked = new Set<string>();
  for (const authenticator of authenticatorsOf(document)) {
    for (const key of configKeysIn(expand(document, authenticator))) locked.add(key);
  }
  const inputs = Object.entries(properties).map(([key, property]) => ({
    key,
    property: isObject(property) ? property : {},
    required: required.includes(key),
    locked: locked.has(key),
  }));
  const orderOf = (input: UserInput) => (typeof input.property.order === "number" ? input.property.order : Infinity);
  return inputs.sort((a, b) => orderOf(a) - orderOf(b) || 0);
}

/** The edits that write an input, new or known under `before`. */
export function putInputEdits(document: Json, input: Omit<UserInput, "locked">, before: string | null): Edit[] {
  const specification = specificationOf(document);
  const { key, property } = input;
  if (!specification) {
    const made = {
      type: "object",
      required: input.required ? [key] : [],
      properties: { [key]: property },
      additionalProperties: true,
    };
    const whole = isObject(document) && isObject(document.spec);
    return [
      whole
        ? { op: "set", path: SPEC, value: made }
        : { op: "set", path: ["spec"], value: { type: "Spec", connection_specification: made } },
    ];
  }
  const edits: Edit[] = [];
  const hasProperties = isObject(specification.properties) && Object.keys(specification.properties).length > 0;
  if (before && before !== key) edits.push({ op: "rename", path: [...SPEC, "properties"], from: before, to: key });
  edits.push(
    hasProperties
      ? { op: "set", path: [...SPEC, "properties", key], value: property }
      : { op: "set", path: [...SPEC, "properties"], value: { [key]: property } },
  );
  const required = Array.isArray(specification.required) ? specification.required : [];
  const others = required.filter((one) => one !== key && one !== before);
  const wanted = input.required ? [...others, key] : others;
  if (JSON.stringify(wanted) !== JSON.stringify(required))
    edits.push({ op: "set", path: [...SPEC, "required"], value: wanted });
  return edits;
}

export function removeInputEdits(document: Json, key: string): Edit[] {
  const specification = specificationOf(document);
  const properties = isObject(specification?.properties) ? Object.keys(specification.properties) : [];
  if (!properties.includes(key)) return [];
  const edits: Edit[] = [{ op: "remove", path: [...SPEC, "properties", key] }];
  if (properties.length === 1) edits.splice(0, 1, { op: "set", path: [...SPEC, "properties"], value: {} });
  const required = Array.isArray(specification?.required) ? specification.required : [];
  if (required.includes(key))
    edits.push({ op: "set", path: [...SPEC, "required"], value: required.filter((one) => one !== key) });
  return edits;
}

/** Removes the inputs that only `value` reads: what is put in its place asks for its own. */
export function dropInputsEdits(document: Json, at: Path, value: Json | undefined): { edits: Edit[]; left: Json } {
  const specification = specificationOf(document);
  const properties = isObject(specification?.properties) ? specification.properties : {};
  const elsewhere = configKeysIn(withoutValue(isObject(document) ? { ...document, spec: null } : document, at));
  const gone = [...configKeysIn(value)].filter((key) => key in properties && !elsewhere.has(key));
  if (!specification || !gone.length) return { edits: [], left: document };
  const kept = Object.fromEntries(Object.entries(properties).filter(([key]) => !gone.includes(key)));
  const required = Array.isArray(specification.required) ? specification.required : null;
  const stillRequired = required?.filter((key) => !gone.includes(String(key)));
  const edits: Edit[] = Object.keys(kept).length
    ? gone.map((key): Edit => ({ op: "remove", path: [...SPEC, "properties", key] }))
    : [{ op: "set", path: [...SPEC, "properties"], value: {} }];
  if (stillRequired && stillRequired.length !== required?.length)
    edits.push({ op: "set", path: [...SPEC, "required"], value: stillRequired });
  const root = document as JsonObject;
  const left = {
    ...specification,
    properties: kept,
    ...(stillRequired ? { required: stillRequired } : {}),
  };
  return { edits, left: { ...root, spec: { ...(root.spec as JsonObject), connection_specification: left } } };
}

/** The value without what stands at `path` in it. */
function withoutValue(value: Json, path: Path): Json {
  const [key, ...rest] = path;
  if (key === undefined) return null;
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? withoutValue(item, rest) : item));
  if (!isObject(value) || !(key in value)) return value;
  return { ...value, [key]: withoutValue(value[key] ?? null, rest) };
}

/** Moves an input to another place among the others, by their `order`. */
export function moveInputEdits(inputs: UserInput[], from: number, to: number): Edit[] {
  const moved = [...inputs];
  moved.splice(to, 0, ...moved.splice(from, 1));
  return moved.flatMap((input, order): Edit[] =>
    input.property.order === order
      ? []
      : [{ op: "set", path: [...SPEC, "properties", input.key, "order"], value: order }],
  );
}

/** A key that no input has yet. */
export function freeKey(document: Json, wanted: string): string {
  const taken = new Set(inputsOf(document).map((input) => input.key));
  let key = wanted || "input";
  for (let n = 2; taken.has(key); n += 1) key = `${wanted}_${n}`;
  return key;
}
