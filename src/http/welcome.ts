/** The first visit of the administrator: what was found, the sample, and keeping it. */
import type { Elysia } from "elysia";
import { texts } from "../../views/texts/texts.ts";
import { foundPart, type SampleView, samplePanel, welcomePage } from "../../views/welcome.ts";
import { adminOfCall, askerOf, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { visitOf } from "./visit.ts";

/** Where people go after the first account was made. */
export const FIRST_VISIT = "/welcome?first=1";

export function mountWelcome(app: Elysia, parts: Parts): void {
  const forAdmins = (request: Request) =>
    adminOfCall({ visit: visitOf(request) }, "see what the box has");
  route(app, "GET", "/welcome", async (request) => {
    forAdmins(request);
    const report = await parts.system();
    const first = new URL(request.url).searchParams.has("first");
    const view = { report, sample: sampleView(parts), first };
    return htmlResponse(welcomePage(viewerOf(parts, request), view));
  });
  route(app, "GET", "/ui/welcome/found", async (request) => {
    forAdmins(request);
    return htmlResponse(foundPart(await parts.system()));
  });
  route(app, "GET", "/ui/welcome/sample", (request) => {
    forAdmins(request);
    return htmlResponse(samplePanel(sampleView(parts)));
  });
  route(app, "POST", "/ui/welcome/sample", (request) => {
    forAdmins(request);
    parts.sample.start();
    return htmlResponse(samplePanel(sampleView(parts)));
  });
  route(app, "POST", "/welcome/sample", async (request) => {
    forAdmins(request);
    const { path, sizeBytes } = await parts.sample.film();
    const name = texts.welcome.keptName;
    const bytes = Bun.file(path).stream();
    const asset = await parts.library.upload(askerOf(request).id, name, bytes, {
      declaredBytes: sizeBytes,
    });
    return new Response(null, { status: 303, headers: { location: `/assets/${asset.id}` } });
  });
}

function sampleView(parts: Parts): SampleView {
  return {
    state: parts.sample.state(),
    devices: parts.devices(),
    whyNoGpu: parts.whyNoGpu(),
  };
}
