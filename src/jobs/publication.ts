/**
 * From proven files to assets: bytes come into storage first, under intents; then one transaction records the
 * assets and the job's success together. When the claim turned void, nothing is kept. A crash between any two of
 * these leaves the files in the job's folder: the next run publishes them again, under other keys.
 */
import type { Asset } from "../assets/asset.ts";
import type { Library } from "../assets/library.ts";
import { newId } from "../identity.ts";
import { captionText } from "../media/captions/file.ts";
import type { Storage, StoredObject } from "../storage/storage.ts";
import { assert, Refusal } from "../trouble.ts";
import type { Claim, Queue } from "./queue.ts";
import type { Repeat, Repeats } from "./repeats.ts";
import type { Finished } from "./steps.ts";

export interface PublicationParts {
  library: Library;
  storage: Storage;
  queue: Queue;
  repeats: Repeats;
}

/** Publishes all outputs and ends the job; the new assets, or null when the claim was void. */
export async function publish(
  parts: PublicationParts,
  claim: Claim,
  finished: readonly Finished[],
  repeatKey: string,
): Promise<Asset[] | null> {
  const captions = finished.map(captionsIn);
  return await recordAll(parts, claim, { count: finished.length, repeatKey, captions }, (ids) =>
    inTurn(ids, finished, async (id, output) => {
      const stored = await parts.storage.adopt(id, output.proven.path, knownOf(output));
      return describe(id, claim, output, stored, parts);
    }),
  );
}

/**
 * Ends the job with copies of what the same job made before: each can be deleted without the other. The new assets,
 * null when the claim was void, or "gone" when one of those is there no more: nothing has changed then.
 */
export async function publishAgain(
  parts: PublicationParts,
  claim: Claim,
  { assets }: Repeat,
  repeatKey: string,
): Promise<Asset[] | "gone" | null> {
  const captions = assets.map(({ id }) => parts.library.records.textOf(id));
  try {
    return await recordAll(parts, claim, { count: assets.length, repeatKey, captions }, (ids) =>
      inTurn(ids, assets, async (id, asset) => {
        if (!(await parts.storage.copy(asset.id, id))) throw new GoneError();
        return copyOf(asset, id, claim, parts);
      }),
    );
  } catch (cause) {
    if (cause instanceof GoneError) return "gone";
    throw cause;
  }
}

class GoneError extends Error {
  override readonly name = "GoneError";
}

interface Recorded {
  count: number;
  repeatKey: string;
  /** Words of outputs that are captions, by position. */
  captions: readonly (string | null)[];
}

/** Has objects stored under fresh ids and records them as what the job made, all or none. */
async function recordAll(
  { library, queue, repeats }: PublicationParts,
  claim: Claim,
  { count, repeatKey, captions }: Recorded,
  store: (ids: readonly string[]) => Promise<Asset[]>,
): Promise<Asset[] | null> {
  const ids = Array.from({ length: count }, () => newId("asset"));
  await queue.commits.run(() => library.records.noteIntents(ids));
  try {
    const assets = await store(ids);
    const record = () => {
      const moreBytes = assets.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      library.allowances.refuseBeyond(claim.ownerId, moreBytes);
      for (const [index, asset] of assets.entries()) {
        library.records.insert(asset, captions[index]);
      }
      repeats.note(claim, repeatKey, assets);
    };
    const recorded = await queue.commits.run(() => queue.succeed(claim, record));
    if (recorded) return assets;
  } catch (cause) {
    await library.discard(ids);
    throw cause;
  }
  await library.discard(ids);
  return null;
}

async function inTurn<Item, Result>(
  ids: readonly string[],
  items: readonly Item[],
  make: (id: string, item: Item) => Promise<Result>,
): Promise<Result[]> {
  const made: Result[] = [];
  for (const [index, item] of items.entries()) {
    const id = ids[index];
    assert(id !== undefined, "one id for each output");
    made.push(await make(id, item));
  }
  return made;
}

function copyOf(asset: Asset, id: string, claim: Claim, { library }: PublicationParts): Asset {
  assert(asset.origin.kind === "job", "what a job made says so");
  const origin = { ...asset.origin, jobId: claim.jobId };
  return {
    ...asset,
    id,
    origin,
    thumbnail: asset.thumbnail === "none" ? "none" : "wanted",
    ...library.allowances.timesOf(claim.ownerId, origin),
  };
}

/** The words of an output that is captions, by which later jobs are planned; null for anything else. */
function captionsIn({ proven }: Finished): string | null {
  if (proven.media !== null) return null;
  try {
    return captionText(proven.path)?.text ?? null;
  } catch (cause) {
    if (cause instanceof Refusal) return null;
    throw cause;
  }
}

/** What was found of the file when its step was done, so that it is not read again. */
function knownOf({ proven: { sizeBytes, sha256 } }: Finished): StoredObject | null {
  return sha256 === undefined ? null : { sizeBytes, sha256 };
}

function describe(
  id: string,
  claim: Claim,
  output: Finished,
  stored: { sizeBytes: number; sha256: string },
  { library }: PublicationParts,
): Asset {
  const { declared, proven } = output;
  const origin = { kind: "job", jobId: claim.jobId, role: declared.role } as const;
  const kind = proven.media?.kind ?? (declared.expectation.kind === "data" ? "data" : "text");
  return {
    id,
    ownerId: claim.ownerId,
    name: declared.name,
    state: "ready",
    kind,
    sizeBytes: stored.sizeBytes,
    sha256: stored.sha256,
    mimeType: declared.mimeType,
    media: proven.media,
    origin,
    thumbnail: kind === "video" || kind === "image" ? "wanted" : "none",
    ...library.allowances.timesOf(claim.ownerId, origin),
  };
}
