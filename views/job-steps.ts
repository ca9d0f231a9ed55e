/** The steps of a job with their proofs; the parts of a long encode stand in one row. */
import type { Job, JobStep } from "../src/jobs/job.ts";
import type { Proof } from "../src/runners/runner.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { deviceTitle } from "./job-words.ts";
import { texts } from "./texts/texts.ts";

const words = texts.job;
const stepTitles = words.stepStates;

export function steps(job: Job): Html {
  return html`<section class="block" aria-labelledby="steps-title"><h2 id="steps-title">${words.steps}</h2>
<ol class="timeline">${rowsOf(job.steps).map((row) =>
    row.length === 1 ? row.map((step) => stepRow(step, job)) : partsRow(row),
  )}</ol></section>`;
}

/** The parts of a long encode are one row; any other step is a row of its own. */
function rowsOf(all: readonly JobStep[]): JobStep[][] {
  const groups = Map.groupBy(all, ({ name }) => partName.exec(name)?.[1] ?? ` ${name}`);
  return [...groups.values()];
}

/** As `operations/chunked-steps.ts` names them, and the end of their titles. */
const partName = /^(.+-part)-\d+$/;
const partTitle = /: part \d+ of \d+$/;

function stepRow(step: JobStep, job: Job): Html {
  return html`<li class="${step.state}" id="step-${step.name}">
<p class="step-title"><span hx-ignore>${step.title}</span> <span class="sr-only">${stepTitles[step.state]}</span></p>
${whatRan(step)}
${step.deviceReason === null || step.deviceReason === job.deviceReason ? null : html`<p class="muted" hx-ignore>${step.deviceReason}</p>`}
${stepProofs(step)}
${command(step)}
</li>`;
}

/** How many are done, a mark for each, and where they ran. */
function partsRow(parts: readonly JobStep[]): Html {
  const [first] = parts;
  const counts = Map.groupBy(parts, ({ state }) => state);
  const counted = (["done", "running", "failed", "pending"] as const).flatMap((state) => {
    const count = counts.get(state)?.length ?? 0;
    return count === 0 ? [] : [`${count} ${stepTitles[state]}`];
  });
  const places = Map.groupBy(
    parts.flatMap(({ device }) => device ?? []),
    (device) => deviceTitle(device),
  );
  const where = [...places].map(([title, { length }]) => `${title}: ${length}`);
  const proven = parts.findLast(({ proof }) => proof);
  const commanded = parts.find(({ proof }) => proof?.command !== undefined);
  return html`<li class="${stateOf(counts)}" id="step-${first?.name}">
<p class="step-title"><span hx-ignore>${words.inParts(first?.title.replace(partTitle, "") ?? "", parts.length)}</span></p>
<p class="muted" role="status">${counted.join(", ")}${places.size < 2 ? null : html` · ${where.join(", ")}`}</p>
<ol class="parts" aria-hidden="true">${parts.map(({ state }, index) => html`<li class="${state}" title="${words.part(index + 1, stepTitles[state])}"></li>`)}</ol>
${proven === undefined ? null : whatRan(proven)}
${proven === undefined ? null : stepProofs({ ...proven, checks: [] })}
${commanded === undefined ? null : command(commanded)}
</li>`;
}

function stateOf(counts: ReadonlyMap<JobStep["state"], unknown>): JobStep["state"] {
  if (counts.has("failed")) return "failed";
  if (counts.size === 1) return [...counts.keys()][0] ?? "pending";
  return "running";
}

/** In one line: what really ran, or, until that is known, where it runs. */
function whatRan({ device, encoder, proof }: JobStep): Html | null {
  if (proof) return html`<p class="muted" hx-ignore>${proof.sentence}</p>`;
  if (device === null) return null;
  return html`<p class="muted">${deviceTitle(device)}${encoder === null ? null : html` · <code>${encoder}</code>`}</p>`;
}

export function isReport({ name }: JobStep): boolean {
  return name === "report";
}

/** Text that a button takes to the clipboard. */
export function copyable(id: string, text: string): Html {
  return html`<div class="copyable"><pre id="${id}" hx-ignore tabindex="0">${text}</pre><button type="button" class="button" data-copy="" data-copy-of="${id}" data-copied="${words.copied}" data-failed="${words.copyFailed}">${icon("copy")}<span>${words.copy}</span></button></div>`;
}

function command({ name, proof }: JobStep): Html | null {
  if (proof?.command === undefined) return null;
  const id = `command-${name}`;
  return html`<details id="${id}"><summary>${words.command}</summary>${copyable(`${id}-text`, proof.command)}</details>`;
}

/** That its files are text, as `verify.ts` says it. */
export function isProof(check: string): boolean {
  return /^Read \S+: \d+ lines of text/.test(check);
}

function stepProofs(step: JobStep): Html | null {
  const { checks, proof } = step;
  const shown = isReport(step) ? checks.filter(isProof) : checks;
  const proofs = [...shown, ...(proof ? fenceWords(proof) : [])];
  if (proofs.length === 0) return null;
  return html`<ul class="proofs" hx-ignore>${proofs.map((each) => html`<li>${icon("check")}<span>${each}</span></li>`)}</ul>`;
}

function fenceWords({ fenceLayers }: Proof): string[] {
  return fenceLayers.length === 0 ? [] : [words.fenced(fenceLayers.join(", "))];
}
