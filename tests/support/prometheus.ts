/** Reads Prometheus's text format strictly: what it does not understand is an error of the test. */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export function samplesOf(text: string): Sample[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(sampleOf);
}

function sampleOf(line: string): Sample {
  const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (found === null) throw new Error(`no sample: ${line}`);
  const [, name = "", inside = "", value = ""] = found;
  const labels: Record<string, string> = {};
  const pairs = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;
  while (pairs.lastIndex < inside.length) {
    const pair = pairs.exec(inside);
    if (pair === null) throw new Error(`no labels: ${line}`);
    labels[pair[1] ?? ""] = pair[2] ?? "";
  }
  const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
  if (Number.isNaN(number)) throw new Error(`no value: ${line}`);
  return { name, labels, value: number };
}
