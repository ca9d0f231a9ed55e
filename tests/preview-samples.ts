/** Sample data for looking at the pages without a server behind them: one of everything that can be seen. */

import type { Asset } from "../src/assets/asset.ts";
import type { Job, JobAttempt, JobState } from "../src/jobs/job.ts";
import type { MediaInfo, VideoStream } from "../src/media/media.ts";
import type { Proof } from "../src/runners/runner.ts";
import type { JobEntry } from "../views/job-words.ts";
import type { Viewer } from "../views/layout.ts";
import { video as videoOf } from "./operations/specimen.ts";
import { eventfulJob } from "./preview-jobs.ts";

export const viewer: Viewer = {
  ...{ id: "us_1", name: "Ana Perić", role: "admin" },
  work: "running",
};

const now = Date.now();
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
const hex = (seed: number) => seed.toString(16).padStart(32, "0");

function picture(change: Partial<VideoStream>): VideoStream {
  return videoOf({ frameRate: "30000/1001", bitRate: 8_200_000, ...change });
}

export function media(change: Partial<MediaInfo>, video: Partial<VideoStream> = {}): MediaInfo {
  return {
    container: "mp4",
    kind: "video",
    durationSeconds: 61.44,
    bitRate: 8_400_000,
    video: picture(video),
    audio: [
      {
        codec: "aac",
        profile: "LC",
        channels: 2,
        channelLayout: "stereo",
        sampleRate: 48_000,
        language: "eng",
        title: null,
        bitRate: 192_000,
        default: true,
        index: 1,
      },
    ],
    subtitles: [],
    chapters: [],
    ...change,
  };
}

export function sampleAsset(seed: number, name: string, change: Partial<Asset> = {}): Asset {
  return {
    id: `as_${hex(seed)}`,
    ownerId: "us_1",
    name,
    state: "ready",
    kind: "video",
    sizeBytes: 104_857_600 / ((seed % 5) + 1),
    sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    mimeType: "video/mp4",
    media: media({ durationSeconds: 12.5 * seed + 4 }),
    origin: { kind: "upload" },
    thumbnail: "ready",
    createdAt: ago(seed * seed * 7),
    expiresAt: null,
    ...change,
  };
}

/** Every text that a person can send, as somebody with bad intentions would choose it. */
export const hostileName =
  `"><img src=x onerror=alert(1)><b hx-get="/hit" hx-trigger="load">'` + "`js:alert(2).mov";

export const assets: readonly Asset[] = [
  sampleAsset(1, "Harbour at dusk.mov", {
    labels: ["Cup final", `<b hx-get="/hit">two & more</b>`, "second half", "archive"],
    media: media(
      { container: "mov" },
      {
        codec: "hevc",
        width: 3840,
        height: 2160,
        displayWidth: 3840,
        displayHeight: 2160,
        hdr: "hdr10",
        bitDepth: 10,
        pixelFormat: "yuv420p10le",
      },
    ),
  }),
  sampleAsset(2, "final_match_2026-11-14_camera-2_second-half_with_commentary_uncut.mkv", {
    media: media({
      container: "mkv",
      durationSeconds: 6123,
      subtitles: [
        { codec: "subrip", language: "eng", title: null, default: true, forced: false, index: 3 },
        { codec: "ass", language: "hrv", title: "Signs", default: false, forced: true, index: 4 },
      ],
      chapters: [
        { startSeconds: 0, endSeconds: 2710, title: "First half" },
        { startSeconds: 2710, endSeconds: 6123, title: "Second half" },
      ],
    }),
  }),
  sampleAsset(3, "IMG_4471.MOV", {
    media: media(
      { container: "mov" },
      {
        rotation: 90,
        displayWidth: 1080,
        displayHeight: 1920,
        variableFrameRate: true,
        hdr: "hlg",
      },
    ),
  }),
  sampleAsset(4, "Interview, take 3.wav", {
    kind: "audio",
    thumbnail: "none",
    mimeType: "audio/wav",
    media: media({ container: "wav", kind: "audio", video: null }),
  }),
  sampleAsset(5, "poster.jpg", {
    kind: "image",
    mimeType: "image/jpeg",
    media: media(
      { container: "jpeg", kind: "image", durationSeconds: null, audio: [] },
      { codec: "mjpeg" },
    ),
  }),
  sampleAsset(6, hostileName),
  sampleAsset(7, "Just uploaded.mp4", { thumbnail: "wanted" }),
  sampleAsset(8, "match 720p.mp4", {
    origin: { kind: "job", jobId: `jb_${hex(1)}`, role: "main" },
    media: media({}, { width: 1280, height: 720, displayWidth: 1280, displayHeight: 720 }),
  }),
  sampleAsset(9, "thumbnails.vtt", {
    kind: "text",
    thumbnail: "none",
    mimeType: "text/vtt",
    media: null,
    sizeBytes: 2048,
    origin: { kind: "job", jobId: `jb_${hex(3)}`, role: "sprite-index" },
  }),
];

function sampleJob(seed: number, state: JobState, change: Partial<Job> = {}): Job {
  const ended = state === "succeeded" || state === "failed" || state === "cancelled";
  const begun = state === "running" || ended;
  return {
    id: `jb_${hex(seed)}`,
    ownerId: "us_1",
    operation: "transcode",
    title: "Transcode: match.mov",
    state,
    params: { video: { codec: "h264", quality: 60, maxHeight: 720 }, container: "mp4" },
    inputs: [`as_${hex(seed)}`],
    outputs: [],
    progressPercent: state === "succeeded" ? 100 : begun ? 41.5 : 0,
    speed: state === "running" ? 3.42 : null,
    etaSeconds: state === "running" ? 12 : null,
    priority: 0,
    attempt: begun ? 1 : 0,
    device: begun ? "cpu" : null,
    deviceReason: begun
      ? "Encoded on the CPU with libx264, because this machine has no NVIDIA GPU."
      : null,
    error: null,
    notes: [],
    labels: {},
    ...{
      waitsFor: null,
      waitReason: null,
      after: [],
      notBefore: null,
      pausedAt: null,
      batch: null,
    },
    steps: [
      {
        name: "encode",
        title: "Encode H.264 at 1280 × 720",
        state: state === "succeeded" ? "done" : state === "running" ? "running" : "pending",
        device: begun ? "cpu" : null,
        deviceReason: null,
        encoder: begun ? "libx264" : null,
        checks:
          state === "succeeded"
            ? [
                "Duration 61.44 s, as the source (difference 0.01 s)",
                "One video track, H.264, 1280 × 720",
                "Decoded the first, middle and last 2 seconds without an error",
              ]
            : [],
      },
    ],
    attempts: begun
      ? [
          {
            fence: 1,
            startedAt: ago(seed),
            finishedAt: ended ? ago(seed - 0.6) : null,
            outcome:
              state === "running" ? "running" : state === "succeeded" ? "succeeded" : "failed",
            device: "cpu",
            error: null,
          },
        ]
      : [],
    createdAt: ago(seed * 11),
    startedAt: begun ? ago(seed * 11 - 1) : null,
    finishedAt: ended ? ago(seed * 11 - 2.2) : null,
    ...change,
  };
}

function entry(job: Job, input: number, outputs: readonly Asset[] = []): JobEntry {
  const asset = assets[input];
  const inputs = asset === undefined ? [] : [asset];
  const operationTitle = job.operation === "thumbnails" ? "Thumbnails" : "Transcode";
  return { job: { ...job, outputs: outputs.map(({ id }) => id) }, operationTitle, inputs, outputs };
}

const onL4: Proof = {
  ...{ decoder: "NVDEC", filters: "CUDA", encoder: "h264_nvenc", device: "NVIDIA L4" },
  ...{ averageFps: 412, realtimeFactor: 13.7, fenceLayers: ["limits", "Landlock 7", "seccomp"] },
  sentence:
    "Decoded and encoded on NVIDIA L4 (NVDEC → CUDA filters → NVENC), 412 fps, 13.7 × real time.",
  command:
    "ffmpeg -hwaccel cuda -hwaccel_output_format cuda -i 'input 1' -filter_complex '[0:0]scale_cuda=w=1280:h=720:format=nv12[picture]' -map '[picture]' -c:v h264_nvenc -preset p4 -rc vbr -cq 26 -map 0:1 -c:a copy -movflags +faststart output.mp4",
};

const onCpu: Proof = {
  ...{ decoder: "CPU", filters: "CPU", encoder: "libx264", device: "CPU, 16 cores" },
  ...{ averageFps: 96, realtimeFactor: 3.2, fenceLayers: ["limits", "Landlock 7", "seccomp"] },
  sentence: "Decoded and encoded on CPU, 16 cores (libx264), 96 fps, 3.2 × real time.",
};

const brokenGpu: JobAttempt = {
  ...{ fence: 1, startedAt: ago(7), finishedAt: ago(6.8), outcome: "failed", device: "gpu:0" },
  error: {
    ...{ code: "encoder_failed", retryable: true, log: "", hint: "" },
    message: "NVIDIA L4 stopped with a fault of its encoder.",
  },
};

/** A job that was done here, after the attempts before. */
function provenOn(device: string, proof: Proof, ...before: JobAttempt[]): Partial<Job> {
  const sample = sampleJob(6, "succeeded");
  const reason =
    device === "cpu"
      ? "H.264 with libx264 on CPU, 16 cores. NVIDIA L4: Its encoder stopped in the middle of the work (generic error 20)."
      : "H.264 with h264_nvenc on NVIDIA L4; decoded by NVDEC, scaled by CUDA, frames never leave the card";
  const { encoder } = proof;
  return {
    ...{ device, deviceReason: reason },
    steps: sample.steps.map((step) => ({ ...step, device, deviceReason: reason, encoder, proof })),
    attempts: [...before, ...sample.attempts.map((each) => ({ ...each, device, proof, fence: 2 }))],
  };
}

const usual: readonly JobEntry[] = [
  entry(sampleJob(1, "running"), 0),
  entry(
    sampleJob(2, "queued", {
      deviceReason: "NVIDIA L4 has no free encode session: 3 of 3 are in use, 2 by other programs.",
    }),
    5,
  ),
  entry(
    sampleJob(3, "succeeded", {
      ...provenOn("gpu:0", onL4),
      notes: ["The source is already 30 frames a second: the rate was kept."],
    }),
    1,
    assets.slice(7, 9),
  ),
  entry(
    sampleJob(4, "failed", {
      error: {
        code: "media_undecodable",
        message: "The picture cannot be decoded after 00:12.",
        hint: "The file is damaged or was cut off while it was copied. Copy it again from its source.",
        retryable: false,
        log: `[h264 @ 0x55d1] error while decoding MB 44 31, bytestream -7\n[mov,mp4] stream 0, timescale not set\n${hostileName}\nConversion failed!`,
      },
    }),
    2,
  ),
  entry(sampleJob(5, "cancelled", { operation: "thumbnails" }), 3),
  entry(sampleJob(6, "succeeded", provenOn("cpu", onCpu, brokenGpu)), 0, assets.slice(7, 8)),
];

const done = sampleJob(7, "succeeded", provenOn("gpu:0", onL4));

export const entries: readonly JobEntry[] = [
  ...usual,
  eventfulJob(entry(done, 1, assets.slice(7, 8)), ago, hostileName),
];
