/** The first visit: what the box has in plain words, a sample on each of its devices, and the first file. */
import type { SampleRun, SampleState } from "../src/jobs/sample.ts";
import type { AbilityReport } from "../src/media/devices.ts";
import { button } from "./components/button.ts";
import { callout } from "./components/notice.ts";
import { progressBar } from "./components/progress.ts";
import { type Html, html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";
import { liveConnection } from "./live.ts";
import { sizeText, speedText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.welcome;

/** What was found, as `GET /system` of the API has it. */
export interface FoundView {
  devices: readonly { id: string; title: string; reason?: string; gpu?: { inService: boolean } }[];
  gpus: { sentence: string; remedy: string | null };
  ffmpeg: { version: string | null; problem: string | null; abilities: readonly AbilityReport[] };
  sandbox: { missing: readonly string[] };
  storage: { kind: "disk" | "s3"; freeBytes: number | null };
  findings: readonly Finding[];
}

/** One of the things that the doctor found. */
interface Finding {
  level: "ok" | "warning" | "fault";
  title: string;
  meaning: string;
  remedy: string | null;
}

export interface SampleView {
  state: SampleState;
  /** To call them by their names. */
  devices: readonly { id: string; title: string }[];
  /** Why there is no GPU; "" when there is one. */
  whyNoGpu: string;
}

/** `GET /welcome`; with `first` the sample begins by itself. */
export function welcomePage(
  viewer: Viewer,
  view: { report: FoundView; sample: SampleView; first: boolean },
): Html {
  const body = html`<div class="welcome">
<header class="welcome-head"><h1>${words.heading}</h1><p class="lead">${words.lead}</p></header>
${foundPart(view.report)}
<section class="panel welcome-part" aria-labelledby="sample-title"><h2 id="sample-title">${icon("device")}${words.sample}</h2>
<p class="muted">${words.sampleLead}</p>
${samplePanel(view.sample, view.first)}</section>
<section class="panel welcome-part" aria-labelledby="first-title"><h2 id="first-title">${icon("upload")}${words.first}</h2>
<button type="button" class="welcome-drop" data-pick-files data-welcome-drop>${icon("upload")}<strong>${words.drop}</strong><span class="muted">${words.dropHint}</span></button></section>
<p class="welcome-skip"><a class="button quiet" href="/">${words.skip}${icon("arrow")}</a></p>
</div>
${liveConnection("/ui/system/events")}`;
  return page({ title: words.title, viewer, active: null, body, scripts: ["welcome.js"] });
}

/** `GET /ui/welcome/found`: fetches itself when a device is known better. */
export function foundPart(report: FoundView): Html {
  const wrong = report.findings.filter(({ level }) => level !== "ok");
  const todo =
    wrong.length === 0
      ? html`<p class="welcome-well">${icon("check")}${words.allWell}</p>`
      : html`<h3>${words.needsDoing}</h3><ul class="welcome-todo">${wrong.map(({ title, meaning, remedy, level }) => html`<li class="${level}">${icon("warning")}<div><p><strong>${title}</strong></p><p>${meaning}</p>${remedy === null ? null : html`<p class="muted">${remedy}</p>`}</div></li>`)}</ul>`;
  return html`<section class="panel welcome-part" id="welcome-found" aria-labelledby="found-title" hx-get="/ui/welcome/found" hx-trigger="devices from:body throttle:1s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h2 id="found-title">${icon("system")}${words.found}</h2>
<ul class="welcome-facts">
${gpuFact(report)}${ffmpegFact(report)}${fenceFact(report)}${storageFact(report)}
</ul>
${todo}
<p class="muted"><a href="/system">${words.moreOnSystem}</a></p></section>`;
}

interface Fact {
  drawing: IconName;
  title: string;
  lines: readonly string[];
  remedy?: string | null;
  well: boolean;
}

function fact({ drawing, title, lines, remedy, well }: Fact): Html {
  return html`<li class="${well ? "well" : "wanting"}">${icon(drawing)}<div><p class="fact-title"><strong>${title}</strong>${icon(well ? "check" : "info")}</p>${lines.map((line) => html`<p>${line}</p>`)}${remedy ? html`<p class="muted">${remedy}</p>` : null}</div></li>`;
}

function gpuFact({ devices, gpus }: FoundView): Html {
  const found = devices.flatMap(({ gpu, ...device }) =>
    gpu === undefined ? [] : [{ ...device, gpu }],
  );
  const lines =
    found.length === 0
      ? [gpus.sentence]
      : found.map(({ title, gpu, reason = "" }) =>
          gpu.inService || reason === "" ? title : `${title}: ${reason}`,
        );
  const well = found.some(({ gpu }) => gpu.inService);
  return fact({ drawing: "device", title: words.gpus, lines, remedy: gpus.remedy, well });
}

function ffmpegFact({ ffmpeg }: FoundView): Html {
  const { version, problem, abilities } = ffmpeg;
  if (version === null) {
    const lines = [problem ?? words.missing];
    return fact({ drawing: "video", title: words.ffmpeg, lines, well: false });
  }
  const lacking = abilities.filter(({ by }) => by === null);
  const lines = [
    words.version(version),
    ...(lacking.length === 0 ? [] : [words.lacking(lacking.map(({ ability }) => ability))]),
  ];
  const remedy = lacking.find((each) => each.remedy !== null)?.remedy ?? null;
  return fact({ drawing: "video", title: words.ffmpeg, lines, remedy, well: lacking.length === 0 });
}

function fenceFact({ sandbox: { missing } }: FoundView): Html {
  const well = missing.length === 0;
  const lines = well ? [words.fenced] : [words.notFenced, ...missing];
  return fact({ drawing: "key", title: words.fence, lines, well });
}

function storageFact({ storage: { kind, freeBytes } }: FoundView): Html {
  const free = freeBytes === null ? [] : [words.free(sizeText(freeBytes))];
  const lines = [kind === "disk" ? words.onDisk : words.inBucket, ...free];
  return fact({ drawing: "disk", title: words.storage, lines, well: true });
}

/** `GET /ui/welcome/sample`; fetches itself while it runs. `begin`: it is started as the page opens. */
export function samplePanel(view: SampleView, begin = false): Html {
  const { state } = view.state;
  const inside = sampleInside(view);
  if (state === "running") {
    return html`<div id="welcome-sample" class="welcome-sample" data-sample="running" hx-get="/ui/welcome/sample" hx-trigger="load delay:500ms" hx-swap="outerHTML" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${inside}</div>`;
  }
  if (state === "none" && begin) {
    return html`<div id="welcome-sample" class="welcome-sample" data-sample="none" hx-post="/ui/welcome/sample" hx-trigger="load" hx-swap="outerHTML">${inside}</div>`;
  }
  return html`<div id="welcome-sample" class="welcome-sample" data-sample="${state}">${inside}</div>`;
}

function sampleInside(view: SampleView): Html {
  const { state, runs, error, film } = view.state;
  const begin = (label: string, primary: boolean) =>
    button({
      label,
      kind: primary ? "primary" : "normal",
      icon: "play",
      request: {
        ...{ method: "post", address: "/ui/welcome/sample" },
        ...{ target: "#welcome-sample", swap: "outerHTML" },
      },
    });
  if (state === "none") return html`<div class="form-actions">${begin(words.start, true)}</div>`;
  if (state === "failed" && runs.length === 0) {
    return html`${callout({ tone: "bad", spoken: true, title: words.failed, text: error?.message ?? "", hint: error?.hint ?? "" })}<div class="form-actions">${begin(words.again, false)}</div>`;
  }
  if (film === null) {
    return html`<div class="trial-progress" role="status">${progressBar(words.makingFilm, null)}<p>${words.makingFilm}</p></div>`;
  }
  const slowest = Math.max(...runs.map(({ seconds }) => seconds ?? 0));
  const keep = html`<form method="post" action="/welcome/sample"><button type="submit" class="button quiet">${words.keep}</button></form><span class="muted">${words.keepHint}</span>`;
  return html`<ul class="sample-runs" role="status">${runs.map((run) => sampleRun(run, view, slowest))}</ul>
${state === "running" ? null : html`<p class="sample-verdict"><strong>${verdict(view)}</strong></p>`}
${state === "done" ? html`<div class="form-actions">${begin(words.again, false)}${keep}</div>` : null}`;
}

function nameOf({ device }: SampleRun, { devices }: SampleView): string {
  if (device === null || device === "cpu") return words.cpu;
  return devices.find(({ id }) => id === device)?.title ?? device;
}

function sampleRun(run: SampleRun, view: SampleView, slowest: number): Html {
  const name = run.device === null ? words.waiting : nameOf(run, view);
  const { state, seconds, framesPerSecond, realtimeFactor, sentence, error, waitReason } = run;
  const kind = run.device === "cpu" ? "cpu" : "gpu";
  if (state === "failed") {
    return html`<li class="sample-run ${kind}"><p class="sample-name"><strong>${name}</strong></p>${callout({ tone: "bad", text: error?.message ?? "", hint: error?.hint ?? "" })}</li>`;
  }
  if (state === "running" || seconds === null) {
    const percent = waitReason === null ? run.progressPercent : null;
    return html`<li class="sample-run ${kind}"><p class="sample-name"><strong>${name}</strong><span class="muted">${waitReason ?? words.encoding}</span></p>${progressBar(words.progress(name), percent)}</li>`;
  }
  const facts = [
    framesPerSecond === null ? null : words.framesPerSecond(framesPerSecond),
    realtimeFactor === null ? null : words.timesRealTime(speedText(realtimeFactor)),
  ].filter((each) => each !== null);
  return html`<li class="sample-run ${kind}"><p class="sample-name"><strong>${name}</strong><span class="sample-seconds">${seconds.toFixed(1)} s</span></p>
<meter min="0" max="${slowest.toFixed(3)}" value="${seconds.toFixed(3)}" aria-label="${name}">${seconds.toFixed(1)} s</meter>
<p class="muted">${facts.join(" · ")}</p><p class="muted">${sentence}</p></li>`;
}

function verdict(view: SampleView): string {
  const { runs } = view.state;
  const on = (gpu: boolean) =>
    runs.find(({ device, seconds }) => seconds !== null && (device !== "cpu") === gpu)?.seconds ??
    null;
  const [gpu, cpu] = [on(true), on(false)];
  if (gpu === null) return `${view.whyNoGpu} ${words.cpuAlone}`.trim();
  if (cpu === null) return "";
  return cpu / gpu > 1.1 ? words.faster(speedText(cpu / gpu)) : words.slower;
}
