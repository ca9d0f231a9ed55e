/** Whether the storage of the settings works now: tried by doing it, with a small object that is gone afterwards. */
import type { StorageTrial } from "../http/parts.ts";
import { newId } from "../identity.ts";
import type { BucketWatch } from "../storage/s3-watch.ts";
import { Refusal } from "../trouble.ts";
import type { OpenStorage } from "./stores.ts";

/** Enough to tell apart from anything else. */
const TRIAL_BYTES = 1_000;

/** @param bucketWatch looks at what only buckets have: rights, parts, clock, browsers; null on a disk */
export async function testStorage(
  storage: OpenStorage,
  bucketWatch: BucketWatch | null,
): Promise<StorageTrial[]> {
  if (bucketWatch !== null) {
    const aspects = await bucketWatch.look();
    return aspects.map(({ aspect, ...rest }) => ({ step: aspect, ...rest }));
  }
  // An asset's kind of key: should it stay behind, the check of the storage takes it for what it is.
  const key = newId("asset");
  const bytes = crypto.getRandomValues(new Uint8Array(TRIAL_BYTES));
  const write = await tried("write", "A small object was written and synced.", async () => {
    await storage.put(key, new Blob([bytes]).stream(), { limitBytes: TRIAL_BYTES });
  });
  if (write.level === "fault") return [write];
  const read = await tried("read", "The same bytes came back.", async () => {
    const file = await storage.hold(key);
    const came = file === null ? null : await Bun.file(file.path).bytes();
    file?.release();
    if (came === null || Buffer.compare(came, bytes) !== 0) {
      throw new Refusal(503, "storage_denied", "Other bytes came back. Look at the disk's health.");
    }
  });
  const remove = await tried("delete", "It is gone again.", () => storage.delete(key));
  return [write, read, remove];
}

async function tried(
  step: string,
  meaning: string,
  work: () => Promise<unknown>,
): Promise<StorageTrial> {
  try {
    await work();
    return { step, level: "ok", meaning, remedy: null };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { step, level: "fault", meaning: why, remedy: null };
  }
}
