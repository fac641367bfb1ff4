import type { JsonObject } from "../api/types";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";

const AUTOMATIC = ["metadata", "autoImportSchema"];

/** Whether the detected schema of a stream is taken over after each test, as the manifest says. */
export const importsSchema = (project: OpenProject, stream: string): boolean =>
  project.node([...AUTOMATIC, stream]).value === true;

export const setImportsSchema = (project: OpenProject, stream: string, on: boolean): Promise<boolean> =>
  project.set([...AUTOMATIC, stream], on, "Import the schema after each test");

/** Where the schema of a stream is written; nothing, when it comes from elsewhere. */
export function inlineSchema(
  project: OpenProject,
  stream: string,
): { schema: JsonObject | null; write: (value: JsonObject, words: string) => Promise<boolean> } | null {
  const found = project.analysis.value.outline.streams.find((one) => one.name === stream);
  if (!found) return null;
  const loader = project.node([...found.path, "schema_loader"]);
  if (loader.value === undefined) {
    return {
      schema: null,
      write: (value, words) => project.set(loader.at, { type: "InlineSchemaLoader", schema: value }, words),
    };
  }
  if (!isObject(loader.value) || loader.value.type !== "InlineSchemaLoader") return null;
  const schema = project.node([...found.path, "schema_loader", "schema"]);
  return {
    schema: isObject(schema.value) ? schema.value : null,
    write: (value, words) => project.set(schema.at, value, words),
  };
}

/** Takes the detected schema over, where the manifest asks for it and it says something new. */
export async function importAutomatically(
  project: OpenProject,
  stream: string,
  detected: JsonObject | null,
): Promise<void> {
  const place = inlineSchema(project, stream);
  if (!detected || !place || !importsSchema(project, stream)) return;
  if (JSON.stringify(place.schema) !== JSON.stringify(detected))
    await place.write(detected, "Import the detected schema");
}
