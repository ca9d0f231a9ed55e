/** The state that all share, with scripts in the place of nvidia-smi and ffmpeg. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../clock.ts";
import type { Toolchain } from "./devices.ts";
import type { GpuFault } from "./gpu-fault.ts";
import { GpuSuspensions } from "./gpu-suspension.ts";
import { Gpus } from "./gpus.ts";
import { nothingAvoided } from "./placement.ts";

const folder = mkdtempSync(join(tmpdir(), "gpus-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

function toolchain(ffmpegPath: string): Toolchain {
  return {
    ...{ ffmpegPath, ffprobePath: ffmpegPath, version: "7.1", release: { major: 7, minor: 1 } },
    encoders: new Set(["h264_nvenc", "hevc_nvenc", "av1_nvenc"]),
    ...{ decoders: new Set<string>(), filters: new Set<string>(), hwaccels: new Set(["cuda"]) },
  };
}

const row = "0, GPU-aa, NVIDIA L4, 00000000:01:00.0, 570.1, 8.9, 23034, 0, 0, 0, 0, [N/A]";

test("nothing is claimed before the look, and a closed one leaves no probe behind", async () => {
  const started = join(folder, "started");
  const tool = script("smi-hangs", `touch ${started}; sleep 60`);
  const gpus = new Gpus({ inventory: { tool } });
  expect(gpus.state()).toMatchObject({ kind: "looking", gpus: [] });
  const look = gpus.open(toolchain("/bin/false"));
  const deadline = performance.now() + 5_000;
  while (!existsSync(started) && performance.now() < deadline) await Bun.sleep(5);
  await gpus.close();
  await look;
  expect(gpus.state().kind).toBe("looking");
});

test("each GPU is tried once; a second look asks nvidia-smi alone", async () => {
  const asked = join(folder, "asked");
  const tool = script("smi", `echo asked >> ${asked}; echo '${row}'`);
  const gpus = new Gpus({ inventory: { tool } });
  // Exit code 0 in the fence, for every codec.
  const ffmpeg = toolchain("/bin/true");
  await gpus.open(ffmpeg);
  const first = gpus.state();
  expect(first).toMatchObject({ kind: "found", gpus: [{ id: "gpu:0", uuid: "GPU-aa" }] });
  expect(first.gpus[0]?.abilities.map(({ state }) => state)).toEqual(Array(7).fill("can"));
  // Were it tried again it would fail now.
  await gpus.open({ ...ffmpeg, ffmpegPath: "/bin/false" });
  expect(gpus.state()).toEqual(first);
  expect(readFileSync(asked, "utf8")).toBe("asked\nasked\n");
  // Another ffmpeg is another answer.
  await gpus.open({ ...ffmpeg, ffmpegPath: "/bin/false", version: "8.0" });
  expect(gpus.state().gpus[0]?.abilities.map(({ state }) => state)).toEqual(
    Array(7).fill("cannot"),
  );
  await gpus.close();
});

test("a probe that never ends is ended, and the rest of that GPU is not tried", async () => {
  const tool = script("smi-one", `echo '${row}'`);
  const gpus = new Gpus({ inventory: { tool }, probeLimitSeconds: 1.5 });
  const begun = performance.now();
  await gpus.open(toolchain(script("ffmpeg-hangs", "exec sleep 60")));
  // One probe of a second and a half, not one for each codec.
  expect(performance.now() - begun).toBeLessThan(4_500);
  expect(gpus.state().gpus[0]?.sentence).toContain("does not answer");
  await gpus.close();
});

const fault: GpuFault = {
  ...{ name: "encoder-broke", reaction: "device-out", sentence: "Its encoder broke off." },
  ...{ remedy: null, shortage: null, avoid: nothingAvoided },
};

async function until(what: string, seen: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!seen()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await Bun.sleep(5);
  }
}

test("a GPU that failed stays out of service while its probes fail", async () => {
  const tool = script("smi-out", `echo '${row}'`);
  const works = join(folder, "works");
  writeFileSync(works, "");
  const ffmpeg = toolchain(script("ffmpeg-sometimes", `test -e ${works}`));
  const gpus = new Gpus({ inventory: { tool }, maxJobs: 3 });
  await gpus.open(ffmpeg);
  expect(gpus.devices()).toMatchObject([{ id: "gpu:0", title: "NVIDIA L4", slots: 3 }]);
  rmSync(works);
  gpus.suspend("GPU-aa", fault);
  await gpus.open(ffmpeg);
  expect(gpus.devices()).toEqual([]);
  expect(gpus.state().gpus[0]?.sentence).toContain("Out of service since a job failed on it");
  expect(gpus.whyNone()).toContain("Its encoder broke off.");
  await gpus.close();
});

test("one good probe puts it back by itself, and who listens is told", async () => {
  const tool = script("smi-again", `echo '${row}'`);
  const gpus = new Gpus({ inventory: { tool } });
  await gpus.open(toolchain("/bin/true"));
  let changes = 0;
  gpus.onChange(() => {
    changes += 1;
  });
  gpus.suspend("GPU-aa", fault);
  expect([gpus.devices().length, changes]).toEqual([0, 1]);
  await until("it is back", () => gpus.devices().length === 1);
  expect(changes).toBeGreaterThan(1);
  await gpus.close();
});

test("a GPU that fails again and again waits longer each time", () => {
  const clock = new ManualClock();
  const suspensions = new GpuSuspensions(clock);
  const delays = Array.from({ length: 10 }, () => suspensions.suspend("GPU-aa", fault) / 1000);
  expect(delays).toEqual([0, 5, 10, 20, 40, 80, 160, 320, 600, 600]);
  expect([suspensions.waits("GPU-aa"), suspensions.waits("GPU-bb")]).toEqual([true, false]);
  clock.advance(600_000);
  expect(suspensions.waits("GPU-aa")).toBe(false);
  expect(suspensions.suspend("GPU-aa", fault)).toBe(0);
});

test("somebody who mended a GPU need not wait for its time", async () => {
  const clock = new ManualClock();
  const tool = script("smi-mended", `echo '${row}'`);
  const mended = join(folder, "mended");
  const ffmpeg = toolchain(script("ffmpeg-mended", `test -e ${mended}`));
  const gpus = new Gpus({ inventory: { tool }, clock });
  await gpus.open(ffmpeg);
  expect(gpus.tryAgain("GPU-aa")).toBe(false);
  for (let times = 0; times < 4; times += 1) gpus.suspend("GPU-aa", fault);
  expect(gpus.state().gpus[0]?.suspended).toMatchObject({
    because: "Its encoder broke off.",
    tryAgainAt: new Date(clock.nowMs() + 20_000).toISOString(),
  });
  writeFileSync(mended, "");
  await gpus.lookAgain();
  // Its time has not come.
  expect(gpus.devices()).toEqual([]);
  expect(gpus.tryAgain("GPU-aa")).toBe(true);
  await until("it is back", () => gpus.devices().length === 1);
  expect(gpus.state().gpus[0]?.suspended).toBeNull();
  expect(gpus.tryAgain("GPU-bb")).toBe(false);
  await gpus.close();
});

test("GPUs that come and go are seen, and two of one name are told apart", async () => {
  const rows = join(folder, "rows");
  writeFileSync(rows, `${row}\n`);
  const tool = script("smi-changes", `cat ${rows}`);
  const gpus = new Gpus({ inventory: { tool } });
  const ffmpeg = toolchain("/bin/true");
  await gpus.open(ffmpeg);
  expect(gpus.devices().map(({ title }) => title)).toEqual(["NVIDIA L4"]);
  writeFileSync(rows, `${row}\n${row.replace("0, GPU-aa", "1, GPU-bb")}\n`);
  await gpus.open(ffmpeg);
  expect(gpus.devices().map(({ title }) => title)).toEqual(["NVIDIA L4 gpu:0", "NVIDIA L4 gpu:1"]);
  writeFileSync(rows, `${row.replace("GPU-aa", "GPU-bb")}\n`);
  await gpus.open(ffmpeg);
  expect(gpus.devices().map(({ traits }) => traits?.uuid)).toEqual(["GPU-bb"]);
  await gpus.close();
});

test("what the settings leave alone is neither tried nor used, by UUID or by number", async () => {
  const tool = script("smi-alone", `echo '${row}'`);
  for (const name of ["GPU-aa", "0"]) {
    const gpus = new Gpus({ inventory: { tool }, leaveAlone: [name] });
    await gpus.open(toolchain("/bin/true"));
    expect(gpus.devices()).toEqual([]);
    expect(gpus.state()).toMatchObject({ kind: "found", gpus: [{ abilities: [] }] });
    expect(gpus.whyNone()).toContain("gpu.leaveAlone");
    await gpus.close();
  }
});
