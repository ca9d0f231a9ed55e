/** Many jobs in one call: ask for them, cancel them, retry them. */
import { z } from "zod";
import type { Asker } from "../jobs/asks.ts";
import type { BulkOutcome, Selection } from "../jobs/bulk.ts";
import { BULK_MAX } from "../jobs/job.ts";
import { AFTER_MAX } from "../jobs/submission.ts";
import { type Endpoint, endpoint, json, userOfCall } from "./endpoint.ts";
import {
  idempotencyHeader,
  idempotencyKey,
  onlyDevice,
  requestFields,
  tooMany,
} from "./job-fields.ts";
import { filterFields, filterOf } from "./job-filter.ts";
import type { Parts } from "./parts.ts";
import { idText } from "./shapes.ts";

/** Bytes of a call for many: a thousand jobs with some kilobytes of parameters each. */
const BODY_MAX_BYTES = 8 * 1024 ** 2;

const ref = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,63}$/, "must be 1 to 63 letters, digits, dots, dashes or underscores")
  .describe("A name by which other jobs of the call refer to it");

const after = z
  .array(idText)
  .max(AFTER_MAX)
  .describe("As in one job; `#ref` is another job of the call");

const bulkShape = z
  .strictObject({
    jobs: z
      .array(
        z
          .strictObject({ ...requestFields, after: after.default([]), ref: ref.optional() })
          .refine(({ operation, preset }) => operation !== undefined || preset !== undefined, {
            path: ["operation"],
            message: "is missing, and so is a preset that would say it",
          }),
      )
      .min(1)
      .max(BULK_MAX),
  })
  .meta({ id: "BulkRequest" });

const acceptedShape = z
  .strictObject({
    batch: z.string().describe("Name of the call, for filters"),
    ids: z.array(z.string()).describe("In the order of the request"),
  })
  .meta({ id: "BulkAccepted" });

const selectionFields = {
  ids: z.array(idText).min(1).max(BULK_MAX).optional(),
  filter: z
    .strictObject(filterFields)
    .optional()
    .describe("As in `GET /jobs`; `{}` is all of them"),
};

const namesOneWay = ({ ids, filter }: { ids?: unknown; filter?: unknown }) =>
  (ids === undefined) !== (filter === undefined);

const either = { message: "name either ids or a filter" };

const selectionShape = z
  .strictObject(selectionFields)
  .refine(namesOneWay, either)
  .meta({ id: "JobSelection" });

const retriedShape = z
  .strictObject({ ...selectionFields, device: onlyDevice })
  .refine(namesOneWay, either)
  .meta({ id: "JobsToRetry" });

const outcomeShape = z
  .strictObject({
    changed: z.array(z.string()).describe("Ids of the jobs that were changed"),
    skipped: z.array(z.strictObject({ id: z.string(), code: z.string(), detail: z.string() })),
    more: z.boolean().describe(`True when the filter fits more than ${BULK_MAX} jobs: call again`),
  })
  .meta({ id: "BulkOutcome" });

export function bulkJobEndpoints(parts: Parts): Endpoint[] {
  const { jobs } = parts;
  return [
    endpoint({
      method: "POST",
      path: "/api/v1/jobs/bulk",
      tag: "jobs",
      summary: `Ask for up to ${BULK_MAX} jobs in one transaction.`,
      description:
        "All of them are accepted, or none: a refusal names the faulty one by its place.",
      headers: [idempotencyHeader],
      body: bulkShape,
      bodyMaxBytes: BODY_MAX_BYTES,
      answers: {
        202: { description: "Accepted, or the earlier jobs of this key.", schema: acceptedShape },
        409: { description: "`idempotency_mismatch`, `predecessor_ended`" },
        422: {
          description: "`cycle`, and what one job is refused for; `errors` begin with `jobs.N`.",
        },
        ...tooMany,
      },
      handle: async (call) => {
        const key = idempotencyKey(call.request);
        const { batch, ids } = await jobs.submitMany(userOfCall(call), call.body.jobs, key);
        return json({ batch, ids }, 202, { location: `/api/v1/jobs?batch=${batch}` });
      },
    }),
    changeMany(
      "cancel",
      "Cancel many jobs: those named, or those of a filter that have not ended.",
      selectionShape,
      (asker, selected) => jobs.cancelMany(asker, selectionOf(selected)),
    ),
    changeMany(
      "retry",
      "Retry many jobs: those named, or those of a filter that failed or were cancelled.",
      retriedShape,
      (asker, { device = null, ...selected }) =>
        jobs.retryMany(asker, selectionOf(selected), device),
    ),
  ];
}

function changeMany<Body extends z.ZodType>(
  verb: string,
  summary: string,
  body: Body,
  act: (asker: Asker, selected: z.output<Body>) => BulkOutcome,
): Endpoint {
  return endpoint({
    method: "POST",
    path: `/api/v1/jobs/bulk/${verb}`,
    tag: "jobs",
    summary,
    description:
      "What one job refuses leaves the others alone; it stands in `skipped` with the reason.",
    body,
    answers: { 200: { description: "What became of them.", schema: outcomeShape }, ...tooMany },
    handle: (call) => json(act(userOfCall(call), call.body)),
  });
}

function selectionOf({ ids, filter }: z.output<typeof selectionShape>): Selection {
  return ids === undefined ? { filter: filterOf(filter ?? {}) } : { ids };
}
