/**
 * What happens, for pages and programs that watch: changes of jobs and assets as the log has them, each to
 * its owner only, and the progress of jobs, which is told and forgotten.
 */
import type { Standing } from "../assets/companions.ts";
import type { Clock } from "../clock.ts";
import type { Progress } from "../media/progress.ts";
import type { EventLog, LoggedEvent } from "./event-log.ts";

export type AssetChange = "added" | "changed" | "deleted";

export type FeedBody =
  /** Something about the job changed: the reader looks at it as it is now. */
  | { type: "job"; jobId: string }
  | { type: "progress"; jobId: string; progress: Progress }
  | { type: "asset"; assetId: string; change: AssetChange }
  /** A file that is fetched from a link came further; how far, the reader looks up. */
  | { type: "import"; assetId: string }
  /** What is kept beside an asset came further, is there, or cannot be made. */
  | { type: "companion"; assetId: string; standing: Standing };

/** `id` is null for what is not in the log: a stream that broke off does not go on from there. */
export type FeedEvent = { id: number | null; ownerId: string } & FeedBody;

export type FeedListener = (event: FeedEvent) => void;

/** The API promises progress at most this often per job. */
export const PROGRESS_INTERVAL_MS = 500;

/** Entries read from the log at once. */
const READ_AT_ONCE = 500;

export class Feed {
  private readonly clock: Clock;
  private readonly log: EventLog;
  private readonly listeners = new Map<FeedListener, string>();
  private readonly progressAtMs = new Map<string, number>();
  /** Last entry of the log that the listeners have heard of. */
  private toldId: number;

  constructor(clock: Clock, log: EventLog) {
    this.clock = clock;
    this.log = log;
    this.toldId = log.lastId;
  }

  /** Tells what was committed since the last time. Call it after commits; inside a transaction it is too early. */
  tell(): void {
    if (this.listeners.size === 0) return;
    for (;;) {
      const entries = this.log.after(this.toldId, READ_AT_ONCE);
      for (const entry of entries) {
        this.toldId = entry.id;
        this.send(eventOf(entry));
      }
      if (entries.length < READ_AT_ONCE) return;
    }
  }

  /** Something about a running job changed that is no move: a step, its device. */
  changed(ownerId: string, jobId: string): void {
    this.send({ id: null, ownerId, type: "job", jobId });
  }

  progress(ownerId: string, jobId: string, progress: Progress): void {
    if (!this.progressIsDue(jobId)) return;
    this.send({ id: null, ownerId, type: "progress", jobId, progress });
  }

  /** A file came further on its way in from a link. */
  importing(ownerId: string, assetId: string): void {
    if (this.listeners.size === 0 || !this.progressIsDue(assetId)) return;
    this.send({ id: null, ownerId, type: "import", assetId });
  }

  /** How a companion of an asset stands; ffmpeg tells its progress twice a second. */
  companion(ownerId: string, assetId: string, standing: Standing): void {
    this.send({ id: null, ownerId, type: "companion", assetId, standing });
  }

  /** The job or the import runs no more. */
  ended(id: string): void {
    this.progressAtMs.delete(id);
  }

  private send(event: FeedEvent): void {
    for (const [listener, owner] of this.listeners) {
      if (owner === event.ownerId) listener(event);
    }
  }

  private progressIsDue(jobId: string): boolean {
    const now = this.clock.monotonicMs();
    const last = this.progressAtMs.get(jobId);
    if (last !== undefined && now - last < PROGRESS_INTERVAL_MS) return false;
    this.progressAtMs.set(jobId, now);
    return true;
  }

  /** The listener must not throw and must not block. Returns the function that ends the subscription. */
  subscribe(ownerId: string, listener: FeedListener): () => void {
    // While nobody listened nothing was told: whoever comes now hears of what comes now.
    if (this.listeners.size === 0) this.toldId = this.log.lastId;
    this.listeners.set(listener, ownerId);
    return () => this.listeners.delete(listener);
  }

  /**
   * What this owner missed after the entry `id`, or null when the log cannot say. Each job and asset is there
   * once, as what is told of it is how it is now.
   */
  since(ownerId: string, id: number): FeedEvent[] | null {
    return this.log.missed(ownerId, id)?.map(eventOf) ?? null;
  }

  get latestId(): number {
    return this.log.lastId;
  }
}

function eventOf({ id, ownerId, kind, subject, what }: LoggedEvent): FeedEvent {
  return kind === "job"
    ? { id, ownerId, type: "job", jobId: subject }
    : { id, ownerId, type: "asset", assetId: subject, change: what as AssetChange };
}
