/** The box: whether it works, what it is doing and for whom, what is wrong with it, and what it is made of. */
import type { AbilityReport } from "../src/media/devices.ts";
import type { MachineSample } from "../src/metrics/machine-samples.ts";
import { checkupPanel, type FindingView } from "./checkup.ts";
import { badge } from "./components/badge.ts";
import { type DevicesView, devicesPanel } from "./devices.ts";
import { type GraphRange, rangeChoice } from "./graphs.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";
import { liveConnection } from "./live.ts";
import { machinePanel, type StorageView, storagePanel } from "./machine.ts";
import { spanText } from "./quantities.ts";
import { type SelfTestView, selfTestPanel } from "./self-test.ts";
import { systemTabs } from "./system-tabs.ts";
import { texts } from "./texts/texts.ts";
import { type VersionsView, versionsPanel } from "./versions.ts";
import { type WorkView, workPanel } from "./work.ts";

const words = texts.system;

export interface SystemReport extends DevicesView, StorageView {
  version: string;
  commit: string;
  versions: VersionsView["versions"];
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
  findings: readonly FindingView[];
  /** In the words of the configuration: `{ title: "Largest upload", value: "512 GB", key: "uploads.maxBytes" }`. */
  limits: readonly { title: string; value: string; key: string }[];
  machine: { latest: MachineSample | null; eventStreams: number };
  selfTest: SelfTestView;
  lookedAt: Date;
  range: GraphRange;
}

/** `GET /system` */
export function systemPage(viewer: Viewer, report: SystemReport): Html {
  const body = html`<div class="page-head"><h1>${words.title}</h1>${verdict(report.findings)}<p class="muted">Kinomill ${report.version}, ${words.upFor(spanText(report.uptimeSeconds))}</p>${rangeChoice(report.range)}</div>
${systemTabs(viewer, "overview")}
<div class="panels" id="graphs" data-devices-address="/api/v1/system/devices" data-load-address="/api/v1/system/load">
${workPanel(viewer, report.work)}
${checkupPanel(viewer, report.findings, report.lookedAt)}
${devicesPanel(viewer, report)}
${machinePanel(report.machine.latest, report.machine.eventStreams)}
${storagePanel(report)}
${selfTestPanel(viewer, report.selfTest)}
${ffmpeg(report)}
${versionsPanel(viewer, report)}
${sandbox(report)}
${limits(report)}
</div>
${liveConnection("/ui/system/events")}`;
  return page({
    ...{ title: words.title, viewer, active: "system", body },
    styles: ["uplot.css"],
    scripts: ["uplot.js", "graphs.js", "copy.js"],
  });
}

/** All of the check-up in a word, with the way to it. */
function verdict(findings: readonly FindingView[]): Html {
  const count = (level: FindingView["level"]) =>
    findings.filter((finding) => finding.level === level).length;
  const [faults, warnings] = [count("fault"), count("warning")];
  const shown =
    faults > 0
      ? badge({ tone: "bad", label: words.faults(faults), icon: "warning" })
      : warnings > 0
        ? badge({ tone: "warn", label: words.warnings(warnings), icon: "warning" })
        : badge({ tone: "good", label: words.allWell, icon: "check" });
  return html`<a class="verdict" href="#checkup">${shown}</a>`;
}

function ffmpeg(report: SystemReport): Html {
  const title = html`<h2 id="ffmpeg-title">${icon("video")}${words.ffmpeg}</h2>`;
  const { version, problem, abilities } = report.ffmpeg;
  if (version === null) {
    return html`<section class="panel" aria-labelledby="ffmpeg-title">${title}
<div class="callout bad">${icon("warning")}<p>${problem ?? words.noFfmpeg}</p></div></section>`;
  }
  return html`<section class="panel" aria-labelledby="ffmpeg-title">${title}
<p>${words.version} <code>${version}</code></p>
<ul class="abilities">${abilities.map(abilityRow)}</ul></section>`;
}

function abilityRow({ ability, by, remedy }: AbilityReport): Html {
  const name = ability.charAt(0).toUpperCase() + ability.slice(1);
  return html`<li class="${by === null ? "missing" : "there"}">${icon(by === null ? "close" : "check")}<div><p><strong>${name}</strong> ${by === null ? html`<span class="bad-text">${words.missing}</span>` : html`<code>${by}</code>`}</p>${remedy === null ? null : html`<p class="muted">${remedy}</p>`}</div></li>`;
}

/** What a hostile file could reach: ffmpeg is the part that reads what strangers send. */
function sandbox(report: SystemReport): Html {
  const { layers, missing } = report.sandbox;
  return html`<section class="panel" aria-labelledby="sandbox-title"><h2 id="sandbox-title">${icon("key")}${words.sandbox}</h2>
<p>${missing.length === 0 ? words.fenced : words.notFenced}</p>
<p class="muted">${layers.join(", ")}</p>
${missing.map((sentence) => html`<div class="callout bad">${icon("warning")}<p>${sentence}</p></div>`)}</section>`;
}

function limits(report: SystemReport): Html | null {
  if (report.limits.length === 0) return null;
  return html`<section class="panel" aria-labelledby="limits-title"><h2 id="limits-title">${icon("key")}${words.limits}</h2>
<dl class="pairs">${report.limits.map(
    ({ title, value, key }) =>
      html`<div><dt>${title}</dt><dd>${value} <code class="setting-key">${key}</code></dd></div>`,
  )}</dl>
<p class="muted">${words.limitsHint}</p></section>`;
}
