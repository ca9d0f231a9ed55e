/** The pages: whole documents for browsers. Their fragments are in `fragments.ts`. */
import type { Elysia } from "elysia";
import { assetPage } from "../../views/asset.ts";
import { jobPage } from "../../views/job.ts";
import { jobsPage } from "../../views/jobs.ts";
import { libraryPage } from "../../views/library.ts";
import { systemPage } from "../../views/system.ts";
import type { User } from "../accounts/accounts.ts";
import type { Asset } from "../assets/asset.ts";
import { refreshLoad } from "./devices.ts";
import { type PageHandler, route, userOfCall } from "./endpoint.ts";
import { findJob, formView, fullJobEntry, operationsFor, systemView } from "./entries.ts";
import { htmlResponse } from "./headers.ts";
import { assetJobEntries, jobsView, libraryView } from "./lists.ts";
import type { Parts } from "./parts.ts";
import { visitOf } from "./visit.ts";

/** A page waits this long for figures of now; a driver that is awake needs a third of it. */
const PAGE_PATIENCE_MS = 150;

/** Who looks at the page. */
export function viewerOf(request: Request): User {
  return userOfCall({ visit: visitOf(request) });
}

export function mountPages(app: Elysia, parts: Parts): void {
  const page = (path: string, handler: PageHandler) => route(app, "GET", path, handler);
  page("/", (request) => {
    const user = viewerOf(request);
    return htmlResponse(libraryPage(user, libraryView(parts, user.id, request.url)));
  });
  page("/assets/:id", (request, { id = "" }) => {
    const user = viewerOf(request);
    const asset = parts.library.get(user.id, id);
    return htmlResponse(assetPage(user, assetView(parts, user.id, asset)));
  });
  page("/jobs", (request) => {
    const user = viewerOf(request);
    return htmlResponse(jobsPage(user, jobsView(parts, user.id, request.url)));
  });
  page("/jobs/:id", (request, { id = "" }) => {
    const user = viewerOf(request);
    const job = parts.jobs.get(user.id, id);
    return htmlResponse(jobPage(user, fullJobEntry(parts, user.id, job)));
  });
  page("/system", async (request) => {
    await refreshLoad(parts, PAGE_PATIENCE_MS);
    return htmlResponse(systemPage(viewerOf(request), systemView(parts, await parts.system())));
  });
}

function assetView(parts: Parts, ownerId: string, asset: Asset) {
  const operations = operationsFor(parts, asset);
  const [first] = operations;
  const { origin } = asset;
  const job = origin.kind === "job" ? findJob(parts, ownerId, origin.jobId) : null;
  return {
    asset,
    origin: job === null ? null : { jobId: job.id, title: job.title },
    operations: operations.map(({ name, title, description }) => ({ name, title, description })),
    form: first === undefined ? null : formView(asset.id, first),
    jobs: assetJobEntries(parts, ownerId, asset.id),
  };
}
