/** The words of ffmpeg and of the driver become verdicts; the texts are what ffmpeg 5.1 to 9.0 print. */
import { expect, test } from "bun:test";
import type { Toolchain } from "./devices.ts";
import { type GpuReport, gpuReport, gpuState, mendable } from "./gpu.ts";
import { type GpuSkill, gpuSkills } from "./gpu-skill.ts";
import type { NvidiaGpu } from "./nvidia-smi.ts";
import { notCompiled, readProbe, type Verdict } from "./probe-verdict.ts";

const l4: NvidiaGpu = {
  ...{ index: 0, uuid: "GPU-aa", name: "NVIDIA L4", pciBusId: "00000000:01:00.0" },
  ...{ driver: "570.133.07", computeCapability: "8.9", mig: false, sessionCount: 0 },
  ...{ memoryTotalBytes: 24_152_899_584, memoryUsedBytes: 0 },
  ...{ encoderPercent: 0, decoderPercent: 0 },
};

const toolchain: Toolchain = {
  ...{ ffmpegPath: "/usr/bin/ffmpeg", ffprobePath: "/usr/bin/ffprobe", version: "5.1.9" },
  release: { major: 5, minor: 1 },
  ...{ encoders: new Set<string>(), decoders: new Set<string>() },
  ...{ filters: new Set<string>(), hwaccels: new Set<string>() },
};

const hevc10: GpuSkill = { work: "encode", codec: "hevc", bitDepth: 10 };

function verdictOf(stderr: string, gpu: NvidiaGpu = l4, code = 1): Verdict {
  return readProbe({ kind: "exited", code, stderr }, hevc10, gpu, toolchain);
}

const cuda = "[hevc_nvenc @ 0x55] dl_fn->cuda_dl->cuInit(0) failed -> ";
const none = "\n[hevc_nvenc @ 0x55] No capable devices found\n";
const texts = {
  noDevice: `${cuda}CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected`,
  unknown: `${cuda}CUDA_ERROR_UNKNOWN: unknown error`,
  mismatch: `${cuda}CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: system has unsupported display driver`,
  oldDriver:
    "[hevc_nvenc @ 0x55] Driver does not support the required nvenc API version. Required: 11.1 Found: 9.1\n[hevc_nvenc @ 0x55] The minimum required Nvidia driver for nvenc is 470.57.02 or newer",
  unsupported: `[hevc_nvenc @ 0x55] OpenEncodeSessionEx failed: unsupported device (2): (no details)${none}`,
  sessions: `[hevc_nvenc @ 0x55] OpenEncodeSessionEx failed: out of memory (10): (no details)${none}`,
  memory:
    "[AVHWDeviceContext @ 0x55] cu->cuMemAlloc(&data, size) failed -> CUDA_ERROR_OUT_OF_MEMORY: out of memory",
  noCuda: "[hevc_nvenc @ 0x55] Cannot load libcuda.so.1",
  noEncodeLibrary:
    "[hevc_nvenc @ 0x55] Cannot load libnvidia-encode.so.1\n[hevc_nvenc @ 0x55] The minimum required Nvidia driver for nvenc is 470.57.02 or newer",
  codec: `[hevc_nvenc @ 0x55] Codec not supported${none}`,
  tenBit: `[hevc_nvenc @ 0x55] 10 bit encode not supported${none}`,
  settings:
    "[hevc_nvenc @ 0x55] InitializeEncoder failed: invalid param (8): Frame Dimension less than the minimum supported value.",
  reserved: `${cuda}CUDA_ERROR_DEVICE_UNAVAILABLE: CUDA-capable device(s) is/are busy or unavailable`,
  encodeFails: "[hevc_nvenc @ 0x55] EncodePicture failed!: generic error (20): (no details)",
  new: "[hevc_nvenc @ 0x55] A text that nobody knows\nConversion failed!",
};

test("each text becomes a verdict, a sentence and a remedy", () => {
  const said = Object.entries(texts).map(([name, text]) => {
    const verdict = verdictOf(text);
    if (verdict.state === "can") return [name, "can"];
    const kind = verdict.state === "busy" ? "busy" : `cannot, ${verdict.scope}`;
    return [name, kind, verdict.reason, verdict.remedy];
  });
  expect(said).toMatchSnapshot();
});

test("only exit code 0 is a proof, whatever the log says", () => {
  expect(verdictOf(texts.tenBit, l4, 0)).toEqual({ state: "can" });
  expect(verdictOf("", l4, 187).state).toBe("cannot");
});

test("a busy GPU is not an incapable one", () => {
  expect(verdictOf(texts.sessions).state).toBe("busy");
  expect(verdictOf(texts.memory).state).toBe("busy");
});

test("a model that is built without an encoder needs no remedy, another one may lack a GPU beside it", () => {
  const h200 = { ...l4, name: "NVIDIA H200" };
  expect(verdictOf(texts.unsupported, h200)).toMatchObject({ scope: "encoder", remedy: null });
  expect(verdictOf(texts.unsupported)).toMatchObject({
    remedy: expect.stringContaining("--gpus all"),
  });
});

test("with MIG on, the missing device is explained by MIG", () => {
  expect(verdictOf(texts.noDevice, { ...l4, mig: true })).toMatchObject({
    remedy: "Switch MIG off: sudo nvidia-smi -i GPU-aa -mig 0",
  });
});

test("a probe that hangs takes the GPU out", () => {
  expect(readProbe({ kind: "hung" }, hevc10, l4, toolchain)).toMatchObject({
    state: "cannot",
    scope: "gpu",
  });
});

test("what is not compiled in asks for another ffmpeg only where the GPU could use it", () => {
  const av1: GpuSkill = { work: "encode", codec: "av1", bitDepth: 8 };
  const debian12 = { ...toolchain, encoders: new Set(["h264_nvenc", "hevc_nvenc"]) };
  const words = (gpu: NvidiaGpu, tools: Toolchain) => notCompiled(av1, gpu, tools);
  expect(words(l4, debian12)).toMatchObject({
    scope: "skill",
    remedy: expect.stringContaining("ffmpeg 6.0"),
  });
  expect(words({ ...l4, computeCapability: "7.5" }, debian12)).toMatchObject({ remedy: null });
  expect(words(l4, { ...toolchain, encoders: new Set(["av1_nvenc"]) })).toBeNull();
  expect(words(l4, toolchain)).toMatchObject({ scope: "encoder" });
  expect(notCompiled({ ...av1, work: "decode" }, l4, toolchain)).toMatchObject({ scope: "skill" });
});

function reportOf(verdictFor: (skill: GpuSkill) => Verdict): GpuReport {
  const verdicts = gpuSkills.map((skill) => ({ skill, verdict: verdictFor(skill) }));
  return gpuReport(l4, { verdicts, fault: null, leftAlone: false });
}

test("the sentence of a GPU says what it can do", () => {
  const all = reportOf(() => ({ state: "can" }));
  expect(all.sentence).toBe("Ready for H.264, HEVC and AV1; H.264, HEVC and AV1 in 10 bit too.");
  expect(reportOf(() => verdictOf(texts.sessions)).sentence).toStartWith("Busy, not tried: ");
  const untried = gpuState({ kind: "gpus", gpus: [l4] }, () => ({
    verdicts: null,
    fault: null,
    leftAlone: false,
  }));
  expect(untried).toMatchObject({ kind: "looking", gpus: [{ abilities: [] }] });
});

test("a cause that can be mended is named once, what the hardware is like is not", () => {
  const report = reportOf(({ codec, bitDepth }) => {
    if (codec === "av1") return verdictOf(texts.noEncodeLibrary);
    return bitDepth === 10 ? verdictOf(texts.tenBit) : { state: "can" };
  });
  expect(mendable(report).map(({ titles }) => titles)).toEqual([["AV1", "AV1 10 bit"]]);
});
