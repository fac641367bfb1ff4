import type { Json, JsonObject } from "../api/types";
import { isObject } from "./walk";

/** A piece of the schema of manifests, as far as forms need it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  title?: string;
  enum?: Json[];
  const?: Json;
  default?: Json;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  exclusiveMinimum?: number;
  pattern?: string;
}

export interface SchemaRoot extends Schema {
  definitions?: Record<string, Schema>;
}

/** The schema of manifests, with its references followed and its unions made flat. */
export class SchemaBook {
  constructor(readonly root: SchemaRoot) {}

  /** What a schema says once its references are followed; what stands beside a `$ref` wins. */
  resolve(schema: Schema): Schema {
    let found = schema;
    for (let depth = 0; found.$ref && depth < 16; depth += 1) {
      const { $ref, ...beside } = found;
      const name = $ref.replace(/^#\/(definitions|\$defs)\//, "");
      found = { ...(this.root.definitions?.[name] ?? {}), ...beside };
    }
    return found;
  }

  definition(name: string): Schema | null {
    return this.root.definitions?.[name] ?? null;
  }

  /** The alternatives of a value, nested unions made one, each resolved. */
  variants(schema: Schema): Schema[] {
    const resolved = this.resolve(schema);
    const union = resolved.anyOf ?? resolved.oneOf;
    if (union && !resolved.properties) return union.flatMap((variant) => this.variants(variant));
    if (Array.isArray(resolved.type)) return resolved.type.map((type) => ({ ...resolved, type }));
    return [resolved];
  }

  /** The alternative that `value` is written in, if the form knows it. */
  variantOf(schema: Schema, value: Json | undefined): Schema | null {
    const variants = this.variants(schema);
    if (isObject(value) && typeof value.type === "string") {
      const named = variants.find((variant) => componentName(variant) === value.type);
      if (named) return named;
    }
    if (isObject(value) && variants.some(componentName)) {
      const components = variants.filter(componentName);
      if (components.length === 1 && typeof value.type !== "string") return components[0] ?? null;
    }
    return variants.find((variant) => !componentName(variant) && accepts(variant, value)) ?? null;
  }

  /** The schema of a key inside a value of `schema`. */
  child(schema: Schema, value: Json | undefined, key: string | number): Schema | null {
    const variant = this.variantOf(schema, value) ?? this.variants(schema).find((one) => one.properties?.[key]) ?? null;
    if (!variant) return null;
    if (typeof key === "number") return variant.items ?? null;
    const additional = variant.additionalProperties;
    return variant.properties?.[key] ?? (typeof additional === "object" ? additional : null);
  }
}

/** The `type` of the component a schema describes. */
export function componentName(schema: Schema): string | null {
  const type = schema.properties?.type;
  const name = type?.enum?.[0] ?? type?.const;
  return typeof name === "string" ? name : null;
}

export function accepts(schema: Schema, value: Json | undefined): boolean {
  if (schema.enum) return schema.enum.includes(value ?? null);
  switch (schema.type) {
    case "string":
      return typeof value === "string";
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    default:
      return schema.type === undefined;
  }
}

/** What a new value of a schema starts as: the component with what it requires, empty. */
export function blank(book: SchemaBook, schema: Schema): Json {
  const variant = book.variants(schema)[0] ?? schema;
  if (variant.default !== undefined) return variant.default;
  const name = componentName(variant);
  if (name || variant.type === "object") {
    const made: JsonObject = name ? { type: name } : {};
    for (const key of variant.required ?? []) {
      const property = variant.properties?.[key];
      if (key !== "type" && property) made[key] = blank(book, property);
    }
    return made;
  }
  if (variant.enum) return variant.enum[0] ?? "";
  switch (variant.type) {
    case "array":
      return [];
    case "integer":
    case "number":
      return variant.minimum ?? 0;
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return "";
  }
}
