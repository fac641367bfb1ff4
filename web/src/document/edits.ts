/** Changes that are decided on by what the document is when they are made, not by what was shown. */

import type { Edit, Json, Path } from "../api/types";
import { isObject, walk } from "./walk";

/** The name that a key of the mapping at `at` has by now: the shown one, or one that it was given since. */
function nameOf(document: Json, at: Path, names: string[]): string | undefined {
  const mapping = walk(document, at).value;
  return isObject(mapping) ? names.find((name) => Object.hasOwn(mapping, name)) : undefined;
}

/** Sets an entry of a mapping, also of one that is not there yet. */
export const setEntry =
  (at: Path, names: string[], value: Json) =>
  (document: Json): Edit[] => {
    const name = nameOf(document, at, names) ?? names.at(-1) ?? "";
    return walk(document, at).value === undefined
      ? [{ op: "set", path: at, value: { [name]: value } }]
      : [{ op: "set", path: [...at, name], value }];
  };

export const renameEntry =
  (at: Path, names: string[], to: string) =>
  (document: Json): Edit[] => {
    const from = nameOf(document, at, names);
    return from === undefined || from === to ? [] : [{ op: "rename", path: at, from, to }];
  };

/** Takes an entry out of a mapping, and, where nothing but entries is in it, the mapping with its last one. */
export const removeEntry =
  (at: Path, names: string[], { keepsEmpty = false } = {}) =>
  (document: Json): Edit[] => {
    const name = nameOf(document, at, names);
    if (name === undefined) return [];
    const mapping = walk(document, at).value;
    const isLast = isObject(mapping) && Object.keys(mapping).length === 1;
    return [{ op: "remove", path: isLast && !keepsEmpty ? at : [...at, name] }];
  };

/** Adds an item behind the last one of a list, also of one that is not there yet. */
export const addItem =
  (at: Path, value: Json) =>
  (document: Json): Edit[] => {
    const list = walk(document, at).value;
    return Array.isArray(list)
      ? [{ op: "insert", path: at, index: list.length, value }]
      : [{ op: "set", path: at, value: [value] }];
  };

/** An item of a list, as it was shown. */
export interface Shown {
  at: Path;
  value: Json;
  /** How many items there were. */
  count: number;
}

/**
 * Where an item that was shown stands by now, in a list of how many. It is known by its value; where that
 * was changed, by its place, if no item came or went.
 */
export function placeOf(document: Json, { at, value, count }: Shown): { index: number; items: Json[] } | null {
  const items = walk(document, at.slice(0, -1)).value;
  if (!Array.isArray(items)) return null;
  const shown = Number(at.at(-1));
  const text = JSON.stringify(value);
  const isIt = (item: Json | undefined) => JSON.stringify(item) === text;
  const index = isIt(items[shown]) ? shown : items.findIndex(isIt);
  if (index >= 0) return { index, items };
  return items.length === count ? { index: shown, items } : null;
}

/** An item as it is shown now. */
export function shownItem(document: Json, at: Path): Shown {
  const items = walk(document, at.slice(0, -1)).value;
  const list = Array.isArray(items) ? items : [];
  return { at, value: list[Number(at.at(-1))] ?? null, count: list.length };
}

/** Moves an item by some places. */
export const moveItem =
  (shown: Shown, by: number) =>
  (document: Json): Edit[] => {
    const place = placeOf(document, shown);
    if (!place) return [];
    const to = Math.max(0, Math.min(place.items.length - 1, place.index + by));
    return to === place.index ? [] : [{ op: "move", path: shown.at.slice(0, -1), from: place.index, to }];
  };

/** Puts a copy of an item, as it is by then, behind it. */
export const duplicateItem =
  (shown: Shown) =>
  (document: Json): Edit[] => {
    const place = placeOf(document, shown);
    if (!place) return [];
    const { index, items } = place;
    return [{ op: "insert", path: shown.at.slice(0, -1), index: index + 1, value: items[index] ?? null }];
  };

export const removeItem =
  (shown: Shown) =>
  (document: Json): Edit[] => {
    const place = placeOf(document, shown);
    return place ? [{ op: "remove", path: [...shown.at.slice(0, -1), place.index] }] : [];
  };
