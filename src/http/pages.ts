/** The pages: whole documents for browsers. Their fragments are in `fragments.ts`. */
import type { Elysia } from "elysia";
import { assetPage } from "../../views/asset.ts";
import { jobPage } from "../../views/job.ts";
import { jobsPage } from "../../views/jobs.ts";
import type { Viewer } from "../../views/layout.ts";
import { styleguidePage } from "../../views/styleguide.ts";
import type { Asset } from "../assets/asset.ts";
import { adminOfCall, askerOf, type PageHandler, route } from "./endpoint.ts";
import { findJob } from "./entries.ts";
import { htmlResponse } from "./headers.ts";
import { assetJobEntries, filterChoices, jobsView } from "./job-lists.ts";
import { jobView } from "./job-view.ts";
import { makeView } from "./make-view.ts";
import type { Parts } from "./parts.ts";
import { visitOf } from "./visit.ts";

/** What every page needs to say of whoever looks. */
export type ViewerParts = Pick<Parts, "work" | "library" | "directUploads" | "config">;

/** Who looks at the page, and what they are told on each. */
export function viewerOf(parts: ViewerParts, request: Request): Viewer {
  const taking = {
    refused: parts.library.uploadsRefused,
    directBytes: parts.directUploads === null ? null : parts.config.uploads.directBytes,
  };
  return { ...askerOf(request), work: parts.work().mode, taking };
}

export function mountPages(app: Elysia, parts: Parts): void {
  const page = (path: string, handler: PageHandler) => route(app, "GET", path, handler);
  mountStyleguide(app, parts);
  page("/assets/:id", (request, { id = "" }) => {
    const user = viewerOf(parts, request);
    const asset = parts.library.get(user.id, id);
    const { searchParams } = new URL(request.url);
    return htmlResponse(assetPage(user, assetView(parts, user.id, asset, searchParams)));
  });
  page("/jobs", (request) => {
    const user = viewerOf(parts, request);
    return htmlResponse(
      jobsPage(user, jobsView(parts, user.id, request.url), filterChoices(parts)),
    );
  });
  page("/jobs/:id", (request, { id = "" }) => {
    const user = viewerOf(parts, request);
    return htmlResponse(jobPage(user, jobView(parts, user.id, id)));
  });
}

/** What the pages are made of, for those who build or translate them. */
function mountStyleguide(app: Elysia, parts: Parts): void {
  route(app, "GET", "/styleguide", (request) => {
    adminOfCall({ visit: visitOf(request) }, "see the style guide");
    return htmlResponse(styleguidePage(viewerOf(parts, request)));
  });
}

function assetView(parts: Parts, ownerId: string, asset: Asset, searchParams: URLSearchParams) {
  const { origin } = asset;
  const job = origin.kind === "job" ? findJob(parts, ownerId, origin.jobId) : null;
  return {
    asset,
    binDays: parts.library.allowances.settings.binDays,
    origin: job === null ? null : { jobId: job.id, title: job.title },
    make: asset.media === null ? null : makeOf(parts, ownerId, asset, searchParams),
    jobs: assetJobEntries(parts, ownerId, asset.id),
  };
}

/** What can be made from this file; its address may name what is chosen. */
function makeOf(parts: Parts, ownerId: string, { id }: Asset, searchParams: URLSearchParams) {
  const asked = new URLSearchParams([...searchParams].filter(([name]) => name !== "asset"));
  asked.append("asset", id);
  return makeView(parts, ownerId, asked, { page: "asset", assetId: id });
}
