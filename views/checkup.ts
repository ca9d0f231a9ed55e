/** The doctor's findings: what is wrong stands open with what to type, what is well behind a fold. */
import { remedyText } from "./commands.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { texts } from "./texts/texts.ts";
import { clockText } from "./times.ts";

const words = texts.system;

/** One of the things that the doctor found. */
export interface FindingView {
  id: string;
  level: "ok" | "warning" | "fault";
  title: string;
  meaning: string;
  remedy: string | null;
}

/** `GET /ui/system/checkup`. The button answers with the panel anew. */
export function checkupPanel(
  { role }: { role: "admin" | "member" },
  findings: readonly FindingView[],
  lookedAt: Date,
): Html {
  const of = (level: FindingView["level"]) =>
    alike(findings.filter((finding) => finding.level === level));
  const wrong = [...of("fault"), ...of("warning")];
  const well = of("ok");
  const again =
    role === "admin"
      ? html`<form method="post" action="/ui/system/checkup" hx-post="/ui/system/checkup" hx-target="#checkup" hx-swap="outerMorph" hx-disable="find button"><button type="submit" class="button" id="look-again">${icon("retry")}<span>${words.lookAgain}</span></button></form>`
      : null;
  return html`<section class="panel across" id="checkup" aria-labelledby="checkup-title" hx-get="/ui/system/checkup" hx-trigger="devices from:body delay:2s throttle:10s" hx-swap="outerMorph" hx-sync="this:drop" hx-status:4xx="swap:none" hx-status:5xx="swap:none">
<div class="panel-head"><h2 id="checkup-title">${icon("check")}${words.checkup}</h2>${again}</div>
<p role="status">${wrong.length === 0 ? words.nothingToDo : words.somethingToDo} <span class="muted">${words.lookedAt} ${clockText(lookedAt.toISOString())}</span></p>
${wrong.length === 0 ? null : html`<ul class="findings">${wrong.map(findingRow)}</ul>`}
<details><summary>${words.thingsWell(findings.filter(({ level }) => level === "ok").length)}</summary><ul class="findings">${well.map(findingRow)}</ul></details>
<p class="muted"><code>kinomill doctor</code> ${words.doctorHint}</p></section>`;
}

/** Eight GPUs of one kind lack the same: it is said once, with all of them. */
function alike(findings: readonly FindingView[]): (FindingView & { ids: string[] })[] {
  const groups = Map.groupBy(findings, ({ title, meaning, remedy }) =>
    JSON.stringify([title, meaning, remedy]),
  );
  return [...groups.values()].flatMap((group) =>
    group.slice(0, 1).map((first) => ({ ...first, ids: group.map(({ id }) => id) })),
  );
}

function findingRow({ level, title, meaning, remedy, ids }: FindingView & { ids: string[] }): Html {
  const mark = level === "ok" ? null : html` <span class="finding-mark">${words[level]}</span>`;
  const parts = ids.map((id) => id.split(".")[0] ?? id).join(", ");
  const where = ids.length > 1 ? html` <code>${parts}</code>` : null;
  return html`<li class="is-${level}">${icon(level === "ok" ? "check" : "warning")}<div><p><strong>${title}</strong>${where}${mark}</p><p>${meaning}</p>${remedy === null ? null : html`<p class="remedy">${remedyText(remedy)}</p>`}</div></li>`;
}
