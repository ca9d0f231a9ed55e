/** The box: whether it works, devices, what its ffmpeg can do, space, limits. */
import type { BackupState } from "../src/backup/state.ts";
import type { AbilityReport } from "../src/media/devices.ts";
import { backupPanel } from "./backups.ts";
import { type DevicesView, devicesPanel } from "./devices.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";
import { liveConnection } from "./live.ts";
import { type PersonView, peoplePanel } from "./people.ts";
import { sizeText, spanText } from "./quantities.ts";
import { systemTabs } from "./system-tabs.ts";
import { type WorkView, workPanel } from "./work.ts";

export interface SystemReport extends DevicesView {
  version: string;
  commit: string;
  uptimeSeconds: number;
  ffmpeg: {
    /** Null when ffmpeg cannot be started; `problem` then says why and what to do. */
    version: string | null;
    problem: string | null;
    abilities: readonly AbilityReport[];
  };
  work: WorkView;
  /** What keeps ffmpeg in its place, and in sentences what is missing. */
  sandbox: { layers: readonly string[]; missing: readonly string[] };
  storage: {
    kind: "disk" | "s3";
    freeBytes: number | null;
    usedBytes: number | null;
    assetCount: number;
  };
  findings: readonly FindingView[];
  /** In the words of the configuration: `{ title: "Largest upload", value: "512 GB", key: "uploads.maxBytes" }`. */
  limits: readonly { title: string; value: string; key: string }[];
}

/** One of the things that the doctor found. */
export interface FindingView {
  id: string;
  level: "ok" | "warning" | "fault";
  title: string;
  meaning: string;
  remedy: string | null;
}

/** `GET /system` */
export function systemPage(
  viewer: Viewer,
  report: SystemReport,
  backups: BackupState,
  people: readonly PersonView[],
): Html {
  const body = html`<div class="page-head"><h1>System</h1><p class="muted">Kinomill ${report.version} (<code>${report.commit}</code>), up for ${spanText(report.uptimeSeconds)}</p></div>
${systemTabs(viewer, "overview")}
<div class="panels">
${workPanel(viewer, report.work)}
${devicesPanel(report)}
${storage(report)}
${backupPanel(viewer, backups)}
${ffmpeg(report)}
${sandbox(report)}
${checkup(report)}
${limits(report)}
${viewer.role === "admin" ? peoplePanel(people) : null}
</div>
${liveConnection("/ui/system/events")}`;
  return page({ title: "System", viewer, active: "system", body });
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
  const { version, problem, abilities } = report.ffmpeg;
  if (version === null) {
    return html`<section class="panel" aria-labelledby="ffmpeg-title">${title}
<div class="callout bad">${icon("warning")}<p>${problem ?? "ffmpeg was not found. Install it."}</p></div></section>`;
  }
  return html`<section class="panel" aria-labelledby="ffmpeg-title">${title}
<p>Version <code>${version}</code></p>
<ul class="abilities">${abilities.map(abilityRow)}</ul></section>`;
}

function abilityRow({ ability, by, remedy }: AbilityReport): Html {
  const name = ability.charAt(0).toUpperCase() + ability.slice(1);
  return html`<li class="${by === null ? "missing" : "there"}">${icon(by === null ? "close" : "check")}<div><p><strong>${name}</strong> ${by === null ? html`<span class="bad-text">missing</span>` : html`<code>${by}</code>`}</p>${remedy === null ? null : html`<p class="muted">${remedy}</p>`}</div></li>`;
}

/** What a hostile file could reach: ffmpeg is the part that reads what strangers send. */
function sandbox(report: SystemReport): Html {
  const { layers, missing } = report.sandbox;
  return html`<section class="panel" aria-labelledby="sandbox-title"><h2 id="sandbox-title">${icon("key")}Sandbox</h2>
<p>${missing.length === 0 ? "ffmpeg sees only the files of its own job and no network." : "ffmpeg is not fully fenced in on this machine."}</p>
<p class="muted">${layers.join(", ")}</p>
${missing.map((sentence) => html`<div class="callout bad">${icon("warning")}<p>${sentence}</p></div>`)}</section>`;
}

/** What `kinomill doctor` says: what is wrong stands open, what is well behind a fold. */
function checkup({ findings }: SystemReport): Html {
  const wrong = [
    ...findings.filter(({ level }) => level === "fault"),
    ...findings.filter(({ level }) => level === "warning"),
  ];
  const well = findings.filter(({ level }) => level === "ok");
  const verdict = wrong.length === 0 ? "Nothing needs doing." : "Something needs doing.";
  return html`<section class="panel" id="checkup" aria-labelledby="checkup-title"><h2 id="checkup-title">${icon("check")}Check-up</h2>
<p>${verdict}</p>
${wrong.length === 0 ? null : html`<ul class="abilities">${wrong.map(findingRow)}</ul>`}
<details><summary>${well.length} ${well.length === 1 ? "thing is" : "things are"} well</summary><ul class="abilities">${well.map(findingRow)}</ul></details>
<p class="muted"><code>kinomill doctor</code> on the machine looks at the disk's speed and the port as well.</p></section>`;
}

function findingRow({ level, title, meaning, remedy }: FindingView): Html {
  const mark = { ok: null, warning: "warning", fault: "fault" }[level];
  return html`<li class="${level === "ok" ? "there" : "missing"}">${icon(level === "ok" ? "check" : "warning")}<div><p><strong>${title}</strong>${mark === null ? null : html` <span class="bad-text">${mark}</span>`}</p><p>${meaning}</p>${remedy === null ? null : html`<p class="muted">${remedy}</p>`}</div></li>`;
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
