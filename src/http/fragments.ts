/** Parts of pages that htmx fetches, and what its buttons and forms do. */
import type { Elysia } from "elysia";
import { importProgressMessage } from "../../views/imports.ts";
import { inputsFound } from "../../views/job-inputs.ts";
import { jobProgressMessage } from "../../views/live.ts";
import type { FeedEvent } from "../jobs/feed.ts";
import { sendThumbnail } from "./assets.ts";
import { companionJson } from "./companions.ts";
import { askerOf, route } from "./endpoint.ts";
import { findJob } from "./entries.ts";
import { jobIdOf, watchdog } from "./events.ts";
import { htmlResponse } from "./headers.ts";
import { mountImportFragments } from "./import-fragments.ts";
import { mountJobFragments } from "./job-fragments.ts";
import { inputChoices } from "./lists.ts";
import type { Parts } from "./parts.ts";
import { mountPresetFragments } from "./preset-fragments.ts";
import type { Send, StreamMessage, Streams } from "./stream.ts";
import { isHtmx, visitOf } from "./visit.ts";

/** Answers without content that tell htmx what to do next. */
function nothingBut(headers: Record<string, string>): Response {
  return new Response(null, { status: 204, headers });
}

export function mountFragments(app: Elysia, parts: Parts, streams: Streams): void {
  mountAssetFragments(app, parts);
  mountJobFragments(app, parts);
  mountPresetFragments(app, parts);
  mountImportFragments(app, parts);
  route(app, "GET", "/ui/events", (request) => openPageStream(parts, streams, request));
}

function mountAssetFragments(app: Elysia, parts: Parts): void {
  route(app, "GET", "/ui/inputs", (request) =>
    htmlResponse(inputsFound(inputChoices(parts, askerOf(request).id, request.url))),
  );
  route(app, "GET", "/ui/assets/:id/thumbnail", (request, { id = "" }) =>
    sendThumbnail(parts, request, parts.library.get(askerOf(request).id, id)),
  );
  route(app, "DELETE", "/ui/assets/:id", async (request, { id = "" }) => {
    await parts.library.delete(askerOf(request).id, id);
    return nothingBut({ "hx-redirect": `/?deleted=${id}` });
  });
  route(app, "POST", "/ui/assets/:id/keep", (request, { id = "" }) => {
    parts.library.change(askerOf(request).id, id, { expiresAt: null });
    const location = `/assets/${id}`;
    if (isHtmx(request)) return nothingBut({ "hx-redirect": location });
    return new Response(null, { status: 303, headers: { location } });
  });
}

/**
 * The stream that pages listen to. The first message makes the page fetch its lists, so that nothing is
 * missed while it was hidden; what follows says what changed, and carries progress as HTML. The switch of
 * all work concerns everybody, whoever's jobs a page shows.
 */
function openPageStream(parts: Parts, streams: Streams, request: Request): Response {
  const visit = visitOf(request);
  const ownerId = askerOf(request).id;
  const onlyJob = new URL(request.url).searchParams.get("job");
  return streams.open(visit, watchdog(parts, visit), (send) => {
    send({ event: "job", data: "{}" });
    const unfollow = parts.workSwitch.follow(() => send({ event: "work", data: "{}" }));
    const unsubscribe = parts.feed.subscribe(ownerId, (event) => {
      if (onlyJob === null || jobIdOf(event) === onlyJob) tellPage(parts, ownerId, event, send);
    });
    return () => {
      unfollow();
      unsubscribe();
    };
  });
}

/** The same words for every page of the person: a job is looked up once for all of them. */
const told = new WeakMap<FeedEvent, StreamMessage>();

function progressMessage(parts: Parts, ownerId: string, jobId: string): StreamMessage | null {
  const job = findJob(parts, ownerId, jobId);
  return job === null ? null : { data: jobProgressMessage(job) };
}

function tellPage(parts: Parts, ownerId: string, event: FeedEvent, send: Send): void {
  switch (event.type) {
    case "job": {
      const moved = event.id !== null;
      send({ event: "job", data: JSON.stringify({ id: event.jobId, moved }) });
      return;
    }
    case "progress": {
      const message = told.get(event) ?? progressMessage(parts, ownerId, event.jobId);
      if (message === null) return;
      told.set(event, message);
      send(message);
      return;
    }
    case "import": {
      const found = parts.imports.find(ownerId, event.assetId);
      if (found !== null) send({ data: importProgressMessage(found) });
      return;
    }
    case "companion":
      send({
        event: "companion",
        data: JSON.stringify(companionJson(event.assetId, event.standing)),
      });
      return;
    case "asset":
      send({ event: "library", data: JSON.stringify({ id: event.assetId, change: event.change }) });
  }
}
