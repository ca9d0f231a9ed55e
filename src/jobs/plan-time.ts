/**
 * How long the steps of a plan take together on a box that is free: those that need each other one after the
 * other, the rest side by side. Pure.
 */

export interface TimedStep {
  name: string;
  needs: readonly string[];
  seconds: number;
  /** Where it runs: what shares a place shares its room. */
  place: string;
  /** Of its kind side by side on that place. */
  atOnce: number;
}

interface Running {
  step: TimedStep;
  endsAt: number;
}

/** Rounding of thirds that fill a place. */
const slack = 1e-9;

/**
 * Seconds from the start of the first to the end of the last. Steps begin in the order of the plan as soon as what
 * they need is done and there is room.
 */
export function elapsedSeconds(steps: readonly TimedStep[]): number {
  const done = new Set<string>();
  let waiting = [...steps];
  let running: Running[] = [];
  let now = 0;
  while (waiting.length > 0) {
    const taken = new Map<string, number>();
    for (const { step } of running) take(taken, step);
    const begun = waiting.filter((step) => {
      const ready = step.needs.every((need) => done.has(need));
      const room = 1 - (taken.get(step.place) ?? 0) + slack;
      if (!ready || 1 / step.atOnce > room) return false;
      take(taken, step);
      return true;
    });
    waiting = waiting.filter((step) => !begun.includes(step));
    running.push(...begun.map((step) => ({ step, endsAt: now + step.seconds })));
    const next = Math.min(...running.map(({ endsAt }) => endsAt));
    // A need that no step meets would be waited for for ever: a plan has none, and an estimate may say so.
    if (!Number.isFinite(next)) break;
    now = next;
    for (const { step } of running.filter(({ endsAt }) => endsAt <= now)) done.add(step.name);
    running = running.filter(({ endsAt }) => endsAt > now);
  }
  return Math.max(now, ...running.map(({ endsAt }) => endsAt));
}

function take(taken: Map<string, number>, { place, atOnce }: TimedStep): void {
  taken.set(place, (taken.get(place) ?? 0) + 1 / atOnce);
}
