/** What changes one job over HTTP: cancel, retry, pause, resume, and what may still be changed of it. */
import { z } from "zod";
import type { Asker } from "../jobs/asks.ts";
import type { Job } from "../jobs/job.ts";
import { type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import { after, labels, notBefore, onlyDevice, priority, tooMany } from "./job-fields.ts";
import type { Parts } from "./parts.ts";
import { jobJson, jobShape } from "./shapes.ts";

const answers = {
  200: { description: "The job afterwards.", schema: jobShape },
  404: { description: "There is no such job." },
  409: {
    description:
      "`wrong_state`: it makes no sense in the state that the job has now; the sentence says which, and what to do instead.",
  },
};

export function jobChangeEndpoints(parts: Parts): Endpoint[] {
  const { jobs } = parts;
  return [
    action("cancel", "Cancel a job that has not ended.", (asker, id) => jobs.cancel(asker, id)),
    endpoint({
      method: "POST",
      path: "/api/v1/jobs/:id/retry",
      tag: "jobs",
      summary: "Queue a failed or cancelled job again.",
      description:
        "Without a body, or without `device`, it runs wherever it fits, whatever was asked for before.",
      body: z.strictObject({ device: onlyDevice }),
      bodyOptional: true,
      answers: { ...answers, ...tooMany },
      handle: (call) => {
        const { device = null } = call.body;
        return json(jobJson(jobs.retry(userOfCall(call), idOf(call), device)));
      },
    }),
    action(
      "pause",
      "Pause a job: one that waits does not start, one that runs stands still.",
      (asker, id) => jobs.pause(asker, id),
    ),
    action("resume", "Let a paused job go on.", (asker, id) => jobs.resume(asker, id)),
    endpoint({
      method: "PATCH",
      path: "/api/v1/jobs/:id",
      tag: "jobs",
      summary: "Change what may still be changed: labels always, the rest while the job waits.",
      description: "Fields that are left out stay as they are. All is changed, or nothing.",
      body: z.strictObject({
        priority: priority.optional(),
        labels: labels.optional(),
        after: after.optional(),
        notBefore: notBefore.nullable().optional(),
      }),
      answers: {
        ...answers,
        422: {
          description: "`invalid`, or `cycle`: jobs would wait for each other; the way is named.",
        },
      },
      handle: (call) => json(jobJson(jobs.change(userOfCall(call), idOf(call), call.body))),
    }),
  ];
}

function action(verb: string, summary: string, act: (asker: Asker, id: string) => Job): Endpoint {
  return endpoint({
    method: "POST",
    path: `/api/v1/jobs/:id/${verb}`,
    tag: "jobs",
    summary,
    answers,
    handle: (call) => json(jobJson(act(userOfCall(call), idOf(call)))),
  });
}
