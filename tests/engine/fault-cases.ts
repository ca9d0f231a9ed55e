/**
 * Everything that can go wrong between ffmpeg and a GPU, once: `faults.test.ts` makes each of them happen to
 * a real ffmpeg, and docs/devices.md tells people what they see and what Kinomill does.
 */
import type { Reaction } from "../../src/media/gpu-fault.ts";
import type { Placement } from "../../src/media/placement.ts";
import type { BoxWish } from "../gpu-box.ts";

/** The releases of FFmpeg whose exit codes are known: Debian 12, Debian 13 and Debian sid. */
export const releases = [
  { major: 5, version: "5.1.9", debian: "Debian 12" },
  { major: 7, version: "7.1.5", debian: "Debian 13" },
  { major: 9, version: "9.0.2", debian: "Debian sid" },
] as const;
export type Major = (typeof releases)[number]["major"];

/** An exit code; or why there is none; or `well`: this release of ffmpeg manages, with exit code 0. */
export type Ending = number | "stalled" | "time_limit" | "SIGABRT" | "SIGKILL" | "well";

export interface FaultCase {
  /** What happens, for a person who reads the table. */
  what: string;
  box: BoxWish;
  /** Model of the GPU; without it NVIDIA L4. */
  title?: string;
  /** What ffmpeg is told, without its global flags; the files are those of `clips.ts` beside this. */
  argv: string[];
  placement: Placement;
  memoryFreeBytes?: number;
  /** Bytes that the output may have. */
  fileBytes?: number;
  /** Seconds after which it counts as standing still, or after which its time is up. */
  stallSeconds?: number;
  wallLimitSeconds?: number;
  /** A signal that somebody sends to it while it encodes. */
  sent?: NodeJS.Signals;
  ends: Record<Major, Ending>;
  /** Parts of what ffmpeg prints, in every release that does not end well. */
  says: string[];
  /** A whole line of it for the page, where `says` has only the part that all releases share. */
  example?: string;
  /** Null: the GPU is not to blame. */
  fault: { name: string; reaction: Reaction } | null;
}

const because = "";
const allOnGpu: Placement = { decode: "nvdec", filters: "cuda", encode: "nvenc", because };
const nvdecToNvenc: Placement = { ...allOnGpu, filters: null };
const encodeOnGpu: Placement = { decode: "cpu", filters: null, encode: "nvenc", because };
const uploaded: Placement = { decode: "cpu", filters: "cuda", encode: "nvenc", because };

const nvdec = ["-hwaccel", "cuda", "-hwaccel_output_format", "cuda"];
const careful = ["-xerror", ...nvdec, "-threads", "2", "-extra_hw_frames", "12"];
const scaled = ["-an", "-vf", "scale_cuda=240:180", "-c:v", "h264_nvenc", "out.mp4"];
const picture = (size: string) => ["-f", "lavfi", "-i", `testsrc2=s=${size}:r=25:d=1`];

/** The three ways of a run: all on the GPU, CPU to NVENC, and CPU to CUDA filters to NVENC. */
const gpuRun = { argv: [...careful, "-i", "in.mp4", ...scaled], placement: allOnGpu };
const encodeRun = {
  argv: ["-i", "in.mp4", "-an", "-pix_fmt", "yuv420p", "-c:v", "h264_nvenc", "out.mp4"],
  placement: encodeOnGpu,
};
const encodeOf = (input: string[], ...encode: string[]) => ({
  argv: [...input, "-an", ...encode, "out.mp4"],
  placement: encodeOnGpu,
});
const uploadRun = {
  argv: [
    ...["-init_hw_device", "cuda=gpu:0", "-filter_hw_device", "gpu", "-i", "in.mp4"],
    ...["-an", "-vf", "format=nv12,hwupload_cuda,scale_cuda=240:180"],
    ...["-c:v", "h264_nvenc", "out.mp4"],
  ],
  placement: uploaded,
};

/** Until FFmpeg 5.1 a failure is exit code 1; from 7.1 on the code is that of the error inside. */
const ends = (code: Ending, nine: Ending = code): Record<Major, Ending> => ({
  ...{ 5: typeof code === "number" ? 1 : code, 7: code, 9: nine },
});

const twoL4 = { gpus: "twoL4" } as const;
const later = (name: string) => ({ name, reaction: "later" }) as const;
const out = (name: string) => ({ name, reaction: "device-out" }) as const;
const cpuDecode = (name: string) => ({ name, reaction: "cpu-decode" }) as const;

const busyCases: FaultCase[] = [
  {
    what: "All encode sessions are in use",
    box: { gpus: "geforce3", fault: { maxSessions: 0 } },
    ...encodeRun,
    ends: ends(187),
    says: ["OpenEncodeSessionEx failed: out of memory (10)"],
    fault: later("session-limit"),
  },
  {
    what: "All encode sessions are in use; the picture is on the GPU already",
    box: { gpus: "geforce3", fault: { maxSessions: 0 } },
    ...gpuRun,
    ends: ends(244),
    says: ["OpenEncodeSessionEx failed: out of memory (10)"],
    fault: later("session-limit"),
  },
  {
    what: "No encode session opens while hardly any memory of the GPU is free",
    box: { ...twoL4, fault: { openError: 10 } },
    ...encodeRun,
    memoryFreeBytes: 200 * 1024 ** 2,
    ends: ends(187),
    says: ["OpenEncodeSessionEx failed: out of memory (10)"],
    fault: later("session-memory"),
  },
  {
    what: "The encoder gets no memory",
    box: { ...twoL4, fault: { initError: 10 } },
    ...encodeRun,
    ends: ends(244),
    says: ["InitializeEncoder failed: out of memory (10)"],
    fault: later("encoder-memory"),
  },
  {
    what: "The encoder gets no memory in the middle",
    box: { ...twoL4, fault: { encodeFailsAfter: 10, encodeStatus: 10 } },
    ...encodeRun,
    ends: ends(244),
    says: ["EncodePicture failed!: out of memory (10)"],
    fault: later("encoder-memory"),
  },
  {
    what: "No memory for a context",
    box: { ...twoL4, fault: { contextError: 2 } },
    ...encodeRun,
    ends: ends(187),
    says: ["CUDA_ERROR_OUT_OF_MEMORY"],
    fault: later("memory-full"),
  },
  {
    what: "No memory for the pictures",
    box: { ...twoL4, fault: { vramMegabytes: 1 } },
    ...uploadRun,
    ends: ends(244),
    says: ["CUDA_ERROR_OUT_OF_MEMORY"],
    fault: later("memory-full"),
  },
  {
    what: "No memory for the decoder",
    box: { ...twoL4, fault: { decoderError: 2 } },
    ...gpuRun,
    ends: ends(218),
    says: ["CUDA_ERROR_OUT_OF_MEMORY"],
    fault: later("memory-full"),
  },
];

const driverCases: FaultCase[] = [
  {
    what: "The driver is older than this ffmpeg wants",
    box: { gpus: "oldDriver" },
    ...encodeRun,
    ends: ends(218),
    says: ["Driver does not support the required nvenc API version. Required: "],
    example: "Driver does not support the required nvenc API version. Required: 12.1 Found: 8.1",
    fault: out("driver-too-old"),
  },
  {
    what: "The driver lacks its encoder (a container without the capability `video`)",
    box: { ...twoL4, without: "libnvidia-encode.so.1" },
    ...encodeRun,
    ends: ends(255),
    says: ["Cannot load libnvidia-encode.so.1"],
    fault: out("library-missing"),
  },
  {
    what: "The driver lacks its decoder",
    box: { ...twoL4, without: "libnvcuvid.so.1" },
    ...gpuRun,
    ends: ends(218),
    says: ["Cannot load libnvcuvid.so.1"],
    fault: out("library-missing"),
  },
  {
    what: "The driver lacks CUDA",
    box: { ...twoL4, without: "libcuda.so.1" },
    ...encodeRun,
    ends: ends(255),
    says: ["Cannot load libcuda.so.1"],
    fault: out("library-missing"),
  },
  {
    what: "The driver lacks CUDA; the run needs it before it decodes",
    box: { ...twoL4, without: "libcuda.so.1" },
    ...gpuRun,
    ends: ends(255),
    says: ["Cannot load libcuda.so.1"],
    fault: out("library-missing"),
  },
  {
    what: "The driver was upgraded, and the machine not restarted",
    box: { gpus: "smiMismatch" },
    ...encodeRun,
    ends: ends(171),
    says: ["CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"],
    fault: out("driver-mismatch"),
  },
  {
    what: "A container with libraries of a newer CUDA than the driver's",
    box: { gpus: "cudaTooNew" },
    ...encodeRun,
    ends: ends(171),
    says: ["CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE"],
    fault: out("cuda-too-new"),
  },
  {
    what: "GPUs with NVSwitch whose fabric manager does not run",
    box: { gpus: "noFabric" },
    ...gpuRun,
    ends: ends(187),
    says: ["CUDA_ERROR_SYSTEM_NOT_READY"],
    fault: out("fabric-missing"),
  },
  {
    what: "The device nodes are gone (a container that lost them)",
    box: { gpus: "noDevice" },
    ...encodeRun,
    ends: ends(171),
    says: ["CUDA_ERROR_NO_DEVICE"],
    fault: out("no-device"),
  },
  {
    what: "The GPU was split by MIG meanwhile",
    box: { gpus: "mig" },
    ...gpuRun,
    ends: ends(187),
    says: ["CUDA_ERROR_NO_DEVICE"],
    fault: out("no-device"),
  },
];

const sickCases: FaultCase[] = [
  {
    what: "The driver is in trouble (an Xid in the kernel's log)",
    box: { gpus: "unknownError" },
    ...encodeRun,
    ends: ends(171),
    says: ["CUDA_ERROR_UNKNOWN"],
    fault: out("gpu-trouble"),
  },
  {
    what: "The GPU fell off the bus before",
    box: { ...twoL4, fault: { contextError: 999 } },
    ...gpuRun,
    ends: ends(187),
    says: ["CUDA_ERROR_UNKNOWN"],
    fault: out("gpu-trouble"),
  },
  {
    what: "The GPU falls off the bus in the middle",
    box: { ...twoL4, fault: { lostAfter: 10 } },
    ...gpuRun,
    ends: ends(171),
    says: ["EncodePicture failed!: generic error (20)"],
    fault: out("encoder-failed"),
  },
  {
    what: "Another program has the GPU for itself",
    box: { ...twoL4, fault: { contextError: 46 } },
    ...encodeRun,
    ends: ends(187),
    says: ["CUDA_ERROR_DEVICE_UNAVAILABLE"],
    fault: out("gpu-reserved"),
  },
  {
    what: "A filter on the GPU crashes there",
    box: { ...twoL4, fault: { launchError: 700, launchFailsAfter: 10 } },
    ...gpuRun,
    ends: ends(187),
    says: ["CUDA_ERROR_ILLEGAL_ADDRESS"],
    fault: out("gpu-trouble"),
  },
  {
    what: "The memory of the GPU is defective",
    box: { ...twoL4, fault: { decodeFailsAfter: 10, decodeStatus: 214 } },
    ...gpuRun,
    ends: ends(187),
    says: ["CUDA_ERROR_ECC_UNCORRECTABLE"],
    fault: out("gpu-trouble"),
  },
  {
    what: "The encoder breaks off in the middle",
    box: { ...twoL4, fault: { encodeFailsAfter: 10 } },
    ...encodeRun,
    ends: ends(171),
    says: ["EncodePicture failed!: generic error (20)"],
    fault: out("encoder-failed"),
  },
  {
    what: "The encoder does not start",
    box: { ...twoL4, fault: { initError: 20 } },
    ...encodeRun,
    ends: ends(171),
    says: ["InitializeEncoder failed: generic error (20)"],
    fault: out("encoder-failed"),
  },
  {
    what: "The encoder is gone",
    box: { ...twoL4, fault: { openError: 5 } },
    ...encodeRun,
    ends: ends(187),
    says: ["OpenEncodeSessionEx failed: device does not exist (5)"],
    fault: out("encoder-failed"),
  },
  {
    what: "The GPU has another number than before",
    box: { gpus: "h200" },
    ...encodeOf(["-i", "in.mp4"], "-c:v", "h264_nvenc", "-gpu", "3"),
    ends: ends(187),
    says: ["No capable devices found"],
    fault: out("no-capable-device"),
  },
  {
    what: "The driver crashes",
    box: { ...twoL4, fault: { encodeCrashesAfter: 10 } },
    ...encodeRun,
    ends: ends("SIGABRT"),
    says: [],
    fault: out("crash"),
  },
  {
    what: "The encoder never answers again",
    box: { ...twoL4, fault: { encodeHangsAfter: 10 } },
    ...encodeRun,
    stallSeconds: 2,
    ends: ends("stalled"),
    says: [],
    fault: out("hang"),
  },
  {
    what: "The decoder never answers again",
    box: { ...twoL4, fault: { decodeHangsAfter: 10 } },
    ...gpuRun,
    stallSeconds: 2,
    ends: ends("stalled"),
    says: [],
    fault: out("hang"),
  },
];

const refused = { name: "encoder-refused", reaction: "other-gpu" } as const;

const encoderCases: FaultCase[] = [
  {
    what: "A GPU that is built without an encoder (A100, H100, H200 …)",
    box: { gpus: "h200" },
    title: "NVIDIA H200",
    ...encodeRun,
    ends: ends(187),
    says: ["OpenEncodeSessionEx failed: unsupported device (2)"],
    fault: out("no-encoder"),
  },
  {
    what: "A GPU with an encoder that the driver does not offer (a container that sees only some of the GPUs)",
    box: { ...twoL4, fault: { openError: 2 } },
    ...encodeRun,
    ends: ends(187),
    says: ["OpenEncodeSessionEx failed: unsupported device (2)"],
    fault: out("no-encoder"),
  },
  {
    what: "A GPU that does not encode this codec",
    box: { gpus: "tooOldGpu" },
    ...encodeOf(["-i", "in.mp4"], "-c:v", "hevc_nvenc"),
    ends: ends(187),
    says: ["Codec not supported"],
    fault: refused,
  },
  {
    what: "A GPU that does not encode this codec in 10 bit",
    box: twoL4,
    ...encodeOf(["-i", "in.mp4"], "-pix_fmt", "p010le", "-c:v", "h264_nvenc"),
    ends: ends(187),
    says: ["10 bit encode not supported"],
    fault: refused,
  },
  {
    what: "A picture that is too wide for this codec",
    box: twoL4,
    ...encodeOf(picture("4100x64"), "-pix_fmt", "yuv420p", "-c:v", "h264_nvenc"),
    ends: ends(187),
    says: ["Width 4100 exceeds 4096"],
    fault: refused,
  },
  {
    what: "More B-frames than this GPU makes",
    box: { gpus: "pascal" },
    ...encodeOf(picture("320x240"), "-pix_fmt", "yuv420p", "-c:v", "hevc_nvenc", "-bf", "3"),
    ends: ends(187),
    says: ["Max B-frames 3 exceed 0"],
    fault: refused,
  },
  {
    what: "More B-frames than this GPU makes; the picture is on the GPU already",
    box: { gpus: "pascal" },
    argv: [
      ...[...careful, "-i", "in.mp4", "-an", "-vf", "scale_cuda=240:180"],
      ...["-c:v", "hevc_nvenc", "-bf", "3", "out.mp4"],
    ],
    placement: allOnGpu,
    ends: ends(218),
    says: ["Max B-frames 3 exceed 0"],
    fault: refused,
  },
  {
    what: "A picture that is too small",
    box: twoL4,
    ...encodeOf(picture("64x64"), "-pix_fmt", "yuv420p", "-c:v", "h264_nvenc"),
    ends: ends(234),
    says: [
      "InitializeEncoder failed: invalid param (8): Frame Dimension less than the minimum supported value.",
    ],
    fault: { name: "encoder-settings", reaction: "cpu" },
  },
  {
    what: "Settings that the encoder does not know",
    box: { ...twoL4, fault: { initError: 12 } },
    ...encodeRun,
    ends: ends(218),
    says: ["InitializeEncoder failed: unsupported param (12)"],
    fault: { name: "encoder-settings", reaction: "cpu" },
  },
];

const decoderCases: FaultCase[] = [
  {
    what: "A GPU that does not decode this codec",
    box: { gpus: "noDecoder" },
    ...gpuRun,
    ends: ends(218),
    says: [
      "Hardware is lacking required capabilities",
      "hwaccel initialisation returned error",
      "Impossible to convert between the formats",
    ],
    fault: cpuDecode("decoder-refused"),
  },
  {
    what: "A GPU that does not decode this kind of picture (4:2:2)",
    box: twoL4,
    argv: [...careful, "-i", "in422.mp4", ...scaled],
    placement: allOnGpu,
    ends: ends(218),
    says: ["hwaccel initialisation returned error", "Impossible to convert between the formats"],
    fault: cpuDecode("decoder-refused"),
  },
  {
    what: "The decoder does not start",
    box: { ...twoL4, fault: { decoderError: 801 } },
    ...gpuRun,
    ends: ends(218),
    says: ["hwaccel initialisation returned error", "Impossible to convert between the formats"],
    fault: cpuDecode("decoder-refused"),
  },
  {
    what: "Too many pictures for the decoder at once (a machine of many cores)",
    box: twoL4,
    argv: [
      ...["-xerror", ...nvdec, "-threads", "16", "-extra_hw_frames", "40", "-i", "in.mp4"],
      ...scaled,
    ],
    placement: allOnGpu,
    ends: ends(218, "well"),
    says: ["decode surfaces might cause nvdec to fail"],
    example: "Using more than 32 (67) decode surfaces might cause nvdec to fail.",
    fault: cpuDecode("decoder-surfaces"),
  },
  {
    what: "The encoder keeps more pictures than the decoder has",
    box: twoL4,
    argv: [
      ...["-xerror", ...nvdec, "-threads", "1", "-i", "in.mp4", "-an"],
      ...["-c:v", "h264_nvenc", "-rc-lookahead", "32", "-bf", "3", "out.mp4"],
    ],
    placement: nvdecToNvenc,
    ends: { 5: 1, 7: "well", 9: "well" },
    says: ["No decoder surfaces left"],
    fault: cpuDecode("decoder-starved"),
  },
  {
    what: "The decoder breaks off in the middle",
    box: { ...twoL4, fault: { decodeFailsAfter: 5 } },
    ...gpuRun,
    ends: ends(187),
    says: ["cuvidDecodePicture(decoder->decoder, &ctx->pic_params) failed -> CUDA_ERROR_UNKNOWN"],
    fault: cpuDecode("decoder-failed"),
  },
  {
    what: "The decoder breaks off in the middle, and ffmpeg is not told to stop at errors (`-xerror`)",
    box: { ...twoL4, fault: { decodeFailsAfter: 5 } },
    argv: [...careful.slice(1), "-i", "in.mp4", ...scaled],
    placement: allOnGpu,
    ends: { 5: 69, 7: 0, 9: 69 },
    says: ["hardware accelerator failed to decode picture"],
    fault: cpuDecode("decoder-failed"),
  },
  {
    what: "The source is damaged",
    box: twoL4,
    argv: [...careful, "-i", "damaged.mp4", ...scaled],
    placement: allOnGpu,
    ends: ends(183),
    says: ["error while decoding MB"],
    fault: cpuDecode("source-damaged"),
  },
  {
    what: "A filter that this ffmpeg has and the GPU does not run",
    box: twoL4,
    argv: [
      ...[...careful, "-i", "in.mp4", "-an", "-vf", "yadif_cuda"],
      ...["-c:v", "h264_nvenc", "out.mp4"],
    ],
    placement: allOnGpu,
    ends: ends(187),
    says: ["CUDA_ERROR_NOT_FOUND"],
    fault: cpuDecode("filter-missing"),
  },
  {
    what: "Filters that were built for a newer driver",
    box: { ...twoL4, fault: { moduleError: 222 } },
    ...uploadRun,
    ends: ends(187),
    says: ["CUDA_ERROR_UNSUPPORTED_PTX_VERSION"],
    fault: cpuDecode("filter-missing"),
  },
  {
    what: "The driver lacks the compiler of filters (a container without the capability `compute`)",
    box: { ...twoL4, fault: { moduleError: 221 } },
    ...gpuRun,
    ends: ends(187),
    says: ["CUDA_ERROR_JIT_COMPILER_NOT_FOUND"],
    fault: cpuDecode("filter-missing"),
  },
  {
    what: "The size of the picture changes in the middle",
    box: twoL4,
    argv: [...careful, "-i", "resized.h264", ...scaled],
    placement: allOnGpu,
    ends: { 5: 1, 7: 218, 9: "well" },
    says: ["Impossible to convert between the formats"],
    fault: cpuDecode("frames-mixed"),
  },
];

/** On a GPU as anywhere else: nothing of it is the GPU's doing. */
const ordinaryCases: FaultCase[] = [
  {
    what: "The disk is full",
    box: twoL4,
    ...encodeRun,
    fileBytes: 4096,
    ends: ends(229),
    says: ["File too large"],
    fault: null,
  },
  {
    what: "The input is gone",
    box: twoL4,
    argv: [...careful, "-i", "gone.mp4", ...scaled],
    placement: allOnGpu,
    ends: ends(254),
    says: ["No such file or directory"],
    fault: null,
  },
  {
    what: "The source was cut off and has no index",
    box: twoL4,
    argv: [...careful, "-i", "cut.mp4", ...scaled],
    placement: allOnGpu,
    ends: ends(183),
    says: ["moov atom not found"],
    fault: null,
  },
  {
    what: "The sound cannot be encoded as asked",
    box: twoL4,
    argv: [
      ...["-i", "in.mp4", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "h264_nvenc"],
      ...["-c:a", "libmp3lame", "-compression_level", "99", "-abr", "9", "out.mp4"],
    ],
    placement: encodeOnGpu,
    ends: ends(234),
    says: ["abr"],
    fault: null,
  },
  {
    what: "An encoder that this ffmpeg lacks",
    box: twoL4,
    ...encodeOf(["-i", "in.mp4"], "-c:v", "vp9_nvenc"),
    ends: ends(8),
    says: ["Unknown encoder"],
    fault: null,
  },
  {
    what: "Somebody, or the kernel for want of memory, kills ffmpeg",
    box: { ...twoL4, fault: { delayMs: 100 } },
    ...encodeRun,
    sent: "SIGKILL",
    ends: ends("SIGKILL"),
    says: [],
    fault: null,
  },
  {
    what: "The job takes longer than it may",
    box: { ...twoL4, fault: { delayMs: 400 } },
    ...encodeRun,
    wallLimitSeconds: 2,
    ends: ends("time_limit"),
    says: [],
    fault: null,
  },
];

/** In groups, as the table has them. */
export const faultGroups: { title: string; cases: FaultCase[] }[] = [
  { title: "Busy", cases: busyCases },
  { title: "What the GPU cannot encode", cases: encoderCases },
  { title: "What the GPU cannot decode or filter", cases: decoderCases },
  { title: "The driver and its installation", cases: driverCases },
  { title: "A GPU or a driver in trouble", cases: sickCases },
  { title: "Not the GPU's doing", cases: ordinaryCases },
];
