/** The library: what was uploaded and made, with filters, paging and what is done to many at once. */
import type { Asset } from "../src/assets/asset.ts";
import type { ImportView } from "../src/ingest/import.ts";
import { assetCard } from "./asset-card.ts";
import { button } from "./components/button.ts";
import { emptyState } from "./components/empty.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { importsList, linkForm } from "./imports.ts";
import { page, type Viewer } from "./layout.ts";
import {
  everything,
  type FilterChoices,
  filterChips,
  filterForm,
  filterParameters,
  type LibraryFilter,
  libraryAddress,
  setFilters,
} from "./library-filter.ts";
import { liveConnection } from "./live.ts";
import { type Gone, labelDialog, selectionBar, undoPlace } from "./selection.ts";
import { texts } from "./texts/texts.ts";

export { thumbnailPicture } from "./asset-card.ts";

const words = texts.library;

export interface LibraryView {
  filter: LibraryFilter;
  assets: readonly Asset[];
  /** `after` of the next page; null at the end. */
  next: string | null;
  /** How many there are in all with this filter; null when nobody counted to the end. */
  total: number | null;
  /** They were counted up to so many, and there are more. */
  atLeast?: number | null;
  choices: FilterChoices;
  /** Why no files are taken in, and what to do; absent or null: they are. */
  uploadsRefused?: string | null;
  /** A file that was deleted just now and can be brought back; absent or null: none. */
  deleted?: Gone | null;
  /** Whether what is deleted goes into the bin; absent: it does. */
  bin?: boolean;
  /** Files on their way in from links. */
  imports: readonly ImportView[];
}

/** `GET /` */
export function libraryPage(viewer: Viewer, view: LibraryView): Html {
  const body = html`<div class="page-head library-head">
<h1>${words.title}</h1>
<div class="library-actions">${button({ label: words.bin, icon: "trash", small: true, href: "/bin" })}
${view.uploadsRefused ? null : linkForm()}
${uploadButton(view)}</div>
</div>
${filterForm(view.filter, view.choices)}
${undoPlace(view.deleted ?? null)}
${uploadsRefused(view)}
${importsList(view.imports)}
${libraryGrid(view)}
${selectionBar({ bin: view.bin ?? true })}
${labelDialog(view.choices.labels)}
${liveConnection("/ui/events")}`;
  const scripts = ["library.js", "selection.js", "hover.js"];
  const keys = words.keys.map(([pressed, does]) => ({ keys: pressed, does }));
  return page({ title: words.title, viewer, active: "library", body, scripts, keys });
}

function uploadButton({ uploadsRefused: refused }: LibraryView): Html | null {
  if (refused) return null;
  return html`<button type="button" class="button primary" data-pick-files>${icon("upload")}<span>${texts.uploads.upload}</span></button>`;
}

function uploadsRefused({ uploadsRefused: refused }: LibraryView): Html | null {
  if (!refused) return null;
  return html`<div class="callout bad" role="alert">${icon("warning")}<p>${refused}</p></div>`;
}

/** `GET /ui/library` without `after`: the whole grid, also the first page inside `libraryPage`. */
export function libraryGrid(view: LibraryView): Html {
  const { filter } = view;
  const content =
    view.assets.length === 0
      ? nothingShown(view)
      : html`<ul class="cards ${filter.layout}" id="cards">${libraryMore(view)}</ul>`;
  return html`<div id="library" data-filters="${setFilters(filter).length}" hx-get="/ui/library" hx-trigger="library from:body delay:200ms" hx-include="#library-filter" hx-swap="outerMorph" hx-sync="this:queue last" data-rows="#cards" hx-status:4xx="swap:none" hx-status:5xx="swap:none">
<div class="list-head"><p class="list-count" role="status">${view.assets.length === 0 && !isFiltered(view.filter) ? "" : countText(view)}</p>${filterChips(filter)}</div>
${content}
</div>`;
}

/** `GET /ui/library?after=`: further cards and, if there are more, the button for them. */
export function libraryMore(view: LibraryView): Html {
  const parameters = filterParameters(view.filter);
  if (view.next !== null) parameters.set("after", view.next);
  const more =
    view.next === null
      ? null
      : html`<li class="more" id="library-more"><button type="button" class="button" hx-get="/ui/library?${parameters.toString()}" hx-target="#library-more" hx-swap="outerHTML" hx-trigger="click, intersect rootMargin:600px" hx-sync="this:drop">${words.showMore}</button></li>`;
  return html`${view.assets.map(assetCard)}${more}`;
}

function countText({ total, atLeast = null, assets }: LibraryView): string {
  return atLeast === null ? words.count(total ?? assets.length) : words.countAtLeast(atLeast);
}

function nothingShown(view: LibraryView): Html {
  return isFiltered(view.filter) ? noMatches(view.filter) : emptyLibrary(view);
}

function isFiltered(filter: LibraryFilter): boolean {
  const { layout, sort } = filter;
  return libraryAddress(filter) !== libraryAddress({ ...everything, layout, sort });
}

function noMatches({ query, layout }: LibraryFilter): Html {
  const text =
    query === "" ? words.nothingFiltered : html`${words.nothingNamed} <q hx-ignore>${query}</q>`;
  const address = libraryAddress({ ...everything, layout });
  const action = button({ label: words.showAll, href: address });
  return emptyState({ icon: "search", title: words.nothing, text, action });
}

function emptyLibrary({ uploadsRefused: refused }: LibraryView): Html {
  const target = html`<button type="button" class="drop-target" data-pick-files>${icon("upload")}<strong>${words.drop}</strong><span>${words.dropWhat}</span></button>`;
  return html`<div class="empty teach">
${refused ? null : target}
<ol class="steps-teach">${words.steps.map(([title, text]) => html`<li><strong>${title}</strong><span>${text}</span></li>`)}</ol>
<p class="muted">${words.terminal} <code>curl -H "Authorization: Bearer TOKEN" --data-binary @clip.mov "http://THIS-SERVER:7600/api/v1/assets?name=clip.mov"</code></p>
</div>`;
}
