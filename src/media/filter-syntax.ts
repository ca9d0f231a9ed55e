/** One filter in ffmpeg's syntax, with both levels of escaping: the only place that writes it. */
import { assert } from "../trouble.ts";

/** One filter in ffmpeg's words, before escaping. */
export interface NativeFilter {
  name: string;
  options: [key: string, value: string | number][];
}

/** Options that are undefined are left out. */
export function native(
  name: string,
  options: Record<string, string | number | undefined> = {},
): NativeFilter {
  const given = Object.entries(options).filter((pair) => pair[1] !== undefined);
  return { name, options: given as [string, string | number][] };
}

/** ffmpeg's way to give one filter of a graph a name of its own. */
export function nameOf(native: string, { name }: { name?: string }): string {
  if (name === undefined) return native;
  assert(/^[a-z][a-z0-9]{0,15}$/.test(name), `the name ${name} of a filter is plain`);
  return `${native}@${name}`;
}

/** One filter with its options, escaped for both levels of the graph's syntax. */
export function renderFilter({ name, options }: NativeFilter): string {
  if (options.length === 0) return name;
  const pairs = options.map(([key, value]) => {
    const text = typeof value === "number" ? decimal(value) : value;
    return `${key}=${escapeValue(text)}`;
  });
  return `${name}=${pairs.join(":")}`;
}

/**
 * A value inside a filter inside a graph. ffmpeg unescapes twice with `av_get_token`: the graph parser
 * ends a token at `[ ] , ;`, then the option parser at `:`; both know `\` and `'`, and both trim
 * unescaped white space at the ends (ffmpeg-utils, "Quoting and escaping"; ffmpeg-filters, "Notes on
 * filtergraph escaping").
 */
export function escapeValue(value: string): string {
  assert(!value.includes("\0"), "a filter value has no NUL");
  const option = value.replace(/[\\':\s]/g, "\\$&");
  return option.replace(/[\\',;[\]\s]/g, "\\$&");
}

/** Larger numbers have no place in a filter, and `toFixed` would write them with an exponent. */
const largest = 1e15;

/**
 * A number without an exponent, which ffmpeg does not read everywhere.
 * @param digits after the point: six, for microseconds are ffmpeg's own unit of time
 */
export function decimal(value: number, digits = 6): string {
  assert(Number.isFinite(value) && Math.abs(value) < largest, `${value} is a plain number`);
  const text = value.toFixed(digits).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

/** A time, in seconds. */
export function seconds(value: number): string {
  assert(value >= 0, `${value} is a time`);
  return decimal(value);
}

/** From a time until before another, as ffmpeg's filters are switched on and off. */
export function within(fromSeconds: number, toSeconds: number | null): string {
  const from = `gte(t,${decimal(fromSeconds)})`;
  return toSeconds === null ? from : `${from}*lt(t,${decimal(toSeconds)})`;
}
