/** The self-test of the devices: what each did, and the button that has them do it again. */
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { speedText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";
import { clockText, timeText } from "./times.ts";

const words = texts.system;

/** What a device did in the self-test. */
export interface TestedView {
  id: string;
  title: string;
  /** `skipped`: it was at work. */
  result: "ok" | "failed" | "skipped";
  /** How many ran side by side. */
  sessions: number;
  /** Of all of them together. */
  framesPerSecond: number | null;
  realtimeFactor: number | null;
  /** In ffmpeg's words. */
  encoder: string | null;
  /** What was done, what went wrong, or why it was passed over. */
  sentence: string;
  remedy: string | null;
}

export interface SelfTestView {
  runningSince: string | null;
  last: { at: string; problem: string | null; devices: readonly TestedView[] } | null;
}

/** `GET /ui/system/selftest`. Fetches itself when one begins or ends. */
export function selfTestPanel(
  { role }: { role: "admin" | "member" },
  { runningSince, last }: SelfTestView,
): Html {
  const running = runningSince !== null;
  const button =
    role === "admin"
      ? html`<form method="post" action="/ui/system/selftest" hx-post="/ui/system/selftest" hx-target="#selftest" hx-swap="outerMorph" hx-disable="find button"><button type="submit" class="button" id="selftest-run" disabled="${running}">${icon("play")}<span>${words.selfTestRun}</span></button></form>`
      : null;
  return html`<section class="panel" id="selftest" aria-labelledby="selftest-title" hx-get="/ui/system/selftest" hx-trigger="selftest from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h2 id="selftest-title">${icon("device")}${words.selfTest}</h2>
<p class="muted">${words.selfTestLead}</p>
<p role="status">${running ? html`${words.selfTestRunning}, ${words.selfTestSince} ${clockText(runningSince)} …` : last === null ? words.selfTestNever : html`${words.selfTestAt}: ${timeText(last.at)}`}</p>
${last === null ? null : results(last)}
${button}</section>`;
}

function results({ problem, devices }: NonNullable<SelfTestView["last"]>): Html {
  if (problem !== null)
    return html`<div class="callout bad">${icon("warning")}<p>${problem}</p></div>`;
  return html`<ul class="findings">${devices.map(testedRow)}</ul>`;
}

function testedRow(device: TestedView): Html {
  const { title, result, remedy, sentence } = device;
  const level = { ok: "ok", failed: "fault", skipped: "ok" }[result];
  const drawing = { ok: "check", failed: "warning", skipped: "pause" }[result] as "check";
  const done = result === "ok" ? figures(device) : html`${words[result]}: ${sentence}`;
  return html`<li class="is-${level}">${icon(drawing)}<div><p><strong>${title}</strong></p><p>${done}</p>${result === "failed" && remedy !== null ? html`<p class="remedy">${remedy}</p>` : null}</div></li>`;
}

function figures({ framesPerSecond, realtimeFactor, sessions, encoder }: TestedView): Html {
  const factor = realtimeFactor ?? 0;
  const facts = [
    `${Math.round(framesPerSecond ?? 0)} ${words.selfTestFps}`,
    words.selfTestSessions(sessions),
    words.realTime(speedText(factor)),
    words.selfTestHours(Math.round(factor * 24)),
  ];
  return html`${facts.join(", ")}${encoder === null ? null : html` <code>${encoder}</code>`}`;
}
