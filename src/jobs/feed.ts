/**
 * What happened, for pages and programs that watch: job changes, progress and assets, each to its owner
 * only. A bounded ring in memory; whoever asks for more than it holds gets the full state instead.
 */
import type { Clock } from "../clock.ts";
import type { Progress } from "../media/progress.ts";
import type { Job } from "./job.ts";

export type FeedBody =
  | { type: "job"; job: Job }
  | { type: "progress"; jobId: string; progress: Progress }
  | { type: "asset"; assetId: string; change: "added" | "changed" | "deleted" };

export type FeedEvent = { id: number; ownerId: string } & FeedBody;

export type FeedListener = (event: FeedEvent) => void;

/** Events kept for reconnecting clients: some minutes of a busy box, about a megabyte. */
const RING_EVENTS_MAX = 1000;

/** The API promises progress at most this often per job. */
export const PROGRESS_INTERVAL_MS = 500;

export class Feed {
  private readonly clock: Clock;
  private readonly ring: FeedEvent[] = [];
  private readonly listeners = new Map<FeedListener, string>();
  private readonly progressAtMs = new Map<string, number>();
  private lastId: number;

  constructor(clock: Clock) {
    this.clock = clock;
    // Ids go on rising over a restart, so that a Last-Event-ID from before is known to be older.
    this.lastId = Math.floor(clock.nowMs() * 1000);
  }

  publish(ownerId: string, body: FeedBody): void {
    if (body.type === "progress" && !this.progressIsDue(body.jobId)) return;
    if (body.type === "job" && body.job.state !== "running") this.progressAtMs.delete(body.job.id);
    this.lastId += 1;
    const event: FeedEvent = { id: this.lastId, ownerId, ...body };
    if (body.type !== "progress") {
      this.ring.push(event);
      if (this.ring.length > RING_EVENTS_MAX) this.ring.shift();
    }
    for (const [listener, owner] of this.listeners) {
      if (owner === ownerId) listener(event);
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
    this.listeners.set(listener, ownerId);
    return () => this.listeners.delete(listener);
  }

  /** Events of this owner after `id`, or null when the ring no longer reaches back that far. */
  since(ownerId: string, id: number): FeedEvent[] | null {
    const oldest = this.ring[0]?.id ?? this.lastId + 1;
    const complete = id >= oldest - 1 && id <= this.lastId;
    if (!complete) return null;
    return this.ring.filter((event) => event.id > id && event.ownerId === ownerId);
  }

  get latestId(): number {
    return this.lastId;
  }
}
