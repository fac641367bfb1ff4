import type { TestResult } from "../api/types";

export interface Warning {
  text: string;
  kind: "error" | "warning" | "info";
  tab?: "response" | "schema" | "logs" | "records";
}

/** What a look at the result should not miss. */
export function warningsOf(result: TestResult, stream: { primaryKey: unknown; usesCustomCode: boolean }): Warning[] {
  const warnings: Warning[] = [];
  const pages = result.slices.flatMap((slice) => slice.pages);
  const records = pages.reduce((sum, page) => sum + page.records.length, 0);
  const refused = pages.find((page) => page.response && page.response.status >= 400);
  const failure = result.logs.find((line) => /error|fatal/i.test(line.level));
  if (stream.usesCustomCode)
    warnings.push({ kind: "error", text: "The stream uses Python code, which this program does not run." });
  if (failure) warnings.push({ kind: "error", text: failure.message.split("\n")[0] ?? "", tab: "logs" });
  if (refused) warnings.push({ kind: "error", text: `The API answered ${refused.response?.status}.`, tab: "response" });
  if (!pages.some((page) => page.response)) {
    if (!failure) warnings.push({ kind: "warning", text: "There was no response." });
  } else if (!records && !refused)
    warnings.push({
      kind: "warning",
      text: "The responses held no records. Is “Where the records are” right?",
      tab: "response",
    });
  for (const problem of result.primary_key_problems ?? [])
    warnings.push({ kind: "warning", text: problem, tab: "records" });
  const key = stream.primaryKey;
  if (records && (key === undefined || key === null || key === "" || (Array.isArray(key) && !key.length))) {
    warnings.push({ kind: "info", text: "The stream has no primary key: its records cannot be deduplicated." });
  }
  if (result.test_read_limit_reached)
    warnings.push({ kind: "info", text: "The limits of the test were reached: a sync reads more." });
  return warnings;
}
