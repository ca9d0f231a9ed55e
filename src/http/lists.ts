/** Lists as the pages and their fragments show them, read from the address. */
import { kindFilters, type LibraryView } from "../../views/library.ts";
import type { Asset } from "../assets/asset.ts";
import { findKept } from "./entries.ts";
import { shownImports } from "./import-fragments.ts";
import type { Parts } from "./parts.ts";

/** Cards fetched at once: three screens of a large monitor. */
const CARDS = 48;

/** A list that fetches itself keeps what was opened already, up to this many. */
const COUNT_MAX = 500;

/** Longest text that a search takes, as the field on the page has it. */
const SEARCH_MAX = 200;

/** Wrong values in the address of a page are ignored, not refused: a person may have typed them. */
export function libraryView(parts: Parts, ownerId: string, url: string): LibraryView {
  const { searchParams } = new URL(url);
  const query = (searchParams.get("q") ?? "").slice(0, SEARCH_MAX);
  const kind = oneOf(kindFilters, searchParams.get("kind"));
  const page = parts.library.list({
    ownerId,
    limit: countOf(searchParams, CARDS),
    after: searchParams.get("after"),
    kind,
    search: query === "" ? null : query,
    jobId: null,
  });
  const { uploadsRefused } = parts.library;
  const directBytes = parts.directUploads === null ? null : parts.config.uploads.directBytes;
  const imports = shownImports(parts, ownerId);
  return {
    query,
    kind,
    assets: page.items,
    next: page.next,
    total: null,
    uploadsRefused,
    directBytes,
    imports,
  };
}

/** The file that the page before has deleted, if it can be brought back. */
export function justDeleted(parts: Parts, ownerId: string, url: string): Asset | null {
  const id = new URL(url).searchParams.get("deleted");
  if (id === null) return null;
  const asset = findKept(parts, ownerId, id);
  return asset?.state === "binned" ? asset : null;
}

/** Files to choose from at once: what fits under a field; the search finds the others. */
const CHOICES = 12;

/** Files whose name has what was typed, the newest first; captions are text, so text is among them. */
export function inputChoices(parts: Parts, ownerId: string, url: string): Asset[] {
  const query = (new URL(url).searchParams.get("input-search") ?? "").slice(0, SEARCH_MAX);
  const page = parts.library.list({
    ownerId,
    limit: CHOICES,
    after: null,
    kind: null,
    search: query === "" ? null : query,
    jobId: null,
  });
  return page.items;
}

function countOf(parameters: URLSearchParams, usual: number): number {
  const text = parameters.get("count") ?? "";
  const asked = /^\d{1,6}$/.test(text) ? Number(text) : usual;
  return Math.min(Math.max(asked, usual), COUNT_MAX);
}

function oneOf<T extends string>(all: readonly T[], text: string | null): T | null {
  return all.find((value) => value === text) ?? null;
}
