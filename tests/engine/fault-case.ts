/** What a case of a fault is, and the runs of ffmpeg that most of them make. */
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

/** Where the parts of a run are. */
export const allOnGpu: Placement = { decode: "nvdec", filters: "cuda", encode: "nvenc", because };
export const nvdecToNvenc: Placement = { ...allOnGpu, filters: null };
export const encodeOnGpu: Placement = { decode: "cpu", filters: null, encode: "nvenc", because };
export const uploaded: Placement = { decode: "cpu", filters: "cuda", encode: "nvenc", because };

/** NVDEC, and NVDEC as a job has it: it stops at errors and has pictures to spare. */
export const nvdec = ["-hwaccel", "cuda", "-hwaccel_output_format", "cuda"];
export const careful = ["-xerror", ...nvdec, "-threads", "2", "-extra_hw_frames", "12"];
/** What follows the input of a run that is all on the GPU. */
export const scaled = ["-an", "-vf", "scale_cuda=240:180", "-c:v", "h264_nvenc", "out.mp4"];
/** A moving picture of a second as the input. */
export const picture = (size: string) => ["-f", "lavfi", "-i", `testsrc2=s=${size}:r=25:d=1`];

/** All on the GPU; and NVENC alone. */
export const gpuRun = { argv: [...careful, "-i", "in.mp4", ...scaled], placement: allOnGpu };
export const encodeRun = {
  argv: ["-i", "in.mp4", "-an", "-pix_fmt", "yuv420p", "-c:v", "h264_nvenc", "out.mp4"],
  placement: encodeOnGpu,
};

/** The CPU decodes, NVENC encodes as told. */
export const encodeOf = (input: string[], ...encode: string[]) => ({
  argv: [...input, "-an", ...encode, "out.mp4"],
  placement: encodeOnGpu,
});

/** CUDA filters on what the CPU decoded. */
export const uploadRun = {
  argv: [
    ...["-init_hw_device", "cuda=gpu:0", "-filter_hw_device", "gpu", "-i", "in.mp4"],
    ...["-an", "-vf", "format=nv12,hwupload_cuda,scale_cuda=240:180"],
    ...["-c:v", "h264_nvenc", "out.mp4"],
  ],
  placement: uploaded,
};

/** Until FFmpeg 5.1 a failure is exit code 1; from 7.1 on the code is that of the error inside. */
export const ends = (code: Ending, nine: Ending = code): Record<Major, Ending> => ({
  ...{ 5: typeof code === "number" ? 1 : code, 7: code, 9: nine },
});

/** The box that has nothing wrong with it. */
export const twoL4 = { gpus: "twoL4" } as const;
/** Faults by what follows from them. */
export const later = (name: string) => ({ name, reaction: "later" }) as const;
export const out = (name: string) => ({ name, reaction: "device-out" }) as const;
export const cpuDecode = (name: string) => ({ name, reaction: "cpu-decode" }) as const;
