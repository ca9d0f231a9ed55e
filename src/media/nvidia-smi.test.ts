/** What nvidia-smi says becomes GPUs, calm words or words with a remedy. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseGpus, readInventory, takeInventory } from "./nvidia-smi.ts";
import { withoutRefused } from "./smi-query.ts";

const folder = mkdtempSync(join(tmpdir(), "nvidia-smi-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A shell script that stands for nvidia-smi. */
function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const exited = (code: number, stdout: string, stderr = "") =>
  ({ kind: "exited", code, stdout, stderr }) as const;

const fields = ["index", "uuid", "name", "memory.total", "utilization.encoder", "mig.mode.current"];

test("a row becomes a GPU, and what the driver does not give becomes null", () => {
  const text =
    "0, GPU-aa, NVIDIA L4, 23034, 12, [N/A]\n" +
    "1, GPU-bb, NVIDIA H200, 143771, [Not Supported], Enabled\n" +
    "2, GPU-cc, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]\n";
  expect(
    parseGpus(text, fields).map(({ uuid, name, memoryTotalBytes, encoderPercent, mig }) => [
      ...[uuid, name, memoryTotalBytes, encoderPercent, mig],
    ]),
  ).toEqual([
    ["GPU-aa", "NVIDIA L4", 24_152_899_584, 12, false],
    ["GPU-bb", "NVIDIA H200", 150_754_820_096, null, true],
    ["GPU-cc", null, null, null, false],
  ]);
});

test("rows count at any exit code, and lines that are no rows are passed over", () => {
  const text =
    "WARNING: infoROM is corrupted at gpu 0000:01:00.0\n0, GPU-aa, NVIDIA L4, 1, 0, [N/A]";
  const found = readInventory(exited(14, text), fields);
  expect(found).toMatchObject({ kind: "gpus", gpus: [{ uuid: "GPU-aa" }] });
  expect(parseGpus("0, MIG-aa, NVIDIA L4, 1, 0, [N/A]\n, , , , ,\n", fields)).toEqual([]);
});

test("each exit code and text becomes a sentence and what to type", () => {
  const trouble = (code: number, text: string) => readInventory(exited(code, text), fields);
  const cases = [
    trouble(9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."),
    trouble(12, "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system."),
    trouble(18, "Failed to initialize NVML: Driver/library version mismatch"),
    trouble(255, "Failed to initialize NVML: Driver/library version mismatch"),
    trouble(15, "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost."),
    trouble(4, "Failed to initialize NVML: Insufficient Permissions"),
    trouble(6, "No devices were found"),
    trouble(255, "Something new"),
    trouble(0, ""),
    readInventory({ kind: "no_answer" }, fields),
  ];
  expect(cases.every(({ kind }) => kind === "trouble")).toBe(true);
  expect(
    cases.map((each) => (each.kind === "gpus" ? "" : `${each.reason} ${each.remedy}`)),
  ).toMatchSnapshot();
});

test("a field that the driver does not know is left out; an unnamed one leaves the old fields", () => {
  const old = ["uuid", "name"];
  const refused = exited(2, 'Field "mig.mode.current" is not a valid field to query.\n\n');
  expect(withoutRefused(fields, old, refused)).toEqual(fields.slice(0, -1));
  const unnamed = exited(2, "Invalid combination of input arguments.");
  expect(withoutRefused(fields, old, unnamed)).toBe(old);
  expect(withoutRefused(old, old, unnamed)).toBeNull();
  expect(withoutRefused(fields, old, exited(0, ""))).toBeNull();
});

test("an old driver is asked again with fewer fields", async () => {
  const tool = script(
    "old",
    `case "$1" in
*compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;;
*mig.mode*) echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2;;
esac
echo '0, GPU-aa, Tesla T4, 00000000:01:00.0, 418.39, 15079, 0, 0, 0, 0'`,
  );
  expect(await takeInventory({ tool })).toMatchObject({
    kind: "gpus",
    gpus: [{ name: "Tesla T4", driver: "418.39", sessionCount: 0, computeCapability: null }],
  });
});

test("nvidia-smi that hangs is left after the limit, with its children", async () => {
  const mark = join(folder, "child.pid");
  const tool = script("hangs", `sleep 60 & echo $! > ${mark}; wait`);
  const found = await takeInventory({ tool, limitMs: 300 });
  expect(found).toMatchObject({
    kind: "trouble",
    reason: expect.stringContaining("does not answer"),
  });
  const child = Number(await Bun.file(mark).text());
  const deadline = performance.now() + 5_000;
  while (isAlive(child) && performance.now() < deadline) await Bun.sleep(10);
  expect(isAlive(child)).toBe(false);
});

/** A zombie that nobody collects has ended too. */
function isAlive(pid: number): boolean {
  const state = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
    .stdout.toString()
    .trim();
  return state !== "" && !state.startsWith("Z");
}

test("without nvidia-smi: calm on a box without NVIDIA, a remedy where the hardware is there", async () => {
  const tool = "no-such-nvidia-smi";
  expect(await takeInventory({ tool, hardwareThere: () => false })).toEqual({
    kind: "none",
    reason: "This machine has no NVIDIA GPU.",
    remedy: null,
  });
  expect(await takeInventory({ tool, hardwareThere: () => true })).toMatchObject({
    kind: "trouble",
    remedy: expect.stringContaining("nvidia-driver"),
  });
});

test("an aborted look gives nothing", async () => {
  const tool = script("slow", "sleep 60");
  const signal = AbortSignal.timeout(100);
  expect(await takeInventory({ tool, signal })).toBeNull();
});
