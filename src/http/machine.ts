/** What the machine and the server do now and did in the last hour. */
import { z } from "zod";
import { within } from "../clock.ts";
import { MACHINE_INTERVAL_MS } from "../metrics/machine-load.ts";
import type { MachineSample } from "../metrics/machine-samples.ts";
import { thinnedMachine } from "../metrics/machine-series.ts";
import { type Endpoint, endpoint, json } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import type { Streams } from "./stream.ts";

const HISTORY_SECONDS_MAX = 3600;

/** More than a graph on a page has pixels to show. */
export const POINTS_MAX = 360;

/** The kernel answers at once; only a machine in trouble does not. */
const SAMPLE_PATIENCE_MS = 500;

const figure = z.number().nullable();

const machineShape = z
  .strictObject({
    takenAt: z.iso.datetime(),
    cpuPercent: figure.describe("Of all cores, since the sample before"),
    memoryUsedBytes: figure,
    memoryTotalBytes: figure,
    serverBytes: figure.describe("Of the server alone"),
    loopLagMs: figure.describe("How late timers fired at most in the last seconds"),
    runningJobs: figure,
    waitingJobs: figure,
    oldestWaitingSeconds: figure.describe("Age of the oldest job that waits"),
  })
  .meta({ id: "MachineLoad" });

const query = z.strictObject({
  history: z.int().min(0).max(HISTORY_SECONDS_MAX).default(0).describe("Seconds to look back"),
});

export function machineEndpoints(parts: Parts, streams: Streams): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/load",
      tag: "system",
      summary: "What the machine and the server are doing, and did in the last hour.",
      description: `A longer \`history\` than ${POINTS_MAX} samples is told in ${POINTS_MAX} points. Samples are taken while somebody looks: at the System page, or at \`GET /system/devices/events\`.`,
      query,
      answers: {
        200: {
          description: "The newest sample, and those before it.",
          schema: z.strictObject({
            load: machineShape.nullable(),
            eventStreams: z.int().describe("Pages and programs that listen now"),
            history: z.array(machineShape).exactOptional().describe("The oldest first, with gaps"),
          }),
        },
      },
      handle: async ({ query: { history } }) => {
        await refreshMachine(parts);
        const { machine } = parts;
        const spanMs = history * 1000;
        const latest = machine.latest();
        const samples = spanMs === 0 ? [] : machine.history(spanMs);
        return json({
          load: latest === null ? null : machineJson(latest),
          eventStreams: streams.count,
          ...(spanMs === 0
            ? {}
            : { history: thinnedMachine(samples, spanMs, POINTS_MAX).map(machineJson) }),
        });
      },
    }),
  ];
}

/** Whoever asks now and then finds figures of now, though nobody watches. */
async function refreshMachine({ machine, clock }: Pick<Parts, "machine" | "clock">): Promise<void> {
  const recentMs = clock.monotonicMs() - MACHINE_INTERVAL_MS;
  if ((machine.latest()?.atMs ?? Number.NEGATIVE_INFINITY) >= recentMs) return;
  await within(SAMPLE_PATIENCE_MS, machine.sampleNow());
}

export function machineJson({ atMs: _, ...shown }: MachineSample): z.input<typeof machineShape> {
  return shown;
}
