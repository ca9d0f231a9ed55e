/**
 * Runs the benchmarks and prints their figures, each next to what it is compared with.
 * Usage: bench [--quick|--once] [--seconds=N] [--write] [NAME …]; `--once` measures one pair of 20 s where many of a minute
 * are usual, `--seconds` takes films of another length, `--write` puts the tables into bench/RESULTS.md.
 */
import { cpus, release, totalmem } from "node:os";
import { resolve } from "node:path";
import { backup } from "./backup.ts";
import { chunks } from "./chunks.ts";
import { cutting } from "./cutting.ts";
import { download } from "./download.ts";
import { type Benchmark, type Figure, reached, table } from "./figure.ts";
import { gpu } from "./gpu.ts";
import { handbrake } from "./handbrake.ts";
import { job } from "./job.ts";
import { jobPages } from "./job-pages.ts";
import { latency } from "./latency.ts";
import { library } from "./library.ts";
import { metrics } from "./metrics.ts";
import { operations } from "./operations.ts";
import { pageStreams } from "./page-streams.ts";
import { pages } from "./pages.ts";
import { queue } from "./queue.ts";
import { queueScale } from "./queue-scale.ts";
import { ranges } from "./ranges.ts";
import { reads } from "./reads.ts";
import { ready } from "./ready.ts";
import { reframing } from "./reframing.ts";
import { remux } from "./remux.ts";
import { renditions } from "./renditions.ts";
import { withSections } from "./results.ts";
import { s3 } from "./s3.ts";
import { start } from "./start.ts";
import { stills } from "./stills.ts";
import { tus, tusBucket } from "./tus.ts";
import { upload } from "./upload.ts";

const benchmarks: Record<string, Benchmark> = {
  start,
  ready,
  reads,
  upload,
  tus,
  "tus-bucket": tusBucket,
  download,
  ranges,
  "job-pages": jobPages,
  library,
  pages,
  "page-streams": pageStreams,
  latency,
  metrics,
  gpu,
  queue,
  "queue-scale": queueScale,
  job,
  operations,
  chunks,
  cutting,
  stills,
  reframing,
  remux,
  handbrake,
  renditions,
  backup,
  s3,
};

const words = process.argv.slice(2);
const flags = words.filter((word) => word.startsWith("--"));
const names = words.filter((word) => !word.startsWith("--"));
const secondsFlag = /^--seconds=([1-9]\d{0,3})$/;
const known = (flag: string) =>
  ["--quick", "--once", "--write"].includes(flag) || secondsFlag.test(flag);
const unknown = [
  ...flags.filter((flag) => !known(flag)),
  ...names.filter((name) => benchmarks[name] === undefined),
];
if (unknown.length > 0) {
  console.error(
    `bench: unknown: ${unknown.join(" ")}. There are --quick, --once, --seconds=N, --write and`,
  );
  console.error(`  ${Object.keys(benchmarks).join(" ")}`);
  process.exit(2);
}
const lengths = flags.flatMap((flag) => secondsFlag.exec(flag)?.[1] ?? []);
const extent = {
  quick: flags.includes("--quick"),
  once: flags.includes("--once"),
  seconds: lengths.length === 0 ? null : Number(lengths.at(-1)),
};
const day = new Date().toISOString().slice(0, 10);
const figures: Figure[] = [];
for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
  console.error(`bench: ${name} …`);
  try {
    const found = (await benchmarks[name]?.(extent)) ?? [];
    figures.push(...found);
    const how = flags.filter((flag) => flag !== "--write").map((flag) => ` with \`${flag}\``);
    await keep(name, `Measured on ${day}${how.join("")}.\n\n${table(found)}`);
    // What was measured is seen also when a later one takes too long.
    console.error(table(found));
  } catch (cause) {
    console.error(`bench: ${name} could not be measured: ${String(cause)}`);
    process.exitCode = 1;
  }
}
const result = table(figures);
console.log(result);
const missed = figures.filter((figure) => reached(figure) === false);
console.log(`\n${figures.length} figures, ${missed.length} targets missed`);

/** At once, so that what was measured is kept also when a later one takes too long. */
async function keep(name: string, section: string): Promise<void> {
  if (!flags.includes("--write")) return;
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "CPU"}, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}`;
  const path = resolve(import.meta.dir, "RESULTS.md");
  const text = withSections(
    await Bun.file(path).text(),
    new Map([[name, section]]),
    `${machine}, Bun ${Bun.version}`,
  );
  await Bun.write(path, text);
}
