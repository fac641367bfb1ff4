import { signal } from "@preact/signals";
import type { Path } from "../api/types";
import { storedSignal } from "./stored";

/** Which part of the connector the form shows. */
export type Section =
  | { kind: "api" }
  | { kind: "inputs" }
  | { kind: "advanced" }
  | { kind: "stream"; index: number }
  | { kind: "template"; index: number }
  | { kind: "generated"; template: string; name: string };

export const section = signal<Section>({ kind: "api" });
export const mode = storedSignal<"form" | "yaml">("mode", "form");

/** The field to show and to put the focus on, e.g. that of an error; each ask is a new object. */
export const target = signal<{ path: Path } | null>(null);

export function sectionOf(path: Path): Section {
  const [root, index] = path;
  if (root === "streams" && typeof index === "number") return { kind: "stream", index };
  if (root === "dynamic_streams" && typeof index === "number") return { kind: "template", index };
  if (root === "spec") return { kind: path[1] === "advanced_auth" ? "api" : "inputs" };
  if (root === "definitions" && path[1] === "base_requester") return { kind: "api" };
  if (root === "definitions") return section.value;
  return { kind: "advanced" };
}

/** Shows the field that stands at `path`. */
export function jumpTo(path: Path): void {
  section.value = sectionOf(path);
  target.value = { path };
}
