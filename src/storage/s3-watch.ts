/** Looks after a bucket while the server runs: whether it is fit, and that no parts of dead uploads stay in it. */
import { type Clock, within } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Bucket, OpenUpload } from "./s3-bucket.ts";
import { type BucketAspect, checkBucket } from "./s3-check.ts";

const CHECK_EVERY_MS = 10 * 60_000;
/** Who mends something wants to see it soon. */
const CHECK_FAULTY_EVERY_MS = 30_000;
const SWEEP_EVERY_MS = 6 * 3_600_000;

/** Longer than any upload in parts takes that is still going on. */
export const LEFTOVER_AGE_MS = 24 * 3_600_000;

/** Within the grace that a service manager gives. */
const STOP_LIMIT_MS = 3_000;

/** A look takes seconds; what is older was left by one that was killed. */
const CHECK_AGE_MS = 3_600_000;

export interface BucketWatchParts {
  bucket: Bucket;
  log: Log;
  clock: Clock;
  /** Uploads in parts that go on although nobody sends at the moment. */
  isWanted?: (upload: OpenUpload) => boolean;
}

export class BucketWatch {
  /** What the last look found; null before the first. */
  aspects: readonly BucketAspect[] | null = null;
  private readonly parts: BucketWatchParts;
  private timer: Timer | null = null;
  private sweptAtMs = Number.NEGATIVE_INFINITY;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(parts: BucketWatchParts) {
    this.parts = parts;
  }

  /** Looks now and then again and again. */
  start(): void {
    this.begin();
  }

  /** Resolves when a look that is under way has cleared up behind itself, or after some seconds. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await within(STOP_LIMIT_MS, this.running);
  }

  /** Looks once more and resolves when that is done; the next look comes as before. Never rejects. */
  async lookNow(): Promise<void> {
    if (!this.stopped) await this.check().catch(() => {});
  }

  private begin(): void {
    this.running = this.round();
  }

  private async round(): Promise<void> {
    const { log, clock } = this.parts;
    try {
      await this.check();
      if (clock.monotonicMs() - this.sweptAtMs > SWEEP_EVERY_MS) {
        await this.sweep();
        this.sweptAtMs = clock.monotonicMs();
      }
    } catch (cause) {
      log.warn({ err: cause }, "the bucket could not be looked after; the next round tries");
    }
    if (this.stopped) return;
    const faulty = this.aspects?.some(({ level }) => level === "fault") ?? true;
    this.timer = setTimeout(() => this.begin(), faulty ? CHECK_FAULTY_EVERY_MS : CHECK_EVERY_MS);
  }

  /** Looks at once, for somebody who asks; they see what it found. */
  async look(): Promise<readonly BucketAspect[]> {
    await this.check();
    return this.aspects ?? [];
  }

  private async check(): Promise<void> {
    const before = new Set(this.aspects?.map(({ meaning }) => meaning));
    this.aspects = await checkBucket(this.parts.bucket.settings);
    for (const { level, meaning, remedy } of this.aspects) {
      if (level === "ok" || before.has(meaning)) continue;
      const sentence = `${meaning} ${remedy ?? ""}`.trim();
      if (level === "fault") this.parts.log.error(sentence);
      else this.parts.log.warn(sentence);
    }
  }

  private async sweep(): Promise<void> {
    const { bucket, clock, log, isWanted = () => false } = this.parts;
    const before = clock.nowMs() - LEFTOVER_AGE_MS;
    await bucket.removeChecks(clock.nowMs() - CHECK_AGE_MS);
    const dropped = await dropLeftovers(bucket, before, isWanted);
    if (dropped > 0) log.info({ dropped }, "dropped parts of uploads that were never finished");
  }
}

/** Drops uploads in parts under our prefix that began before that moment; says how many. At most a thousand. */
export async function dropLeftovers(
  bucket: Bucket,
  beforeMs: number,
  isWanted: (upload: OpenUpload) => boolean = () => false,
): Promise<number> {
  const uploads = await bucket.openUploads("");
  const old = uploads.filter((one) => one.initiatedMs < beforeMs && !isWanted(one));
  for (const upload of old) await bucket.dropUpload(upload);
  return old.length;
}
