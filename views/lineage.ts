/** Where a file comes from and what was made of it: files, and between them what was done. */
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import type { NamedAsset } from "./job-words.ts";
import { thumbnailPicture } from "./library.ts";
import { texts } from "./texts/texts.ts";

const words = texts.asset;

/** What was done, as a job has it. */
export interface Making {
  jobId: string;
  /** "Transcode" */
  title: string;
  /** "Video codec: H.264" */
  asked: readonly string[];
}

/** Above a file: what it was made of, and how. Below: what was made, how, and of that in turn. */
export interface LineageStep {
  files: readonly NamedAsset[];
  /** Files of the same job that are not shown. */
  more: number;
  making: Making;
  into: readonly LineageStep[];
}

export interface LineageView {
  /** The oldest first; the last one's making made this file. */
  from: readonly LineageStep[];
  into: readonly LineageStep[];
  /** There is more than is shown. */
  more: boolean;
}

/** `GET /ui/assets/ID/lineage`. Fetches itself when a job ends. */
export function lineage(asset: NamedAsset, { from, into, more }: LineageView): Html {
  const empty = from.length === 0 && into.length === 0;
  const inside = empty
    ? html`<p class="muted none">${words.noLineage}</p>`
    : html`<ol>${from.map((step) => html`${step.files.map((file) => fileStep(file))}${moreFiles(step)}${how(step.making)}`)}${fileStep(asset, true)}</ol>${into.length === 0 ? null : html`<ol>${branches(into)}</ol>`}${more ? html`<p class="muted">${words.lineageMore}</p>` : null}`;
  return html`<div id="lineage" class="lineage" hx-get="/ui/assets/${asset.id}/lineage" hx-trigger="job from:body throttle:2s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${inside}</div>`;
}

function branches(steps: readonly LineageStep[]): Html {
  return html`<li><ol>${steps.map(
    (step) =>
      html`${how(step.making)}${step.files.map((file) => fileStep(file))}${moreFiles(step)}${step.into.length === 0 ? null : branches(step.into)}`,
  )}</ol></li>`;
}

function fileStep(file: NamedAsset, here = false): Html {
  const { id, name } = file;
  if (name === null)
    return html`<li class="lineage-step muted">${icon("trash")}${words.deletedFile}</li>`;
  const picture = html`<span class="row-thumbnail" aria-hidden="true">${thumbnailPicture(file)}</span>`;
  const title = here
    ? html`<span hx-ignore>${name}</span><span class="sr-only">${words.thisFile}</span>`
    : html`<a href="/assets/${id}" hx-ignore>${name}</a>`;
  return html`<li class="lineage-step" data-here="${here}">${picture}<div>${title}</div></li>`;
}

function moreFiles({ more, making }: LineageStep): Html | null {
  if (more === 0) return null;
  return html`<li class="lineage-step"><a href="/jobs/${making.jobId}">${words.moreFiles(more)}</a></li>`;
}

function how({ jobId, title, asked }: Making): Html {
  return html`<li class="lineage-step lineage-how">${icon("wand")}<div><a href="/jobs/${jobId}">${title}</a>${asked.length === 0 ? null : html` <span hx-ignore>${asked.join(", ")}</span>`}</div></li>`;
}
