import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withSecondRuns } from "./crashed.ts";
import { parseJunit, type Report } from "./junit.ts";

/** A file that kills its own process in the middle, the first time. */
const accident = (signal: string, marker: string) => `
import { existsSync, writeFileSync } from "node:fs";
import { test } from "bun:test";
test("begins", () => {});
test("goes on", async () => {
  if (existsSync("${marker}")) return;
  writeFileSync("${marker}", "");
  process.kill(process.pid, "${signal}");
  await Bun.sleep(5_000);
});
test("ends", () => {});`;

async function runOf(
  folder: string,
  ...argv: string[]
): Promise<{ exitCode: number; report: Report }> {
  const file = join(folder, `report-${argv.length}.xml`);
  const command = [
    process.execPath,
    "test",
    ...argv,
    "--reporter=junit",
    `--reporter-outfile=${file}`,
  ];
  const stdio = ["ignore", "ignore", "ignore"] as ["ignore", "ignore", "ignore"];
  const exitCode = await Bun.spawn(command, { cwd: folder, stdio, timeout: 20_000 }).exited;
  const xml = await Bun.file(file)
    .text()
    .catch(() => "");
  return { exitCode, report: parseJunit(xml) };
}

// A segmentation fault ends the whole call of Bun, with files that were still to come.
test.each(["SIGKILL", "SIGSEGV"])(
  "%s of the process of a file has it run again, and what was left out too",
  async (signal) => {
    const folder = await mkdtemp(join(tmpdir(), "crashed-"));
    const files = ["a.test.ts", "b.test.ts", "c.test.ts", "d.test.ts", "e.test.ts"];
    for (const name of files) {
      await Bun.write(join(folder, name), `import { test } from "bun:test"; test("is", () => {});`);
    }
    await Bun.write(join(folder, "c.test.ts"), accident(signal, join(folder, "marker")));
    const first = await runOf(folder, "--parallel=2");
    expect([...first.report.crashed]).toEqual(["c.test.ts"]);
    const again: string[] = [];
    const outcome = await withSecondRuns(first.report, files, async (file) => {
      again.push(file);
      return await runOf(folder, `./${file}`);
    });
    expect(outcome).toEqual({ passed: 7, failures: [], skipped: [] });
    expect(again).toContain("c.test.ts");
    await rm(folder, { recursive: true });
  },
);

const empty = { skipped: [], files: new Set<string>(), crashed: new Set<string>() };
const crashedOnce: Report = {
  ...{ ...empty, passed: 3, failures: ["a: fails"] },
  ...{ files: new Set(["a", "b"]), crashed: new Set(["a"]) },
};

test("what fails then has failed, and so has what crashes again or says nothing", async () => {
  const run = (exitCode: number, report: Partial<Report>) =>
    withSecondRuns(crashedOnce, ["a", "b"], async () => ({
      exitCode,
      report: { ...empty, passed: 0, failures: [], ...report },
    }));
  expect((await run(0, { passed: 2 })).failures).toEqual(["a: fails"]);
  expect((await run(1, { failures: ["a: x"] })).failures).toEqual(["a: fails", "a: x"]);
  expect((await run(1, {})).failures).toEqual(["a: fails", "a: exit code 1"]);
  expect((await run(0, {})).failures).toEqual(["a: fails", "a: exit code 0"]);
  const twice = { passed: 1, crashed: new Set(["a"]) };
  expect((await run(1, twice)).failures).toEqual(["a: fails", "a: exit code 1"]);
});

test("many of them are no accident; without any nothing is run", async () => {
  const many = Array.from({ length: 40 }, (_, n) => `${n}`);
  const never = () => Promise.reject(new Error("run"));
  const { failures } = await withSecondRuns(crashedOnce, many, never);
  expect(failures[1]).toStartWith("41 files of tests were not run to their end");
  const whole = { ...crashedOnce, crashed: new Set<string>() };
  expect((await withSecondRuns(whole, many, never)).passed).toBe(3);
});
