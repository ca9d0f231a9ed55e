/**
 * From proven files to assets: bytes come into storage first, under intents; then one transaction records the
 * assets and the job's success together. When the claim turned void, nothing is kept. A crash between any two of
 * these leaves the files in the job's folder: the next run publishes them again, under other keys.
 */
import type { Asset } from "../assets/asset.ts";
import type { Library } from "../assets/library.ts";
import { type Clock, isoTime } from "../clock.ts";
import { newId } from "../identity.ts";
import { captionText } from "../media/captions/file.ts";
import type { Storage, StoredObject } from "../storage/storage.ts";
import { assert, Refusal } from "../trouble.ts";
import type { Claim, Queue } from "./queue.ts";
import type { Finished } from "./steps.ts";

export interface PublicationParts {
  library: Library;
  storage: Storage;
  queue: Queue;
  clock: Clock;
}

/** Publishes all outputs and ends the job; the new assets, or null when the claim was void. */
export async function publish(
  parts: PublicationParts,
  claim: Claim,
  finished: readonly Finished[],
): Promise<Asset[] | null> {
  const { library, storage, queue } = parts;
  const ids = finished.map(() => newId("asset"));
  await queue.commits.run(() => library.records.noteIntents(ids));
  try {
    const assets: Asset[] = [];
    const captions = finished.map(captionsIn);
    for (const [index, output] of finished.entries()) {
      const id = ids[index];
      assert(id !== undefined, "one id for each output");
      const stored = await storage.adopt(id, output.proven.path, knownOf(output));
      assets.push(describe(id, claim, output, stored, parts.clock));
    }
    const record = () => {
      for (const [index, asset] of assets.entries()) {
        library.records.insert(asset, captions[index]);
      }
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
  clock: Clock,
): Asset {
  const { declared, proven } = output;
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
    origin: { kind: "job", jobId: claim.jobId, role: declared.role },
    thumbnail: kind === "video" || kind === "image" ? "wanted" : "none",
    createdAt: isoTime(clock.nowMs()),
    expiresAt: null,
  };
}
