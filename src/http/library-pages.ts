/** The library for browsers: its page, its list, and what is done to the chosen files. */
import type { Elysia } from "elysia";
import { type LibraryView, libraryGrid, libraryMore, libraryPage } from "../../views/library.ts";
import {
  everything,
  kindFilters,
  type LibraryFilter,
  libraryAddress,
  originFilters,
  secondsOf,
  stateFilters,
} from "../../views/library-filter.ts";
import { type Gone, undoPlace } from "../../views/selection.ts";
import { formErrors } from "../../views/trouble.ts";
import { libraryLayouts } from "../assets/catalogue.ts";
import { cleanLabel } from "../assets/labels.ts";
import { type AssetFilter, assetSorts, resolutionClasses } from "../assets/listing.ts";
import { deleteMany, labelMany, MANY_MAX, restoreMany } from "../assets/many.ts";
import type { AssetPage } from "../assets/records.ts";
import { Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { askerOf, route } from "./endpoint.ts";
import { findKept } from "./entries.ts";
import { htmlResponse } from "./headers.ts";
import { shownImports } from "./import-fragments.ts";
import { viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { isHtmx } from "./visit.ts";

/** Cards fetched at once: three screens of a large monitor. */
const CARDS = 48;

/** A list that fetches itself, or that somebody comes back to, has what was opened already, up to this many. */
const CARDS_MAX = 1_000;

/** Counted so far; beyond it "more than" says enough, and counting would take its time. */
const COUNTED_MAX = 1_000;

/** Longest texts that an address may have, as the fields on the page have them. */
const SEARCH_MAX = 200;

export function mountLibraryPages(app: Elysia, parts: Parts): void {
  route(app, "GET", "/", (request) => {
    const user = viewerOf(parts, request);
    const deleted = justDeleted(parts, user.id, request.url);
    const view = { ...libraryView(parts, user.id, request.url), deleted };
    return htmlResponse(libraryPage(user, view));
  });
  route(app, "GET", "/ui/library", (request) => {
    const view = libraryView(parts, askerOf(request).id, request.url);
    const further = new URL(request.url).searchParams.has("after");
    return htmlResponse(further ? libraryMore(view) : libraryGrid(view));
  });
  route(app, "POST", "/ui/library/delete", (request) => deleteChosen(parts, request));
  route(app, "POST", "/ui/library/restore", async (request) => {
    const ids = idsOf(await readForm(request));
    const { unchanged } = await restoreMany(parts.library, askerOf(request).id, ids);
    if (!isHtmx(request)) return toLibrary();
    const stayed =
      unchanged.length === 0 ? null : { ids: [], name: null, bin: true, stayed: unchanged };
    return htmlResponse(undoPlace(stayed), 200, { "hx-trigger": "library" });
  });
  route(app, "POST", "/ui/library/labels", (request) => labelChosen(parts, request));
}

async function deleteChosen(parts: Parts, request: Request): Promise<Response> {
  const ownerId = askerOf(request).id;
  const ids = idsOf(await readForm(request));
  const [first] = ids;
  const name = ids.length === 1 && first ? (findKept(parts, ownerId, first)?.name ?? null) : null;
  const { done, unchanged } = await deleteMany(parts.library, ownerId, ids);
  const gone: Gone = { ids: done, name, bin: hasBin(parts), stayed: unchanged };
  if (!isHtmx(request)) return toLibrary();
  return htmlResponse(undoPlace(gone), 200, { "hx-trigger": "library" });
}

/** Labels are typed with commas between them. Faults go above the field and not into a notice. */
async function labelChosen(parts: Parts, request: Request): Promise<Response> {
  const form = await readForm(request);
  const typed = (form.get("add") ?? "").split(",").filter((text) => cleanLabel(text) !== "");
  const change = { add: typed, remove: form.getAll("remove") };
  try {
    const { unchanged } = await labelMany(parts.library, askerOf(request).id, idsOf(form), change);
    const [refused] = unchanged.filter(({ code }) => code === "invalid");
    if (refused !== undefined) throw new Refusal(422, "invalid", refused.message);
  } catch (cause) {
    if (!isHtmx(request) || !(cause instanceof Refusal) || cause.status !== 422) throw cause;
    const trouble = { status: 422, sentence: cause.message, errors: cause.errors };
    return htmlResponse(formErrors(trouble), 422);
  }
  if (!isHtmx(request)) return toLibrary();
  return new Response(null, { status: 204, headers: { "hx-trigger": "library, labelled" } });
}

function idsOf(form: URLSearchParams): string[] {
  return [...new Set(form.getAll("id"))].slice(0, MANY_MAX);
}

function toLibrary(): Response {
  return new Response(null, { status: 303, headers: { location: "/" } });
}

const hasBin = ({ library }: Parts) => library.allowances.settings.binDays > 0;

/** Wrong values in the address of a page are ignored, not refused: a person may have typed them. */
function filterOf(parts: Parts, ownerId: string, given: URLSearchParams): LibraryFilter {
  const text = (name: string) => (given.get(name) ?? "").slice(0, SEARCH_MAX);
  const layout = oneOf(libraryLayouts, given.get("view"));
  if (layout !== null) parts.library.catalogue.setLayout(ownerId, layout);
  return {
    query: text("q"),
    kind: oneOf(kindFilters, given.get("kind")),
    state: oneOf(stateFilters, given.get("state")),
    origin: oneOf(originFilters, given.get("origin")),
    codec: text("codec") || null,
    resolution: oneOf(resolutionClasses, given.get("resolution")),
    label: cleanLabel(text("label")) || null,
    minSeconds: secondsOf(text("minSeconds")),
    maxSeconds: secondsOf(text("maxSeconds")),
    sort: oneOf(assetSorts, given.get("sort")) ?? everything.sort,
    layout: layout ?? parts.library.catalogue.layoutOf(ownerId),
  };
}

export function libraryView(parts: Parts, ownerId: string, url: string): LibraryView {
  const { searchParams } = new URL(url);
  const filter = filterOf(parts, ownerId, searchParams);
  const { query, state, layout: _, ...chosen } = filter;
  const { library } = parts;
  const wish: AssetFilter = {
    ...chosen,
    ...{ ownerId, jobId: null, search: query === "" ? null : query, state: state ?? "ready" },
    ...{ limit: countOf(searchParams), after: searchParams.get("after") },
  };
  const page = listed(parts, wish);
  const { next } = page;
  return {
    ...{ filter, assets: page.items, next },
    ...totalOf(parts, filter, wish, page),
    choices: {
      codecs: library.catalogue.codecs(ownerId),
      labels: library.catalogue.labels(ownerId),
    },
    ...{ uploadsRefused: library.uploadsRefused, bin: hasBin(parts) },
    imports: shownImports(parts, ownerId),
  };
}

/** How many there are in all: of a whole library that is known, of what a filter lets through it is counted so far. */
function totalOf(
  { library }: Parts,
  filter: LibraryFilter,
  wish: AssetFilter,
  page: AssetPage,
): Pick<LibraryView, "total" | "atLeast"> {
  if (wish.after !== null || page.next === null) {
    return { total: page.items.length, atLeast: null };
  }
  const { sort, layout } = filter;
  if (libraryAddress(filter) === libraryAddress({ ...everything, sort, layout })) {
    return { total: library.catalogue.total(wish.ownerId), atLeast: null };
  }
  const counted = library.count(wish, COUNTED_MAX + 1);
  return counted > COUNTED_MAX
    ? { total: null, atLeast: COUNTED_MAX }
    : { total: counted, atLeast: null };
}

/** A cursor of another order in the address, which a person may have changed, begins at the start. */
function listed({ library }: Parts, wish: AssetFilter) {
  try {
    return library.list(wish);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return library.list({ ...wish, after: null });
  }
}

/** The file that the page before has deleted, if it can be brought back. */
function justDeleted(parts: Parts, ownerId: string, url: string): Gone | null {
  const id = new URL(url).searchParams.get("deleted");
  if (id === null) return null;
  const asset = findKept(parts, ownerId, id);
  if (asset?.state !== "binned") return null;
  return { ids: [id], name: asset.name, bin: true, stayed: [] };
}

function countOf(parameters: URLSearchParams): number {
  const text = parameters.get("count") ?? "";
  const asked = /^\d{1,6}$/.test(text) ? Number(text) : CARDS;
  return Math.min(Math.max(asked, CARDS), CARDS_MAX);
}

function oneOf<T extends string>(all: readonly T[], text: string | null): T | null {
  return all.find((value) => value === text) ?? null;
}
