/** `kinomill selftest` as an administrator and the upgrade run it: the executable on emulated GPUs, with the real ffmpeg. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { type BoxWish, gpuBox } from "./gpu-box.ts";

/** Half a second of film on three devices at once, and the emulated ones encode on the CPU too. */
const BOX_LIMIT_MS = 120_000;

async function testOn(wish: BoxWish, argv: string[] = [], settings: Record<string, string> = {}) {
  using box = gpuBox(wish);
  const temporary = join(box.stateFolder, "tmp");
  mkdirSync(temporary);
  const environment = { ...box.environment, ...settings, TMPDIR: temporary };
  const data = join(box.stateFolder, "data");
  const done = await kinomill(["selftest", "--quick", "--data", data, ...argv], { environment });
  return { ...done, left: readdirSync(temporary), events: box.logEvents() };
}

test(
  "every device encodes, decodes and is proven, and nothing is left behind",
  async () => {
    const { exitCode, stdout, left, events } = await testOn({ gpus: "twoL4" }, ["--json"]);
    const said = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(said).toMatchObject({ ok: true, quick: true, notTested: [] });
    expect(said.devices.map(({ id }: { id: string }) => id)).toEqual(["cpu", "gpu:0", "gpu:1"]);
    const [cpu, ...gpus] = said.devices;
    expect(cpu).toMatchObject({ ok: true, sessions: 1, encoder: "libx264", decoder: "CPU" });
    for (const gpu of gpus) {
      expect(gpu).toMatchObject({ ok: true, encoder: "h264_nvenc", decoder: "NVDEC" });
      expect(gpu.framesPerSecond).toBeGreaterThan(0);
      expect(gpu.hoursPerDay1080p).toBeCloseTo(gpu.realtimeFactor * 24, 0);
      expect(gpu.sentence).toContain("Decoded all 15 frames without an error");
    }
    // The film itself reached the driver of both, not only the look at what they can do.
    const large = events.filter(({ ev, w }) => ev === "init" && w === 1920);
    expect(new Set(large.map(({ gpu }) => gpu))).toEqual(new Set([0, 1]));
    expect(left).toEqual([]);
  },
  BOX_LIMIT_MS,
);

test(
  "a GPU that fails in the middle is named with what to do, the others are well, and the exit code tells",
  async () => {
    // What is tried first are ten pictures; the film has fifteen.
    const { exitCode, stdout } = await testOn({
      ...{ gpus: "twoL4", fault: { encodeFailsAfter: 12, onlyGpu: 1 } },
    });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^ok {4}cpu .* fps in one session, .* hours of 1080p a day/m);
    expect(stdout).toMatch(/^ok {4}gpu:0 .*\(h264_nvenc\)\.$/m);
    expect(stdout).toMatch(
      /^BAD {3}gpu:1 {3}NVIDIA L4 gpu:1: .*Its encoder \(NVENC\) broke off\..* sudo /m,
    );
    expect(stdout).not.toContain("/tmp");
  },
  BOX_LIMIT_MS,
);

test(
  "a GPU that hangs is given up after the time of the setting, and the others have their say",
  async () => {
    const { exitCode, stdout, left } = await testOn(
      { gpus: "twoL4", fault: { encodeHangsAfter: 12, onlyGpu: 1 } },
      ["--json"],
      { KINOMILL_JOBS_STALL_SECONDS: "5" },
    );
    const { ok, devices } = JSON.parse(stdout);
    expect([exitCode, ok]).toEqual([1, false]);
    expect(devices.map((each: { ok: boolean }) => each.ok)).toEqual([true, true, false]);
    expect(devices[2]).toMatchObject({ framesPerSecond: null, hoursPerDay1080p: null });
    expect(devices[2].sentence).toContain("5 s");
    expect(left).toEqual([]);
  },
  BOX_LIMIT_MS,
);

test(
  "a GPU that no job would get is not tested, and that is no failure",
  async () => {
    const { exitCode, stdout } = await testOn({ gpus: "noDevice" });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^-- {4}gpu:0 {3}NVIDIA L4: Cannot encode\. nvidia-smi sees it/m);
  },
  BOX_LIMIT_MS,
);

test("without ffmpeg it says what to type", async () => {
  const environment = { PATH: "/nowhere", XDG_CACHE_HOME: "/nowhere" };
  const { exitCode, stderr } = await kinomill(["selftest", "--quick"], { environment });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("apt-get install ffmpeg");
});

test(
  "beside a server it takes places as jobs do, keeps what it found over a restart, and stops no job",
  async () => {
    using box = gpuBox({ gpus: "twoL4" });
    await using appliance = await Appliance.start({ environment: box.environment });
    const api = new Api(appliance.url, await appliance.token("ann", "admin"));
    await eventually("the GPUs are known", BOX_LIMIT_MS, async () => {
      return (await api.get("/api/v1/system")).body.gpus.state === "found";
    });
    const path = "/api/v1/system/selftest";
    expect((await api.get(path)).body).toEqual({ runningSince: null, last: null });
    const post = () =>
      fetch(`${appliance.url}${path}?quick=true`, {
        ...{ method: "POST", headers: { authorization: `Bearer ${api.token}` } },
      });
    expect((await post()).status).toBe(202);
    expect((await post()).status).toBe(409);
    // A device that it tests has no place for others meanwhile.
    await eventually("a place is taken", BOX_LIMIT_MS, async () => {
      const { devices } = (await api.get("/api/v1/system/devices")).body;
      return devices.some(({ busy }: { busy: number }) => busy > 0);
    });
    const last = await eventually("it ends", BOX_LIMIT_MS, async () => {
      return (await api.get(path)).body.last;
    });
    expect(last.problem).toBeNull();
    expect(last.devices.map(({ id, result }: Json) => [id, result])).toEqual([
      ...[["cpu", "ok"] as const, ["gpu:0", "ok"] as const, ["gpu:1", "ok"] as const],
    ]);
    expect(last.devices[1]).toMatchObject({ encoder: "h264_nvenc", sessions: 1 });
    expect(last.devices[1].realtimeFactor).toBeGreaterThan(0);
    expect(existsSync(join(appliance.dataFolder, "selftest"))).toBe(false);
    await appliance.end();
    const kept = JSON.parse(readFileSync(join(appliance.dataFolder, "selftest.json"), "utf8"));
    expect(kept).toEqual(last);
  },
  BOX_LIMIT_MS,
);
