/** Which jobs a list or a change of many is about, as the API has it. */
import { z } from "zod";
import type { JobFilter } from "../jobs/finding.ts";
import { jobStates } from "../jobs/job.ts";
import { idText } from "./shapes.ts";

/** Labels that one filter asks for: as many as a job can have. */
const LABELS_MAX = 16;

const labelText = z
  .string()
  .regex(/^[^:]{1,64}:[\s\S]{0,256}$/, "must be name:value")
  .describe("`name:value`; given more than once, all of them");

const time = z.iso.datetime({ offset: true });

export const filterFields = {
  state: z.enum(jobStates).optional(),
  asset: idText.optional().describe("Only jobs that read or made this asset"),
  operation: z.string().min(1).max(64).optional(),
  device: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe("Where it runs or ran last: `cpu`, `gpu:0`"),
  label: z.array(labelText).max(LABELS_MAX).optional(),
  q: z.string().min(1).max(200).optional().describe("Part of the title or of a label"),
  createdAfter: time.optional().describe("Asked for at this time or later"),
  createdBefore: time.optional().describe("Asked for before this time"),
  batch: idText.optional().describe("Only jobs of one call for many"),
};

type Fields = { [Name in keyof typeof filterFields]?: z.output<(typeof filterFields)[Name]> };

export function filterOf(fields: Fields): Omit<JobFilter, "ownerId" | "limit" | "after"> {
  const {
    state,
    asset,
    operation,
    device,
    label = [],
    q,
    createdAfter,
    createdBefore,
    batch,
  } = fields;
  return {
    states: state === undefined ? [] : [state],
    assetId: asset ?? null,
    operation: operation ?? null,
    device: device ?? null,
    labels: label.map(nameAndValue),
    text: q ?? null,
    createdAfter: createdAfter === undefined ? null : new Date(createdAfter).toISOString(),
    createdBefore: createdBefore === undefined ? null : new Date(createdBefore).toISOString(),
    batch: batch ?? null,
  };
}

function nameAndValue(text: string): [string, string] {
  const at = text.indexOf(":");
  return [text.slice(0, at), text.slice(at + 1)];
}
