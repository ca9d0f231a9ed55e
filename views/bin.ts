/** The bin: what was deleted, with the way back; and the way back right after a file was deleted. */
import type { Usage } from "../src/assets/allowances.ts";
import type { Asset } from "../src/assets/asset.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";
import { kindIcon } from "./media-words.ts";
import { sizeText } from "./quantities.ts";
import { clockText, timeText } from "./times.ts";

export interface BinView {
  assets: readonly Asset[];
  /** Whether there are more than are shown. */
  more: boolean;
  /** Days that things stay in it; 0: there is no bin. */
  days: number;
  usage: Usage;
}

const DAY_MS = 86_400_000;

/** `GET /bin` */
export function binPage(viewer: Viewer, view: BinView): Html {
  const body = html`<div class="page-head">
<a class="icon-button" href="/" aria-label="Back to the library">${icon("back")}</a>
<div class="head-text"><h1>Bin</h1><p class="muted">${about(view)}</p></div>
</div>
${binList(view)}`;
  return page({ title: "Bin", viewer, active: "library", body });
}

/** `GET /ui/bin`. Fetches itself when something went into it or out of it. */
export function binList(view: BinView): Html {
  const { assets, more } = view;
  const content =
    assets.length === 0
      ? html`<div class="empty">${icon("trash")}<h2>Nothing is in the bin</h2><p><a class="button" href="/">Back to the library</a></p></div>`
      : html`<div class="bulk">${emptyButton(view)}</div>
<ul class="rows">${assets.map((asset) => row(asset, view.days))}</ul>
${more ? html`<p class="muted">There is more: it shows as this gets less.</p>` : null}`;
  return html`<div id="bin" hx-get="/ui/bin" hx-trigger="bin from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${content}</div>`;
}

function about({ days, usage }: BinView): string {
  const stays =
    days === 0 ? "What is deleted is gone at once." : `Deleted files stay ${days} days.`;
  return `${stays} ${usageText(usage)}`;
}

/** "3.1 GB kept, 0.4 GB of it in the bin; 10 GB are allowed." */
export function usageText({ usedBytes, binnedBytes, quotaBytes }: Usage): string {
  const binned = binnedBytes === 0 ? "" : `, ${sizeText(binnedBytes)} of it in the bin`;
  const may = quotaBytes === null ? "" : `; ${sizeText(quotaBytes)} are allowed`;
  return `${sizeText(usedBytes)} kept${binned}${may}.`;
}

function emptyButton({ usage }: BinView): Html {
  return html`<button type="button" class="button quiet danger-text" hx-delete="/ui/bin" hx-swap="none" hx-disable="this" hx-confirm="Empty the bin?" data-confirm-title="Empty the bin?" data-confirm-text="${`All of it, ${sizeText(usage.binnedBytes)}, will be gone for good.`}" data-confirm-yes="Empty the bin">${icon("trash")}Empty the bin</button>`;
}

function row(asset: Asset, days: number): Html {
  const { id, name, kind, sizeBytes, binnedAt = asset.createdAt } = asset;
  const goneAt = new Date(Date.parse(binnedAt) + days * DAY_MS).toISOString();
  return html`<li class="row" id="binned-${id}">
<span class="row-thumbnail"><span class="thumbnail-none">${icon(kindIcon(kind))}</span></span>
<div class="row-main"><p class="row-title" hx-ignore>${name}</p>
<p class="row-facts"><span>${sizeText(sizeBytes)}</span><span>deleted ${timeText(binnedAt)}</span><span>gone at ${clockText(goneAt)}</span></p></div>
<div class="row-end">${restoreForm(id, "Restore", "bin")}
<button type="button" class="icon-button" aria-label="Delete for ever" hx-delete="/ui/bin/${id}" hx-swap="none" hx-disable="this" hx-confirm="Delete this file for ever?" data-confirm-title="Delete this file for ever?" data-confirm-text="“${name}” will be gone for good." data-confirm-yes="Delete">${icon("trash")}</button></div>
</li>`;
}

/** Without JavaScript it is a plain form that leads to the page `to`. */
function restoreForm(id: string, words: string, to: "bin" | "library"): Html {
  return html`<form method="post" action="/ui/bin/${id}/restore" hx-post="/ui/bin/${id}/restore" hx-swap="none" hx-sync="this:drop"><input type="hidden" name="to" value="${to}"><button type="submit" class="button">${icon("retry")}${words}</button></form>`;
}

/** On the library's page, right after a file was deleted. */
export function undoNote({ id, name }: Pick<Asset, "id" | "name">): Html {
  return html`<div class="callout undo" role="status">${icon("trash")}<p><span hx-ignore>“${name}”</span> is in the <a href="/bin">bin</a>.</p>${restoreForm(id, "Undo", "library")}</div>`;
}
