/**
 * Two programs that do the same, run in turn: A B A B. What is compared are pairs that ran one after the other, so
 * that a machine which becomes busier counts for both.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpegSettings } from "../src/config-work.ts";
import { executable } from "../tests/appliance.ts";
import { type Figure, median } from "./figure.ts";

export interface Spent {
  wallSeconds: number;
  /** User and system, of the program and of all that it waited for. */
  cpuSeconds: number;
}

/** An hour of film may be copied; nothing else takes as long. */
const LIMIT_MS = 1_200_000;

/** Runs a program to its end, which must be a good one. */
export async function spent(
  argv: string[],
  cwd = tmpdir(),
  environment: Record<string, string> = {},
): Promise<Spent> {
  const started = performance.now();
  const child = Bun.spawn(argv, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: LIMIT_MS,
  });
  const said = await new Response(child.stderr).text();
  const code = await child.exited;
  const wallSeconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}:\n${said.slice(-2000)}`);
  return { wallSeconds, cpuSeconds: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6 };
}

/** One after another, as one figure. */
export async function inRow(lines: string[][], cwd?: string): Promise<Spent> {
  const sum: Spent = { wallSeconds: 0, cpuSeconds: 0 };
  for (const line of lines) {
    const one = await spent(line, cwd);
    sum.wallSeconds += one.wallSeconds;
    sum.cpuSeconds += one.cpuSeconds;
  }
  return sum;
}

/** `kinomill run` without a server, into a folder that is gone afterwards. */
export async function kinomillRun(
  operation: string,
  inputs: string[],
  params: unknown,
  output: string,
  environment: Record<string, string> = {},
): Promise<Spent> {
  const folder = mkdtempSync(join(tmpdir(), "run-"));
  try {
    const file = join(folder, "params.json");
    await Bun.write(file, JSON.stringify(params));
    const argv = ["run", operation, ...inputs, "-o", join(folder, output), "--params", file];
    return await spent([executable, ...argv, "--device", "cpu"], folder, environment);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Kinomill's ffmpeg gives way to everything else on the machine. Where something else runs, a line that does not would
 * get nine times its share of the processor, and the figure would tell that alone.
 */
const { niceness } = ffmpegSettings.parse({});

/** Lines of ffmpeg, at the niceness of ours, in a folder that is gone afterwards. */
export async function byHand(lines: string[][]): Promise<Spent> {
  const folder = mkdtempSync(join(tmpdir(), "hand-"));
  try {
    return await inRow(
      lines.map((line) => [
        ...["nice", "-n", String(niceness), "ffmpeg", "-nostdin", "-v", "error", "-y"],
        ...line,
      ]),
      folder,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Pairs {
  ours: Spent[];
  other: Spent[];
}

/** Without the first pair of several, which finds caches cold. */
export async function pairs(
  rounds: number,
  ours: () => Promise<Spent>,
  other: () => Promise<Spent>,
): Promise<Pairs> {
  const found: Pairs = { ours: [], other: [] };
  for (let round = 0; round < rounds; round += 1) {
    found.ours.push(await ours());
    found.other.push(await other());
  }
  if (rounds < 3) return found;
  return { ours: found.ours.slice(1), other: found.other.slice(1) };
}

export type Side = "wallSeconds" | "cpuSeconds";

/** The median of the ratios of pairs. */
export function ratioOf({ ours, other }: Pairs, side: Side): number {
  return median(ours.map((one, index) => one[side] / (other[index]?.[side] ?? Number.NaN)));
}

/** What ours takes beyond the other: the median of the differences of pairs, in seconds. */
export function beyond({ ours, other }: Pairs, side: Side): number {
  return median(ours.map((one, index) => one[side] - (other[index]?.[side] ?? Number.NaN)));
}

/** A figure by the clock or by CPU time, next to what it is compared with. */
export function pairFigure(
  what: string,
  found: Pairs,
  side: Side,
  compared: { with: string; target: Figure["target"] },
): Figure {
  const shown = (all: Spent[]) => `${median(all.map((one) => one[side])).toFixed(2)} s`;
  return {
    what: `${what}, by ${side === "wallSeconds" ? "the clock" : "CPU time"}`,
    ours: shown(found.ours),
    other: `${shown(found.other)}, ${compared.with}`,
    value: ratioOf(found, side),
    target: compared.target,
  };
}
