/** A copy inside the bucket: the server moves the bytes. */
import type { Turnstile } from "../turnstile.ts";
import type { Bucket } from "./s3-bucket.ts";

/** S3 copies 5 GiB with one request; smaller pieces are done before the server seems silent. */
const PIECE_BYTES = 256 * 1024 ** 2;

/** Leaves nothing under `to` when it fails. @throws Refusal */
export async function copyObject(
  bucket: Bucket,
  gate: Turnstile,
  { from, to, sizeBytes }: { from: string; to: string; sizeBytes: number },
): Promise<void> {
  try {
    if (sizeBytes <= PIECE_BYTES) return await bucket.copy(from, to);
    const uploadId = await bucket.beginParts(to);
    const stop = new AbortController();
    const pieces = Array.from({ length: Math.ceil(sizeBytes / PIECE_BYTES) }, (_, index) => {
      const part = { uploadId, partNumber: index + 1 };
      const start = index * PIECE_BYTES;
      const range = { start, end: Math.min(start + PIECE_BYTES, sizeBytes) };
      return gate.through(() => bucket.copyPart(from, to, part, range, stop.signal));
    });
    for (const piece of pieces) piece.catch((cause: unknown) => stop.abort(cause));
    const done = await Promise.allSettled(pieces);
    const receipts = done.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    if (stop.signal.aborted) throw stop.signal.reason;
    await bucket.finishParts(to, uploadId, receipts, sizeBytes);
  } catch (cause) {
    const signal = AbortSignal.timeout(bucket.calls.wire.silenceMs);
    await Promise.allSettled([bucket.dropParts(to, signal), bucket.remove(to, signal)]);
    throw cause;
  }
}
