/** The library: what was uploaded and made, with search, paging and the place to drop files. */
import type { Asset } from "../src/assets/asset.ts";
import type { ImportView } from "../src/ingest/import.ts";
import { undoNote } from "./bin.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { importsList, linkForm } from "./imports.ts";
import { page, type Viewer } from "./layout.ts";
import { liveConnection } from "./live.ts";
import { codecTitle, hdrTitle, kindIcon, resolutionTitle } from "./media-words.ts";
import { durationText, sizeText } from "./quantities.ts";
import { timeText } from "./times.ts";

export const kindFilters = ["video", "audio", "image"] as const;
export type KindFilter = (typeof kindFilters)[number];

export interface LibraryView {
  /** What the person typed; "" for all. */
  query: string;
  kind: KindFilter | null;
  assets: readonly Asset[];
  /** `after` of the next page; null at the end. */
  next: string | null;
  /** How many there are in all with this filter; null when nobody counted. */
  total: number | null;
  /** Why no files are taken in, and what to do; absent or null: they are. */
  uploadsRefused?: string | null;
  /** Files of so many bytes and more go straight into the bucket; absent or null: none do. */
  directBytes?: number | null;
  /** A file that was deleted just now and can be brought back; absent or null: none. */
  deleted?: Pick<Asset, "id" | "name"> | null;
  /** Files on their way in from links. */
  imports: readonly ImportView[];
}

const kindTitles: Record<KindFilter, string> = { video: "Video", audio: "Audio", image: "Images" };

/** `GET /` */
export function libraryPage(viewer: Viewer, view: LibraryView): Html {
  const body = html`<div class="page-head">
<h1>Library</h1>
<form class="filters" id="library-filter" role="search" action="/" method="get" hx-get="/ui/library" hx-target="#library" hx-swap="outerMorph" hx-sync="this:replace" hx-trigger="input delay:200ms, submit" data-address="/">
<label class="search-field">${icon("search")}<span class="sr-only">Search by name</span><input type="search" name="q" value="${view.query}" placeholder="Search by name" maxlength="200" autocomplete="off" data-shortcut="/"></label>
<fieldset class="segments"><legend class="sr-only">Kind</legend>${kindChoice("", "All", view.kind === null)}${kindFilters.map((kind) => kindChoice(kind, kindTitles[kind], view.kind === kind))}</fieldset>
</form>
<div class="library-actions"><a class="icon-button" href="/bin" aria-label="Bin">${icon("trash")}</a>
${view.uploadsRefused ? null : linkForm()}
${uploadButton(view)}</div>
</div>
${view.deleted ? undoNote(view.deleted) : null}
${uploadsRefused(view)}
<section id="uploads" class="uploads" aria-label="Uploads" data-direct-bytes="${view.directBytes ?? null}" hidden></section>
${importsList(view.imports)}
${libraryGrid(view)}
<input type="file" id="file-again" hidden aria-label="The file to go on with">
<input type="file" id="file-picker" multiple hidden aria-label="Files to upload" accept="video/*,audio/*,image/*,.mkv,.mts,.m2ts,.ts,.mxf,.mov,.avi,.flv,.wmv,.webm,.gif,.srt,.vtt,.ass">
${selectionBar()}
<div id="drop-zone" class="drop-zone" hidden aria-hidden="true"><div>${icon("upload")}<p>Drop to upload</p></div></div>
${uploadTemplate()}
${liveConnection("/ui/events")}`;
  return page({
    title: "Library",
    viewer,
    active: "library",
    body,
    scripts: ["tus.js", "direct.js", "upload.js"],
  });
}

/** Shown by the style sheet while a card is chosen; the boxes on the cards are fields of this form. */
function selectionBar(): Html {
  return html`<form id="zip-form" class="selection" method="post" action="/ui/assets/zip" aria-label="Chosen files">
<button type="submit" class="button primary">${icon("download")}Download as zip</button>
<button type="reset" class="button quiet">Choose none</button>
</form>`;
}

function uploadButton({ uploadsRefused }: LibraryView): Html | null {
  if (uploadsRefused) return null;
  return html`<button type="button" class="button primary" data-pick-files>${icon("upload")}Upload</button>`;
}

function uploadsRefused({ uploadsRefused }: LibraryView): Html | null {
  if (!uploadsRefused) return null;
  return html`<div class="callout bad" role="alert">${icon("warning")}<p>${uploadsRefused}</p></div>`;
}

function kindChoice(value: string, title: string, on: boolean): Html {
  return html`<label><input type="radio" name="kind" value="${value}" checked="${on}"><span>${title}</span></label>`;
}

/** `GET /ui/library` without `after`: the whole grid, also the first page inside `libraryPage`. */
export function libraryGrid(view: LibraryView): Html {
  const filtered = view.query !== "" || view.kind !== null;
  const content =
    view.assets.length === 0
      ? filtered
        ? noMatches(view)
        : emptyLibrary(view)
      : html`<ul class="grid" id="cards">${libraryMore(view)}</ul>`;
  return html`<div id="library" hx-get="/ui/library" hx-trigger="library from:body" hx-include="#library-filter" hx-swap="outerMorph" data-rows="#cards" hx-status:4xx="swap:none" hx-status:5xx="swap:none">
<p class="sr-only" role="status">${countText(view)}</p>
${content}
</div>`;
}

/** `GET /ui/library?after=`: further cards and, if there are more, the button for them. */
export function libraryMore(view: LibraryView): Html {
  const parameters = new URLSearchParams();
  if (view.query !== "") parameters.set("q", view.query);
  if (view.kind !== null) parameters.set("kind", view.kind);
  if (view.next !== null) parameters.set("after", view.next);
  const more =
    view.next === null
      ? null
      : html`<li class="more" id="library-more"><button type="button" class="button" hx-get="/ui/library?${parameters.toString()}" hx-target="#library-more" hx-swap="outerHTML" hx-trigger="click, intersect rootMargin:600px" hx-sync="this:drop">Show more</button></li>`;
  return html`${view.assets.map(assetCard)}${more}`;
}

function countText(view: LibraryView): string {
  const count = view.total ?? view.assets.length;
  const more = view.total === null && view.next !== null ? "more than " : "";
  return `${more}${count} ${count === 1 ? "file" : "files"}`;
}

/** One card of the grid. */
export function assetCard(asset: Asset): Html {
  const video = asset.media?.video ?? null;
  const seconds = asset.media?.durationSeconds ?? null;
  return html`<li class="card" id="card-${asset.id}">
<label class="card-pick" title="Choose for a download"><input type="checkbox" name="id" value="${asset.id}" form="zip-form" autocomplete="off" aria-label="Choose ${asset.name}"></label>
<a href="/assets/${asset.id}">
${thumbnail(asset, seconds)}
<span class="card-name" hx-ignore title="${asset.name}">${asset.name}</span>
<span class="card-facts">${video === null ? null : html`<span>${resolutionTitle(video)}</span>`}<span>${sizeText(asset.sizeBytes)}</span>${timeText(asset.createdAt)}</span>
</a>
</li>`;
}

function thumbnail(asset: Asset, seconds: number | null): Html {
  const video = asset.media?.video ?? null;
  return html`<span class="thumbnail">${thumbnailPicture(asset)}
<span class="badges">${codecBadge(asset)}${video?.hdr ? html`<span class="tag hdr">${hdrTitle(video.hdr)}</span>` : null}</span>
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

function codecBadge(asset: Asset): Html | null {
  const codec = asset.media?.video?.codec ?? asset.media?.audio[0]?.codec ?? null;
  if (codec === null) return null;
  return html`<span class="tag">${codecTitle(codec)}</span>`;
}

function noMatches(view: LibraryView): Html {
  return html`<div class="empty">
${icon("search")}
<h2>Nothing matches</h2>
<p>No file ${view.kind === null ? "" : `among ${kindTitles[view.kind].toLowerCase()} `}has <q hx-ignore>${view.query}</q> in its name.</p>
<p><a class="button" href="/">Show everything</a></p>
</div>`;
}

function emptyLibrary({ uploadsRefused }: LibraryView): Html {
  const target = html`<button type="button" class="drop-target" data-pick-files>${icon("upload")}<strong>Drop videos here, or choose files</strong><span>Video, audio and pictures. Several at once are fine; large ones too.</span></button>`;
  return html`<div class="empty teach">
${uploadsRefused ? null : target}
<ol class="steps-teach">
<li><strong>Upload</strong><span>Kinomill looks into each file and tells you what it is.</span></li>
<li><strong>Choose what to make</strong><span>Another format or size, thumbnails, and more. The original is never touched.</span></li>
<li><strong>Watch and download</strong><span>Every result is checked by decoding it before you see it here.</span></li>
</ol>
<p class="muted">From a terminal: <code>curl -H "Authorization: Bearer TOKEN" --data-binary @clip.mov "http://THIS-SERVER:7600/api/v1/assets?name=clip.mov"</code></p>
</div>`;
}

/** A row of the upload queue; upload.js clones it and fills it with text only. */
function uploadTemplate(): Html {
  return html`<template id="upload-row">
<div class="upload" data-state="waiting">
<div class="upload-head"><span class="upload-name" data-name></span><span class="upload-note" data-note>Waiting</span></div>
<progress max="100" value="0" data-bar aria-label="Upload"></progress>
<div class="upload-actions">
<button type="button" class="button quiet" data-upload-keep hidden>Keep both</button>
<button type="button" class="icon-button" data-upload-choose hidden aria-label="Choose the file again to go on" title="Choose the file again to go on">${icon("file")}</button>
<button type="button" class="icon-button" data-upload-pause hidden aria-label="Pause this upload">${icon("pause")}</button>
<button type="button" class="icon-button" data-upload-resume hidden aria-label="Go on with this upload">${icon("play")}</button>
<button type="button" class="icon-button" data-upload-retry hidden aria-label="Try again">${icon("retry")}</button>
<button type="button" class="icon-button" data-upload-cancel aria-label="Cancel this upload">${icon("close")}</button>
</div>
</div>
</template>`;
}
