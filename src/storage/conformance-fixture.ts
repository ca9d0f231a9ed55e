/** What the tests of the conformance suite share: the fixture of a backend, keys and bytes. */
import { Refusal } from "../trouble.ts";
import type { Storage } from "./storage.ts";

/** A fresh, empty storage and what surrounds it in a test. */
export interface StorageFixture {
  storage: Storage;
  /** Sends a request to a presigned URL, as a stranger would: no login, no header of ours. */
  request(url: string, init?: RequestInit): Promise<Response>;
  /** Resolves when this much time has gone by for presigned URLs. */
  elapse(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** Above every object of the suite. */
export const limitBytes = 64 * 1024 ** 2;

/** The state that the tests of one backend share. */
export interface Run {
  fixture: StorageFixture;
  folder: string;
  keys: number;
}

/** A key that the suite has not used yet. */
export function newKey(run: Run): string {
  run.keys += 1;
  return `as_${run.keys.toString(16).padStart(32, "0")}`;
}

/** Bytes that differ everywhere, so that a block in the wrong place shows. */
export function someBytes(sizeBytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  let state = seed;
  for (let index = 0; index < words.length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, sizeBytes);
}

/** A stream that gives these chunks one by one. */
export function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  const rest = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

/** Hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

/** The object's bytes, or null when there is none. */
export async function readAll(
  storage: Storage,
  key: string,
  range?: { start: number; end: number },
) {
  const body = await storage.open(key, range);
  return body === null ? null : await new Response(body).bytes();
}

/** Stores the bytes under a fresh key. */
export async function putBytes(run: Run, bytes: Uint8Array): Promise<string> {
  const key = newKey(run);
  await run.fixture.storage.put(key, streamOf(bytes), { limitBytes });
  return key;
}

/** The Refusal with which the work ends; anything else is thrown. */
export async function refusalOf(work: Promise<unknown>): Promise<Refusal> {
  const cause = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (cause instanceof Refusal) return cause;
  throw cause ?? new Error("nothing was refused");
}
