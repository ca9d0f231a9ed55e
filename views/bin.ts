/** The bin: what was deleted, with the way back. */
import type { Usage } from "../src/assets/allowances.ts";
import type { Asset } from "../src/assets/asset.ts";
import { button } from "./components/button.ts";
import { emptyState } from "./components/empty.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";
import { kindIcon } from "./media-words.ts";
import { sizeText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";
import { clockText, timeText } from "./times.ts";

const words = texts.library;

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
${button({ label: words.binBack, icon: "back", small: true, href: "/" })}
<div class="head-text"><h1>${words.bin}</h1><p class="muted">${about(view)}</p></div>
</div>
${binList(view)}`;
  return page({ title: words.bin, viewer, active: "library", body });
}

/** `GET /ui/bin`. Fetches itself when something went into it or out of it. */
export function binList(view: BinView): Html {
  const { assets, more } = view;
  const content =
    assets.length === 0
      ? emptyState({
          icon: "trash",
          title: words.binEmpty,
          action: button({ label: words.binBack, href: "/" }),
        })
      : html`<div class="bulk">${emptyButton(view)}</div>
<ul class="rows">${assets.map((asset) => row(asset, view.days))}</ul>
${more ? html`<p class="muted">${words.binMore}</p>` : null}`;
  return html`<div id="bin" hx-get="/ui/bin" hx-trigger="bin from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${content}</div>`;
}

function about({ days, usage }: BinView): string {
  const stays = days === 0 ? words.binNone : words.binStays(days);
  return `${stays} ${usageText(usage)}`;
}

/** "3.1 GB kept, 0.4 GB of it in the bin; 10 GB are allowed." */
export function usageText({ usedBytes, binnedBytes, quotaBytes }: Usage): string {
  const binned = binnedBytes === 0 ? null : sizeText(binnedBytes);
  return words.usage(
    sizeText(usedBytes),
    binned,
    quotaBytes === null ? null : sizeText(quotaBytes),
  );
}

function emptyButton({ usage }: BinView): Html {
  const question = {
    title: words.emptyBinTitle,
    text: words.emptyBinText(sizeText(usage.binnedBytes)),
    yes: words.emptyBin,
  };
  const request = { method: "delete", address: "/ui/bin", question } as const;
  return button({ label: words.emptyBin, icon: "trash", kind: "quiet danger-text", request });
}

function row(asset: Asset, days: number): Html {
  const { id, name, kind, sizeBytes, binnedAt = asset.createdAt } = asset;
  const goneAt = new Date(Date.parse(binnedAt) + days * DAY_MS).toISOString();
  const question = {
    title: words.deleteForEverTitle,
    text: words.deleteForEverText(name),
    yes: words.delete,
  };
  return html`<li class="row" id="binned-${id}">
<span class="row-thumbnail"><span class="thumbnail-none">${icon(kindIcon(kind))}</span></span>
<div class="row-main"><p class="row-title" hx-ignore>${name}</p>
<p class="row-facts"><span>${sizeText(sizeBytes)}</span><span>${words.deletedAgo} ${timeText(binnedAt)}</span><span>${words.goneAt} ${clockText(goneAt)}</span></p></div>
<div class="row-end">${restoreForm(id)}
${button({ label: words.deleteForEver, icon: "trash", small: true, request: { method: "delete", address: `/ui/bin/${id}`, question } })}</div>
</li>`;
}

/** Without JavaScript it is a plain form. */
function restoreForm(id: string): Html {
  return html`<form method="post" action="/ui/bin/${id}/restore" hx-post="/ui/bin/${id}/restore" hx-swap="none" hx-sync="this:drop"><button type="submit" class="button">${icon("retry")}<span>${words.restore}</span></button></form>`;
}
