/** The rig: each box is what its name says, seen by nvidia-smi and by ffmpeg behind Kinomill's own fence. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configureFence } from "../src/media/fence-settings.ts";
import { type RunOutcome, runFfmpeg } from "../src/media/ffmpeg.ts";
import { eventually } from "./appliance.ts";
import { type BoxName, enterBox, type GpuBox, gpuBox } from "./gpu-box.ts";

setDefaultTimeout(240_000);

/** Encodes a second on the GPU as a job does it, fence and all. */
async function encode(
  options: { gpuUuid?: string; encoder?: string; seconds?: number } = {},
): Promise<RunOutcome> {
  const cwd = mkdtempSync(join(tmpdir(), "gpu-box-test-"));
  const { gpuUuid, encoder = "h264_nvenc", seconds = 1 } = options;
  try {
    return await runFfmpeg({
      tool: "/usr/bin/ffmpeg",
      argv: [
        ...["-f", "lavfi", "-i", `testsrc2=s=320x240:r=25:d=${seconds}`, "-pix_fmt", "yuv420p"],
        ...["-c:v", encoder, "-preset", "p5", "-rc", "vbr", "-cq", "23", "-g", "50", "-bf", "2"],
        "out.mp4",
      ],
      cwd,
      readPaths: [],
      writePaths: [cwd],
      wallLimitSeconds: 60,
      stallSeconds: 30,
      niceness: 0,
      expectedSeconds: null,
      gpuUuid,
    });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** With which code differs between the releases of ffmpeg. */
function hasFailed(outcome: RunOutcome): boolean {
  return outcome.kind === "exited" && outcome.code !== 0;
}

function smi(box: GpuBox, limitMs = 20_000) {
  const argv = ["nvidia-smi", "--query-gpu=uuid,name", "--format=csv,noheader"];
  const env = { ...process.env, ...box.environment };
  const done = Bun.spawnSync(argv, { env, timeout: limitMs, killSignal: "SIGKILL" });
  return { code: done.exitCode, told: done.stdout.toString(), late: done.exitedDueToTimeout };
}

describe("two L4", () => {
  test("encode through the fence, and the log has what reached the driver", async () => {
    using box = gpuBox({ gpus: "twoL4" });
    using _inside = await enterBox(box);
    expect(await encode()).toMatchObject({ kind: "exited", code: 0, stderr: "" });
    const init = box.logEvents().find(({ ev }) => ev === "init");
    const asked = { gpu: 0, codec: "h264", w: 320, h: 240, preset: 5, cq: 23, gop: 50, bf: 2 };
    expect(init).toMatchObject(asked);
    expect(box.logEvents().at(-1)).toMatchObject({ ev: "close", pics: 25, outs: 25 });
  });

  test("are told apart by their UUID, and the one that is named does the work", async () => {
    using box = gpuBox({ gpus: "twoL4" });
    using _inside = await enterBox(box);
    const { told } = smi(box);
    expect(told).toBe(`${box.uuid(0)}, NVIDIA L4\n${box.uuid(1)}, NVIDIA L4\n`);
    expect(await encode({ gpuUuid: box.uuid(1) })).toMatchObject({ kind: "exited", code: 0 });
    const gpus = new Set(box.logEvents().map(({ gpu }) => gpu));
    expect([...gpus]).toEqual([1]);
  });

  test("are out of reach when the settings do not say that they may be reached", async () => {
    using box = gpuBox({ gpus: "twoL4", fault: { cudaError: 100 } });
    using _inside = await enterBox(box);
    configureFence({ passEnvironment: [], sandboxRead: [], sandboxWrite: [] });
    // Neither does the fault reach the driver, nor the driver its folder with the locks of sessions.
    const outcome = await encode();
    expect("stderr" in outcome ? outcome.stderr : "").not.toContain("CUDA_ERROR_NO_DEVICE");
    expect(box.logEvents()).toEqual([]);
  });
});

describe("the other boxes fail as their name says", () => {
  const fails: [BoxName, string][] = [
    ["h200", "OpenEncodeSessionEx failed: unsupported device (2)"],
    ["oldDriver", "Driver does not support the required nvenc API version"],
    ["noDevice", "CUDA_ERROR_NO_DEVICE"],
    ["unknownError", "CUDA_ERROR_UNKNOWN"],
    ["smiMismatch", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"],
  ];
  test.each(fails)("%s: ffmpeg says %s", async (gpus, text) => {
    using box = gpuBox({ gpus });
    using _inside = await enterBox(box);
    const outcome = await encode();
    expect(hasFailed(outcome)).toBeTrue();
    expect("stderr" in outcome ? outcome.stderr : "").toContain(text);
  });

  test("tooOldGpu: H.264 and nothing newer", async () => {
    using box = gpuBox({ gpus: "tooOldGpu" });
    using _inside = await enterBox(box);
    expect(await encode()).toMatchObject({ kind: "exited", code: 0 });
    const hevc = await encode({ encoder: "hevc_nvenc" });
    expect("stderr" in hevc ? hevc.stderr : "").toContain("Codec not supported");
  });

  test("geforce3: the fourth session of the system is refused", async () => {
    using box = gpuBox({ gpus: "geforce3", fault: { delayMs: 20 } });
    using _inside = await enterBox(box);
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => encode({ seconds: 4 })));
    const refused = outcomes.filter(hasFailed);
    expect(refused.length).toBe(1);
    expect(JSON.stringify(refused)).toContain("OpenEncodeSessionEx failed: out of memory (10)");
  });

  test("mig: the GPU that is split is seen by nvidia-smi and not by CUDA, the other by both", async () => {
    using box = gpuBox({ gpus: "mig" });
    using _inside = await enterBox(box);
    const query = ["nvidia-smi", "--query-gpu=mig.mode.current", "--format=csv,noheader"];
    const told = Bun.spawnSync(query, { env: process.env }).stdout.toString();
    expect(told).toBe("Enabled\n[N/A]\n");
    const split = await encode({ gpuUuid: box.uuid(0) });
    expect("stderr" in split ? split.stderr : "").toContain("CUDA_ERROR_NO_DEVICE");
    expect(await encode({ gpuUuid: box.uuid(1) })).toMatchObject({ kind: "exited", code: 0 });
  });

  test("a library that is missing is missed behind the fence too", async () => {
    using box = gpuBox({ gpus: "twoL4", without: "libnvidia-encode.so.1" });
    using _inside = await enterBox(box);
    const outcome = await encode();
    expect("stderr" in outcome ? outcome.stderr : "").toContain("Cannot load libnvidia-encode");
  });

  test("nvidia-smi is missing, hangs, fails or does not fit the driver", () => {
    using missing = gpuBox({ gpus: "noNvidiaSmi" });
    expect(Bun.which("nvidia-smi", { PATH: missing.environment["PATH"] ?? "" })).toBeNull();
    expect(Bun.which("ffmpeg", { PATH: missing.environment["PATH"] ?? "" })).not.toBeNull();
    using hangs = gpuBox({ gpus: "smiHangs" });
    expect(smi(hangs, 300).late).toBeTrue();
    using fails = gpuBox({ gpus: "smiFails" });
    expect(smi(fails).code).toBe(9);
    using mismatch = gpuBox({ gpus: "smiMismatch" });
    expect(smi(mismatch)).toMatchObject({
      code: 18,
      told: expect.stringContaining("version mismatch"),
    });
  });
});

describe("what happens while it works", () => {
  test("a GPU that is lost fails who uses it, until it is found again", async () => {
    using box = gpuBox({ gpus: "twoL4" });
    using _inside = await enterBox(box);
    box.slow(0, 40);
    const running = encode({ seconds: 20 });
    await eventually("the encoder is open", 20_000, async () =>
      box.logEvents().some(({ ev }) => ev === "init"),
    );
    box.lose(0);
    const outcome = await running;
    expect(hasFailed(outcome)).toBeTrue();
    expect("stderr" in outcome ? outcome.stderr : "").toContain("generic error (20)");
    expect(smi(box).told).toContain("[GPU is lost]");
    box.find(0);
    box.slow(0, 0);
    expect(await encode()).toMatchObject({ kind: "exited", code: 0 });
  });

  test("a GPU that falls off the bus by itself is lost for all, until it is found", async () => {
    using box = gpuBox({ gpus: "twoL4", fault: { lostAfter: 5 } });
    using _inside = await enterBox(box);
    expect(hasFailed(await encode())).toBeTrue();
    expect(smi(box).told).toStartWith(`${box.uuid(0)}, [GPU is lost]`);
    box.find(0);
    expect(smi(box).told).toStartWith(`${box.uuid(0)}, NVIDIA L4`);
  });

  test("a fault comes on the GPU that is named, and after the pictures that it is given", async () => {
    using box = gpuBox({ gpus: "twoL4", fault: { encodeFailsAfter: 10, onlyGpu: 1 } });
    using _inside = await enterBox(box);
    expect(await encode({ gpuUuid: box.uuid(0) })).toMatchObject({ kind: "exited", code: 0 });
    expect(hasFailed(await encode({ gpuUuid: box.uuid(1) }))).toBeTrue();
    const closed = box.logEvents().findLast(({ ev }) => ev === "close");
    expect(closed).toMatchObject({ gpu: 1, pics: 10 });
  });
});
