/**
 * How rows, exit codes and the reason why a run ended play together. That the texts are those of a real
 * ffmpeg is shown in tests/engine/faults.test.ts.
 */
import { describe, expect, test } from "bun:test";
import type { Device, Toolchain } from "./devices.ts";
import type { RunOutcome } from "./ffmpeg.ts";
import {
  type FaultContext,
  gpuFaultOf,
  quietGpuFault,
  reactions,
  rejectedOutputFault,
} from "./gpu-fault.ts";
import type { Placement } from "./placement.ts";

const device: Device = { id: "gpu:0", kind: "gpu", title: "NVIDIA L4", slots: 2 };

const toolchain: Toolchain = {
  ...{ ffmpegPath: "/usr/bin/ffmpeg", ffprobePath: "/usr/bin/ffprobe", version: "7.1.5" },
  release: { major: 7, minor: 1 },
  ...{ encoders: new Set<string>(), decoders: new Set<string>() },
  ...{ filters: new Set<string>(), hwaccels: new Set<string>() },
};

const allOnGpu: Placement = { decode: "nvdec", filters: "cuda", encode: "nvenc", because: "" };
const encodeOnGpu: Placement = { decode: "cpu", filters: "cpu", encode: "nvenc", because: "" };
const onCpu: Placement = { decode: "cpu", filters: "cpu", encode: "cpu", because: "" };

function context(placement: Placement, memoryFreeBytes: number | null = null): FaultContext {
  return { placement, device, toolchain, memoryFreeBytes };
}

function faultOf(stderr: string, placement = allOnGpu, code = 187) {
  return gpuFaultOf({ kind: "exited", code, stderr, progress: null }, context(placement));
}

const sessions = "[h264_nvenc @ 0x55] OpenEncodeSessionEx failed: out of memory (10): (no details)";
const refused =
  "[h264 @ 0x55] Failed setup for format cuda: hwaccel initialisation returned error.";
const mixed =
  "Impossible to convert between the formats supported by the filter 'graph 0 input from stream 0:0' and the filter 'auto_scale_0'";
const decodePicture =
  "[h264 @ 0x55] decoder->cvdl->cuvidDecodePicture(decoder->decoder, &ctx->pic_params) failed -> CUDA_ERROR_UNKNOWN: unknown error";
const broken = "[h264_nvenc @ 0x55] EncodePicture failed!: generic error (20): no details";

describe("a session that does not open", () => {
  const memory = (memoryFreeBytes: number | null) =>
    gpuFaultOf(
      { kind: "exited", code: 187, stderr: sessions, progress: null },
      context(allOnGpu, memoryFreeBytes),
    );

  test("is for want of sessions while there is memory, or when nothing is known of it", () => {
    const wanted = { name: "session-limit", reaction: "later", shortage: "sessions" };
    expect(memory(8 * 1024 ** 3)).toMatchObject(wanted);
    expect(memory(null)).toMatchObject(wanted);
  });

  test("is for want of memory when hardly any is free", () => {
    const wanted = { name: "session-memory", reaction: "later", shortage: "memory" };
    expect(memory(100 * 1024 ** 2)).toMatchObject(wanted);
  });
});

describe("which of several texts decides", () => {
  test("a decoder that gave way to the CPU is not why the encoder found no session", () => {
    expect(faultOf(`${refused}\n${sessions}`)?.name).toBe("session-limit");
  });

  test("a decoder that gave way is a fault only where the filters wait for its frames", () => {
    expect(faultOf(refused)).toBeNull();
    expect(faultOf(`${refused}\n${mixed}`)).toMatchObject({
      ...{ name: "decoder-refused", reaction: "cpu-decode" },
      avoid: { decode: true, filters: false },
    });
  });

  test("frames that fit no filter, without a fault of the decoder, are left to the CPU entirely", () => {
    expect(faultOf(mixed)).toMatchObject({
      ...{ name: "frames-mixed", reaction: "cpu-decode" },
      avoid: { decode: true, filters: true },
    });
    expect(faultOf(mixed, encodeOnGpu)).toBeNull();
  });

  test("a library that is missing explains the decoder that does not start", () => {
    const stderr = `[h264 @ 0x55] Cannot load libnvcuvid.so.1\n${refused}\n${mixed}`;
    expect(faultOf(stderr)?.name).toBe("library-missing");
  });

  test("a decoder that breaks off costs the decoder, an error that no call survives the GPU", () => {
    expect(faultOf(decodePicture)?.name).toBe("decoder-failed");
    const illegal = decodePicture.replace(
      "UNKNOWN: unknown error",
      "ILLEGAL_ADDRESS: an illegal …",
    );
    expect(faultOf(illegal)).toMatchObject({ name: "gpu-trouble", reaction: "device-out" });
  });

  test("memory of the GPU is not memory of the machine", () => {
    const stderr =
      "[AVHWDeviceContext @ 0x55] cu->cuMemAlloc(&data, size) failed -> CUDA_ERROR_OUT_OF_MEMORY: out of memory\nError while filtering: Cannot allocate memory";
    expect(faultOf(stderr)).toMatchObject({ name: "memory-full", shortage: "memory" });
    expect(faultOf("Error while filtering: Cannot allocate memory")).toBeNull();
  });
});

describe("the GPU is not to blame", () => {
  const ordinary: Record<string, string> = {
    "a full disk": `[h264 @ 0x55] no frame!\n[mp4 @ 0x1] av_interleaved_write_frame(): No space left on device`,
    "an input that is gone": "input 1: No such file or directory",
    "a file that is no media": "in.mp4: Invalid data found when processing input",
    "no index": "[mov,mp4 @ 0x55] moov atom not found",
    "another encoder's option": "[libmp3lame @ 0x55] Error setting option abr to value x.",
    "sound that cannot be encoded":
      "[aac @ 0x55] Unsupported channel layout\nError while opening encoder",
    "somebody who ends ffmpeg": "Exiting normally, received signal 15.",
    silence: "",
  };
  test.each(Object.entries(ordinary))("%s", (_name, stderr) => {
    expect(faultOf(stderr)).toBeNull();
  });

  test("when the CPU decodes what is damaged for an encoder on the GPU", () => {
    const damaged = "[h264 @ 0x55] error while decoding MB 1 0\nin.mp4: corrupt decoded frame";
    expect(faultOf(damaged)?.name).toBe("source-damaged");
    expect(faultOf(damaged, encodeOnGpu)).toBeNull();
    expect(faultOf("No decoder surfaces left", encodeOnGpu)).toBeNull();
    expect(faultOf("Using more than 32 (40) decode surfaces", encodeOnGpu)).toBeNull();
    expect(faultOf("hardware accelerator failed to decode picture", encodeOnGpu)).toBeNull();
    expect(faultOf(`${refused}\n${mixed}`, encodeOnGpu)).toBeNull();
  });

  test("when the run did not use it, whatever it says", () => {
    expect(faultOf(sessions, onCpu)).toBeNull();
    expect(gpuFaultOf({ kind: "stalled", stderr: "" }, context(onCpu))).toBeNull();
  });

  test("for the time limit, for a program that was ended and for one that never began", () => {
    const outcomes: Exclude<RunOutcome, { kind: "aborted" }>[] = [
      { kind: "time_limit", stderr: "" },
      { kind: "signalled", signal: "SIGKILL", stderr: "" },
      { kind: "signalled", signal: "SIGTERM", stderr: "" },
      { kind: "signalled", signal: "SIGABRT", stderr: "what():  std::bad_alloc" },
      { kind: "not_started", reason: "Landlock is missing" },
    ];
    for (const outcome of outcomes) expect(gpuFaultOf(outcome, context(allOnGpu))).toBeNull();
  });
});

describe("without an exit code", () => {
  test("a run that stood still or crashed takes the GPU out of service", () => {
    const hang = gpuFaultOf({ kind: "stalled", stderr: "" }, context(allOnGpu));
    expect(hang).toMatchObject({ name: "hang", reaction: "device-out" });
    const crash = gpuFaultOf(
      { kind: "signalled", signal: "SIGSEGV", stderr: "" },
      context(encodeOnGpu),
    );
    expect(crash).toMatchObject({ name: "crash", reaction: "device-out" });
    expect(crash?.sentence).toContain("SIGSEGV");
  });

  test("what was said before is the better reason", () => {
    const fault = gpuFaultOf({ kind: "stalled", stderr: broken }, context(allOnGpu));
    expect(fault?.name).toBe("encoder-failed");
    // A session that does not open keeps nobody waiting.
    const waiting = gpuFaultOf({ kind: "stalled", stderr: sessions }, context(allOnGpu));
    expect(waiting?.name).toBe("hang");
  });
});

test("exit code 0 is a fault when NVDEC broke off, and only then", () => {
  expect(quietGpuFault(`${decodePicture}\n`)?.name).toBe("decoder-failed");
  expect(
    quietGpuFault("[h264 @ 0x55] hardware accelerator failed to decode picture"),
  ).not.toBeNull();
  expect(quietGpuFault(refused)).toBeNull();
  expect(faultOf(decodePicture, allOnGpu, 0)?.name).toBe("decoder-failed");
  expect(faultOf(decodePicture, encodeOnGpu, 0)).toBeNull();
});

test("an output that is not as it should be is made again on the CPU when a GPU had a part in it", () => {
  const fault = rejectedOutputFault({ ...onCpu, filters: "cuda" });
  expect(fault).toMatchObject({ name: "output-rejected", reaction: "cpu" });
  expect(rejectedOutputFault(onCpu)).toBeNull();
});

test("whatever is not busy asks for nothing that is short, and only cpu-decode avoids", () => {
  const texts = [sessions, broken, decodePicture, `${refused}\n${mixed}`];
  for (const text of texts) {
    const fault = faultOf(text);
    expect(reactions).toContain(fault?.reaction ?? "later");
    expect(fault?.shortage === null).toBe(fault?.reaction !== "later");
    const avoids = fault?.avoid.decode || fault?.avoid.filters;
    expect(avoids).toBe(fault?.reaction === "cpu-decode");
  }
});
