/** Files to choose from, as forms show them. */
import type { Asset } from "../assets/asset.ts";
import type { Parts } from "./parts.ts";

/** Longest text that a search takes, as the field on the page has it. */
const SEARCH_MAX = 200;

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
