import type { Schema } from "../document/schema";
import { SchemaField, type SchemaFieldProps } from "./SchemaField";

/** The field of one property of `of`, if the language has it. */
export function Property({
  of,
  name,
  path,
  ...rest
}: Omit<SchemaFieldProps, "schema"> & { of: Record<string, Schema>; name: string }) {
  const schema = of[name];
  return schema ? <SchemaField {...rest} path={[...path, name]} schema={schema} /> : null;
}
