/**
 * Remembers for a moment whose a secret is: a page or a program sends dozens of requests in a row, and
 * looking each up was the dearest part of answering. Ends that this process makes hold at once; those
 * of another process (the command line) after `RECALL_MS`.
 */
import type { Clock } from "../clock.ts";
import type { User } from "./user.ts";

/** Shorter than a person needs to look up after revoking a token; long enough for a burst of requests. */
const RECALL_MS = 100;

/** More people and programs at the same moment are looked up each time. */
const ENTRIES_MAX = 1_000;

/** Whose a secret is, and until when (wall clock) that is sure whatever happens. */
export interface Found {
  user: User;
  untilMs: number;
}

export class Recall {
  private readonly clock: Clock;
  private readonly known = new Map<string, Found & { fromMs: number }>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The user of a secret, from memory or by `look`; strangers are looked up each time. */
  user(secret: string, look: () => Found | null): User | null {
    const nowMs = this.clock.nowMs();
    const entry = this.known.get(secret);
    // The clock may have been set back.
    if (entry !== undefined && entry.fromMs <= nowMs && nowMs < entry.untilMs) return entry.user;
    const found = look();
    if (found === null) {
      this.known.delete(secret);
      return null;
    }
    if (this.known.size >= ENTRIES_MAX) this.known.clear();
    const untilMs = Math.min(found.untilMs, nowMs + RECALL_MS);
    this.known.set(secret, { user: found.user, fromMs: nowMs, untilMs });
    return found.user;
  }

  /** Somebody's way in has ended: everybody is looked up anew. */
  forget(): void {
    this.known.clear();
  }
}
