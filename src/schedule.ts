/** When something that comes again is due: never, every so many hours, or by a cron expression in the time of this box. */
import { Cron } from "croner";

const HOUR_MS = 3_600_000;

/** Hours in words: "6h". A year is as good as never. */
const hoursForm = /^(\d{1,4})h$/;
const HOURS_MAX = 8_760;

/** Moments of a cron expression that are looked at to find its longest pause: a week of hours, and more. */
const MOMENTS = 200;

export interface Schedule {
  /** The moment at which the next is due, where the last was at `newestMs` (null: there was none); null for never. */
  nextMs(newestMs: number | null, nowMs: number): number | null;
  /** The longest time between two of them, in milliseconds; null when there are none. */
  intervalMs(): number | null;
}

/** Null when the words are no schedule; `scheduleFault` says what they must be. */
export function parseSchedule(words: string): Schedule | null {
  if (words === "off") return { nextMs: () => null, intervalMs: () => null };
  const hours = Number(hoursForm.exec(words)?.[1] ?? Number.NaN);
  if (hours >= 1 && hours <= HOURS_MAX) return everyHours(hours);
  try {
    return byCron(new Cron(words, { paused: true, mode: "5-part" }));
  } catch {
    return null;
  }
}

export const scheduleFault =
  'must be "off", a number of hours like "6h", or five fields of cron like "15 3 * * *"';

function everyHours(hours: number): Schedule {
  const intervalMs = hours * HOUR_MS;
  return {
    intervalMs: () => intervalMs,
    nextMs: (newestMs, nowMs) => (newestMs === null ? nowMs : newestMs + intervalMs),
  };
}

function byCron(cron: Cron): Schedule {
  let pauseMs: number | null | undefined;
  return {
    intervalMs: () => {
      if (pauseMs === undefined) pauseMs = longestPause(cron);
      return pauseMs;
    },
    // A moment that passed while the server was off is made up for.
    nextMs: (newestMs, nowMs) => cron.nextRun(new Date(newestMs ?? nowMs))?.getTime() ?? null,
  };
}

function longestPause(cron: Cron): number | null {
  const moments = cron.nextRuns(MOMENTS).map((moment) => moment.getTime());
  const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] ?? moment));
  return pauses.length === 0 ? null : Math.max(...pauses);
}
