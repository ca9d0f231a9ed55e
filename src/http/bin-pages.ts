/** The bin for browsers: its page, its list, the way back and the way out. */
import type { Elysia } from "elysia";
import { type BinView, binList, binPage } from "../../views/bin.ts";
import { EMPTIED_MAX } from "./bin.ts";
import { askerOf, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { isHtmx } from "./visit.ts";

/** Rows on the page. */
const ROWS = 100;

export function mountBinPages(app: Elysia, parts: Parts): void {
  const { library } = parts;
  route(app, "GET", "/bin", (request) => {
    const viewer = viewerOf(parts, request);
    return htmlResponse(binPage(viewer, binView(parts, viewer.id)));
  });
  route(app, "GET", "/ui/bin", (request) =>
    htmlResponse(binList(binView(parts, askerOf(request).id))),
  );
  route(app, "POST", "/ui/bin/:id/restore", (request, { id = "" }) => {
    library.restore(askerOf(request).id, id);
    if (isHtmx(request)) return changed();
    return new Response(null, { status: 303, headers: { location: "/bin" } });
  });
  route(app, "DELETE", "/ui/bin/:id", async (request, { id = "" }) => {
    await library.delete(askerOf(request).id, id, { forever: true });
    return changed();
  });
  route(app, "DELETE", "/ui/bin", async (request) => {
    await library.emptyBin(askerOf(request).id, EMPTIED_MAX);
    return changed();
  });
}

function changed(): Response {
  return new Response(null, { status: 204, headers: { "hx-trigger": "bin" } });
}

function binView({ library }: Parts, ownerId: string): BinView {
  const filter = { ownerId, limit: ROWS, after: null, kind: null, search: null, jobId: null };
  const { items, next } = library.list({ ...filter, state: "binned" });
  const { allowances } = library;
  return {
    ...{ assets: items, more: next !== null },
    ...{ days: allowances.settings.binDays, usage: allowances.usage(ownerId) },
  };
}
