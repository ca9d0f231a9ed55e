/** What is done to several assets at once: each by itself, so that one that cannot be is told of and stops no other. */
import { Refusal } from "../trouble.ts";
import { changedLabels, cleanLabels, type LabelChange } from "./labels.ts";
import type { Library } from "./library.ts";

/** Assets of one call: some seconds of work, and more than a page shows. */
export const MANY_MAX = 1_000;

/** One of them that stayed as it was, and why. */
export interface Unchanged {
  id: string;
  code: string;
  message: string;
}

export interface ManyDone {
  /** Ids of those that it was done to. */
  done: string[];
  unchanged: Unchanged[];
}

/** Each is a write that waits for the disk: after so many the server attends to others. */
const BREATH = 10;

type Shelf = Pick<Library, "delete" | "restore" | "change" | "get">;

async function each(
  ids: readonly string[],
  work: (id: string) => Promise<unknown> | unknown,
): Promise<ManyDone> {
  const result: ManyDone = { done: [], unchanged: [] };
  let count = 0;
  for (const id of new Set(ids)) {
    count += 1;
    if (count % BREATH === 0) await new Promise((resolve) => setImmediate(resolve));
    try {
      await work(id);
      result.done.push(id);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      result.unchanged.push({ id, code: cause.code, message: cause.message });
    }
  }
  return result;
}

/** Into the bin. */
export function deleteMany(
  library: Shelf,
  ownerId: string,
  ids: readonly string[],
): Promise<ManyDone> {
  return each(ids, (id) => library.delete(ownerId, id));
}

/** Out of the bin again. */
export function restoreMany(
  library: Shelf,
  ownerId: string,
  ids: readonly string[],
): Promise<ManyDone> {
  return each(ids, (id) => library.restore(ownerId, id));
}

/** @throws Refusal 422 `invalid` for a label that cannot be one */
export async function labelMany(
  library: Shelf,
  ownerId: string,
  ids: readonly string[],
  change: LabelChange,
): Promise<ManyDone> {
  const clean = {
    add: cleanLabels(change.add, "add"),
    remove: cleanLabels(change.remove, "remove"),
  };
  return await each(ids, (id) => {
    const labels = changedLabels(library.get(ownerId, id).labels ?? [], clean);
    library.change(ownerId, id, { labels });
  });
}
