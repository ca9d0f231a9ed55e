/** The event streams of the API: first the present state, then every change. */
import type { FeedEvent } from "../jobs/feed.ts";
import type { JobState } from "../jobs/job.ts";
import { type Endpoint, endpoint, userOfCall } from "./endpoint.ts";
import { userOf } from "./guard.ts";
import type { Parts } from "./parts.ts";
import { jobJson } from "./shapes.ts";
import type { Send, StreamMessage, Streams } from "./stream.ts";
import type { Visit } from "./visit.ts";

export const activeStates: readonly JobState[] = ["queued", "waiting", "running"];

/** Jobs told on connecting: whoever has more in the queue reads `GET /jobs` besides. */
const ACTIVE_TOLD_MAX = 200;

export function eventEndpoints(parts: Parts, streams: Streams): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/events",
      tag: "events",
      summary: "Everything that happens to your jobs and assets, as Server-Sent Events.",
      description:
        "On connecting: one `job` for each job that has not ended, or, with Last-Event-ID, what was missed. Then `job` on every change, `progress` at most every 500 ms per job, `asset` when one comes, changes or goes.",
      headers: [{ name: "Last-Event-ID", description: "Id of the last event that was read." }],
      answers: { 200: { description: "The stream.", mediaType: "text/event-stream" } },
      handle: (call) => {
        const ownerId = userOfCall(call).id;
        const missed = missedEvents(parts, ownerId, call.request.headers.get("last-event-id"));
        return streams.open(call.visit, watchdog(parts, call.visit), (send) => {
          if (missed === null) sendActiveJobs(parts, ownerId, send);
          else for (const event of missed) send(messageOf(event));
          return parts.feed.subscribe(ownerId, (event) => send(messageOf(event)));
        });
      },
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/jobs/:id/events",
      tag: "events",
      summary: "What happens to one job, as Server-Sent Events.",
      description: "First a `job` with its present state, then `job` and `progress` as they come.",
      answers: {
        200: { description: "The stream.", mediaType: "text/event-stream" },
        404: { description: "There is no such job." },
      },
      handle: (call) => {
        const ownerId = userOfCall(call).id;
        const job = parts.jobs.get(ownerId, call.params["id"] ?? "");
        return streams.open(call.visit, watchdog(parts, call.visit), (send) => {
          send({ event: "job", data: JSON.stringify(jobJson(job)) });
          return parts.feed.subscribe(ownerId, (event) => {
            if (jobIdOf(event) === job.id) send(messageOf(event));
          });
        });
      },
    }),
  ];
}

/** Says whether the session or token that opened a stream is still good, and still the same person's. */
export function watchdog(parts: Parts, visit: Visit): () => boolean {
  return () => userOf(parts.accounts, visit.credential)?.id === visit.user?.id;
}

function missedEvents(parts: Parts, ownerId: string, lastId: string | null): FeedEvent[] | null {
  if (lastId === null || !/^\d{1,16}$/.test(lastId)) return null;
  return parts.feed.since(ownerId, Number(lastId));
}

function sendActiveJobs(parts: Parts, ownerId: string, send: Send): void {
  const filter = { ownerId, limit: ACTIVE_TOLD_MAX, after: null, assetId: null };
  const { items } = parts.jobs.list({ ...filter, states: activeStates });
  // The oldest first, as if the stream had been open all the time.
  for (const job of items.toReversed()) send({ event: "job", data: JSON.stringify(jobJson(job)) });
}

export function jobIdOf(event: FeedEvent): string | null {
  if (event.type === "job") return event.job.id;
  return event.type === "progress" ? event.jobId : null;
}

function messageOf(event: FeedEvent): StreamMessage {
  return { event: event.type, data: JSON.stringify(bodyOf(event)), id: String(event.id) };
}

function bodyOf(event: FeedEvent): unknown {
  switch (event.type) {
    case "job":
      return jobJson(event.job);
    case "progress":
      return { id: event.jobId, ...event.progress };
    case "asset":
      return { id: event.assetId, change: event.change };
  }
}
