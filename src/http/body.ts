/** Reads small request bodies (JSON, forms) under a limit, and checks JSON and queries against schemas. */
import { z } from "zod";
import { type FieldFault, Refusal } from "../trouble.ts";

/** JSON and forms describe work, they do not carry media: the largest real job request has some KiB. */
export const REQUEST_MAX_BYTES = 1024 * 1024;

/** Nesting that JSON may have: parameters need four levels; deeper is an attack on recursive code. */
const JSON_DEPTH_MAX = 32;

/** Faults named in one answer: enough to mend any honest request in one go. */
const FAULTS_MAX = 50;

/** A person that types a body would be done in this time; a client that drips bytes is cut off. */
const BODY_DEADLINE_MS = 30_000;

/** @throws Refusal 413 `too_large`, 408 `too_slow`, 400 `bad_request` when the client breaks off. */
export async function readText(request: Request, limitBytes = REQUEST_MAX_BYTES): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limitBytes) throw bodyTooLarge(limitBytes);
  if (request.body === null) return "";
  const reader = request.body.getReader();
  const deadline = Promise.withResolvers<"late">();
  const timer = setTimeout(() => deadline.resolve("late"), BODY_DEADLINE_MS);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for (;;) {
      const part = await Promise.race([reader.read(), deadline.promise]);
      if (part === "late")
        throw new Refusal(408, "too_slow", "The request's body came too slowly.");
      if (part.done) break;
      sizeBytes += part.value.byteLength;
      if (sizeBytes > limitBytes) throw bodyTooLarge(limitBytes);
      chunks.push(part.value);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal(400, "bad_request", "The request's body broke off or is not UTF-8 text.");
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => undefined);
  }
}

function bodyTooLarge(limitBytes: number): Refusal {
  return new Refusal(
    413,
    "too_large",
    `The request's body is larger than ${limitBytes} bytes. Media goes to POST /api/v1/assets.`,
  );
}

/** @throws Refusal 415, 400 `bad_json`, 422 `invalid` with every fault, and those of `readText`. */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limitBytes = REQUEST_MAX_BYTES,
): Promise<z.output<Schema>> {
  requireType(request, "application/json");
  const text = await readText(request, limitBytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, "bad_json", "The request's body is not valid JSON.");
  }
  if (isDeeper(value, JSON_DEPTH_MAX)) {
    throw new Refusal(400, "bad_json", `JSON may be nested ${JSON_DEPTH_MAX} levels deep at most.`);
  }
  return check(schema, value, "The request's body");
}

/** Fields of a form as text. @throws Refusal 415, and those of `readText`. */
export async function readForm(
  request: Request,
  limitBytes = REQUEST_MAX_BYTES,
): Promise<URLSearchParams> {
  requireType(request, "application/x-www-form-urlencoded");
  return new URLSearchParams(await readText(request, limitBytes));
}

function requireType(request: Request, wanted: string): void {
  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type === wanted) return;
  throw new Refusal(
    415,
    "unsupported_media_type",
    `This call takes ${wanted}: set the Content-Type header.`,
  );
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => isDeeper(child, levels - 1));
}

/** The query as the schema's values: numbers and booleans are taken from their text, strictly. */
export function readQuery<Schema extends z.ZodObject>(
  url: string,
  schema: Schema,
): z.output<Schema> {
  const start = url.indexOf("?");
  const values: Record<string, unknown> = Object.create(null);
  if (start === -1) return check(schema, { ...values }, "The query");
  for (const [name, text] of new URLSearchParams(url.slice(start + 1))) {
    const field = (schema.shape as Record<string, z.ZodType | undefined>)[name];
    if (field !== undefined && unwrap(field) instanceof z.ZodArray) {
      values[name] = [...((values[name] as string[] | undefined) ?? []), text];
      continue;
    }
    if (name in values) {
      throw invalid("The query", [{ path: shorten(name), message: "is given more than once" }]);
    }
    values[name] = field === undefined ? text : fromText(field, text);
  }
  return check(schema, { ...values }, "The query");
}

function fromText(schema: z.ZodType, text: string): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNumber && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (inner instanceof z.ZodBoolean && /^(true|false|1|0)$/.test(text)) {
    return text === "true" || text === "1";
  }
  return text;
}

function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodOptional
    ? unwrap(schema.unwrap() as z.ZodType)
    : schema;
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(what, parsed.error.issues.flatMap(toFaults));
}

function invalid(what: string, faults: FieldFault[]): Refusal {
  const count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
  return new Refusal(422, "invalid", `${what} has ${count}; "errors" names each.`, {
    errors: faults.slice(0, FAULTS_MAX),
  });
}

function toFaults(issue: z.core.$ZodIssue): FieldFault[] {
  const path = issue.path.map((part) => shorten(String(part)));
  if (issue.code !== "unrecognized_keys") {
    return [{ path: path.join("."), message: issue.message }];
  }
  return issue.keys.map((key) => ({
    path: [...path, shorten(key)].join("."),
    message: "is not known here",
  }));
}

/** Names that the asker made up come back in the answer, but not at any length. */
function shorten(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}
