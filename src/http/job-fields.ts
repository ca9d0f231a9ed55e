/** What a request for a job is made of, for the calls that ask for one and for many. */
import { z } from "zod";
import { onlyDevices } from "../jobs/job.ts";
import { AFTER_MAX, KEY_HOURS } from "../jobs/submission.ts";
import { Refusal } from "../trouble.ts";
import { idText } from "./shapes.ts";

/** The widest operations join some dozen files; the limit of one operation is its own. */
const INPUTS_MAX = 64;

/** Labels are for the asker's own bookkeeping: a ticket, a customer, a batch. */
const LABELS_MAX = 16;

export const priority = z
  .int()
  .min(-100)
  .max(100)
  .describe("Higher goes first; a point is worth ten minutes of waiting");

export const labels = z
  .record(z.string().min(1).max(64), z.string().max(256))
  .refine((map) => Object.keys(map).length <= LABELS_MAX, `at most ${LABELS_MAX} labels`);

export const after = z
  .array(idText)
  .max(AFTER_MAX)
  .describe(
    "Ids of jobs that must have succeeded before; when one fails or is cancelled, so does this",
  );

export const notBefore = z.iso
  .datetime({ offset: true })
  .describe("ISO 8601; it does not start before this time");

/** Of a retry. */
export const onlyDevice = z
  .enum(onlyDevices)
  .optional()
  .describe(
    "`cpu`: it runs on the processor alone, though a GPU could do it; absent: wherever it fits",
  );

export const requestFields = {
  operation: z.string().min(1).max(64).optional().describe("Needed unless a preset says it"),
  preset: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("Id or name of a preset; `params` lie over its parameters"),
  inputs: z.array(idText).max(INPUTS_MAX).describe("Ids of assets"),
  params: z.record(z.string().max(100), z.unknown()).default({}),
  priority: priority.default(0),
  labels: labels.default({}),
  notBefore: notBefore.nullable().default(null),
  verify: z
    .enum(["quick", "full"])
    .optional()
    .describe(
      "How its outputs are proven: quick decodes their first, middle and last seconds, full all of them; absent: as the setting jobs.verify says",
    ),
  expireDays: z
    .int()
    .min(0)
    .max(36_500)
    .nullable()
    .default(null)
    .describe(
      "Days after which its outputs go into the bin; 0: never; null: as the preset and the settings say",
    ),
  reuse: z
    .boolean()
    .default(true)
    .describe(
      "Whether what the same job made before may be taken instead of working it out again; with the setting jobs.reuse off it never is",
    ),
};

export const jobRequestShape = z
  .strictObject({ ...requestFields, after: after.default([]) })
  .refine(({ operation, preset }) => operation !== undefined || preset !== undefined, {
    path: ["operation"],
    message: "is missing, and so is a preset that would say it",
  })
  .meta({ id: "JobRequest" });

export const tooMany = {
  429: {
    description:
      "`too_many_jobs`: as many of yours wait as `jobs.queuedPerUser` allows. `Retry-After` says when to look again.",
  },
};

export const idempotencyHeader = {
  name: "Idempotency-Key",
  description: `Up to 255 printable ASCII characters. Repeats with the same key and body within ${KEY_HOURS} hours are answered with the same job.`,
};

/** @throws Refusal 400 `bad_idempotency_key` */
export function idempotencyKey(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null || /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new Refusal(
    400,
    "bad_idempotency_key",
    "Idempotency-Key must be 1 to 255 printable ASCII characters.",
  );
}
