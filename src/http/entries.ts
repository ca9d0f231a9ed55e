/** From the parts to what the views show: assets and jobs with the words around them. */

import { type DeviceView, GRAPH_SPAN_MS } from "../../views/devices.ts";
import type { JobEntry, NamedAsset } from "../../views/job-words.ts";
import { sizeText } from "../../views/quantities.ts";
import type { SystemReport as SystemView } from "../../views/system.ts";
import type { Asset } from "../assets/asset.ts";
import type { Config } from "../config.ts";
import type { Job } from "../jobs/job.ts";
import { SAMPLE_INTERVAL_MS } from "../media/gpu-load.ts";
import { thinned } from "../media/gpu-series.ts";
import { Refusal } from "../trouble.ts";
import type { DeviceReport, Parts, SystemReport } from "./parts.ts";

/** The asset, or null when it was deleted since. */
export function findAsset(parts: Parts, ownerId: string, id: string): Asset | null {
  return orNull(() => parts.library.get(ownerId, id));
}

/** The same, also when it is in the bin. */
export function findKept(parts: Parts, ownerId: string, id: string): Asset | null {
  return orNull(() => parts.library.getKept(ownerId, id));
}

export function findJob(parts: Parts, ownerId: string, id: string): Job | null {
  return orNull(() => parts.jobs.get(ownerId, id));
}

function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch (cause) {
    if (cause instanceof Refusal && cause.status === 404) return null;
    throw cause;
  }
}

/** A job for a list: without its outputs, which only its own page shows. */
export function jobEntry(parts: Parts, ownerId: string, job: Job): JobEntry {
  const operation = parts.operations.find(({ name }) => name === job.operation);
  return {
    job,
    operationTitle: operation?.title ?? job.operation,
    inputs: job.inputs.map((id) => namedAsset(findAsset(parts, ownerId, id), id)),
    outputs: [],
  };
}

function namedAsset(asset: Asset | null, id: string): NamedAsset {
  if (asset === null) return { id, name: null, kind: "video", thumbnail: "none" };
  return { id, name: asset.name, kind: asset.kind, thumbnail: asset.thumbnail };
}

/** Points of a graph on the page: two of its pixels for each. */
const GRAPH_POINTS = 100;

/** An older sample says nothing of now: some rounds failed. */
const LOAD_AGE_MAX_MS = 5 * SAMPLE_INTERVAL_MS;

/** A device as the page shows it, with what it does now. */
export function deviceView(parts: Parts, device: DeviceReport): DeviceView {
  const { busy, reason, gpu, ...shown } = device;
  const { gpuLoad, clock } = parts;
  const load = gpu === undefined ? null : gpuLoad.latest(gpu.uuid);
  const recent = load !== null && clock.monotonicMs() - load.atMs <= LOAD_AGE_MAX_MS;
  const samples = gpu === undefined ? [] : gpuLoad.history(gpu.uuid, GRAPH_SPAN_MS);
  return {
    ...shown,
    busySlots: busy,
    reason: reason ?? null,
    gpu: gpu ?? null,
    load: recent ? load : null,
    samples: thinned(samples, GRAPH_SPAN_MS, GRAPH_POINTS),
  };
}

/** The report as the page shows it. Limits appear in the words of the configuration. */
export function systemView(parts: Parts, report: SystemReport): SystemView {
  const { limits } = report;
  return {
    ...report,
    devices: report.devices.map((device) => deviceView(parts, device)),
    limits: [
      {
        title: "Largest upload",
        value: sizeText(limits.uploadMaxBytes),
        key: "uploads.maxBytes",
      },
      { title: "Jobs at once on the CPU", value: String(limits.cpuSlots), key: "jobs.cpuSlots" },
      ...gpuLimits(parts.config.gpu),
    ],
  };
}

function gpuLimits(gpu: Config["gpu"]): SystemView["limits"] {
  return [
    { title: "Jobs at once on one GPU", value: String(gpu.maxJobs), key: "gpu.maxJobs" },
    {
      title: "GPU memory left to others",
      value: sizeText(gpu.memoryReserveBytes),
      key: "gpu.memoryReserveBytes",
    },
    {
      title: "While others encode on a GPU",
      value: gpu.yieldToOthers ? "jobs wait for it" : "jobs start all the same",
      key: "gpu.yieldToOthers",
    },
    {
      title: "When no GPU can encode",
      value: gpu.whenNone === "cpu" ? "the CPU does" : "jobs wait for a GPU",
      key: "gpu.whenNone",
    },
  ];
}
