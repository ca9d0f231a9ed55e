/** Times as people read them in reports. */

/** "0:01:02.345" */
export function clockText(seconds: number): string {
  const ms = Math.round(Math.abs(seconds) * 1000);
  const part = (value: number, digits = 2) => String(value).padStart(digits, "0");
  const [hours, minutes, rest] = [
    Math.floor(ms / 3_600_000),
    Math.floor(ms / 60_000) % 60,
    Math.floor(ms / 1000) % 60,
  ];
  const sign = seconds < 0 && ms > 0 ? "−" : "";
  return `${sign}${hours}:${part(minutes)}:${part(rest)}.${part(ms % 1000, 3)}`;
}

export function spanText(from: number | null, to: number | null): string {
  if (from === null || to === null) return "without times";
  return `from ${clockText(from)} to ${clockText(to)}`;
}
