/** What the library can be asked for: as a value, as an address, and as the fields above the list. */
import type { AssetKind, AssetOrigin } from "../src/assets/asset.ts";
import type { LibraryLayout } from "../src/assets/catalogue.ts";
import type { LabelUse } from "../src/assets/labels.ts";
import type { AssetSort, ResolutionClass } from "../src/assets/listing.ts";
import { button } from "./components/button.ts";
import { type Choice, searchField, selectField, textField } from "./components/field.ts";
import { segments } from "./components/tabs.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { codecTitle } from "./media-words.ts";
import { durationText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.library;

/** In the order in which the fields offer them. */
const sortTitles: Record<AssetSort, string> = words.sorts;
const assetSorts = Object.keys(sortTitles) as AssetSort[];
const resolutionTitles: Record<ResolutionClass, string> = words.resolutions;
const resolutionClasses = Object.keys(resolutionTitles) as ResolutionClass[];

export const kindFilters = ["video", "audio", "image"] as const satisfies readonly AssetKind[];
export type KindFilter = (typeof kindFilters)[number];
export const stateFilters = ["working", "expiring"] as const;
export const originFilters = [
  "upload",
  "import",
  "job",
] as const satisfies readonly AssetOrigin["kind"][];

/** What is shown and how; null: any. */
export interface LibraryFilter {
  /** What the person typed; "" for all. */
  query: string;
  kind: KindFilter | null;
  state: (typeof stateFilters)[number] | null;
  origin: (typeof originFilters)[number] | null;
  codec: string | null;
  resolution: ResolutionClass | null;
  label: string | null;
  minSeconds: number | null;
  maxSeconds: number | null;
  sort: AssetSort;
  layout: LibraryLayout;
}

export const everything: LibraryFilter = {
  query: "",
  kind: null,
  state: null,
  origin: null,
  codec: null,
  resolution: null,
  label: null,
  minSeconds: null,
  maxSeconds: null,
  sort: "newest",
  layout: "grid",
};

/** The filter as the parameters of an address, in which what is usual is not said. */
export function filterParameters(filter: LibraryFilter): URLSearchParams {
  const said = new URLSearchParams();
  const { query, sort, layout, ...choices } = filter;
  if (query !== "") said.set("q", query);
  for (const [name, value] of Object.entries(choices))
    if (value !== null) said.set(name, `${value}`);
  if (sort !== everything.sort) said.set("sort", sort);
  if (layout !== everything.layout) said.set("view", layout);
  return said;
}

/** "/" with the parameters. */
export function libraryAddress(filter: LibraryFilter, path = "/"): string {
  const text = filterParameters(filter).toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The filters that are set, each with its words and the address of the library without it. */
export function setFilters(filter: LibraryFilter): { title: string; without: string }[] {
  const { state, origin, codec, resolution, label, minSeconds, maxSeconds } = filter;
  const titles: [keyof LibraryFilter, string | null][] = [
    ["state", state === null ? null : words.states[state]],
    ["origin", origin === null ? null : words.origins[origin]],
    ["codec", codec === null ? null : codecTitle(codec)],
    ["resolution", resolution === null ? null : resolutionTitles[resolution]],
    ["label", label],
    ["minSeconds", minSeconds === null ? null : words.lengthAtLeast(durationText(minSeconds))],
    ["maxSeconds", maxSeconds === null ? null : words.lengthAtMost(durationText(maxSeconds))],
  ];
  return titles.flatMap(([name, title]) =>
    title === null ? [] : [{ title, without: libraryAddress({ ...filter, [name]: null }) }],
  );
}

/** What the fields offer. */
export interface FilterChoices {
  codecs: readonly string[];
  labels: readonly LabelUse[];
}

/** The form above the list. Every change fetches the list; the address follows. */
export function filterForm(filter: LibraryFilter, choices: FilterChoices): Html {
  const kinds = [
    { value: "", label: words.all },
    ...kindFilters.map((kind) => ({ value: kind, label: words.kinds[kind] })),
  ];
  return html`<form class="filters" id="library-filter" role="search" action="/" method="get" hx-get="/ui/library" hx-target="#library" hx-swap="outerMorph" hx-sync="this:replace" hx-trigger="input delay:200ms, submit" data-address="/" data-usual="${JSON.stringify({ sort: everything.sort, view: everything.layout })}">
${searchField({ label: words.search, value: filter.query })}
${segments({ legend: words.kind, name: "kind", value: filter.kind ?? "", choices: kinds })}
${moreFilters(filter, choices)}
<span class="filter-end"><label class="sort-field"><span class="sr-only">${words.sort}</span><span class="select"><select name="sort">${assetSorts.map((sort) => html`<option value="${sort}" selected="${sort === filter.sort}">${sortTitles[sort]}</option>`)}</select>${icon("sort")}${icon("chevron")}</span></label>
${layoutChoice(filter)}</span>
</form>`;
}

function layoutChoice({ layout }: LibraryFilter): Html {
  const choice = (value: LibraryLayout, drawing: "library" | "rows", title: string) =>
    html`<label title="${title}"><input type="radio" name="view" value="${value}" checked="${value === layout}"><span>${icon(drawing)}<span class="sr-only">${title}</span></span></label>`;
  return html`<fieldset class="segments layouts"><legend class="sr-only">${words.view}</legend>${choice("grid", "library", words.grid)}${choice("list", "rows", words.list)}</fieldset>`;
}

/** What only some look for, folded; what is set of it stands above the list too. */
function moreFilters(filter: LibraryFilter, { codecs, labels }: FilterChoices): Html {
  const select = (
    name: "state" | "origin" | "codec" | "resolution" | "label",
    title: string,
    choices: readonly Choice[],
  ) => {
    const value = filter[name] ?? "";
    const any = { value: "", label: words.any };
    // One that nothing has any more can still be the one that is set.
    const own = choices.some((choice) => choice.value === value) || value === "";
    const all = own ? choices : [{ value, label: value }, ...choices];
    return selectField({ name, label: title, value, choices: [any, ...all] });
  };
  const named = <Word extends string>(values: readonly Word[], titles: Record<Word, string>) =>
    values.map((value) => ({ value, label: titles[value] }));
  const length = (name: "minSeconds" | "maxSeconds", label: string) =>
    textField({ name, label, value: lengthText(filter[name]), maxLength: 12, code: true });
  const count = setFilters(filter).length;
  return html`<details class="menu filter-menu"><summary class="button" aria-label="${count === 0 ? words.filters : words.filtersOn(count)}">${icon("filter")}<span class="wide-text">${words.filters}</span><span class="count" data-filter-count hidden="${count === 0}">${count}</span></summary>
<div class="menu-panel filter-panel">
${select("state", words.state, named(stateFilters, words.states))}
${select("origin", words.origin, named(originFilters, words.origins))}
${select(
  "codec",
  words.codec,
  codecs.map((codec) => ({ value: codec, label: codecTitle(codec) })),
)}
${select("resolution", words.resolution, named(resolutionClasses, resolutionTitles))}
${select(
  "label",
  words.label,
  labels.map(({ name, assets }) => ({ value: name, label: `${name} (${assets})` })),
)}
<div class="length-fields">${length("minSeconds", words.lengthFrom)}${length("maxSeconds", words.lengthTo)}<p class="hint">${words.lengthHint}</p></div>
<div class="filter-actions">${button({ label: words.clear, kind: "quiet", href: libraryAddress({ ...everything, layout: filter.layout }) })}${button({ label: words.apply, submit: true })}</div>
</div></details>`;
}

/** 90 → "1:30"; what a person may have typed. */
function lengthText(seconds: number | null): string | null {
  if (seconds === null) return null;
  return seconds < 60 ? `${seconds}` : durationText(seconds);
}

/** Seconds of "90", "1:30" or "1:02:00"; null for anything else. */
export function secondsOf(text: string): number | null {
  if (!/^\d{1,6}(:[0-5]?\d){0,2}$/.test(text.trim())) return null;
  return text
    .trim()
    .split(":")
    .reduce((seconds, part) => seconds * 60 + Number(part), 0);
}

/** Above the list: what is set, each with a way to be without it. */
export function filterChips(filter: LibraryFilter): Html | null {
  const chips = setFilters(filter);
  if (chips.length === 0) return null;
  return html`<ul class="filter-chips">${chips.map(
    ({ title, without }) =>
      html`<li><a class="filter-chip" href="${without}" aria-label="${words.without(title)}"><bdi hx-ignore>${title}</bdi>${icon("close")}</a></li>`,
  )}</ul>`;
}
