/** How far an output's length may be from what was expected. Pure. */

/** A second for clips cut at keyframes would be too wide, a frame too narrow for audio padding. */
export function durationToleranceSeconds(expectedSeconds: number): number {
  return Math.max(0.5, expectedSeconds * 0.01);
}
