import type { Json, JsonObject, Key, Path } from "../api/types";

/** A value of the manifest as its reader sees it: through `$ref`s and `$parameters`. */
export interface Node {
  value: Json | undefined;
  /** Where the value stands in the text, or would stand once it is set. */
  at: Path;
  /** The value comes from elsewhere; setting it at `at` overrides it here. */
  inherited: boolean;
  /** Where the value comes from, if it is inherited or stands in a shared definition. */
  from: Path | null;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const samePath = (a: Path, b: Path): boolean => a.length === b.length && isWithin(a, b);

/** Whether `path` is `outer` or lies inside it. */
export const isWithin = (path: Path, outer: Path): boolean =>
  outer.length <= path.length && outer.every((key, index) => String(key) === String(path[index]));

export const pathText = (path: Path): string => path.join(".");

/** `#/definitions/a` and `#definitions.a` as a path; nothing else is a reference. */
export function referenceOf(value: Json | undefined): Path | null {
  if (typeof value !== "string" || !/^#\/?[\w$]/.test(value)) return null;
  const steps = value.replace(/^#\/?/, "").split("/");
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : decodeURIComponent(step)));
}

function child(value: Json | undefined, key: Key): Json | undefined {
  if (Array.isArray(value)) return value[Number(key)];
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** More steps than a sane manifest has: a circle of references. */
const DEEPEST = 32;

/** Follows a string that is a reference; a mapping with `$ref` stays, as it may override. */
function settle(document: Json, node: Node, depth: number): Node {
  const target = referenceOf(node.value);
  if (!target || depth > DEEPEST) return node;
  const found = walk(document, target, depth + 1);
  return found.value === undefined ? node : { ...found, inherited: false, from: found.at };
}

function step(document: Json, parent: Node, key: Key, depth: number): Node {
  const own = child(parent.value, key);
  const at = [...parent.at, key];
  if (own !== undefined) return settle(document, { value: own, at, inherited: false, from: parent.from }, depth);
  if (depth > DEEPEST || !isObject(parent.value)) return { value: undefined, at, inherited: false, from: parent.from };
  const target = referenceOf(parent.value["$ref"]);
  const shared = target && step(document, walk(document, target, depth + 1), key, depth + 1);
  if (shared && shared.value !== undefined)
    return { value: shared.value, at, inherited: true, from: shared.from ?? shared.at };
  return { value: undefined, at, inherited: false, from: parent.from };
}

/** The value at `path`, seen from the root. */
export function walk(document: Json, path: Path, depth = 0): Node {
  let node: Node = { value: document, at: [], inherited: false, from: null };
  let parameters: JsonObject = {};
  for (const key of path) {
    // Inside an inherited mapping, what is set is set where that mapping stands.
    if (node.inherited && node.from) node = { ...node, at: node.from, inherited: false };
    const given = step(document, node, "$parameters", depth + 1).value;
    if (isObject(given)) parameters = { ...parameters, ...given };
    const next = step(document, node, key, depth);
    const parameter = isObject(node.value) ? parameters[String(key)] : undefined;
    node =
      next.value === undefined && parameter !== undefined && String(key) !== "type"
        ? { ...next, value: parameter, inherited: true, from: null }
        : next;
  }
  return node;
}

/** The value with its references filled in: what a component is, wherever its parts are written. */
export function expand(document: Json, value: Json | undefined, depth = 0): Json | undefined {
  if (depth > DEEPEST) return value;
  const target = referenceOf(value);
  if (target) {
    const found = walk(document, target).value;
    return found === undefined ? value : expand(document, found, depth + 1);
  }
  if (Array.isArray(value)) return value.map((item) => expand(document, item, depth + 1) ?? null);
  if (!isObject(value)) return value;
  const base = "$ref" in value ? expand(document, value["$ref"], depth + 1) : undefined;
  const own = Object.entries(value).filter(([key]) => key !== "$ref");
  const filled = own.map(([key, item]) => [key, expand(document, item, depth + 1) ?? null] as const);
  return { ...(isObject(base) ? base : {}), ...Object.fromEntries(filled) };
}

/** Each string in a value, with its path. */
export function* stringsOf(value: Json | undefined, path: Path = []): Generator<[Path, string]> {
  if (typeof value === "string") yield [path, value];
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* stringsOf(item, [...path, index]);
  else if (isObject(value)) for (const [key, item] of Object.entries(value)) yield* stringsOf(item, [...path, key]);
}

/** The keys of the config that templates in `value` name. */
export function configKeysIn(value: Json | undefined): Set<string> {
  const keys = new Set<string>();
  for (const [, text] of stringsOf(value)) {
    for (const match of text.matchAll(/config(?:\[\s*['"]([^'"]+)['"]\s*\]|\.(\w+))/g)) {
      const key = match[1] ?? match[2];
      if (key && !["get", "items", "keys", "values"].includes(key)) keys.add(key);
    }
    for (const match of text.matchAll(/config\.get\(\s*['"]([^'"]+)['"]/g)) if (match[1]) keys.add(match[1]);
  }
  return keys;
}
