/** The switch of all work: its panel on the page of the box, and what every page says while it is off. */
import type { WorkMode, WorkState } from "../src/jobs/work-mode.ts";
import { button } from "./components/button.ts";
import { type Html, html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";
import { texts } from "./texts/texts.ts";
import { clockText } from "./times.ts";

export interface WorkView extends WorkState {
  /** Jobs that run now; those that were stopped where they stand, too. */
  running: number;
}

/** What the switch asks of the person who looks. */
interface Onlooker {
  role: "admin" | "member";
}

const words = texts.work;

const drawings: Record<WorkMode, IconName> = { running: "play", paused: "pause", draining: "stop" };

/** In the order in which they stand side by side. */
const modes = Object.keys(drawings) as WorkMode[];

/** `GET /ui/system/work`. Fetches itself when somebody switches and when a job begins or ends. */
export function workPanel(viewer: Onlooker, work: WorkView): Html {
  return html`<section class="panel across" id="work" data-mode="${work.mode}" aria-labelledby="work-title" hx-get="/ui/system/work" hx-trigger="work from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h2 id="work-title">${icon("jobs")}${words.title}</h2>
<p class="work-state" role="status">${workSentence(viewer, work)}</p>
${viewer.role === "admin" ? html`<ul class="work-choices">${modes.map((mode) => choice(mode, work.mode))}</ul>` : null}</section>`;
}

/**
 * Each keeps its place and its button: a second click of a hasty hand hits what was chosen already, which
 * changes nothing, and the focus stays.
 */
function choice(mode: WorkMode, now: WorkMode): Html {
  const { verb, state, effect } = words.choices[mode];
  const chosen = mode === now;
  return html`<li>${switchForm(
    mode,
    button({
      id: `work-${mode}`,
      label: chosen ? state : verb,
      icon: chosen ? "check" : drawings[mode],
      current: chosen,
      submit: true,
      describedBy: `work-${mode}-effect`,
    }),
  )}<p class="muted" id="work-${mode}-effect">${effect}</p></li>`;
}

/** Without JavaScript it is a plain form that leads to the page of the box. */
function switchForm(mode: WorkMode, pressed: Html): Html {
  return html`<form method="post" action="/ui/system/work" hx-post="/ui/system/work" hx-swap="none" hx-sync="this:drop"><input type="hidden" name="mode" value="${mode}">${pressed}</form>`;
}

/** `GET /ui/work/menu`: the same switch folded, for an admin beside the list of jobs. Nothing for others. */
export function workMenu({ role }: Onlooker, mode: WorkMode): Html | null {
  if (role !== "admin") return null;
  const items = modes.map((each) => {
    const { verb, state, effect } = words.choices[each];
    const chosen = each === mode;
    const face = html`<button type="submit" class="menu-item" id="work-menu-${each}" aria-current="${chosen ? "true" : null}">${icon(chosen ? "check" : drawings[each])}<span>${chosen ? state : verb}<small class="muted">${effect}</small></span></button>`;
    return switchForm(each, face);
  });
  return html`<div id="work-menu" class="work-menu" hx-get="/ui/work/menu" hx-trigger="work from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><details class="menu"><summary class="button" aria-label="${words.menu(words.choices[mode].state)}">${icon(drawings[mode])}<span>${words.choices[mode].state}</span>${icon("chevron")}</summary><div class="menu-panel">${items}</div></details></div>`;
}

function workSentence({ role }: Onlooker, { mode, since, running }: WorkView): Html {
  const at = since === null ? null : html` ${words.since} ${clockText(since)}`;
  const { begin, end } = words.sentence(mode, running, role === "admin");
  return html`<strong>${begin}</strong>${mode === "running" ? null : at}${end}`;
}

/**
 * `GET /ui/work`: stands on every page, empty while all is as usual, and fetches itself when somebody
 * switches.
 */
export function workBanner({ role }: Onlooker, mode: WorkMode): Html {
  const content = mode === "running" ? null : bannerInside(role, mode);
  return html`<div id="work-banner" role="status" hx-get="/ui/work" hx-trigger="work from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${content}</div>`;
}

function bannerInside(role: Onlooker["role"], mode: Exclude<WorkMode, "running">): Html {
  const { before, link, after } = role === "admin" ? words.bannerAdmin : words.bannerMember;
  const again = button({ label: words.choices.running.verb, icon: "play", submit: true });
  return html`<div class="work-banner">${icon(drawings[mode])}<p>${words.banner[mode]} ${before} <a href="/system">${link}</a>${after}</p>${role === "admin" ? switchForm("running", again) : null}</div>`;
}
