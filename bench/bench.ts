/**
 * Runs the benchmarks and prints their figures, each next to what it is compared with.
 * Usage: bench [--quick] [--write] [NAME …]; `--write` puts the table into bench/RESULTS.md.
 */
import { cpus, release, totalmem } from "node:os";
import { resolve } from "node:path";
import { chunks } from "./chunks.ts";
import { cutting } from "./cutting.ts";
import { download } from "./download.ts";
import { type Benchmark, type Figure, reached, table } from "./figure.ts";
import { gpu } from "./gpu.ts";
import { handbrake } from "./handbrake.ts";
import { job } from "./job.ts";
import { latency } from "./latency.ts";
import { library } from "./library.ts";
import { operations } from "./operations.ts";
import { queue } from "./queue.ts";
import { queueScale } from "./queue-scale.ts";
import { reads } from "./reads.ts";
import { reframing } from "./reframing.ts";
import { remux } from "./remux.ts";
import { renditions } from "./renditions.ts";
import { start } from "./start.ts";
import { stills } from "./stills.ts";
import { upload } from "./upload.ts";

const benchmarks: Record<string, Benchmark> = {
  start,
  reads,
  upload,
  download,
  library,
  latency,
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
};

const words = process.argv.slice(2);
const flags = words.filter((word) => word.startsWith("--"));
const names = words.filter((word) => !word.startsWith("--"));
const unknown = [
  ...flags.filter((flag) => !["--quick", "--write"].includes(flag)),
  ...names.filter((name) => benchmarks[name] === undefined),
];
if (unknown.length > 0) {
  console.error(`bench: unknown: ${unknown.join(" ")}. There are --quick, --write and`);
  console.error(`  ${Object.keys(benchmarks).join(" ")}`);
  process.exit(2);
}
const quick = flags.includes("--quick");
const figures: Figure[] = [];
for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
  console.error(`bench: ${name} …`);
  try {
    const found = (await benchmarks[name]?.({ quick })) ?? [];
    figures.push(...found);
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

if (flags.includes("--write")) {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "CPU"}, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}`;
  const text = `# Figures

Made by \`script/bench --write\` on ${new Date().toISOString().slice(0, 10)}, ${machine}, Bun ${Bun.version}.
Ratios are ours ÷ the other's, medians of runs in turn on the same machine. They travel better than the figures: another
machine has other milliseconds.

${result}
`;
  await Bun.write(resolve(import.meta.dir, "RESULTS.md"), text);
}
