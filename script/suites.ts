/**
 * Runs every suite of `script/test`, one after another and whatever the one before said, and prints the
 * sum as the last line. A check without tests of its own (formatting, types …) counts as one test.
 */
import { mkdir, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { withSecondRuns } from "./crashed.ts";
import { type Outcome, parseJunit, type Report, summaryLine } from "./junit.ts";
import { completeTimings, filesOfTests } from "./timings.ts";

interface Suite {
  name: string;
  argv: string[];
  /** Arguments that make it say in a JUnit file what it ran; null when it is a check without tests. */
  reportTo: ((file: string) => string[]) | null;
  /** Files of tests that it runs beside each other; absent where they run in one process. */
  files?: string[];
  /** Where it may take longer than the others. */
  limitMs?: number;
}

/** A suite that takes longer hangs: the slowest takes a quarter of an hour on two quiet cores, three times that on slow ones. */
const SUITE_LIMIT_MS = 75 * 60_000;

/** One file of tests by itself. */
const FILE_LIMIT_MS = 15 * 60_000;

const full = process.argv.includes("--full");
const unknown = process.argv.slice(2).filter((argument) => argument !== "--full");
if (unknown.length > 0) {
  console.error(`script/test: unknown argument ${unknown.join(" ")}; the only one is --full`);
  process.exit(2);
}

const root = resolve(import.meta.dir, "..");

/** The limit of one test; Bun's own of 5 s is short for ffmpeg on two busy cores. */
const testLimit = "--timeout=60000";

const check = (name: string, ...argv: string[]): Suite => ({ name, argv, reportTo: null });

const junit = (file: string) => ["--reporter=junit", `--reporter-outfile=${file}`];

const folder = await mkdtemp(join(tmpdir(), "kinomill-test-"));
await mkdir(join(folder, "shared"));

/** What took how long: written by `bun test --parallel --timings=script/test-timings.json --update-timings FOLDER…`. */
const timings = join(folder, "timings.json");
const folders = ["src", "views", "static", "script", "bench", "tests"];
await completeTimings(root, "script/test-timings.json", folders, timings);

/**
 * Each file in a process of its own, as many at a time as there are cores, the slowest first. One more at a time won a
 * minute and had films that are looked at within seconds take five times as long.
 */
const inParallel = [`--parallel=${availableParallelism()}`, `--timings=${timings}`];

/** All of some folders, but for what stands in another suite. */
const tests = (name: string, folders: string[], except?: string): Suite => ({
  name,
  argv: [
    ...["bun", "test", testLimit, ...inParallel, ...folders.map((folder) => `./${folder}`)],
    ...(except === undefined ? [] : [`--path-ignore-patterns=${except}/**`]),
  ],
  reportTo: junit,
  files: filesOfTests(root, folders).filter((file) => !file.startsWith(`${except}/`)),
});
/** One file after another. */
const testsInTurn = (name: string, ...what: string[]): Suite => ({
  name,
  argv: ["bun", "test", testLimit, ...what],
  reportTo: junit,
});
/** Tests on another Debian: its options stand before the release, what is for `bun test` behind it. */
const onDebian = (name: string, release: string, ...script: string[]): Suite => ({
  name,
  argv: script,
  reportTo: (file) => [`--report=${file}`, release, testLimit],
});
/** What the unit tests and the whole-product tests say of the engine, on another ffmpeg. */
const engineTests = (name: string, release: "trixie" | "sid"): Suite =>
  onDebian(name, release, "script/engine-chroot");
/** The long form of the service's life, on another systemd. */
const serviceTests = (name: string, release: "trixie"): Suite =>
  onDebian(name, release, "env", "KINOMILL_TEST_EVERYTHING=1", "script/debian-machine");

/** The long form of tests that the usual run makes short: all files, all sources, many faults. */
const longForm = (name: string, hours: number, ...what: string[]): Suite => {
  const { argv, ...suite } = testsInTurn(name, ...what);
  return {
    ...suite,
    argv: ["env", "KINOMILL_TEST_EVERYTHING=1", ...argv],
    limitMs: hours * 3_600_000,
  };
};

const suites: Suite[] = [
  check("formatting", "node_modules/.bin/biome", "format"),
  check("lint", "node_modules/.bin/biome", "lint", "--error-on-warnings"),
  check("types", "node_modules/.bin/tsc", "--noEmit"),
  check(
    "shell scripts",
    "bash",
    "-c",
    "shellcheck install.sh script/{bench,bootstrap,build,debian-root,demo,engine-chroot,pull-the-plug,release,same-build,screenshots,debian-machine,test,try-arm64} tests/gpu-emulator/{build,selftest} tests/systemd/box .ci/run",
  ),
  check("build", "script/build"),
  tests("unit tests", ["src", "views", "static", "script", "bench"]),
  tests("whole-product tests", ["tests"], "tests/systemd"),
  // Its machines would wait for each other, and beside the other tests those run into their limits.
  testsInTurn("the service", "./tests/systemd"),
  check("the demo", "script/demo", "--once"),
  check("the pulled plug", "script/pull-the-plug", "--quick"),
];

const fullSuites: Suite[] = [
  engineTests("engine on ffmpeg 7.1 (Debian 13)", "trixie"),
  engineTests("engine on ffmpeg 9.0 (Debian sid)", "sid"),
  serviceTests("the service on systemd 257 (Debian 13)", "trixie"),
  longForm("every hostile file", 1, "./tests/hostile"),
  longForm("operations × sources", 2, "./tests/operations/matrix"),
  longForm(
    "chunks and ladders of every codec",
    2,
    ...["chunks", "chunk-joins", "ladder"].map((name) => `./tests/operations/${name}.test.ts`),
  ),
  longForm(
    "every fault many times",
    12,
    ...[
      "./tests/faults",
      "./tests/systemd",
      "./src/database/crash.test.ts",
      "./src/http/job-flood.test.ts",
      "./src/http/zip.test.ts",
    ],
    "./tests/uploads.test.ts",
  ),
  check("the same build from another folder", "script/same-build"),
  check("benchmarks", "script/bench", "--quick"),
];

/** Runs a command with the run's temporary folder as TMPDIR; what all of them make once is shared there. */
function command(argv: string[], limitMs: number): Promise<number> {
  return Bun.spawn(argv, {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, SHARED_TMPDIR: join(folder, "shared") },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: limitMs,
    killSignal: "SIGKILL",
  }).exited;
}

/** A file of tests whose process ended before it did, once more and by itself. */
async function runFile(file: string): Promise<{ exitCode: number; report: Report }> {
  const report = join(folder, "second-run.xml");
  await rm(report, { force: true });
  const argv = ["bun", "test", testLimit, `./${file}`, ...junit(report)];
  const exitCode = await command(argv, FILE_LIMIT_MS);
  return { exitCode, report: parseJunit(await readFile(report, "utf8").catch(() => "")) };
}

/** Runs one suite, and what a crash left of it. */
async function run(suite: Suite): Promise<Outcome> {
  const report = join(folder, `${suite.name.replaceAll(" ", "-")}.xml`);
  const argv = [...suite.argv, ...(suite.reportTo?.(report) ?? [])];
  process.stdout.write(`\n── ${suite.name}: ${argv.join(" ")}\n`);
  const started = performance.now();
  const exitCode = await command(argv, suite.limitMs ?? SUITE_LIMIT_MS);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`── ${suite.name}: exit code ${exitCode} after ${seconds} s\n`);
  const whole = {
    passed: exitCode === 0 ? 1 : 0,
    failures: exitCode === 0 ? [] : [suite.name],
    skipped: [],
  };
  if (suite.reportTo === null) return whole;
  const first = parseJunit(await readFile(report, "utf8").catch(() => ""));
  const outcome = await withSecondRuns(first, suite.files ?? [], runFile);
  // No report, or a bad exit without a failed test: a file that does not load, an error between tests.
  const explained = exitCode === 0 || first.crashed.size > 0;
  const told = outcome.failures.length > 0 || (explained && outcome.passed > 0);
  if (!told) outcome.failures.push(`${suite.name}: exit code ${exitCode}, see its output`);
  return outcome;
}

/** What the tests left running: their processes name the run's folder or the built executable. */
async function leftovers(folder: string): Promise<string[]> {
  const executable = join(root, "dist/kinomill");
  const left: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    const program = await readlink(`/proc/${pid}/exe`).catch(() => "");
    const ours = [commandLine, cwd].some((text) => text.includes(folder));
    if (Number(pid) !== process.pid && (ours || program.startsWith(executable))) {
      left.push(`${pid} ${commandLine.replaceAll("\0", " ").slice(0, 200)}`);
    }
  }
  return left;
}

const total: Outcome = { passed: 0, failures: [], skipped: [] };
for (const suite of full ? [...suites, ...fullSuites] : suites) {
  const outcome = await run(suite);
  total.passed += outcome.passed;
  total.failures.push(...outcome.failures);
  total.skipped.push(...outcome.skipped);
}
const left = await leftovers(folder);
if (left.length === 0) total.passed += 1;
else total.failures.push(`no process is left behind: ${left.join("; ")}`);
await rm(folder, { recursive: true, force: true });

console.log("");
for (const name of total.failures) console.log(`failed: ${name}`);
for (const name of total.skipped) console.log(`skipped: ${name}`);
console.log(summaryLine(total));
process.exit(total.failures.length > 0 || total.passed === 0 ? 1 : 0);
