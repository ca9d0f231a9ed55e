/** The switch of all work: its panel on the page of the box, and what every page says while it is off. */
import type { WorkMode, WorkState } from "../src/jobs/work-mode.ts";
import { type Html, html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";
import { clockText } from "./times.ts";

export interface WorkView extends WorkState {
  /** Jobs that run now; those that were stopped where they stand, too. */
  running: number;
}

/** What the switch asks of the person who looks. */
interface Onlooker {
  role: "admin" | "member";
}

const choices: Record<WorkMode, { verb: string; state: string; icon: IconName; effect: string }> = {
  running: {
    verb: "Continue",
    state: "Working",
    icon: "play",
    effect: "Jobs start as devices are free; what was stopped goes on.",
  },
  paused: {
    verb: "Pause all",
    state: "Paused",
    icon: "pause",
    effect: "What runs stops where it stands; nothing new starts.",
  },
  draining: {
    verb: "Drain",
    state: "Draining",
    icon: "stop",
    effect: "What runs is finished; nothing new starts.",
  },
};

/** In the order in which they stand side by side. */
const modes = Object.keys(choices) as WorkMode[];

/** `GET /ui/system/work`. Fetches itself when somebody switches and when a job begins or ends. */
export function workPanel(viewer: Onlooker, work: WorkView): Html {
  return html`<section class="panel across" id="work" data-mode="${work.mode}" aria-labelledby="work-title" hx-get="/ui/system/work" hx-trigger="work from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h2 id="work-title">${icon("jobs")}Work</h2>
<p class="work-state" role="status">${workSentence(viewer, work)}</p>
${viewer.role === "admin" ? html`<ul class="work-choices">${modes.map((mode) => choice(mode, work.mode))}</ul>` : null}</section>`;
}

/**
 * Each keeps its place and its button: a second click of a hasty hand hits what was chosen already, which
 * changes nothing, and the focus stays.
 */
function choice(mode: WorkMode, now: WorkMode): Html {
  const { verb, state, icon: drawing, effect } = choices[mode];
  const chosen = mode === now;
  return html`<li>${switchForm(
    mode,
    html`<button type="submit" class="button" id="work-${mode}" aria-current="${chosen ? "true" : null}" aria-describedby="work-${mode}-effect">${icon(chosen ? "check" : drawing)}${chosen ? state : verb}</button>`,
  )}<p class="muted" id="work-${mode}-effect">${effect}</p></li>`;
}

/** Without JavaScript it is a plain form that leads to the page of the box. */
function switchForm(mode: WorkMode, button: Html): Html {
  return html`<form method="post" action="/ui/system/work" hx-post="/ui/system/work" hx-swap="none" hx-sync="this:drop"><input type="hidden" name="mode" value="${mode}">${button}</form>`;
}

function workSentence({ role }: Onlooker, { mode, since, running }: WorkView): Html {
  const at = since === null ? null : html` since ${clockText(since)}`;
  const again = role === "admin" ? "you continue" : "an admin continues";
  switch (mode) {
    case "running":
      return html`<strong>Working:</strong> ${running === 0 ? "no job runs now." : `${jobs(running, "runs", "run")}.`}`;
    case "paused":
      return running === 0
        ? html`<strong>Paused</strong>${at}: nothing runs, and nothing starts until ${again}.`
        : html`<strong>Paused</strong>${at}: ${jobs(running, "is stopped where it stands and goes on", "are stopped where they stand and go on")} when ${again}.`;
    case "draining":
      return running === 0
        ? html`<strong>Drained</strong>${at}: nothing runs; it is safe to stop the machine.`
        : html`<strong>Draining</strong>${at}: ${jobs(running, "is", "are")} still running, nothing new starts.`;
  }
}

function jobs(count: number, one: string, more: string): string {
  return count === 1 ? `1 job ${one}` : `${count} jobs ${more}`;
}

const notices: Record<Exclude<WorkMode, "running">, string> = {
  paused: "All work is paused.",
  draining: "This machine is being drained: nothing new starts.",
};

/**
 * `GET /ui/work`: stands on every page, empty while all is as usual, and fetches itself when somebody
 * switches.
 */
export function workBanner({ role }: Onlooker, mode: WorkMode): Html {
  const content = mode === "running" ? null : bannerInside(role, mode);
  return html`<div id="work-banner" role="status" hx-get="/ui/work" hx-trigger="work from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${content}</div>`;
}

function bannerInside(role: Onlooker["role"], mode: keyof typeof notices): Html {
  const { icon: drawing } = choices[mode];
  if (role === "member") {
    return html`<div class="work-banner">${icon(drawing)}<p>${notices[mode]} An admin continues it on the <a href="/system">System page</a>.</p></div>`;
  }
  const button = html`<button type="submit" class="button">${icon("play")}Continue</button>`;
  return html`<div class="work-banner">${icon(drawing)}<p>${notices[mode]} Continue on the <a href="/system">System page</a>.</p>${switchForm("running", button)}</div>`;
}
