/** The machine under the server, and the server itself: processor, memory, queue, storage and disks. */
import type { MachineSample } from "../src/metrics/machine-samples.ts";
import { levelBar } from "./components/progress.ts";
import { type Graph, graph, graphTable } from "./graphs.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { sizeText, spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.system;

const graphs: readonly Graph[] = [
  {
    ...{ title: words.processor, source: "machine", top: 100 },
    lines: [{ figure: "cpuPercent", label: words.inUse, unit: "percent" }],
  },
  {
    ...{ title: words.memory, source: "machine", top: "memoryTotalBytes" },
    lines: [
      { figure: "memoryUsedBytes", label: words.inUse, unit: "bytes" },
      { figure: "serverBytes", label: words.server, unit: "bytes" },
    ],
  },
  {
    ...{ title: words.queue, source: "machine" },
    lines: [
      { figure: "runningJobs", label: words.running, unit: "count" },
      { figure: "waitingJobs", label: words.waiting, unit: "count" },
    ],
  },
  {
    ...{ title: words.lag, source: "machine" },
    lines: [{ figure: "loopLagMs", label: words.lagLine, unit: "milliseconds" }],
  },
];

export function machinePanel(latest: MachineSample | null, eventStreams: number): Html {
  return html`<section class="panel across" id="machine" aria-labelledby="machine-title"><h2 id="machine-title">${icon("system")}${words.machine}</h2>
<div id="machine-live">${machineInside(latest, eventStreams)}</div>
<div class="graphs four">${graphs.map(graph)}</div>
<p class="muted">${words.lagHint}</p>
${graphTable("machine")}</section>`;
}

/** The unnamed message of the event stream: what no graph shows. */
export function machineMessage(latest: MachineSample | null, eventStreams: number): string {
  return html`<hx-partial hx-target="#machine-live" hx-swap="innerMorph">${machineInside(latest, eventStreams)}</hx-partial>`.message();
}

function machineInside(latest: MachineSample | null, eventStreams: number): Html {
  const oldest = latest?.oldestWaitingSeconds ?? null;
  return html`<p class="muted load-facts"><span>${words.oldest}: ${oldest === null ? words.nobodyWaits : spanText(oldest)}</span><span>${words.listeners}: ${words.listenerCount(eventStreams)}</span></p>`;
}

export interface StorageView {
  storage: {
    kind: "disk" | "s3";
    freeBytes: number | null;
    usedBytes: number | null;
    assetCount: number;
    state: "ok" | "fault";
    sentence: string;
    cache: { usedBytes: number; maxBytes: number } | null;
  };
  disks: readonly {
    holds: readonly ("data" | "storage" | "cache" | "backups")[];
    totalBytes: number;
    usedBytes: number;
    freeBytes: number;
  }[];
}

export function storagePanel({ storage, disks }: StorageView): Html {
  const { kind, freeBytes, usedBytes, assetCount, state, sentence, cache } = storage;
  const all = freeBytes === null || usedBytes === null ? null : freeBytes + usedBytes;
  const kept = usedBytes === null ? null : `, ${sizeText(usedBytes)}`;
  return html`<section class="panel" id="storage" aria-labelledby="storage-title"><h2 id="storage-title">${icon("disk")}${words.keeps}</h2>
<p class="big">${freeBytes === null ? words.unknown : sizeText(freeBytes)} <span class="muted">${words.free}</span></p>
${all === null ? null : levelBar({ label: words.libraryName, value: usedBytes ?? 0, max: Math.max(1, all), words: sizeText(usedBytes ?? 0) })}
<dl class="pairs"><div><dt>${words.kept}</dt><dd>${words.files(assetCount)}${kept}</dd></div>
<div><dt>${words.where}</dt><dd>${kind === "disk" ? words.onDisk : words.inBucket}</dd></div>
<div><dt>${words.state}</dt><dd>${state === "ok" ? words.stateOk : html`<span class="bad-text">${sentence}</span>`}</dd></div></dl>
${cache === null ? null : space(words.cache, words.cacheName, cache.usedBytes, cache.maxBytes, words.memoryOf(sizeText(cache.usedBytes), sizeText(cache.maxBytes)))}
${disks.map(diskRow)}</section>`;
}

/** Above this share a disk is soon full, and above that it is. */
const SOON_FULL = 0.85;
const FULL = 0.95;

function diskRow({ holds, totalBytes, usedBytes, freeBytes }: StorageView["disks"][number]): Html {
  const title = `${words.disk}: ${holds.map((each) => words.diskHolds[each]).join(", ")}`;
  const said = words.freeOf(sizeText(freeBytes), sizeText(totalBytes));
  return space(title, words.diskName, usedBytes, usedBytes + freeBytes, said);
}

function space(title: string, label: string, value: number, max: number, said: string): Html {
  const share = max === 0 ? 0 : value / max;
  const tone = share > FULL ? "bad" : share > SOON_FULL ? "warn" : undefined;
  const bar = { label, value, max: Math.max(1, max), words: said };
  return html`<div class="space"><p>${title} <span class="muted">${said}</span></p>${levelBar(tone === undefined ? bar : { ...bar, tone })}</div>`;
}
