/** The pages: whole documents for browsers. Their fragments are in `fragments.ts`. */
import type { Elysia } from "elysia";
import { jobPage } from "../../views/job.ts";
import { jobsPage } from "../../views/jobs.ts";
import type { Viewer } from "../../views/layout.ts";
import { styleguidePage } from "../../views/styleguide.ts";
import { adminOfCall, askerOf, type PageHandler, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { filterChoices, jobsView } from "./job-lists.ts";
import { jobView } from "./job-view.ts";
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
