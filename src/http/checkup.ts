/** The doctor's findings: fetched by the page, and looked for once more when somebody mended something. */
import type { Elysia } from "elysia";
import { z } from "zod";
import { checkupPanel } from "../../views/checkup.ts";
import type { Clock } from "../clock.ts";
import { adminOfCall, askerOf, type Endpoint, endpoint, json, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import type { Parts } from "./parts.ts";
import { findingShape } from "./system.ts";
import { isHtmx, visitOf } from "./visit.ts";

/** A look starts programs and asks the bucket: whoever asks sooner hears what the last one found. */
const AGAIN_AFTER_MS = 5_000;

const doing = "have the machine looked at again";

/** One look at a time, however many ask. */
export class Looking {
  private readonly parts: { clock: Clock; lookAgain(): Promise<void> };
  private under: Promise<void> | null = null;
  private endedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: { clock: Clock; lookAgain(): Promise<void> }) {
    this.parts = parts;
  }

  /** Resolves when a look is done that began after the last one was a few seconds old. Never rejects. */
  again(): Promise<void> {
    const { clock, lookAgain } = this.parts;
    if (this.under === null && clock.monotonicMs() - this.endedMs < AGAIN_AFTER_MS) {
      return Promise.resolve();
    }
    this.under ??= lookAgain().finally(() => {
      this.under = null;
      this.endedMs = clock.monotonicMs();
    });
    return this.under;
  }
}

export function checkupEndpoints(parts: Parts, looking: Looking): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/api/v1/system/look",
      tag: "system",
      summary:
        "Looks at ffmpeg, the GPUs and the bucket once more, and says what the doctor finds.",
      description: `For admins, after something was mended. Takes some seconds; within ${AGAIN_AFTER_MS / 1000} s of the last look it answers with what that found.`,
      answers: {
        200: {
          description: "As `findings` of `GET /system`.",
          schema: z.strictObject({ findings: z.array(findingShape) }),
        },
        403: { description: "`forbidden`: only an admin may." },
      },
      handle: async (call) => {
        adminOfCall(call, doing);
        await looking.again();
        return json({ findings: (await parts.system()).findings });
      },
    }),
  ];
}

export function mountCheckupFragments(app: Elysia, parts: Parts, looking: Looking): void {
  const panel = async (request: Request) => {
    const { findings } = await parts.system();
    return htmlResponse(checkupPanel(askerOf(request), findings, new Date(parts.clock.nowMs())));
  };
  route(app, "GET", "/ui/system/checkup", panel);
  route(app, "POST", "/ui/system/checkup", async (request) => {
    adminOfCall({ visit: visitOf(request) }, doing);
    await looking.again();
    if (isHtmx(request)) return await panel(request);
    return new Response(null, { status: 303, headers: { location: "/system#checkup" } });
  });
}
