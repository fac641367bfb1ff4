import type { Finding } from "../api/types";

/** A field that is missing is shown where it would stand, not at the component that lacks it. */
export function placed(finding: Finding): Finding {
  const missing = finding.code === "schema/required" ? /needs `([^`]+)`$/.exec(finding.message)?.[1] : undefined;
  return missing ? { ...finding, path: [...finding.path, missing] } : finding;
}
