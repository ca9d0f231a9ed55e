/** The devices of the box: what they are, what they can do, and, live, what they are doing. */
import type { Device } from "../src/media/devices.ts";
import type { GpuAbility, GpuReport, GpuState } from "../src/media/gpu.ts";
import type { GpuSample } from "../src/media/gpu-samples.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { loadGraph } from "./load-graph.ts";
import { sizeText } from "./quantities.ts";

/** What the graph of a GPU shows. */
export const GRAPH_SPAN_MS = 300_000;

export type DeviceView = Pick<Device, "id" | "kind" | "title" | "slots"> & {
  /** How many slots work now. */
  busySlots: number;
  /** A plain sentence about it: why it is used, or why not; null when there is nothing to say. */
  reason: string | null;
  /** Null for the CPU. */
  gpu: Pick<GpuReport, "driver" | "memoryTotalBytes" | "mig" | "abilities"> | null;
  /** What it does now; null for the CPU, and while that is not known. */
  load: GpuSample | null;
  /** Of the last minutes, the oldest first. */
  samples: readonly GpuSample[];
};

export interface DevicesView {
  devices: readonly DeviceView[];
  /** Why there is no GPU, or what is wrong, and what to do; `sentence` is "" when the GPUs say it. */
  gpus: { state: GpuState["kind"]; sentence: string; remedy: string | null };
}

/** `GET /ui/system/devices`. Fetches itself when a device comes, goes or is known better. */
export function devicesPanel({ devices, gpus }: DevicesView): Html {
  // Side by side: a box with eight GPUs is not read down one column.
  const style = devices.length > 1 ? "panel across" : "panel";
  return html`<section class="${style}" id="devices" aria-labelledby="devices-title" hx-get="/ui/system/devices" hx-trigger="devices from:body throttle:1s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h2 id="devices-title">${icon("device")}Devices</h2>
<ul class="devices">${devices.map(deviceRow)}</ul>
${gpuNote(gpus)}</section>`;
}

function deviceRow(device: DeviceView): Html {
  const { id, title, reason, gpu } = device;
  return html`<li><p class="device-title"><strong>${title}</strong> <code>${id}</code></p>
<div class="device-live" id="${liveId(id)}">${liveInside(device)}</div>
${reason === null ? null : html`<p class="muted">${reason}</p>`}
${gpu === null ? null : gpuAbilities(gpu)}</li>`;
}

/** "gpu:0" → "live-gpu-0": an address in the style sheet's language may have no colon. */
function liveId(deviceId: string): string {
  return `live-${deviceId.replaceAll(/[^a-z0-9]/g, "-")}`;
}

/** The unnamed message of the event stream: what changes with every sample. */
export function devicesMessage(devices: readonly DeviceView[]): string {
  const partial = (device: DeviceView) =>
    html`<hx-partial hx-target="#${liveId(device.id)}" hx-swap="innerMorph">${liveInside(device)}</hx-partial>`;
  return html`${devices.map(partial)}`.message();
}

function liveInside(device: DeviceView): Html {
  const { slots, busySlots, gpu } = device;
  const meter = slots === 0 ? null : slotMeter(busySlots, slots);
  return gpu === null ? html`${meter}` : html`${meter}${gpuLoad(device, gpu)}`;
}

function slotMeter(busySlots: number, slots: number): Html {
  const words = `${busySlots} of ${slots}`;
  return loadRow({ title: "Jobs", name: "Jobs at work", value: busySlots, max: slots, words });
}

type Gpu = NonNullable<DeviceView["gpu"]>;

function gpuLoad({ load, samples }: DeviceView, gpu: Gpu): Html {
  const percent = (title: string, name: string, value: number | null) =>
    loadRow({
      title,
      name,
      value,
      max: 100,
      words: value === null ? "–" : `${Math.round(value)} %`,
    });
  const total = load?.memoryTotalBytes ?? gpu.memoryTotalBytes;
  const used = load?.memoryUsedBytes ?? null;
  const memory = total === null ? null : memoryWords(used, total);
  return html`${
    gpu.mig
      ? html`<p class="muted">It is split by MIG: NVIDIA does not tell how busy its encoders are.</p>`
      : html`${percent("Encoder", "Encoders at work", load?.encoderPercent ?? null)}${percent("Decoder", "Decoders at work", load?.decoderPercent ?? null)}`
  }${total === null || memory === null ? null : loadRow({ title: "Memory", name: "Memory in use", value: used, max: total, words: memory })}
${gpu.mig ? null : html`<figure class="graph">${loadGraph(samples, GRAPH_SPAN_MS)}<figcaption class="muted"><span class="key-encoder">Encoder</span> <span class="key-decoder">Decoder</span> <span>last ${GRAPH_SPAN_MS / 60_000} minutes</span></figcaption></figure>`}
<p class="muted load-facts">${loadFacts(load, gpu).map((fact) => html`<span>${fact}</span>`)}</p>`;
}

function memoryWords(used: number | null, total: number): string {
  return used === null ? sizeText(total) : `${sizeText(used)} of ${sizeText(total)}`;
}

function loadRow(row: {
  title: string;
  name: string;
  value: number | null;
  max: number;
  words: string;
}): Html {
  const { title, name, value, max, words } = row;
  return html`<div class="load-row"><span class="load-title" aria-hidden="true">${title}</span>${value === null ? html`<span></span>` : html`<meter min="0" max="${max}" value="${value}" aria-label="${name}">${words}</meter>`}<span class="load-value">${words}</span></div>`;
}

function loadFacts(load: GpuSample | null, { driver }: Gpu): string[] {
  const facts = [
    load?.temperatureCelsius == null ? null : `${load.temperatureCelsius} °C`,
    load?.powerWatts == null ? null : `${Math.round(load.powerWatts)} W`,
    load?.sessionCount == null ? null : sessionWords(load.sessionCount, load.averageFps),
    driver === null ? null : `driver ${driver}`,
  ];
  return facts.filter((fact) => fact !== null);
}

function sessionWords(count: number, averageFps: number | null): string {
  if (count === 0) return "no encode session";
  const pace = averageFps === null || averageFps === 0 ? "" : ` at ${averageFps} fps`;
  return `${count} encode ${count === 1 ? "session" : "sessions"}${pace}`;
}

/** What it can do as chips, and under them why not, each cause once. */
function gpuAbilities({ abilities }: Gpu): Html | null {
  if (abilities.length === 0) return null;
  const causes = Map.groupBy(
    abilities.filter(({ because }) => because !== null),
    ({ because, remedy }) => `${because} ${remedy ?? ""}`.trim(),
  );
  return html`<ul class="gpu-abilities">${abilities.map(chip)}</ul>
${Array.from(causes, ([words, lacking]) => html`<p class="muted"><strong>${lacking.map(({ title }) => title).join(", ")}:</strong> ${words}</p>`)}`;
}

function chip({ title, state }: GpuAbility): Html {
  const words = { can: "can", cannot: "cannot", busy: "busy" }[state];
  return html`<li class="${state}">${icon(state === "can" ? "check" : "close")}${title} <span class="sr-only">${words}</span></li>`;
}

function gpuNote({ state, sentence, remedy }: DevicesView["gpus"]): Html | null {
  if (sentence === "") return null;
  if (state !== "trouble") return html`<p class="muted">${sentence}</p>`;
  return html`<div class="callout bad">${icon("warning")}<p>${sentence} ${remedy ?? ""}</p></div>`;
}
