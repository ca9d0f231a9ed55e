/** From the parts to what the page of the box shows. */
import type { Elysia } from "elysia";
import type { DeviceView, SeatView } from "../../views/devices.ts";
import { graphRanges } from "../../views/graphs.ts";
import { gpuTable, machineTable } from "../../views/load-table.ts";
import { sizeText } from "../../views/quantities.ts";
import { type SystemReport as SystemView, systemPage } from "../../views/system.ts";
import { texts } from "../../views/texts/texts.ts";
import type { User } from "../accounts/accounts.ts";
import type { Config } from "../config.ts";
import { SAMPLE_INTERVAL_MS } from "../media/gpu-load.ts";
import { thinned } from "../media/gpu-series.ts";
import { thinnedMachine } from "../metrics/machine-series.ts";
import { Refusal } from "../trouble.ts";
import { refreshLoad } from "./devices.ts";
import { route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { viewerOf } from "./pages.ts";
import type { DeviceReport, Parts, SystemReport } from "./parts.ts";
import { type SeatShown, seatsFor } from "./seats.ts";
import type { Streams } from "./stream.ts";

const rows = texts.system.limitRows;

/** A page waits this long for figures of now; a driver that is awake needs a third of it. */
const PAGE_PATIENCE_MS = 150;

/** An older sample says nothing of now: some rounds failed. */
const LOAD_AGE_MAX_MS = 5 * SAMPLE_INTERVAL_MS;

/** As many as are read at a glance, or read out. */
const TABLE_ROWS = 12;

export function mountSystemPage(app: Elysia, parts: Parts, streams: Streams): void {
  route(app, "GET", "/system", async (request) => {
    await refreshLoad(parts, PAGE_PATIENCE_MS);
    const report = await parts.system();
    const viewer = viewerOf(parts, request);
    const view = systemView(parts, report, viewer, streams.count);
    const range = rangeOf(request.url);
    return htmlResponse(systemPage(viewer, { ...view, range }));
  });
  route(app, "GET", "/ui/system/load-table", (request) => {
    const spanMs = Number(rangeOf(request.url)) * 1000;
    const source = new URL(request.url).searchParams.get("source") ?? "";
    if (source === "machine") {
      const samples = parts.machine.history(spanMs);
      return htmlResponse(machineTable(thinnedMachine(samples, spanMs, TABLE_ROWS)));
    }
    const device = parts.devices().find(({ gpu }) => gpu?.uuid === source);
    if (device === undefined) throw new Refusal(404, "not_found", "There is no such device.");
    const samples = parts.gpuLoad.history(source, spanMs);
    return htmlResponse(gpuTable(device.title, thinned(samples, spanMs, TABLE_ROWS)));
  });
}

function rangeOf(url: string): SystemView["range"] {
  const wanted = new URL(url).searchParams.get("range");
  return graphRanges.find((range) => range === wanted) ?? "300";
}

/** The report as the page shows it. Limits appear in the words of the configuration. */
export function systemView(
  parts: Parts,
  report: SystemReport,
  viewer: Pick<User, "id" | "role">,
  eventStreams: number,
): SystemView {
  const { limits } = report;
  return {
    ...report,
    devices: deviceViews(parts, report.devices, viewer),
    machine: { latest: parts.machine.latest(), eventStreams },
    selfTest: parts.selfTest.state(),
    lookedAt: new Date(parts.clock.nowMs()),
    range: "300",
    limits: [
      {
        title: rows.upload,
        value: sizeText(limits.uploadMaxBytes),
        key: "uploads.maxBytes",
      },
      { title: rows.cpuJobs, value: String(limits.cpuSlots), key: "jobs.cpuSlots" },
      ...gpuLimits(parts.config.gpu),
    ],
  };
}

/** The devices as this person sees them, with what they do now. */
export function deviceViews(
  parts: Parts,
  devices: readonly DeviceReport[],
  viewer: Pick<User, "id" | "role">,
): DeviceView[] {
  const seats = Map.groupBy(seatsFor(parts, viewer), ({ device }) => device);
  return devices.map((device) => deviceView(parts, device, seats.get(device.id) ?? []));
}

function deviceView(
  { gpuLoad, clock }: Parts,
  device: DeviceReport,
  seats: readonly SeatShown[],
): DeviceView {
  const { busy, reason, gpu, ...shown } = device;
  const load = gpu === undefined ? null : gpuLoad.latest(gpu.uuid);
  const recent = load !== null && clock.monotonicMs() - load.atMs <= LOAD_AGE_MAX_MS;
  return {
    ...shown,
    busySlots: busy,
    seats: seats.map(({ device: _, ...seat }): SeatView => seat),
    reason: reason ?? null,
    gpu: gpu ?? null,
    load: recent ? load : null,
  };
}

function gpuLimits(gpu: Config["gpu"]): SystemView["limits"] {
  return [
    { title: rows.gpuJobs, value: String(gpu.maxJobs), key: "gpu.maxJobs" },
    {
      title: rows.gpuMemory,
      value: sizeText(gpu.memoryReserveBytes),
      key: "gpu.memoryReserveBytes",
    },
    {
      title: rows.othersEncode,
      value: gpu.yieldToOthers ? rows.jobsYield : rows.jobsStart,
      key: "gpu.yieldToOthers",
    },
    {
      title: rows.noGpu,
      value: gpu.whenNone === "cpu" ? rows.cpuDoes : rows.jobsWait,
      key: "gpu.whenNone",
    },
  ];
}
