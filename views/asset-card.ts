/** One asset in the library: a card of the grid, or a row of the list. The same markup; the style sheet places it. */
import type { Asset } from "../src/assets/asset.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { codecTitle, hdrTitle, kindIcon, resolutionTitle } from "./media-words.ts";
import { durationText, sizeText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.library;

/** Labels on a card; the others are counted. */
const LABELS_SHOWN = 3;

/** What the script of the library reads of a card: its size and its labels. */
export function assetCard(asset: Asset): Html {
  const { id, name, labels = [] } = asset;
  return html`<li class="card" id="card-${id}" data-size="${asset.sizeBytes}" data-labels="${JSON.stringify(labels)}">
<label class="card-pick"><input type="checkbox" name="id" value="${id}" form="selection" autocomplete="off" aria-label="${words.choose(name)}"></label>
<a href="/assets/${id}">
${thumbnail(asset)}
<span class="card-text"><span class="card-name" hx-ignore title="${name}">${name}</span>${labelChips(labels)}</span>
${facts(asset)}
</a>
</li>`;
}

function labelChips(labels: readonly string[]): Html | null {
  if (labels.length === 0) return null;
  const more = labels.length - LABELS_SHOWN;
  return html`<span class="card-labels" hx-ignore>${labels.slice(0, LABELS_SHOWN).map((label) => html`<bdi class="chip">${label}</bdi>`)}${more > 0 ? html`<span class="chip">+${more}</span>` : null}</span>`;
}

function facts(asset: Asset): Html {
  const video = asset.media?.video ?? null;
  const seconds = asset.media?.durationSeconds ?? null;
  const codec = codecOf(asset);
  return html`<span class="card-facts"><span class="in-list">${codec === null ? null : codecTitle(codec)}</span><span>${video === null ? null : resolutionTitle(video)}</span><span class="in-list">${seconds === null ? null : durationText(seconds)}</span><span>${sizeText(asset.sizeBytes)}</span>${timeText(asset.createdAt)}${expiry(asset)}</span>`;
}

function expiry({ expiresAt }: Asset): Html | null {
  if (expiresAt === null) return null;
  return html`<span class="goes">${words.goes} ${timeText(expiresAt)}</span>`;
}

function thumbnail(asset: Asset): Html {
  const video = asset.media?.video ?? null;
  const seconds = asset.media?.durationSeconds ?? null;
  const codec = codecOf(asset);
  const moving = asset.kind === "video" && seconds !== null && seconds > 0;
  return html`<span class="thumbnail" data-moving="${moving}">${thumbnailPicture(asset)}
<span class="badges">${codec === null ? null : html`<span class="tag">${codecTitle(codec)}</span>`}${video?.hdr ? html`<span class="tag hdr">${hdrTitle(video.hdr)}</span>` : null}</span>
${seconds === null ? null : html`<span class="duration">${durationText(seconds)}</span>`}</span>`;
}

/** The picture that stands for an asset; a shimmer while it is being made; else a drawing of its kind. */
export function thumbnailPicture(asset: Pick<Asset, "id" | "kind" | "thumbnail">): Html {
  if (asset.thumbnail === "ready") {
    return html`<img src="/ui/assets/${asset.id}/thumbnail" alt="" loading="lazy" decoding="async">`;
  }
  const waiting = asset.thumbnail === "wanted" ? " skeleton" : "";
  return html`<span class="thumbnail-none${waiting}">${icon(kindIcon(asset.kind))}</span>`;
}

function codecOf(asset: Asset): string | null {
  return asset.media?.video?.codec ?? asset.media?.audio[0]?.codec ?? null;
}
