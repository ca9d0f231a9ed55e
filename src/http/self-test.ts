/** The self-test of the devices: what the last one found, and another one, beside the work. */
import type { Elysia } from "elysia";
import { z } from "zod";
import { selfTestPanel } from "../../views/self-test.ts";
import { adminOfCall, askerOf, type Endpoint, endpoint, json, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import type { Parts } from "./parts.ts";
import { isHtmx, visitOf } from "./visit.ts";

const doing = "start a self-test";

const testedShape = z.strictObject({
  id: z.string(),
  title: z.string(),
  result: z.enum(["ok", "failed", "skipped"]).describe("skipped: it was at work"),
  sessions: z.int().describe("How many ran side by side"),
  framesPerSecond: z.number().nullable().describe("Of all of them together, 1080p"),
  realtimeFactor: z.number().nullable(),
  encoder: z.string().nullable(),
  sentence: z.string(),
  remedy: z.string().nullable(),
});

const stateShape = z
  .strictObject({
    runningSince: z.iso.datetime().nullable(),
    last: z
      .strictObject({
        at: z.iso.datetime(),
        problem: z.string().nullable().describe("Why none of the devices was tested"),
        devices: z.array(testedShape),
      })
      .nullable(),
  })
  .meta({ id: "SelfTest" });

/** Who is told when one ends: the open pages. */
export class SelfTestNews {
  private readonly listeners = new Set<() => void>();

  follow(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

export function selfTestEndpoints(parts: Parts, news: SelfTestNews): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/selftest",
      tag: "system",
      summary: "What the last self-test of the devices found.",
      answers: { 200: { description: "As it is now.", schema: stateShape } },
      handle: () => json(parts.selfTest.state()),
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/system/selftest",
      tag: "system",
      summary: "Has every device that is free make a film and prove it.",
      description:
        "For admins. It takes places as jobs do, so that no job fails for it; a device at work is passed over. Ask `GET` for what came of it.",
      query: z.strictObject({
        quick: z
          .boolean()
          .default(false)
          .describe("A tenth of the film in one session: whether it works, and not how quickly"),
      }),
      answers: {
        202: { description: "It runs.", schema: stateShape },
        403: { description: "`forbidden`: only an admin may." },
        409: { description: "`busy`: one is running." },
        503: { description: "`tool_missing` or `starting`: there is no ffmpeg yet." },
      },
      handle: (call) => {
        adminOfCall(call, doing);
        parts.selfTest.start(() => news.tell(), call.query.quick);
        news.tell();
        return json(parts.selfTest.state(), 202);
      },
    }),
  ];
}

export function mountSelfTestFragments(app: Elysia, parts: Parts, news: SelfTestNews): void {
  route(app, "GET", "/ui/system/selftest", (request) =>
    htmlResponse(selfTestPanel(askerOf(request), parts.selfTest.state())),
  );
  route(app, "POST", "/ui/system/selftest", (request) => {
    adminOfCall({ visit: visitOf(request) }, doing);
    parts.selfTest.start(() => news.tell(), false);
    news.tell();
    return isHtmx(request)
      ? htmlResponse(selfTestPanel(askerOf(request), parts.selfTest.state()))
      : new Response(null, { status: 303, headers: { location: "/system#selftest" } });
  });
}
