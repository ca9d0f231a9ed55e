/** What the devices do now and did in the last hour: one answer, and a stream. */
import { z } from "zod";
import { within } from "../clock.ts";
import { type GpuSample, SAMPLE_INTERVAL_MS } from "../media/gpu-load.ts";
import { thinned } from "../media/gpu-series.ts";
import type { DeviceWatch } from "./device-watch.ts";
import { type Endpoint, endpoint, json } from "./endpoint.ts";
import { watchdog } from "./events.ts";
import type { DeviceReport, Parts } from "./parts.ts";
import type { Streams } from "./stream.ts";

/** What GPUs are sampled for; more is forgotten. */
const HISTORY_SECONDS_MAX = 3600;

/** Points of a series: more than a graph on a page has pixels to show. */
const POINTS_MAX = 360;

/** An answer does not wait longer for a driver that may be hanging; it then tells what was known before. */
const SAMPLE_PATIENCE_MS = 1_000;

const percent = z.number().min(0).nullable();
const figure = z.number().nullable();

const loadShape = z
  .strictObject({
    takenAt: z.iso.datetime(),
    encoderPercent: percent.describe("Of all its encoders together; null where MIG is on"),
    decoderPercent: percent,
    gpuPercent: percent.describe("Of its general cores"),
    memoryUsedBytes: figure,
    memoryTotalBytes: figure,
    temperatureCelsius: figure,
    powerWatts: figure,
    sessionCount: figure.describe("Encode sessions of all programs"),
    averageFps: figure.describe("Of these sessions"),
  })
  .meta({ id: "GpuLoad" });

const devicesShape = z
  .strictObject({
    devices: z.array(
      z.strictObject({
        id: z.string().describe("As jobs name it; may change with a restart"),
        kind: z.enum(["cpu", "gpu"]),
        title: z.string(),
        uuid: z.string().nullable().describe("Of a GPU; stays the same"),
        slots: z.int(),
        busy: z.int(),
        reason: z.string().nullable().describe("Why it is used, or why not"),
        load: loadShape.nullable().describe("The newest sample; `takenAt` says how old it is"),
        history: z
          .array(loadShape)
          .exactOptional()
          .describe("The oldest first, with gaps where nobody looked and no job ran"),
      }),
    ),
  })
  .meta({ id: "Devices" });

type DevicesJson = z.input<typeof devicesShape>;

const query = z.strictObject({
  history: z.int().min(0).max(HISTORY_SECONDS_MAX).default(0).describe("Seconds to look back"),
});

export function deviceEndpoints(parts: Parts, streams: Streams, watch: DeviceWatch): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/devices",
      tag: "system",
      summary: "What the devices are doing, and did in the last hour.",
      description: `A longer \`history\` than ${POINTS_MAX} samples is told in ${POINTS_MAX} points: the mean of each span, and the peak of sessions and memory. What a device can do stands in \`GET /system\`.`,
      query,
      answers: { 200: { description: "Each device with its load.", schema: devicesShape } },
      handle: async (call) => {
        await refreshLoad(parts, SAMPLE_PATIENCE_MS);
        return json(devicesJson(parts, call.query.history));
      },
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/system/devices/events",
      tag: "system",
      summary: "What the devices are doing, as Server-Sent Events.",
      description:
        "An event `devices` on connecting and then about every 2 seconds, with what `GET /system/devices` answers. GPUs are sampled while somebody listens or a job runs.",
      answers: { 200: { description: "The stream.", mediaType: "text/event-stream" } },
      handle: (call) =>
        streams.open(call.visit, watchdog(parts, call.visit), (send) => {
          const tell = () =>
            send({ event: "devices", data: JSON.stringify(devicesJson(parts, 0)) });
          tell();
          return watch.subscribe(tell);
        }),
    }),
  ];
}

/** Whoever asks now and then finds figures of now, though nobody watches. Waits no longer than the limit. */
export async function refreshLoad(
  parts: Pick<Parts, "gpuLoad" | "devices" | "clock">,
  limitMs: number,
): Promise<void> {
  const { gpuLoad, devices, clock } = parts;
  const gpus = devices().filter(({ gpu }) => gpu !== undefined);
  const recentMs = clock.monotonicMs() - SAMPLE_INTERVAL_MS;
  // One of them is enough: the others were asked with it, and one that is lost would be asked every time.
  const fresh = gpus.some((gpu) => (loadOf(gpuLoad, gpu)?.atMs ?? Number.NaN) >= recentMs);
  if (gpus.length > 0 && !fresh) await within(limitMs, gpuLoad.sampleNow());
}

/** The newest sample of a GPU; null on the CPU, and where nobody could look. */
export function loadOf(
  gpuLoad: Pick<Parts["gpuLoad"], "latest">,
  device: DeviceReport,
): GpuSample | null {
  return device.gpu === undefined ? null : gpuLoad.latest(device.gpu.uuid);
}

function devicesJson({ devices, gpuLoad }: Parts, historySeconds: number): DevicesJson {
  const spanMs = historySeconds * 1000;
  return {
    devices: devices().map((device) => {
      const { id, kind, title, slots, busy, reason = null, gpu } = device;
      const load = loadOf(gpuLoad, device);
      const samples = gpu === undefined ? [] : gpuLoad.history(gpu.uuid, spanMs);
      return {
        ...{ id, kind, title, uuid: gpu?.uuid ?? null, slots, busy, reason },
        load: load === null ? null : loadJson(load),
        ...(spanMs === 0 ? {} : { history: thinned(samples, spanMs, POINTS_MAX).map(loadJson) }),
      };
    }),
  };
}

function loadJson({ uuid: _, atMs: __, ...shown }: GpuSample): z.input<typeof loadShape> {
  return shown;
}
