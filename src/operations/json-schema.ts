/** The JSON Schema of an operation's parameters: the one description that forms, help and API share. */
import { z } from "zod";

/** The part of JSON Schema that our parameters use, with our own additions from `.meta`. */
export interface JsonSchema {
  type?: string;
  title?: string;
  description?: string;
  /** Ours: what a number counts, for example "s" or "bit/s". */
  unit?: string;
  /** Ours: what people call the choices of an enum. */
  labels?: Record<string, string>;
  /** Ours: an optional object that a form starts with switched on. */
  startsOn?: boolean;
  default?: unknown;
  const?: unknown;
  enum?: (string | number | boolean | null)[];
  minimum?: number;
  maximum?: number;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
}

const made = new WeakMap<z.ZodType, JsonSchema>();

/** What a caller may send (defaults are optional), as JSON Schema 2020-12. The same object every time. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const known = made.get(schema);
  if (known !== undefined) return known;
  const json = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  made.set(schema, json);
  return json;
}

/** The part of the schema that describes the value at a path; null where there is none. */
export function nodeAt(root: JsonSchema, path: readonly string[]): JsonSchema | null {
  let node: JsonSchema | null = root;
  for (const key of path) {
    if (node === null) return null;
    const { properties, items }: JsonSchema = node;
    if (properties !== undefined && Object.hasOwn(properties, key)) node = properties[key] ?? null;
    else node = items ?? null;
  }
  return node;
}
