/**
 * In which order jobs start. Among the jobs of one person: by priority and age, as one number that never
 * changes, so that an index holds the order. Between persons: in turns. Pure.
 */

/**
 * What a point of priority is worth: ten minutes of waiting. A job of the lowest priority (−100) is passed
 * by those of the highest (100) that come within the next 33 hours and by no later ones.
 */
const POINT_US = 10 * 60 * 1_000_000;

/**
 * The place in the person's own order: the lowest comes first. Ageing needs no clock: what counts is how much
 * later the other one was asked for.
 * @param askedUs when it was asked for, by the queue's clock
 */
export function rankOf(askedUs: number, priority: number): number {
  return askedUs - priority * POINT_US;
}

/** When a job was asked for, from its rank. */
export function askedUsOf(rank: number, priority: number): number {
  return rank + priority * POINT_US;
}

/** Ten points double or halve what a job counts as when persons take turns. */
const POINTS_PER_DOUBLING = 10;

/** How many turns a job takes: one for priority 0, a thousandth for 100, a thousand for −100. */
export function turnsOf(priority: number): number {
  return 2 ** (-priority / POINTS_PER_DOUBLING);
}

/**
 * Who is next: whose turns, with those that the next job takes, are the fewest; of equals who was served
 * longest ago. Somebody new, or back after a pause, begins where the others stand, so that nobody saves turns
 * up. (Start-time fair queueing, Goyal, Vin and Cheng 1996.) Nothing of it need survive a restart.
 */
export class Shares {
  /** Turns that those who wait have had. */
  private waiting = new Map<string, number>();
  /** Who was served, the last one last, with the turns that they had then. */
  private served = new Map<string, number>();
  /** Where whoever comes new begins. */
  private floor = 0;

  /** Says who has jobs that wait. Call it before the persons of a round are compared. */
  present(ownerIds: Iterable<string>): void {
    const waiting = new Map<string, number>();
    for (const id of ownerIds) {
      const back = Math.max(this.floor, this.served.get(id) ?? 0);
      waiting.set(id, this.waiting.get(id) ?? back);
    }
    this.waiting = waiting;
    // Who stands at the floor or below is like somebody new.
    for (const [id, turns] of this.served) {
      if (!waiting.has(id) && turns <= this.floor) this.served.delete(id);
    }
  }

  /** A copy that can go ahead: who would be next after who is next. */
  ahead(): Shares {
    const copy = new Shares();
    copy.waiting = new Map(this.waiting);
    copy.served = new Map(this.served);
    copy.floor = this.floor;
    return copy;
  }

  /** The one of these persons who is next, each with the priority of their first job; null for nobody. */
  next<T extends { ownerId: string; priority: number }>(heads: Iterable<T>): T | null {
    const order = [...this.served.keys()];
    let best: { head: T; turns: number; place: number } | null = null;
    for (const head of heads) {
      const turns = this.startOf(head) + turnsOf(head.priority);
      const place = order.indexOf(head.ownerId);
      if (best !== null && (turns > best.turns || (turns === best.turns && place >= best.place))) {
        continue;
      }
      best = { head, turns, place };
    }
    return best?.head ?? null;
  }

  /** A job of this person starts. */
  charge({ ownerId, priority }: { ownerId: string; priority: number }): void {
    const start = this.startOf({ ownerId, priority });
    this.floor = Math.max(this.floor, start);
    const turns = start + turnsOf(priority);
    if (this.waiting.has(ownerId)) this.waiting.set(ownerId, turns);
    this.served.delete(ownerId);
    this.served.set(ownerId, turns);
  }

  /** A large turn that waits is no credit for small ones: with those the person begins like somebody new. */
  private startOf({ ownerId, priority }: { ownerId: string; priority: number }): number {
    const known = this.waiting.get(ownerId) ?? this.served.get(ownerId) ?? this.floor;
    return known + turnsOf(priority) < this.floor ? this.floor : known;
  }
}
