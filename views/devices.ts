/** The devices of the box: what they are, what they can do, and, live, what they are doing and for whom. */
import type { Device } from "../src/media/devices.ts";
import type { GpuAbility, GpuReport, GpuState } from "../src/media/gpu.ts";
import type { GpuSample } from "../src/media/gpu-samples.ts";
import { badge } from "./components/badge.ts";
import { button } from "./components/button.ts";
import { levelBar } from "./components/progress.ts";
import { type Graph, graph, graphTable } from "./graphs.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { sizeText, spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";
import { clockText } from "./times.ts";

const words = texts.system;

/** One place on a device that is taken, as far as the one who looks may know. */
export interface SeatView {
  /** The job, when it is one of theirs who look. */
  job: { id: string; title: string } | null;
  /** What is done: "Transcode"; null where that is nobody's business. */
  operation: string | null;
  /** Title of the step; null before it begins, and where the operation is. */
  step: string | null;
  progressPercent: number | null;
  /** Whose job it is, for admins; null when it is their own. */
  user: string | null;
  /** Encode sessions and decoders of the GPU. */
  sessions: number;
  decoders: number;
  /** Since when, in seconds. */
  seconds: number;
  paused: boolean;
}

export type DeviceView = Pick<Device, "id" | "kind" | "title" | "slots"> & {
  /** How many slots work now. */
  busySlots: number;
  /** Who sits on them. */
  seats: readonly SeatView[];
  /** A plain sentence about it: why it is used, or why not; null when there is nothing to say. */
  reason: string | null;
  /** Null for the CPU. */
  gpu:
    | (Pick<GpuReport, "uuid" | "driver" | "memoryTotalBytes" | "mig" | "abilities"> & {
        suspended: GpuReport["suspended"];
      })
    | null;
  /** What it does now; null for the CPU, and while that is not known. */
  load: GpuSample | null;
};

export interface DevicesView {
  devices: readonly DeviceView[];
  /** Why there is no GPU, or what is wrong, and what to do; `sentence` is "" when the GPUs say it. */
  gpus: { state: GpuState["kind"]; sentence: string; remedy: string | null };
}

interface Onlooker {
  role: "admin" | "member";
}

/** `GET /ui/system/devices`. Fetches itself when a device comes, goes or is known better. */
export function devicesPanel(viewer: Onlooker, { devices, gpus }: DevicesView): Html {
  return html`<section class="panel across" id="devices" aria-labelledby="devices-title" hx-get="/ui/system/devices" hx-trigger="devices from:body throttle:1s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h2 id="devices-title">${icon("device")}${words.devices}</h2>
<ul class="devices">${devices.map((device) => deviceRow(viewer, device))}</ul>
${gpuNote(gpus)}</section>`;
}

function deviceRow(viewer: Onlooker, device: DeviceView): Html {
  const { id, title, reason, gpu } = device;
  const suspended = gpu?.suspended ?? null;
  const mark =
    suspended === null ? null : badge({ tone: "warn", label: words.outOfService, icon: "warning" });
  const note =
    suspended !== null
      ? outOfService(viewer, id, suspended)
      : reason === null
        ? null
        : html`<p class="muted">${reason}</p>`;
  return html`<li class="device" id="device-${id.replaceAll(":", "-")}"><div class="device-facts"><div class="device-title"><h3>${title}</h3> <code>${id}</code>${mark}</div>
<div class="device-live" id="${liveId(id)}">${liveInside(device)}</div>
${seatList(device)}
${note}
${gpu === null ? null : gpuAbilities(gpu)}</div>
${gpu === null || gpu.mig ? null : html`<div class="device-graphs">${gpuGraphs(gpu)}</div>`}</li>`;
}

function outOfService(
  { role }: Onlooker,
  id: string,
  { because, remedy, tryAgainAt }: NonNullable<GpuReport["suspended"]>,
): Html {
  const tryNow =
    role === "admin"
      ? html`<form method="post" action="/ui/system/devices/${id}/retry" hx-post="/ui/system/devices/${id}/retry" hx-swap="none" hx-disable="find button">${button({ label: words.tryNow, icon: "retry", submit: true })}</form>`
      : null;
  return html`<div class="callout bad">${icon("warning")}<div><p>${words.outSince} ${because}${remedy === null ? null : html` ${remedy}`}</p><p>${words.againAt} ${clockText(tryAgainAt)}.</p>${tryNow}</div></div>`;
}

/** "gpu:0" → "live-gpu-0": an address in the style sheet's language may have no colon. */
function liveId(deviceId: string): string {
  return `live-${deviceId.replaceAll(/[^a-z0-9]/g, "-")}`;
}

/** The unnamed message of the event stream: what changes with every sample. */
export function devicesMessage(devices: readonly DeviceView[]): string {
  const partial = (id: string, inside: Html | string) =>
    html`<hx-partial hx-target="#${id}" hx-swap="innerMorph">${inside}</hx-partial>`;
  return html`${devices.map((device) => [
    partial(liveId(device.id), liveInside(device)),
    ...device.seats.map((seat, place) => partial(seatId(device.id, place), seatFacts(seat))),
  ])}`.message();
}

function seatId(deviceId: string, place: number): string {
  return `seat-${deviceId.replaceAll(/[^a-z0-9]/g, "-")}-${place}`;
}

function liveInside(device: DeviceView): Html {
  const { slots, busySlots, gpu } = device;
  const meter = slots === 0 && busySlots === 0 ? null : slotMeter(busySlots, slots);
  const load = gpu === null ? null : gpuLoad(device, gpu);
  return html`${meter}${load}`;
}

function slotMeter(busySlots: number, slots: number): Html {
  const said = words.slots(busySlots, slots);
  const max = Math.max(slots, busySlots);
  return loadRow({ title: words.jobsTitle, name: words.jobsName, value: busySlots, max, said });
}

/** Each place that is taken, with its job as a link where it is one of theirs who look. */
function seatList({ id, seats, slots }: DeviceView): Html | null {
  if (seats.length === 0) return null;
  const free = slots - seats.length;
  return html`<ul class="seats">${seats.map((seat, place) => seatRow(seat, seatId(id, place)))}${free > 0 ? html`<li class="muted">${words.freeSlots(free)}</li>` : null}</ul>`;
}

function seatRow(seat: SeatView, id: string): Html {
  return html`<li><span class="seat-job">${seatJob(seat)}</span> <span class="muted" id="${id}">${seatFacts(seat)}</span></li>`;
}

function seatFacts({ sessions, decoders, seconds, progressPercent, paused }: SeatView): string {
  const facts = [
    progressPercent === null ? null : `${Math.round(progressPercent)} %`,
    sessions === 0 ? null : words.sessionCount(sessions),
    decoders === 0 ? null : words.decoders(decoders),
    words.seatFor(spanText(seconds)),
    paused ? words.seatPaused : null,
  ];
  return facts.filter((fact) => fact !== null).join(", ");
}

function seatJob({ job, operation, step, user }: SeatView): Html {
  if (job !== null) {
    return html`<a href="/jobs/${job.id}" hx-ignore>${job.title}</a>${step === null ? null : html` <span class="muted">${step}</span>`}`;
  }
  if (operation === null) return html`${words.seatOther}`;
  return html`${operation}${user === null ? null : html` ${words.seatOf} <span hx-ignore>${user}</span>`}${step === null ? null : html` <span class="muted">${step}</span>`}`;
}

type Gpu = NonNullable<DeviceView["gpu"]>;

function gpuLoad({ load, seats }: DeviceView, gpu: Gpu): Html {
  const percent = (title: string, name: string, value: number | null) =>
    loadRow({
      ...{ title, name, value, max: 100 },
      said: value === null ? "–" : `${Math.round(value)} %`,
    });
  const total = load?.memoryTotalBytes ?? gpu.memoryTotalBytes;
  const used = load?.memoryUsedBytes ?? null;
  return html`${
    gpu.mig
      ? html`<p class="muted">${words.splitByMig}</p>`
      : html`${percent(words.encoder, words.encoderName, load?.encoderPercent ?? null)}${percent(words.decoder, words.decoderName, load?.decoderPercent ?? null)}`
  }${
    total === null
      ? null
      : loadRow({
          ...{ title: words.memory, name: words.memoryName, value: used, max: total },
          said: used === null ? sizeText(total) : words.memoryOf(sizeText(used), sizeText(total)),
        })
  }
<p class="muted load-facts">${loadFacts(load, gpu, seats).map((fact) => html`<span>${fact}</span>`)}</p>`;
}

function loadRow(row: {
  title: string;
  name: string;
  value: number | null;
  max: number;
  said: string;
}): Html {
  const { title, name, value, max, said } = row;
  const bar =
    value === null ? html`<span></span>` : levelBar({ label: name, value, max, words: said });
  return html`<div class="load-row"><span class="load-title" aria-hidden="true">${title}</span>${bar}<span class="load-value">${said}</span></div>`;
}

function loadFacts(load: GpuSample | null, { driver }: Gpu, seats: readonly SeatView[]): string[] {
  const facts = [
    load?.temperatureCelsius == null ? null : `${load.temperatureCelsius} °C`,
    load?.powerWatts == null ? null : `${Math.round(load.powerWatts)} W`,
    load?.sessionCount == null ? null : sessionWords(load.sessionCount, load.averageFps),
    foreignWords(load, seats),
    driver === null ? null : words.driver(driver),
  ];
  return facts.filter((fact) => fact !== null);
}

function sessionWords(count: number, averageFps: number | null): string {
  if (count === 0) return words.noSession;
  const pace = averageFps === null || averageFps === 0 ? "" : words.atPace(averageFps);
  return `${words.sessionCount(count)}${pace}`;
}

/** Sessions of which no job of ours knows. */
function foreignWords(load: GpuSample | null, seats: readonly SeatView[]): string | null {
  const ours = seats.reduce((sum, { sessions }) => sum + sessions, 0);
  const others = (load?.sessionCount ?? 0) - ours;
  return others > 0 ? words.foreignSessions(others) : null;
}

function gpuGraphs({ uuid }: Gpu): Html {
  const graphs: Graph[] = [
    {
      ...{ title: words.engines, source: uuid, top: 100 },
      lines: [
        { figure: "encoderPercent", label: words.encoder, unit: "percent" },
        { figure: "decoderPercent", label: words.decoder, unit: "percent" },
        { figure: "gpuPercent", label: words.cores, unit: "percent" },
      ],
    },
    {
      ...{ title: words.memory, source: uuid, top: "memoryTotalBytes" },
      lines: [{ figure: "memoryUsedBytes", label: words.inUse, unit: "bytes" }],
    },
    {
      ...{ title: words.heat, source: uuid },
      lines: [
        { figure: "temperatureCelsius", label: words.temperature, unit: "celsius" },
        { figure: "powerWatts", label: words.power, unit: "watts" },
      ],
    },
  ];
  return html`<div class="graphs">${graphs.map(graph)}</div>${graphTable(uuid)}`;
}

/** What it can do as chips, and under them why not, each cause once. */
function gpuAbilities({ abilities }: Gpu): Html | null {
  if (abilities.length === 0) return null;
  const causes = Map.groupBy(
    abilities.filter(({ because }) => because !== null),
    ({ because, remedy }) => `${because} ${remedy ?? ""}`.trim(),
  );
  return html`<ul class="gpu-abilities">${abilities.map(chip)}</ul>
${Array.from(causes, ([cause, lacking]) => html`<p class="muted"><strong>${lacking.map(({ title }) => title).join(", ")}:</strong> ${cause}</p>`)}`;
}

function chip({ title, state }: GpuAbility): Html {
  return html`<li class="${state}">${icon(state === "can" ? "check" : "close")}${title} <span class="sr-only">${words[state]}</span></li>`;
}

function gpuNote({ state, sentence, remedy }: DevicesView["gpus"]): Html | null {
  if (sentence === "") return null;
  if (state !== "trouble") return html`<p class="muted">${sentence}</p>`;
  return html`<div class="callout bad">${icon("warning")}<p>${sentence} ${remedy ?? ""}</p></div>`;
}
