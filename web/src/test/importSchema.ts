import type { JsonObject, SchemaDifference, TestResult } from "../api/types";
import { differencesOf, withIntegers } from "../document/schemas";
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

/** What a stream declares, what its records have, and how they differ. */
export function comparison(
  project: OpenProject,
  stream: string,
  result: TestResult,
): { declared: JsonObject | null; detected: JsonObject | null; differences: SchemaDifference[] } {
  const place = inlineSchema(project, stream);
  const declared = place ? place.schema : (result.declared_schema ?? null);
  const found = result.inferred_schema;
  if (!found) return { declared, detected: null, differences: [] };
  const records = result.slices.flatMap((slice) => slice.pages.flatMap((page) => page.records));
  const detected = withIntegers(declared ?? {}, found, records);
  return { declared, detected, differences: differencesOf(declared ?? {}, detected) };
}

/** Takes the detected schema over, where the manifest asks for it and it says something new. */
export async function importAutomatically(
  project: OpenProject,
  stream: string,
  result: TestResult | null,
): Promise<void> {
  const place = inlineSchema(project, stream);
  const detected = result && comparison(project, stream, result).detected;
  if (!detected || !place || !importsSchema(project, stream)) return;
  if (JSON.stringify(place.schema) !== JSON.stringify(detected))
    await place.write(detected, "Import the detected schema");
}
