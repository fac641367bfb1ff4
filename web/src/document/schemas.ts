import type { Json, JsonObject, Path, SchemaDifference } from "../api/types";
import { isObject } from "./walk";

/** The types a schema allows, `null` aside. */
export function typesOf(schema: Json | undefined): string[] {
  if (!isObject(schema)) return [];
  const { type } = schema;
  const list = Array.isArray(type) ? type.map(String) : typeof type === "string" ? [type] : [];
  return list.filter((one) => one !== "null").sort();
}

/** What was declared, with what was detected added: nothing that is declared is lost. */
export function mergeSchemas(declared: JsonObject, detected: JsonObject): JsonObject {
  const merged: JsonObject = { ...declared };
  if (isObject(detected.properties)) {
    const known = isObject(declared.properties) ? declared.properties : {};
    const properties: JsonObject = { ...known };
    for (const [key, found] of Object.entries(detected.properties)) {
      const before = known[key];
      properties[key] = isObject(before) && isObject(found) ? mergeSchemas(before, found) : (before ?? found);
    }
    merged.properties = properties;
  }
  if (isObject(declared.items) && isObject(detected.items)) merged.items = mergeSchemas(declared.items, detected.items);
  const missing = undeclaredTypes(declared, detected);
  if (missing.length && typesOf(declared).length) {
    const types = Array.isArray(declared.type) ? declared.type : [declared.type ?? null];
    merged.type = [...types.filter((one) => one !== null), ...missing];
  }
  return merged;
}

/** The types that were detected and that the declared ones do not allow; whole numbers are numbers. */
function undeclaredTypes(declared: Json | undefined, detected: Json | undefined): string[] {
  const known = typesOf(declared);
  return typesOf(detected).filter((type) => !known.includes(type) && !(type === "integer" && known.includes("number")));
}

/** How the detected schema differs from the declared one, field by field. */
export function differencesOf(
  declared: Json | undefined,
  detected: Json | undefined,
  path: Path = [],
): SchemaDifference[] {
  const known = isObject(declared) && isObject(declared.properties) ? declared.properties : {};
  const found = isObject(detected) && isObject(detected.properties) ? detected.properties : {};
  const differences: SchemaDifference[] = [];
  for (const [key, item] of Object.entries(found)) {
    const before = known[key];
    const at = [...path, key];
    if (before === undefined) differences.push({ path: at, kind: "missing", declared: null, detected: item });
    else {
      if (typesOf(before).length && undeclaredTypes(before, item).length)
        differences.push({ path: at, kind: "type", declared: before, detected: item });
      if (isObject(item) && isObject(item.properties)) differences.push(...differencesOf(before, item, at));
    }
  }
  for (const key of Object.keys(known)) {
    if (!(key in found))
      differences.push({ path: [...path, key], kind: "extra", declared: known[key] ?? null, detected: null });
  }
  return differences;
}

/**
 * The detected schema with whole numbers where they are declared, and where all records have such: detection
 * alone calls every number a `number`.
 */
export function withIntegers(declared: Json | undefined, detected: JsonObject, records: Json[]): JsonObject {
  const known = isObject(declared) && isObject(declared.properties) ? declared.properties : {};
  if (!isObject(detected.properties)) return detected;
  const properties = Object.entries(detected.properties).map(([key, found]): [string, Json] => {
    if (!isObject(found)) return [key, found];
    const values = records.flatMap((record) => (isObject(record) ? (record[key] ?? []) : []));
    const isWhole = typesOf(known[key]).includes("integer") && values.every((value) => Number.isInteger(value));
    const inner = withIntegers(known[key], found, values);
    return [key, isWhole ? { ...inner, type: replaced(inner.type) } : inner];
  });
  return { ...detected, properties: Object.fromEntries(properties) };
}

function replaced(type: Json | undefined): Json {
  if (Array.isArray(type)) return type.map(replaced);
  return type === "number" ? "integer" : (type ?? null);
}
