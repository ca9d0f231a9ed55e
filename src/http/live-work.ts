/** The switch of all work on the pages: its panel, the banner of every page, and its buttons. */
import type { Elysia } from "elysia";
import { html } from "../../views/html.ts";
import { workBanner, workMenu, workPanel } from "../../views/work.ts";
import { workModes } from "../jobs/work-mode.ts";
import { Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { askerOf, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import type { Parts } from "./parts.ts";
import { switchWork } from "./system.ts";
import { isHtmx } from "./visit.ts";

export function mountWorkFragments(app: Elysia, parts: Parts): void {
  route(app, "GET", "/ui/work", (request) =>
    htmlResponse(workBanner(askerOf(request), parts.work().mode)),
  );
  route(app, "GET", "/ui/work/menu", (request) =>
    htmlResponse(workMenu(askerOf(request), parts.work().mode) ?? html``),
  );
  route(app, "GET", "/ui/system/work", (request) =>
    htmlResponse(workPanel(askerOf(request), parts.work())),
  );
  route(app, "POST", "/ui/system/work", async (request) => {
    const wanted = (await readForm(request)).get("mode");
    const mode = workModes.find((each) => each === wanted);
    if (mode === undefined) {
      throw new Refusal(422, "invalid", `The mode must be one of ${workModes.join(", ")}.`);
    }
    switchWork(parts, askerOf(request), mode);
    // A plain form leads back to the switch.
    return isHtmx(request)
      ? new Response(null, { status: 204, headers: { "hx-trigger": "work" } })
      : new Response(null, { status: 303, headers: { location: "/system" } });
  });
}
