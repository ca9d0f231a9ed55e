/** Sizes and lengths as sentences of refusals and titles say them. Pure. */

/** "3 min 20 s" */
export function lengthWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (whole < 3600) return `${minutes} min${whole % 60 === 0 ? "" : ` ${whole % 60} s`}`;
  return `${Math.floor(whole / 3600)} h ${minutes % 60} min`;
}

/** "25 MB" */
export function bytesWords(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${Math.round(bytes / 1e4) / 100} MB`;
}
