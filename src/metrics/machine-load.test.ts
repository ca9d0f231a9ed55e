/** The figures of the machine: what the kernel says, only while somebody looks, an hour of it and no more. */
import { afterAll, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../clock.ts";
import { MachineLoad } from "./machine-load.ts";
import { MACHINE_SAMPLES_MAX, type MachineFigures, MachineSamples } from "./machine-samples.ts";
import { thinnedMachine } from "./machine-series.ts";

const folder = mkdtempSync(join(tmpdir(), "machine-"));
afterAll(() => rmSync(folder, { recursive: true }));

const clock = new ManualClock();
let queue = { running: 1, waiting: 0, oldestWaitingAt: null as string | null };

function load(kernelFolder = folder): MachineLoad {
  const lag = { worstOf: () => 0.0123 };
  return new MachineLoad({
    clock,
    kernelFolder,
    lag,
    tally: { queue: () => queue },
    intervalMs: 5,
  });
}

/** @param busy ticks of user, @param idle of idling, one half of it waiting for the disk */
function say(busy: number, idle: number): void {
  const line = `cpu  ${busy} 0 0 ${idle / 2} ${idle / 2} 0 0 0 0 0\ncpu0 1 1 1 1\n`;
  writeFileSync(join(folder, "stat"), line);
}

writeFileSync(
  join(folder, "meminfo"),
  "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n",
);

test("processor, memory, queue and delay are told in their units", async () => {
  const machine = load();
  say(100, 100);
  await machine.sampleNow();
  expect(machine.latest()).toMatchObject({
    ...{ cpuPercent: null, memoryTotalBytes: 1_024_000, memoryUsedBytes: 614_400 },
    ...{ loopLagMs: 12.3, runningJobs: 1, waitingJobs: 0, oldestWaitingSeconds: null },
  });
  say(130, 170);
  queue = {
    running: 2,
    waiting: 5,
    oldestWaitingAt: new Date(clock.nowMs() - 90_000).toISOString(),
  };
  clock.advance(2_000);
  await machine.sampleNow();
  expect(machine.latest()).toMatchObject({
    ...{ cpuPercent: 30, runningJobs: 2, waitingJobs: 5, oldestWaitingSeconds: 92 },
  });
  expect(machine.latest()?.serverBytes).toBeGreaterThan(10e6);
});

test("a kernel that says nothing gives no figures, and no error", async () => {
  const machine = load(join(folder, "nothing"));
  await machine.sampleNow();
  expect(machine.latest()).toMatchObject({
    ...{ cpuPercent: null, memoryUsedBytes: null, memoryTotalBytes: null, runningJobs: 2 },
  });
});

test("samples are taken while somebody watches, and not longer", async () => {
  const machine = load();
  let heard = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  machine.onSample(() => {
    heard += 1;
    if (heard === 3) resolve();
  });
  const ends = spyOn(globalThis, "clearInterval");
  const first = machine.watch();
  const second = machine.watch();
  first();
  first();
  expect(ends).not.toHaveBeenCalled();
  await promise;
  second();
  expect(ends).toHaveBeenCalledTimes(1);
  ends.mockRestore();
});

test("an hour is kept, and long histories are thinned: means, and peaks where they matter", () => {
  const samples = new MachineSamples();
  const figures = (number: number): MachineFigures => ({
    ...{ cpuPercent: number % 2 === 0 ? 10 : 20, loopLagMs: number % 2, serverBytes: null },
    ...{ memoryUsedBytes: 5e9, memoryTotalBytes: 2 ** 40, runningJobs: 1, waitingJobs: 0 },
    oldestWaitingSeconds: null,
  });
  for (let number = 0; number < MACHINE_SAMPLES_MAX + 10; number += 1) {
    samples.push(number * 2000, number * 2000, figures(number));
  }
  const all = samples.since(0);
  expect(all.length).toBe(MACHINE_SAMPLES_MAX);
  expect(all[0]).toMatchObject({ atMs: 20_000, memoryTotalBytes: 2 ** 40, serverBytes: null });
  const thin = thinnedMachine(all, 3_600_000, 100);
  expect(thin.length).toBeLessThanOrEqual(100);
  expect(thin[50]?.cpuPercent).toBeGreaterThan(13);
  expect(thin[50]?.cpuPercent).toBeLessThan(17);
  expect(thin[50]).toMatchObject({ loopLagMs: 1, serverBytes: null });
  expect(thinnedMachine(all.slice(0, 3), 6_000, 100).length).toBe(3);
});
