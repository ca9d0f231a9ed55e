/** What the devices do now and did in the last hour: one answer, and a stream. */
import { z } from "zod";
import type { User } from "../accounts/accounts.ts";
import { within } from "../clock.ts";
import { type GpuSample, SAMPLE_INTERVAL_MS } from "../media/gpu-load.ts";
import { thinned } from "../media/gpu-series.ts";
import type { MachineSample } from "../metrics/machine-samples.ts";
import { Refusal } from "../trouble.ts";
import type { DeviceWatch } from "./device-watch.ts";
import { adminOfCall, type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import { watchdog } from "./events.ts";
import { machineJson } from "./machine.ts";
import type { DeviceReport, Parts } from "./parts.ts";
import { seatsFor } from "./seats.ts";
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

const seatShape = z.strictObject({
  job: z.strictObject({ id: z.string(), title: z.string() }).nullable().describe("One of yours"),
  operation: z.string().nullable(),
  step: z.string().nullable(),
  progressPercent: figure,
  user: z.string().nullable().describe("For admins, of others' jobs"),
  sessions: z.int().describe("Encode sessions that it takes"),
  decoders: z.int(),
  seconds: z.int().describe("For so long"),
  paused: z.boolean(),
});

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
        jobs: z
          .array(seatShape)
          .describe("Who sits on it; of others' jobs only that they do, unless an admin asks"),
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
        return json(devicesJson(parts, userOfCall(call), call.query.history));
      },
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/system/devices/events",
      tag: "system",
      summary: "What the devices are doing, as Server-Sent Events.",
      description:
        "An event `devices` on connecting and then about every 2 seconds, with what `GET /system/devices` answers, and `load` with the newest of `GET /system/load`. GPUs are sampled while somebody listens or a job runs.",
      answers: { 200: { description: "The stream.", mediaType: "text/event-stream" } },
      handle: (call) =>
        streams.open(call.visit, watchdog(parts, call.visit), (send) => {
          const user = userOfCall(call);
          const tell = () =>
            send({ event: "devices", data: JSON.stringify(devicesJson(parts, user, 0)) });
          tell();
          const unsubscribe = watch.subscribe(tell);
          const unfollow = followMachine(parts, (sample) =>
            send({ event: "load", data: JSON.stringify(machineJson(sample)) }),
          );
          return () => {
            unsubscribe();
            unfollow();
          };
        }),
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/system/devices/:id/retry",
      tag: "system",
      summary: "Tries a GPU that is out of service now, and not when its time comes.",
      description: "For admins. It is in service again when a test on it succeeds.",
      answers: {
        202: { description: "It is tried." },
        403: { description: "`forbidden`: only an admin may." },
        404: { description: "There is no such device." },
        409: { description: "`wrong_state`: it is in service." },
      },
      handle: (call) => {
        adminOfCall(call, "try a GPU again");
        tryDeviceAgain(parts, idOf(call));
        return new Response(null, { status: 202 });
      },
    }),
  ];
}

/** @throws Refusal 404 `not_found`, 409 `wrong_state` */
export function tryDeviceAgain(parts: Pick<Parts, "devices" | "tryGpuAgain">, id: string): void {
  const device = parts.devices().find((each) => each.id === id.replace(/%3A/i, ":"));
  if (device === undefined) throw new Refusal(404, "not_found", "There is no such device.");
  if (device.gpu === undefined || !parts.tryGpuAgain(device.gpu.uuid)) {
    throw new Refusal(409, "wrong_state", `${device.title} is not out of service.`);
  }
}

/** Has the machine sampled, and hears of each sample, until it is called off. */
export function followMachine(
  { machine }: Pick<Parts, "machine">,
  listener: (sample: MachineSample) => void,
): () => void {
  const unlisten = machine.onSample(listener);
  const release = machine.watch();
  return () => {
    unlisten();
    release();
  };
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

function devicesJson(parts: Parts, user: User, historySeconds: number): DevicesJson {
  const { devices, gpuLoad } = parts;
  const spanMs = historySeconds * 1000;
  const seats = Map.groupBy(seatsFor(parts, user), ({ device }) => device);
  return {
    devices: devices().map((device) => {
      const { id, kind, title, slots, busy, reason = null, gpu } = device;
      const load = loadOf(gpuLoad, device);
      const samples = gpu === undefined ? [] : gpuLoad.history(gpu.uuid, spanMs);
      return {
        ...{ id, kind, title, uuid: gpu?.uuid ?? null, slots, busy, reason },
        jobs: (seats.get(id) ?? []).map(({ device: _, ...seat }) => seat),
        load: load === null ? null : loadJson(load),
        ...(spanMs === 0 ? {} : { history: thinned(samples, spanMs, POINTS_MAX).map(loadJson) }),
      };
    }),
  };
}

function loadJson({ uuid: _, atMs: __, ...shown }: GpuSample): z.input<typeof loadShape> {
  return shown;
}
