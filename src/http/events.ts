/** The event streams of the API: first the present state, then every change. */
import type { FeedEvent } from "../jobs/feed.ts";
import type { JobState } from "../jobs/job.ts";
import { companionJson } from "./companions.ts";
import { type Endpoint, endpoint, userOfCall } from "./endpoint.ts";
import { findJob } from "./entries.ts";
import { userOf } from "./guard.ts";
import type { Parts } from "./parts.ts";
import { importJson, jobJson } from "./shapes.ts";
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
        "On connecting: one `job` for each job that has not ended, or, with Last-Event-ID, how what has changed since is now. Then `job` on every change, `progress` at most every 500 ms per job, `asset` when one comes, changes or goes, `import` while a file comes in from a link, at most every 500 ms per file, `companion` when what is kept beside an asset for looking at it came further. The id of an event is good for Last-Event-ID over a restart of the server too; progress has none.",
      headers: [{ name: "Last-Event-ID", description: "Id of the last event that was read." }],
      answers: { 200: { description: "The stream.", mediaType: "text/event-stream" } },
      handle: (call) => {
        const ownerId = userOfCall(call).id;
        const missed = missedEvents(parts, ownerId, call.request.headers.get("last-event-id"));
        return streams.open(call.visit, watchdog(parts, call.visit), (send) => {
          const tell = (event: FeedEvent) => sendEvent(parts, event, send);
          // What runs has moved meanwhile without an entry in the log: its steps, its device.
          if (missed !== null) for (const event of missed) tell(event);
          sendJobs(parts, ownerId, missed === null ? activeStates : ["running"], send);
          return parts.feed.subscribe(ownerId, tell);
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
            if (jobIdOf(event) === job.id) sendEvent(parts, event, send);
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

function sendJobs(parts: Parts, ownerId: string, states: readonly JobState[], send: Send): void {
  const filter = { ownerId, limit: ACTIVE_TOLD_MAX, after: null };
  const { items } = parts.jobs.list({ ...filter, states });
  // The oldest first, as if the stream had been open all the time.
  for (const job of items.toReversed()) send({ event: "job", data: JSON.stringify(jobJson(job)) });
}

export function jobIdOf(event: FeedEvent): string | null {
  return "jobId" in event ? event.jobId : null;
}

/** The same words for every stream of the person: a job is looked up once for all of them. */
const told = new WeakMap<FeedEvent, StreamMessage>();

function sendEvent(parts: Parts, event: FeedEvent, send: Send): void {
  const message = told.get(event) ?? messageOf(parts, event);
  if (message === null) return;
  told.set(event, message);
  send(message);
}

/** Null for a job that is gone. */
function messageOf(parts: Parts, event: FeedEvent): StreamMessage | null {
  const body = bodyOf(parts, event);
  if (body === null) return null;
  const id = event.id === null ? {} : { id: String(event.id) };
  return { event: event.type, data: JSON.stringify(body), ...id };
}

function bodyOf(parts: Parts, event: FeedEvent): unknown {
  switch (event.type) {
    case "job": {
      const job = findJob(parts, event.ownerId, event.jobId);
      return job === null ? null : jobJson(job);
    }
    case "progress":
      return { id: event.jobId, ...event.progress };
    case "asset":
      return { id: event.assetId, change: event.change };
    case "companion":
      return companionJson(event.assetId, event.standing);
    case "import": {
      const found = parts.imports.find(event.ownerId, event.assetId);
      return found === null ? null : importJson(found);
    }
  }
}
