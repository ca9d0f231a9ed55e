/** The samples of the GPUs, with scripts in the place of nvidia-smi. */
import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock, systemClock } from "../clock.ts";
import { GpuLoad } from "./gpu-load.ts";

const folder = mkdtempSync(join(tmpdir(), "gpu-load-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A shell script that stands for nvidia-smi and counts how often it was started. */
function script(name: string, body: string): { tool: string; starts(): number } {
  const [tool, count] = [join(folder, name), join(folder, `${name}.count`)];
  writeFileSync(tool, `#!/bin/sh\necho >> ${count}\n${body}\n`);
  chmodSync(tool, 0o755);
  return { tool, starts: () => (existsSync(count) ? readFileSync(count, "utf8").length : 0) };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${what}`);
    await Bun.sleep(5);
  }
}

/** Time in which anything that still goes on would have shown. */
async function asLongAsOthersTakeFive(name: string): Promise<void> {
  const { tool } = script(name, `echo '${row}'`);
  const others = new GpuLoad({ clock: systemClock, tool, intervalMs: 10 });
  const release = others.watch();
  await until("five samples of others", () => others.history("GPU-aa").length >= 5);
  release();
  await others.close();
}

const row = "GPU-aa, 35, 12, 7, 1024, 23034, 61, 54.20, 3, 118";

test("a sample has every figure in its unit; what a GPU does not give is null", async () => {
  const mig = "GPU-mig, [N/A], [N/A], [N/A], 80, 81920, 40, [N/A], [Not Supported], N/A";
  const { tool } = script("figures", `echo '${row}'; echo '${mig}'; echo 'Warning: GPU sleeps'`);
  const clock = new ManualClock();
  const load = new GpuLoad({ clock, tool });
  expect(load.latest("GPU-aa")).toBeNull();
  await load.sampleNow();
  expect(load.latest("GPU-aa")).toEqual({
    ...{ uuid: "GPU-aa", takenAt: "2026-01-01T00:00:00.000Z", atMs: clock.monotonicMs() },
    ...{ encoderPercent: 35, decoderPercent: 12, gpuPercent: 7 },
    ...{ memoryUsedBytes: 1024 ** 3, memoryTotalBytes: 23_034 * 1024 ** 2 },
    ...{ temperatureCelsius: 61, powerWatts: 54.2, sessionCount: 3, averageFps: 118 },
  });
  expect(load.latest("GPU-mig")).toMatchObject({
    ...{ encoderPercent: null, decoderPercent: null, gpuPercent: null, powerWatts: null },
    ...{ sessionCount: null, averageFps: null, temperatureCelsius: 40 },
  });
});

test("samples are taken only while somebody watches, and told to listeners", async () => {
  const { tool, starts } = script("watched", `echo '${row}'`);
  const load = new GpuLoad({ clock: systemClock, tool, intervalMs: 10 });
  const told: string[] = [];
  const unlisten = load.onSample((samples) => told.push(samples.map(({ uuid }) => uuid).join()));
  const [first, second] = [load.watch(), load.watch()];
  await until("three samples", () => told.length >= 3);
  first();
  first();
  const before = told.length;
  await until("the other watcher still holds it", () => told.length > before + 1);
  second();
  await load.sampleNow();
  const [heard, kept] = [told.length, load.history("GPU-aa").length];
  expect(kept).toBe(heard);
  unlisten();
  await load.sampleNow();
  expect(told.length).toBe(heard);
  const count = starts();
  await asLongAsOthersTakeFive("others");
  expect(starts()).toBe(count);
  await load.close();
});

test("a watcher that comes while a sample is under way is served too", async () => {
  const { tool } = script("late", `echo '${row}'`);
  const load = new GpuLoad({ clock: systemClock, tool, intervalMs: 10 });
  const single = load.sampleNow();
  expect(load.sampleNow()).toBe(single);
  const release = load.watch();
  await until("further samples", () => load.history("GPU-aa").length >= 3);
  release();
  await load.close();
});

test("a watcher that leaves while a sample is under way leaves none behind", async () => {
  const gate = join(folder, "gate");
  const { tool, starts } = script(
    "left",
    `until test -e ${gate}; do sleep 0.01; done; echo '${row}'`,
  );
  const load = new GpuLoad({ clock: systemClock, tool, intervalMs: 1 });
  const release = load.watch();
  await until("a sample is under way", () => starts() === 1);
  const underWay = load.sampleNow();
  release();
  writeFileSync(gate, "");
  await underWay;
  await asLongAsOthersTakeFive("others-then");
  expect(starts()).toBe(1);
  await load.close();
});

test("an nvidia-smi that hangs is asked again only after a pause that doubles", async () => {
  const asked = join(folder, "asked");
  const { tool } = script("hangs", `date +%s%N >> ${asked}; exec sleep 60`);
  const times = () => (existsSync(asked) ? readFileSync(asked, "utf8").trim().split("\n") : []);
  const options = { limitMs: 30, hangPauseMs: 150, intervalMs: 5 };
  const load = new GpuLoad({ clock: systemClock, tool, ...options, wakingLimitMs: 60 });
  const release = load.watch();
  await until("a third try", () => times().length >= 3);
  release();
  await load.close();
  const [one = 0, two = 0, three = 0] = times().map((nanoseconds) => Number(nanoseconds) / 1e6);
  expect(two - one).toBeGreaterThan(150);
  expect(three - two).toBeGreaterThan(300);
});

test("after a hang nobody can make it ask, until the pause is over", async () => {
  const { tool, starts } = script(
    "hangs-once",
    `test $(wc -l < ${folder}/hangs-once.count) = 1 && exec sleep 60; echo '${row}'`,
  );
  const clock = new ManualClock();
  const load = new GpuLoad({ clock, tool, limitMs: 100 });
  await load.sampleNow();
  expect([starts(), load.latest("GPU-aa")]).toEqual([1, null]);
  clock.advance(29_000);
  await load.sampleNow();
  expect(starts()).toBe(1);
  clock.advance(1_000);
  await load.sampleNow();
  expect(starts()).toBe(2);
  expect(load.latest("GPU-aa")).not.toBeNull();
  // It answered: the next one need not wait.
  await load.sampleNow();
  expect(starts()).toBe(3);
});

test("a driver that does not answer with GPUs is left alone for half a minute", async () => {
  const { tool, starts } = script("not-loaded", "echo 'NVIDIA-SMI has failed'; exit 9");
  const clock = new ManualClock();
  const load = new GpuLoad({ clock, tool });
  await load.sampleNow();
  await load.sampleNow();
  expect(starts()).toBe(1);
  clock.advance(30_000);
  await load.sampleNow();
  expect(starts()).toBe(2);
});

test("a field that this driver does not know is left out from then on", async () => {
  const { tool, starts } = script(
    "old",
    `case "$1" in *utilization.encoder*)
echo 'Field "utilization.encoder" is not a valid field to query.'; exit 2;; esac
echo 'GPU-aa, 12, 7, 1024, 23034, 61, 54.20, 3, 118'`,
  );
  const load = new GpuLoad({ clock: new ManualClock(), tool });
  await load.sampleNow();
  expect(load.latest("GPU-aa")).toMatchObject({ encoderPercent: null, decoderPercent: 12 });
  await load.sampleNow();
  expect(starts()).toBe(3);
});

test("without nvidia-smi nothing is ever started", async () => {
  const load = new GpuLoad({ clock: systemClock, tool: join(folder, "missing"), intervalMs: 1 });
  const release = load.watch();
  await load.sampleNow();
  expect(load.latest("GPU-aa")).toBeNull();
  expect(load.history("GPU-aa")).toEqual([]);
  release();
  await load.close();
});

test("one hour is kept, and a GPU that is gone for an hour is forgotten", async () => {
  const { tool } = script("gone", `cat ${folder}/rows`);
  const rows = (text: string) => writeFileSync(join(folder, "rows"), `${text}\n`);
  const clock = new ManualClock();
  const load = new GpuLoad({ clock, tool });
  rows(row);
  await load.sampleNow();
  clock.advance(1_800_000);
  await load.sampleNow();
  expect(load.history("GPU-aa").length).toBe(2);
  expect(load.history("GPU-aa", 60_000).length).toBe(1);
  rows(row.replace("GPU-aa", "GPU-bb"));
  clock.advance(1_800_001);
  await load.sampleNow();
  expect(load.history("GPU-aa").length).toBe(1);
  clock.advance(1_800_000);
  expect(load.latest("GPU-aa")).toBeNull();
  expect(load.history("GPU-aa")).toEqual([]);
  expect(load.latest("GPU-bb")).not.toBeNull();
});

test("a nvidia-smi that invents GPUs does not fill the memory", async () => {
  const { tool } = script("many", `cat ${folder}/many-rows`);
  const many = join(folder, "many-rows");
  writeFileSync(many, "");
  for (let gpu = 0; gpu < 100; gpu += 1) appendFileSync(many, `${row.replace("aa", `${gpu}`)}\n`);
  const load = new GpuLoad({ clock: new ManualClock(), tool });
  await load.sampleNow();
  expect(load.latest("GPU-63")).not.toBeNull();
  expect(load.latest("GPU-64")).toBeNull();
});

test("closing ends a sample that is under way", async () => {
  const { tool, starts } = script("under-way", "exec sleep 60");
  const load = new GpuLoad({ clock: systemClock, tool });
  load.watch();
  await until("it is under way", () => starts() === 1);
  const begun = performance.now();
  await load.close();
  expect(performance.now() - begun).toBeLessThan(5_000);
  await load.sampleNow();
  expect(starts()).toBe(1);
});
