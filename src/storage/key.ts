import { assert } from "../trouble.ts";
import type { StorageKey } from "./storage.ts";

/** No slash, no leading dot, one letter case: safe as a file name, in a URL and in every S3. */
const keyForm = /^[a-z][a-z0-9_.-]{0,127}$/;

/** Keys are ours, never a user's word: a faulty one is a broken invariant. */
export function assertKey(key: StorageKey): void {
  assert(
    keyForm.test(key),
    `a storage key has 1–128 characters of a–z 0–9 _ . - (${key.slice(0, 40)})`,
  );
}

/**
 * Where an object stands below the storage folder: two levels of folders from a hash of the key. Ids
 * begin with the time, so their own first characters would put a day's objects into one folder.
 */
export function objectFolders(key: StorageKey): { outer: string; inner: string } {
  assertKey(key);
  const hash = new Bun.CryptoHasher("sha256").update(key).digest("hex");
  return { outer: hash.slice(0, 2), inner: hash.slice(2, 4) };
}
