/** The box: devices, what its ffmpeg can do, space, limits. */
import type { Device, Toolchain } from "../src/media/devices.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";
import { sizeText, spanText } from "./quantities.ts";

export interface SystemReport {
  version: string;
  commit: string;
  uptimeSeconds: number;
  devices: readonly (Device & {
    /** How many slots work now. */
    busySlots: number;
    /** A plain sentence about it: why it is used, or why not; null when there is nothing to say. */
    reason: string | null;
  })[];
  /** Null when ffmpeg cannot be started; `ffmpegProblem` then says why and what to do. */
  ffmpeg: Pick<Toolchain, "version" | "encoders" | "decoders" | "filters"> | null;
  ffmpegProblem: string | null;
  storage: {
    kind: "disk" | "s3";
    freeBytes: number | null;
    usedBytes: number | null;
    assetCount: number;
  };
  /** In the words of the configuration: `{ title: "Largest upload", value: "512 GB", key: "uploads.maxBytes" }`. */
  limits: readonly { title: string; value: string; key: string }[];
}

interface Ability {
  title: string;
  /** Any of these encoders or filters makes it possible. */
  any: readonly string[];
  kind: "encoder" | "filter";
  remedy: string;
}

/** What Kinomill would use, and what to install where an ffmpeg lacks it. */
const abilities: readonly Ability[] = [
  {
    title: "H.264",
    any: ["libx264"],
    kind: "encoder",
    remedy: "Install an ffmpeg with libx264; Debian's and Ubuntu's have it.",
  },
  {
    title: "HEVC",
    any: ["libx265"],
    kind: "encoder",
    remedy: "Install an ffmpeg with libx265; Debian's and Ubuntu's have it.",
  },
  {
    title: "AV1",
    any: ["libsvtav1", "libaom-av1"],
    kind: "encoder",
    remedy: "Install an ffmpeg with libsvtav1 (Debian 12, Ubuntu 22.04 or newer).",
  },
  { title: "VP9", any: ["libvpx-vp9"], kind: "encoder", remedy: "Install an ffmpeg with libvpx." },
  {
    title: "AAC",
    any: ["aac", "libfdk_aac"],
    kind: "encoder",
    remedy: "This ffmpeg is cut down; install the full package.",
  },
  { title: "Opus", any: ["libopus"], kind: "encoder", remedy: "Install an ffmpeg with libopus." },
  {
    title: "MP3",
    any: ["libmp3lame"],
    kind: "encoder",
    remedy: "Install an ffmpeg with libmp3lame.",
  },
  {
    title: "WebP pictures",
    any: ["libwebp"],
    kind: "encoder",
    remedy: "Install an ffmpeg with libwebp.",
  },
  {
    title: "HDR to SDR",
    any: ["zscale", "libplacebo", "tonemap"],
    kind: "filter",
    remedy: "Install an ffmpeg with zimg (zscale).",
  },
];

/** `GET /system` */
export function systemPage(viewer: Viewer, report: SystemReport): Html {
  const body = html`<div class="page-head"><h1>System</h1><p class="muted">Kinomill ${report.version} (<code>${report.commit}</code>), up for ${spanText(report.uptimeSeconds)}</p></div>
<div class="panels">
${devices(report)}
${storage(report)}
${ffmpeg(report)}
${limits(report)}
</div>`;
  return page({ title: "System", viewer, active: "system", body });
}

function devices(report: SystemReport): Html {
  return html`<section class="panel" aria-labelledby="devices-title"><h2 id="devices-title">${icon("device")}Devices</h2>
<ul class="devices">${report.devices.map(
    (device) => html`<li><p><strong>${device.title}</strong> <code>${device.id}</code></p>
<p class="meter-line"><meter min="0" max="${device.slots}" value="${device.busySlots}" aria-label="Slots at work">${device.busySlots}</meter><span>${device.busySlots} of ${device.slots} ${device.slots === 1 ? "slot" : "slots"} at work</span></p>
${device.reason === null ? null : html`<p class="muted">${device.reason}</p>`}</li>`,
  )}</ul></section>`;
}

function storage(report: SystemReport): Html {
  const { kind, freeBytes, usedBytes, assetCount } = report.storage;
  const all = freeBytes === null || usedBytes === null ? null : freeBytes + usedBytes;
  return html`<section class="panel" aria-labelledby="storage-title"><h2 id="storage-title">${icon("disk")}Storage</h2>
<p class="big">${freeBytes === null ? "Unknown" : sizeText(freeBytes)} <span class="muted">free</span></p>
${all === null ? null : html`<meter min="0" max="${all}" value="${usedBytes}" aria-label="Space that the library takes"></meter>`}
<dl class="pairs"><div><dt>Kept</dt><dd>${assetCount} ${assetCount === 1 ? "file" : "files"}${usedBytes === null ? null : `, ${sizeText(usedBytes)}`}</dd></div>
<div><dt>Where</dt><dd>${kind === "disk" ? "on this machine's disk" : "in an S3 bucket"}</dd></div></dl></section>`;
}

function ffmpeg(report: SystemReport): Html {
  const title = html`<h2 id="ffmpeg-title">${icon("video")}FFmpeg</h2>`;
  const tool = report.ffmpeg;
  if (tool === null) {
    return html`<section class="panel" aria-labelledby="ffmpeg-title">${title}
<div class="callout bad">${icon("warning")}<p>${report.ffmpegProblem ?? "ffmpeg was not found. Install it and start Kinomill again."}</p></div></section>`;
  }
  return html`<section class="panel" aria-labelledby="ffmpeg-title">${title}
<p>Version <code>${tool.version}</code></p>
<ul class="abilities">${abilities.map((ability) => abilityRow(ability, tool))}</ul></section>`;
}

function abilityRow(ability: Ability, tool: NonNullable<SystemReport["ffmpeg"]>): Html {
  const there = ability.kind === "encoder" ? tool.encoders : tool.filters;
  const found = ability.any.find((name) => there.has(name));
  return html`<li class="${found === undefined ? "missing" : "there"}">${icon(found === undefined ? "close" : "check")}<div><p><strong>${ability.title}</strong> ${found === undefined ? html`<span class="bad-text">missing</span>` : html`<code>${found}</code>`}</p>${found === undefined ? html`<p class="muted">${ability.remedy}</p>` : null}</div></li>`;
}

function limits(report: SystemReport): Html | null {
  if (report.limits.length === 0) return null;
  return html`<section class="panel" aria-labelledby="limits-title"><h2 id="limits-title">${icon("key")}Limits</h2>
<dl class="pairs">${report.limits.map(
    ({ title, value, key }) =>
      html`<div><dt>${title}</dt><dd>${value} <code class="setting">${key}</code></dd></div>`,
  )}</dl>
<p class="muted">These are settings: change them in the configuration file or the environment, then restart.</p></section>`;
}
