/** What becomes of a step's place and time while it must not run. */
import type { Rest } from "../media/pause.ts";
import type { Wait } from "./dispatch.ts";
import type { Reservation, Slots } from "./slots.ts";

/** Why a step of a paused job does not begin. */
export const pausedWait: Wait = { kind: "busy", sentence: "The job is paused." };

/**
 * What a paused job does not use meanwhile is others'.
 * @param changed called when a place may be free
 * @returns what ends it
 */
export function lendWhilePaused(
  rest: Rest | undefined,
  reservation: Reservation,
  slots: Pick<Slots, "lend" | "takeBack">,
  changed: () => void,
): () => void {
  const unfollow = rest?.follow((paused) => {
    if (paused) slots.lend(reservation);
    else slots.takeBack(reservation);
    changed();
  });
  return unfollow ?? (() => {});
}

/**
 * Until something is free or the time is over; false when it was aborted.
 * @param onFree has a function called when something is free; returns what ends that
 */
export async function waitAWhile(
  signal: AbortSignal,
  limitMs: number,
  onFree: (look: () => void) => () => void,
): Promise<boolean> {
  if (signal.aborted) return false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  const end = onFree(resolve);
  const stop = () => resolve();
  signal.addEventListener("abort", stop, { once: true });
  await promise;
  signal.removeEventListener("abort", stop);
  clearTimeout(timer);
  end();
  return !signal.aborted;
}
