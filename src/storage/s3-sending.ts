/**
 * A local file on its way into the bucket, begun while the file still grows: what is written goes up part by part, from
 * the file, so that memory holds none of it. All parts but the last have one size, as R2 demands.
 */
import type { Turnstile } from "../turnstile.ts";
import { hashOfFile } from "./hash-thread.ts";
import type { Bucket, PartReceipt } from "./s3-bucket.ts";

/** S3's own limit is 10,000. */
const PARTS_MAX = 9_900;
const MIB = 1024 ** 2;

export interface SendingParts {
  bucket: Bucket;
  /** Lets so many parts of all objects through at once. */
  gate: Turnstile;
  key: string;
  /** Where the file stands. It only grows. */
  path: string;
  /** An upper bound of its size at the end. */
  sizeAtMostBytes: number;
  signal: AbortSignal | undefined;
  /** Called with the first trouble: nothing more need be written. */
  onFailed(cause: unknown): void;
}

export class Sending {
  private readonly parts: SendingParts;
  private readonly partBytes: number;
  private readonly stopping = new AbortController();
  private readonly signal: AbortSignal;
  private readonly receipts: PartReceipt[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private upload: Promise<string> | null = null;
  private startedBytes = 0;
  private startedParts = 0;
  private failure: { cause: unknown } | null = null;
  /** From here on the object may exist, whatever the server says. */
  private mayExist = false;

  constructor(parts: SendingParts) {
    this.parts = parts;
    this.partBytes = partBytesFor(parts.sizeAtMostBytes, parts.bucket.settings.partBytes);
    const { signal } = this.stopping;
    this.signal = parts.signal === undefined ? signal : AbortSignal.any([parts.signal, signal]);
  }

  /** So much of the file can be read by now. The rest, at least a byte, is left for the last part. */
  grown(sizeBytes: number): void {
    while (sizeBytes - this.startedBytes > this.partBytes && this.failure === null) {
      this.startPart(this.startedBytes + this.partBytes);
    }
  }

  /** Sends the rest; resolves when the object exists and is whole. @throws Refusal, the signal's reason */
  async finish(sizeBytes: number): Promise<void> {
    this.grown(sizeBytes);
    if (this.upload === null) return await this.sendWhole(sizeBytes);
    this.startPart(sizeBytes);
    await Promise.all(this.underWay);
    if (this.failure !== null) throw this.failure.cause;
    const uploadId = await this.upload;
    this.mayExist = true;
    const { bucket, key } = this.parts;
    await bucket.finishParts(key, uploadId, this.receipts, sizeBytes, this.signal);
  }

  /** Ends what is under way and leaves nothing in the bucket. Never throws; what went wrong is given back. */
  async abandon(): Promise<unknown> {
    const { bucket, key } = this.parts;
    this.stopping.abort(new Error("the object is not wanted any more"));
    await Promise.allSettled(this.underWay);
    // The caller's own signal may have ended this: clearing up has one of its own.
    const signal = AbortSignal.timeout(bucket.calls.wire.silenceMs);
    try {
      if (this.upload !== null) await bucket.dropParts(key, signal);
      if (this.mayExist) await bucket.remove(key, signal);
      return null;
    } catch (cause) {
      return cause;
    }
  }

  private async sendWhole(sizeBytes: number): Promise<void> {
    const { bucket, key, path, gate } = this.parts;
    await gate.through(async () => {
      this.signal.throwIfAborted();
      this.mayExist = true;
      const md5 = await this.md5(0, sizeBytes);
      await bucket.put(key, Bun.file(path).slice(0, sizeBytes), md5, this.signal);
    });
  }

  private startPart(end: number): void {
    const start = this.startedBytes;
    this.startedBytes = end;
    this.startedParts += 1;
    const partNumber = this.startedParts;
    this.upload ??= this.begin();
    const sent = this.parts.gate
      .through(() => this.sendPart(partNumber, start, end))
      .catch((cause: unknown) => this.fail(cause))
      .finally(() => this.underWay.delete(sent));
    this.underWay.add(sent);
  }

  private begin(): Promise<string> {
    const { bucket, key } = this.parts;
    const upload = bucket.beginParts(key, this.signal);
    // Each part waits for it; before the first one does, it is not unhandled.
    upload.catch(() => undefined);
    return upload;
  }

  private async sendPart(partNumber: number, start: number, end: number): Promise<void> {
    const { bucket, key, path } = this.parts;
    this.signal.throwIfAborted();
    const uploadId = (await this.upload) as string;
    const md5 = await this.md5(start, end);
    const body = Bun.file(path).slice(start, end);
    const part = { uploadId, partNumber };
    this.receipts[partNumber - 1] = await bucket.putPart(key, part, body, md5, this.signal);
  }

  /** TLS sees that no bit changes on the way; without it the server must look. */
  private md5(start: number, end: number): Promise<string> | null {
    const { endpoint } = this.parts.bucket.settings;
    return endpoint.startsWith("http:") ? md5Of(this.parts.path, start, end) : null;
  }

  private fail(cause: unknown): void {
    if (this.failure !== null) return;
    this.failure = { cause };
    this.stopping.abort(cause);
    this.parts.onFailed(cause);
  }
}

/** As large as it must be for the object to have no more parts than it may, in whole MiB. */
export function partBytesFor(sizeAtMostBytes: number, usualBytes: number): number {
  return Math.max(usualBytes, Math.ceil(sizeAtMostBytes / PARTS_MAX / MIB) * MIB);
}

/** In base64. */
async function md5Of(path: string, start: number, end: number): Promise<string> {
  const digest = await hashOfFile("md5", { path, start, end });
  return Buffer.from(digest, "hex").toString("base64");
}
