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
  const missing = typesOf(detected).filter(
    (type) => !typesOf(declared).includes(type) && !(type === "integer" && typesOf(declared).includes("number")),
  );
  if (missing.length && typesOf(declared).length) {
    const types = Array.isArray(declared.type) ? declared.type : [declared.type ?? null];
    merged.type = [...types.filter((one) => one !== null), ...missing];
  }
  return merged;
}

const sameTypes = (a: Json | undefined, b: Json | undefined) => typesOf(a).join() === typesOf(b).join();

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
      if (!sameTypes(before, item) && typesOf(before).length)
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
