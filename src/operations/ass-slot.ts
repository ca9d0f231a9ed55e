/** Where in an ASS file an item stands, and how it comes and goes. Pure. */

/** Where in the file an item stands. */
export interface Slot {
  /** Its own, and the one above it. */
  layer: number;
  style: string;
  fromSeconds: number;
  toSeconds: number;
  /** False when nobody knows when the end comes. */
  fadesOut: boolean;
}

/** @param startSeconds of the line that has the tags: it may be one of several for an item */
export function fadeTags(
  fadeSeconds: number,
  { fromSeconds, toSeconds, fadesOut }: Slot,
  startSeconds: number,
): string {
  if (fadeSeconds === 0) return "";
  const ms = (seconds: number) => Math.round((seconds - startSeconds) * 1000);
  const end = ms(toSeconds);
  const into = [ms(fromSeconds), ms(fromSeconds + fadeSeconds)];
  const out = fadesOut ? [ms(toSeconds - fadeSeconds), end] : [end, end + 1];
  return `\\fade(255,0,255,${[...into, ...out].join(",")})`;
}
