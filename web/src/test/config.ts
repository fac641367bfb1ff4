import type { Json, JsonObject } from "../api/types";
import { isObject } from "../document/walk";

/** The config that a text holds as JSON. */
export function configOf(text: string): JsonObject {
  const found = JSON.parse(text) as Json;
  if (!isObject(found)) throw new Error("A config is an object.");
  return found;
}

/** The values as they are now, with what a consent has `kept` among the saved ones: paths, joined by dots. */
export function withKept(now: JsonObject, saved: JsonObject, kept: string[]): JsonObject {
  return kept.reduce((values, path) => taken(values, saved, path in saved ? [path] : path.split(".")), now);
}

function taken(now: JsonObject, saved: JsonObject, [key = "", ...rest]: string[]): JsonObject {
  const value = saved[key];
  if (value === undefined) return now;
  const before = now[key];
  const after = rest.length && isObject(value) ? taken(isObject(before) ? before : {}, value, rest) : value;
  return { ...now, [key]: after };
}
