/** Jobs over HTTP: ask, estimate, look, cancel, retry, reorder. */
import { z } from "zod";
import { jobStates } from "../jobs/job.ts";
import { Refusal } from "../trouble.ts";
import { type Call, type Endpoint, endpoint, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { idText, jobJson, jobShape, pageLimit, pageShape, predictedFields } from "./shapes.ts";

/** The widest operations join some dozen files; the limit of one operation is its own. */
const INPUTS_MAX = 64;

/** Labels are for the asker's own bookkeeping: a ticket, a customer, a batch. */
const LABELS_MAX = 16;

const priority = z.int().min(-100).max(100).describe("Higher goes first");

export const jobRequestShape = z
  .strictObject({
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
    labels: z
      .record(z.string().min(1).max(64), z.string().max(256))
      .refine((labels) => Object.keys(labels).length <= LABELS_MAX, `at most ${LABELS_MAX} labels`)
      .default({}),
  })
  .refine(({ operation, preset }) => operation !== undefined || preset !== undefined, {
    path: ["operation"],
    message: "is missing, and so is a preset that would say it",
  })
  .meta({ id: "JobRequest" });

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
    ...changeEndpoints(parts),
  ];
}

function submitEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/jobs",
    tag: "jobs",
    summary: "Ask for a job.",
    description: "After the 202 the job survives a crash and a power cut.",
    headers: [
      {
        name: "Idempotency-Key",
        description:
          "Up to 255 printable ASCII characters. Repeats with the same key and body return the same job.",
      },
    ],
    body: jobRequestShape,
    answers: {
      202: { description: "Accepted, or the earlier job of this key.", schema: jobShape },
      ...requestFaults,
      409: { description: "`idempotency_mismatch`: the key was used for another body." },
    },
    handle: (call) => {
      const key = idempotencyKey(call.request);
      const { job } = parts.jobs.submit(userOfCall(call).id, call.body, key);
      return json(jobJson(job), 202, { location: `/api/v1/jobs/${job.id}` });
    },
  });
}

function idempotencyKey(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null || /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new Refusal(
    400,
    "bad_idempotency_key",
    "Idempotency-Key must be 1 to 255 printable ASCII characters.",
  );
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
      query: z.strictObject({
        limit: pageLimit,
        after: idText.optional().describe("`next` of the page before"),
        state: z.enum(jobStates).optional(),
        asset: idText.optional().describe("Only jobs that read or made this asset"),
      }),
      answers: { 200: { description: "A page.", schema: pageShape(jobShape) } },
      handle: (call) => {
        const { limit, after, state, asset } = call.query;
        const page = parts.jobs.list({
          ownerId: userOfCall(call).id,
          limit,
          after: after ?? null,
          states: state === undefined ? [] : [state],
          assetId: asset ?? null,
        });
        return json({ items: page.items.map(jobJson), next: page.next });
      },
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/jobs/:id",
      tag: "jobs",
      summary: "One job, with its steps, attempts and reasons.",
      answers: {
        200: { description: "It.", schema: jobShape },
        404: { description: "There is no such job." },
      },
      handle: (call) => json(jobJson(parts.jobs.get(userOfCall(call).id, idOf(call)))),
    }),
  ];
}

const changeAnswers = {
  200: { description: "The job afterwards.", schema: jobShape },
  404: { description: "There is no such job." },
  409: { description: "`wrong_state`: it makes no sense in the job's present state." },
};

function changeEndpoints(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/api/v1/jobs/:id/cancel",
      tag: "jobs",
      summary: "Cancel a job that has not ended.",
      answers: changeAnswers,
      handle: (call) => json(jobJson(parts.jobs.cancel(userOfCall(call).id, idOf(call)))),
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/jobs/:id/retry",
      tag: "jobs",
      summary: "Queue a failed or cancelled job again.",
      answers: changeAnswers,
      handle: (call) => json(jobJson(parts.jobs.retry(userOfCall(call).id, idOf(call)))),
    }),
    endpoint({
      method: "PATCH",
      path: "/api/v1/jobs/:id",
      tag: "jobs",
      summary: "Change the priority of a waiting job.",
      body: z.strictObject({ priority }),
      answers: changeAnswers,
      handle: (call) =>
        json(jobJson(parts.jobs.setPriority(userOfCall(call).id, idOf(call), call.body.priority))),
    }),
  ];
}

function idOf(call: Call<unknown, unknown>): string {
  return call.params["id"] ?? "";
}
