/** What kind of value a setting takes, read from its schema: for forms, the API and the command line. */
import { z } from "zod";
import type { Setting } from "../config.ts";

/** `bytes` is a whole number that people write as "20 GiB"; `list` is several words. */
export type SettingKind = "number" | "bytes" | "switch" | "choice" | "list" | "text";

export interface SettingShape {
  kind: SettingKind;
  /** What a number counts: "seconds", "days", "bytes"; null where the title says it. */
  unit: string | null;
  /** Of numbers; null for none. */
  min: number | null;
  max: number | null;
  /** Of a choice. */
  options: readonly string[];
  /** Items that a list may have; characters that a text may. */
  lengthMax: number | null;
}

interface JsonSchema {
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  maxLength?: number;
}

/** Longest ending first. */
const units: readonly (readonly [RegExp, string])[] = [
  [/bytesPerSecond/, "bytes per second"],
  [/bytes$/i, "bytes"],
  [/seconds$/i, "seconds"],
  [/hours$/i, "hours"],
  [/days$/i, "days"],
  [/Ms$/, "milliseconds"],
];

export function shapeOf({ key, schema }: Pick<Setting, "key" | "schema">): SettingShape {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const unit = units.find(([ending]) => ending.test(key))?.[1] ?? null;
  const isNumber = json.type === "integer" || json.type === "number";
  return {
    kind: kindOf(json, unit),
    unit: isNumber ? unit : null,
    min: isNumber ? (json.minimum ?? null) : null,
    max: isNumber ? (json.maximum ?? null) : null,
    options: json.enum ?? [],
    lengthMax: json.maxItems ?? json.maxLength ?? null,
  };
}

function kindOf(json: JsonSchema, unit: string | null): SettingKind {
  if (json.enum !== undefined) return "choice";
  if (json.type === "boolean") return "switch";
  if (json.type === "array") return "list";
  if (json.type === "integer" || json.type === "number")
    return unit === "bytes" ? "bytes" : "number";
  return "text";
}
