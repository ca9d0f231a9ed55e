/**
 * Writes docs/devices.md from the faults that tests/engine/faults.test.ts makes happen, and from what
 * Kinomill says of each:  bun script/devices-doc.ts
 */
import { join, resolve } from "node:path";
import type { Toolchain } from "../src/media/devices.ts";
import type { RunOutcome } from "../src/media/ffmpeg.ts";
import { type GpuFault, gpuFaultOf, type Reaction } from "../src/media/gpu-fault.ts";
import { type Ending, type FaultCase, releases } from "../tests/engine/fault-case.ts";
import { faultGroups } from "../tests/engine/fault-cases.ts";

export const pagePath = join(resolve(import.meta.dir, ".."), "docs/devices.md");

const newest = releases[releases.length - 1] ?? releases[0];

const toolchain: Toolchain = {
  ...{ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe", version: newest.version },
  release: { major: newest.major, minor: 0 },
  ...{ encoders: new Set<string>(), decoders: new Set<string>() },
  ...{ filters: new Set<string>(), hwaccels: new Set<string>() },
};

/** What Kinomill makes of a case by the words that ffmpeg is promised to print. */
export function documentedFault(each: FaultCase): GpuFault | null {
  const ending = releases.map(({ major }) => each.ends[major]).find((end) => end !== "well");
  const words = each.example === undefined ? each.says : [each.example];
  const stderr = words.map((text) => `[ffmpeg @ 0x0] ${text}`).join("\n");
  return gpuFaultOf(outcomeOf(ending ?? 1, stderr), {
    placement: each.placement,
    device: { id: "gpu:0", kind: "gpu", title: each.title ?? "NVIDIA L4", slots: 1 },
    toolchain,
    memoryFreeBytes: each.memoryFreeBytes ?? null,
  });
}

function outcomeOf(ending: Ending, stderr: string): Exclude<RunOutcome, { kind: "aborted" }> {
  if (typeof ending === "number") return { kind: "exited", code: ending, stderr, progress: null };
  if (ending === "stalled" || ending === "time_limit") return { kind: ending, stderr };
  return { kind: "signalled", signal: ending, stderr };
}

/** The reactions in the words of the page. */
const next: Record<Reaction, { title: string; what: string }> = {
  later: {
    title: "waits",
    what: "The job is tried again a few times within half a minute, then the CPU does it. The GPU stays in service.",
  },
  "cpu-decode": {
    title: "same GPU, less of it",
    what: "The job runs again on the same GPU; the part that failed, decoding or filters, is done by the CPU. NVENC still encodes.",
  },
  "other-gpu": {
    title: "another GPU",
    what: "This GPU is built without what the job needs. It stays in service; another GPU that has it takes the job, or else the CPU.",
  },
  cpu: {
    title: "the CPU",
    what: "No NVIDIA GPU does what the job asks for. The CPU does it.",
  },
  "device-out": {
    title: "GPU out of service",
    what: "The GPU gets no further job until a test on it succeeds; that is tried again without anybody's doing, after a while and then ever more rarely. The job goes to another GPU, or to the CPU.",
  },
};

const intro = `# When a GPU does not do what it should

This page is made by \`bun script/devices-doc.ts\` from the cases of \`tests/engine/fault-cases.ts\`. Each of them
is made to happen to a real ffmpeg on an emulated GPU ([how](../tests/gpu-emulator/README.md)), and a test
fails when this page says something else than what was seen.

A fault of a GPU costs time, not the job. When ffmpeg fails on a GPU, Kinomill looks at three things: why it
ended (by itself, by a signal, because it stood still), its exit code, and what it printed. Out of these come
a name, one sentence for the job, what a person can do, and what happens next:

`;

const middle = `
The fault is written on the attempt, so that a job that ended elsewhere says so and why. The next job starts
with the GPU again, unless the GPU is out of service. When the GPU is not to blame, the job fails as it would
on the CPU, with its own words, and no other device is tried.

Out of service is a GPU, never a kind of work: a GPU that lost its encoder comes back for decoding when the
test shows that it still does that. \`kinomill doctor\` and the page of the system say which GPU is out, why,
and what to type.

Exit code 0 is not believed either:

- ffmpeg 7.1 ends with exit code 0 when NVDEC breaks off and it was not told to stop at errors; the output
  has only the first pictures. Kinomill tells it to stop (\`-xerror\`), reads what it printed even after exit
  code 0, and compares the length of every output with what it should be.
- An output made on a GPU that does not stand up to that check is made again on the CPU (\`output-rejected\`:
  "What it made was not as it should be."). Only when the CPU's output is no better, the source is to blame.

## What was seen

The numbers are the exit codes of ffmpeg ${releases.map(({ version, debian }) => `${version} (${debian})`).join(", ")}.
\`script/test\` runs all cases with the ffmpeg of the machine that it runs on; \`script/test --full\` runs them
with those of Debian 13 and Debian sid too. "Well" means that this release manages; "stopped" that Kinomill
ended it, because it stood still or its time was up. The texts inside the driver are the emulator's; what
ffmpeg makes of them is real.
`;

/** The page as it should be. */
export function devicesPage(): string {
  const reactions = table(
    ["next", "what it means"],
    Object.values(next).map(({ title, what }) => [title, what]),
  );
  return `${intro}${reactions}${middle}${faultGroups.map(section).join("")}`;
}

function section({ title, cases }: (typeof faultGroups)[number]): string {
  const happenings = table(
    ["what happens", ...releases.map(({ version }) => `ffmpeg ${shortOf(version)}`), "fault"],
    cases.map((each) => [
      each.what,
      ...releases.map(({ major }) => endingWords(each.ends[major])),
      each.fault === null ? "–" : `\`${each.fault.name}\``,
    ]),
  );
  return `\n### ${title}\n\n${happenings}${faultsOf(cases)}`;
}

/** What is said and done, each fault once, even where its sentence depends on the case. */
function faultsOf(cases: FaultCase[]): string {
  const faults = cases.flatMap((each) => documentedFault(each) ?? []);
  if (faults.length === 0) return "\nThe job fails with its own words; no other device is tried.\n";
  const rows = faults.map(({ name, reaction, sentence, remedy }) => [
    `\`${name}\``,
    next[reaction].title,
    sentence,
    remedy ?? "–",
  ]);
  const once = new Map(rows.map((row) => [row.join(" "), row]));
  const byName = Map.groupBy(once.values(), ([name]) => name);
  const head = ["fault", "next", "what the job says", "what you can do"];
  return `\n${table(head, [...byName.values()].flat())}`;
}

function endingWords(ending: Ending): string {
  if (ending === "stalled" || ending === "time_limit") return "stopped";
  return String(ending);
}

/** "5.1" */
function shortOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

/** With its columns in line, as the formatter wants it. */
function table(head: string[], rows: string[][]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return cells.map(line).toSpliced(1, 0, rule).join("");
}

if (import.meta.main) await Bun.write(pagePath, devicesPage());
