/** Is it alive, is it ready: for supervisors and load balancers, without login. */
import { z } from "zod";
import { isoTime, within } from "../clock.ts";
import { product } from "../product.ts";
import { type Endpoint, endpoint, json } from "./endpoint.ts";
import type { PartHealth, Parts } from "./parts.ts";

/** A part that does not answer in this time counts as failing: supervisors ask every few seconds. */
const PART_DEADLINE_MS = 2000;

const healthShape = z.strictObject({
  status: z.literal("ok"),
  timestamp: z.iso.datetime(),
  service: z.literal("kinomill"),
  version: z.string(),
});

const partShape = z.strictObject({ part: z.string(), sentence: z.string() });

const readinessShape = z.strictObject({
  status: z.enum(["ok", "failing"]),
  timestamp: z.iso.datetime(),
  service: z.literal("kinomill"),
  version: z.string(),
  failing: z.array(partShape),
  warnings: z.array(partShape).describe("What works and should be looked at"),
});

export function healthEndpoints(parts: Parts): Endpoint[] {
  const common = () => ({
    timestamp: isoTime(parts.clock.nowMs()),
    service: product.name,
    version: product.version,
  });
  return [
    endpoint({
      method: "GET",
      path: "/health",
      tag: "system",
      summary: "Alive: the server answers.",
      answers: { 200: { description: "It does.", schema: healthShape } },
      handle: () => json({ status: "ok", ...common() }),
    }),
    endpoint({
      method: "GET",
      path: "/health/ready",
      tag: "system",
      summary: "Ready: every part that work needs is there.",
      answers: {
        200: { description: "All parts work.", schema: readinessShape },
        503: { description: "The failing parts are named.", schema: readinessShape },
      },
      handle: async () => {
        const all = await askParts(parts);
        const named = (which: PartHealth[]) =>
          which.map(({ part, sentence }) => ({ part, sentence }));
        const failing = named(all.filter(({ ok }) => !ok));
        const warnings = named(all.filter(({ ok, sentence }) => ok && sentence !== ""));
        const status = failing.length === 0 ? "ok" : "failing";
        return json({ status, ...common(), failing, warnings }, status === "ok" ? 200 : 503);
      },
    }),
  ];
}

async function askParts(parts: Parts): Promise<PartHealth[]> {
  const sentence = "The parts did not answer in time. Look at the log, then restart Kinomill.";
  try {
    const found = await within(PART_DEADLINE_MS, parts.health());
    return found ?? [{ part: "server", ok: false, sentence }];
  } catch (cause) {
    parts.log.error({ err: cause }, "the health of the parts could not be found out");
    return [{ part: "server", ok: false, sentence: "The parts could not be asked; see the log." }];
  }
}
