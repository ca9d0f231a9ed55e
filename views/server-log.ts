/** The log of the server, for admins: filtered, followed while it is written, and copied. */
import type { LogFilter, LogLevel, LogRecord } from "../src/log-ring.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";
import { systemTabs } from "./system-tabs.ts";
import { texts } from "./texts/texts.ts";

const words = texts.system;

export interface LogView {
  filter: LogFilter;
  /** The oldest first. */
  records: readonly LogRecord[];
  /** The parts that there are. */
  parts: readonly string[];
  /** Whether these are older lines than the newest: nothing is followed then. */
  older: boolean;
  /** Whether there are lines before these. */
  more: boolean;
  /** Id of the newest line, whether it fits or not. */
  last: string;
}

/** Offered in the field; `trace` and `fatal` are part of others. */
const offered: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** How many lines the server keeps, as `src/log-ring.ts` has it. */
const KEPT = "2,000";

/** `GET /system/log` */
export function logPage(viewer: Viewer, view: LogView): Html {
  const body = html`<div class="page-head"><h1>${words.title}</h1><a class="button" href="/api/v1/system/support-bundle" download title="${words.supportHint}">${icon("download")}${words.support}</a></div>
${systemTabs(viewer, "log")}
<p class="muted log-lead">${words.logLead(KEPT)} <code>${words.logElsewhere}</code></p>
${filterForm(view)}
${lines(view)}
<template id="log-line">${line(emptyRecord)}</template>`;
  return page({
    title: words.logTitle,
    viewer,
    active: "system",
    body,
    scripts: ["copy.js", "log.js"],
  });
}

function filterForm({ filter, parts, older }: LogView): Html {
  const level = filter.level ?? "info";
  const known =
    filter.part === undefined || parts.includes(filter.part) ? parts : [...parts, filter.part];
  return html`<form class="log-filter" id="log-filter" method="get" action="/system/log" role="search" aria-label="${words.logFilter}" data-list-address="/api/v1/system/log" data-events-address="/api/v1/system/log/events">
<label>${words.logLevel}<span class="select"><select name="level">${offered.map((each) => html`<option value="${each}" selected="${each === level}">${words.logLevels[each]}</option>`)}</select>${icon("chevron")}</span></label>
<label>${words.logPart}<span class="select"><select name="part"><option value="">${words.logAllParts}</option>${known.map((part) => html`<option value="${part}" selected="${part === filter.part}">${part}</option>`)}</select>${icon("chevron")}</span></label>
<label class="log-text">${words.logText}<input type="search" name="q" value="${filter.text}" maxlength="200" autocomplete="off" spellcheck="false" data-shortcut="/"></label>
<label>${words.logJob}<input type="search" class="mono" name="job" value="${filter.job}" maxlength="80" placeholder="jb_…" autocomplete="off" spellcheck="false" autocapitalize="none"></label>
<label>${words.logRequest}<input type="search" class="mono" name="request" value="${filter.request}" maxlength="80" placeholder="rq_…" autocomplete="off" spellcheck="false" autocapitalize="none"></label>
<button type="submit" class="button" id="log-apply">${words.logApply}</button>
<div class="log-tools">
<p class="log-state" id="log-state" role="status" data-live="${words.logFollowing}" data-paused="${words.logPaused}" data-lost="${words.logLost}" hidden></p>
<button type="button" class="button" id="log-pause" aria-pressed="false" data-pause="${words.logPause}" data-continue="${words.logContinue}" data-older="${older ? "true" : "false"}" hidden>${icon("pause")}<span>${words.logPause}</span></button>
<button type="button" class="button" id="log-copy" data-copy="" data-copied="${words.logCopied}" data-failed="${words.logNotCopied}" hidden>${icon("copy")}<span>${words.logCopy}</span></button>
</div></form>`;
}

function lines({ records, filter, older, more, last }: LogView): Html {
  const first = records[0];
  return html`<div class="log-frame">
<p class="log-ends"><a id="log-older" href="/system/log?${address(filter, first?.id)}" hidden="${!more}">${icon("up")}${words.logOlder}</a>${older ? html`<a href="/system/log?${address(filter)}">${words.logNewest}</a>` : null}</p>
<ol class="log-lines" id="log-lines" tabindex="0" aria-label="${words.logLines}" data-last="${last}" data-skipped="${words.logSkipped}" hx-ignore>${records.map(line)}</ol>
<div class="empty" id="log-none" hidden="${records.length > 0}"><h2>${words.logNone}</h2><p>${words.logNoneHint}</p></div>
<button type="button" class="button log-new" id="log-new" data-words="${words.logNew}" hidden></button>
</div>`;
}

/** The filter as it stands in an address. */
function address({ level, part, text, job, request }: LogFilter, before?: string): string {
  const given = { level, part, q: text, job, request, before };
  const known = Object.entries(given).filter((each): each is [string, string] => {
    return each[1] !== undefined && each[1] !== "";
  });
  return new URLSearchParams(known).toString();
}

const emptyRecord: LogRecord = {
  ...{ id: "", at: "", level: "info", part: "", message: "", facts: {} },
};

/** `log.js` fills the same from what the stream brings. */
function line({ id, at, level, part, message, facts }: LogRecord): Html {
  return html`<li class="log-line is-${level}" data-id="${id}"><details><summary><time datetime="${at}" data-moment>${at.slice(11, 23)}</time><b class="log-level">${level}</b><span class="log-part">${part}</span><span class="log-message">${message}</span><span class="log-facts">${factsText(facts)}</span></summary><pre class="log-all">${Object.keys(facts).length === 0 ? "" : JSON.stringify(facts, null, 2)}</pre></details></li>`;
}

/** "job=jb_1 state=failed": on one line what an error says, and all of it below. */
function factsText(facts: LogRecord["facts"]): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${factText(value)}`)
    .join(" ");
}

function factText(value: unknown): string {
  if (typeof value === "string") return /^\S+$/.test(value) ? value : JSON.stringify(value);
  const said = (value as { message?: unknown } | null)?.message;
  return JSON.stringify(typeof said === "string" ? said : value);
}
