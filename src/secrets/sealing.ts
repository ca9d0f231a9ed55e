/**
 * AES-256-GCM with a key that is not where the sealed text is. What is sealed says by which key, so that a wrong key is
 * told from damage; and it is bound to its purpose, so that one sealed text cannot be put in the place of another.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

/** One key, and what sealed texts call it. */
export interface SealingKey {
  bytes: Buffer;
  id: Buffer;
}

export const KEY_BYTES = 32;
const FORM = 1;
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + ID_BYTES + NONCE_BYTES;

/** A sealed text of nothing; the schema knows this number. */
export const SEALED_BYTES_MIN = HEAD_BYTES + TAG_BYTES;

/** @param bytes 32 of them, random */
export function sealingKey(bytes: Buffer): SealingKey {
  // Says nothing of the key.
  const id = createHmac("sha256", bytes).update("kinomill: name of this key").digest();
  return { bytes, id: id.subarray(0, ID_BYTES) };
}

/** @param purpose what it is for, like `secret:bucket`; the same is needed to open it */
export function seal(key: SealingKey, purpose: string, text: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce);
  cipher.setAAD(Buffer.from(purpose, "utf8"));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.from([FORM]), key.id, nonce, sealed, cipher.getAuthTag()]);
}

/** What came of opening a sealed text. */
export type Opened =
  | { kind: "open"; text: string; key: SealingKey }
  /** None of the keys sealed it. */
  | { kind: "other-key" }
  /** It was changed, or stands in the place of another. */
  | { kind: "damaged" };

export function open(keys: readonly SealingKey[], purpose: string, sealed: Uint8Array): Opened {
  const bytes = Buffer.from(sealed);
  if (bytes.length < SEALED_BYTES_MIN || bytes[0] !== FORM) return { kind: "damaged" };
  const id = bytes.subarray(1, 1 + ID_BYTES);
  const key = keys.find((each) => each.id.equals(id));
  if (key === undefined) return { kind: "other-key" };
  const decipher = createDecipheriv(
    "aes-256-gcm",
    key.bytes,
    bytes.subarray(1 + ID_BYTES, HEAD_BYTES),
  );
  decipher.setAAD(Buffer.from(purpose, "utf8"));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
    return { kind: "open", text: Buffer.concat([text, decipher.final()]).toString("utf8"), key };
  } catch {
    return { kind: "damaged" };
  }
}
