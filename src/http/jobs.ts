/** Jobs over HTTP: ask, estimate, look. What changes them is in `job-changes.ts`, many at once in `bulk-jobs.ts`. */
import { z } from "zod";
import { bulkJobEndpoints } from "./bulk-jobs.ts";
import { type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import { jobChangeEndpoints } from "./job-changes.ts";
import { idempotencyHeader, idempotencyKey, jobRequestShape, tooMany } from "./job-fields.ts";
import { filterFields, filterOf } from "./job-filter.ts";
import type { Parts } from "./parts.ts";
import { idText, jobJson, jobShape, pageLimit, pageShape, predictedFields } from "./shapes.ts";

const estimateShape = z
  .strictObject({
    operation: z.string(),
    steps: z.array(
      z.strictObject({
        name: z.string(),
        title: z.string(),
        device: z.string(),
        deviceReason: z.string(),
        ...predictedFields,
      }),
    ),
    notes: z.array(z.string()),
    device: z.string().describe("Of the first step"),
    deviceReason: z.string(),
    ...predictedFields,
    queuedAhead: z
      .int()
      .min(0)
      .describe("Jobs that run or would go before it; waiting for them is not in the time"),
  })
  .meta({ id: "Estimate" });

const requestFaults = {
  404: {
    description: "`unknown_operation`, `no_such_preset`, or `not_found`: there is no such asset.",
  },
  422: {
    description:
      "`invalid`, `invalid_params`, `wrong_preset`, `unsuitable_input`: `errors` names every fault.",
  },
};

export function jobEndpoints(parts: Parts): Endpoint[] {
  return [
    submitEndpoint(parts),
    estimateEndpoint(parts),
    ...readEndpoints(parts),
    ...jobChangeEndpoints(parts),
    ...bulkJobEndpoints(parts),
  ];
}

function submitEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/jobs",
    tag: "jobs",
    summary: "Ask for a job.",
    description: "After the 202 the job survives a crash and a power cut.",
    headers: [idempotencyHeader],
    body: jobRequestShape,
    answers: {
      202: { description: "Accepted, or the earlier job of this key.", schema: jobShape },
      ...requestFaults,
      409: {
        description:
          "`idempotency_mismatch`: the key was used for another body. `predecessor_ended`: a job of `after` failed or was cancelled.",
      },
      ...tooMany,
    },
    handle: async (call) => {
      const key = idempotencyKey(call.request);
      const { job } = await parts.jobs.submit(userOfCall(call), call.body, key);
      return json(jobJson(job), 202, { location: `/api/v1/jobs/${job.id}` });
    },
  });
}

function estimateEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/jobs/estimate",
    tag: "jobs",
    summary:
      "What a job would do, how long it would take and how large it would become. Starts nothing.",
    description:
      "Learned from the finished jobs of this box, once there are some like it; before that a first guess. `basis` says which.",
    body: jobRequestShape,
    answers: {
      200: { description: "The plan, with times and sizes.", schema: estimateShape },
      ...requestFaults,
    },
    handle: (call) => json(parts.jobs.estimate(userOfCall(call).id, call.body)),
  });
}

function readEndpoints(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/jobs",
      tag: "jobs",
      summary: "List jobs, the newest first.",
      description:
        "A page that is not full can have a `next`: so many jobs were looked at that the rest is for another call.",
      query: z.strictObject({
        limit: pageLimit,
        after: idText.optional().describe("`next` of the page before"),
        ...filterFields,
      }),
      answers: { 200: { description: "A page.", schema: pageShape(jobShape) } },
      handle: (call) => {
        const { limit, after, ...asked } = call.query;
        const page = parts.jobs.list({
          ...filterOf(asked),
          ...{ ownerId: userOfCall(call).id, limit, after: after ?? null },
        });
        return json({ items: page.items.map(jobJson), next: page.next });
      },
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/jobs/:id",
      tag: "jobs",
      summary: "One job, with its steps, attempts, reasons and history.",
      answers: {
        200: { description: "It.", schema: jobShape },
        404: { description: "There is no such job." },
      },
      handle: (call) => {
        const { id: ownerId } = userOfCall(call);
        const id = idOf(call);
        const history = parts.jobs.history(ownerId, id);
        return json({ ...jobJson(parts.jobs.get(ownerId, id)), history });
      },
    }),
  ];
}
