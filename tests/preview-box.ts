/** A box for previews and tests of views: two GPUs, one of them at work, and what stands beside them. */
import type { GpuSample } from "../src/media/gpu-samples.ts";
import type { MachineSample } from "../src/metrics/machine-samples.ts";
import type { SystemReport } from "../views/system.ts";
import { hostileName } from "./preview-samples.ts";

const now = Date.now();

/** Five minutes of a GPU that was idle, was not looked at for a while, and then got work. */
export const busyGpu: readonly GpuSample[] = Array.from({ length: 100 }, (_, number) => number)
  .filter((number) => number < 20 || number > 30)
  .map((number) => {
    const work = number < 40 ? 0 : 1;
    return {
      ...{ uuid: "GPU-aa", takenAt: new Date(now - 300_000 + number * 3000).toISOString() },
      atMs: number * 3000,
      encoderPercent: work * Math.round(62 + 24 * Math.sin(number / 5) + (number % 3) * 4),
      decoderPercent: work * Math.round(31 + 12 * Math.sin(number / 5)),
      ...{ gpuPercent: 20 * work, memoryUsedBytes: 1.4e9, memoryTotalBytes: 24_152_899_584 },
      ...{ temperatureCelsius: 61, powerWatts: 54.2, sessionCount: 3, averageFps: 142 },
    };
  });

/** The machine while the GPU got its work. */
export const machineHour: readonly MachineSample[] = busyGpu.map(({ atMs }, number) => ({
  ...{ takenAt: new Date(now - 300_000 + atMs).toISOString(), atMs },
  ...{ cpuPercent: 12 + (number % 7) * 3, memoryUsedBytes: 9.1e9, memoryTotalBytes: 33.5e9 },
  ...{ serverBytes: 88e6, loopLagMs: number % 9, runningJobs: 3, waitingJobs: 7 },
  oldestWaitingSeconds: 340,
}));

export const report: SystemReport = {
  version: "0.1.0",
  commit: "485c98f",
  uptimeSeconds: 93_600,
  devices: [
    {
      ...{ id: "cpu", kind: "cpu", title: "CPU, 16 cores", slots: 4, busySlots: 1 },
      reason: "Does what no GPU can do.",
      ...{ gpu: null, load: null },
      seats: [
        {
          ...{ job: null, operation: "Transcode", step: "Part 3 of 8", progressPercent: 12.4 },
          ...{ user: hostileName, sessions: 0, decoders: 0, seconds: 75, paused: true },
        },
      ],
    },
    {
      ...{ id: "gpu:0", kind: "gpu", title: "NVIDIA L4", slots: 4, busySlots: 3 },
      reason: "Ready for H.264.",
      gpu: {
        ...{ uuid: "GPU-aa", suspended: null },
        driver: "570.133.07",
        memoryTotalBytes: 24_152_899_584,
        mig: false,
        abilities: [
          {
            ...{ work: "encode", codec: "h264", bitDepth: 8, title: "H.264", state: "can" },
            ...{ because: null, remedy: null },
          },
          {
            ...{ work: "encode", codec: "av1", bitDepth: 8, title: "AV1", state: "cannot" },
            because: "ffmpeg 5.1.9 has no AV1 encoder for NVIDIA GPUs (av1_nvenc).",
            remedy: "Install ffmpeg 6.0 or newer.",
          },
        ],
      },
      load: busyGpu.at(-1) ?? null,
      seats: [
        {
          job: { id: "jb_mine", title: `Transcode: ${hostileName}` },
          ...{ operation: "Transcode", step: "Encode", progressPercent: 41 },
          ...{ user: null, sessions: 1, decoders: 1, seconds: 12, paused: false },
        },
        {
          ...{ job: null, operation: null, step: null, progressPercent: null, user: null },
          ...{ sessions: 1, decoders: 1, seconds: 3700, paused: false },
        },
      ],
    },
    {
      ...{ id: "gpu:1", kind: "gpu", title: "NVIDIA A30", slots: 0, busySlots: 0 },
      reason: "Cannot encode. This model is built without an encoder. It can decode.",
      gpu: {
        ...{ uuid: "GPU-bb", driver: null, memoryTotalBytes: 25_769_803_776, mig: true },
        ...{ abilities: [], suspended: null },
      },
      ...{ load: null, seats: [] },
    },
  ],
  gpus: { state: "found", sentence: "", remedy: null },
  ffmpeg: {
    version: "5.1.9-0+deb12u1",
    problem: null,
    abilities: [
      { ability: "H.264 encoding", by: "libx264", remedy: null },
      { ability: "AV1 encoding", by: "libsvtav1", remedy: null },
      {
        ability: "HDR to SDR conversion",
        by: null,
        remedy:
          "ffmpeg 5.1.9 lacks the filter zscale, so HDR to SDR conversion fails. Install another.",
      },
    ],
  },
  work: { mode: "running", since: null, running: 4 },
  sandbox: { layers: ["limits", "Landlock 7", "seccomp"], missing: [] },
  storage: {
    ...{ kind: "disk", freeBytes: 812e9, usedBytes: 143e9, assetCount: 231 },
    ...{ state: "ok", sentence: "", cache: null },
  },
  disks: [
    {
      ...{ holds: ["data", "storage"], totalBytes: 1e12, usedBytes: 188e9, freeBytes: 812e9 },
    },
    { holds: ["backups"], totalBytes: 5e11, usedBytes: 4.4e11, freeBytes: 6e10 },
  ],
  versions: {
    ...{ bun: "1.4.5", system: "Debian GNU/Linux 12 (bookworm)", kernel: "6.1.0-37-amd64" },
    ...{ architecture: "x64", schema: 18 },
  },
  machine: { latest: machineHour.at(-1) ?? null, eventStreams: 3 },
  selfTest: {
    runningSince: null,
    last: {
      ...{ at: new Date(now - 86_400_000).toISOString(), problem: null },
      devices: [
        {
          ...{ id: "cpu", title: "CPU, 16 cores", result: "ok", sessions: 2, encoder: "libx264" },
          ...{ framesPerSecond: 96, realtimeFactor: 3.2, sentence: "", remedy: null },
        },
        {
          ...{ id: "gpu:0", title: "NVIDIA L4", result: "failed", sessions: 1, encoder: null },
          ...{ framesPerSecond: null, realtimeFactor: null },
          sentence: "Its encoder stopped in the middle of the work (generic error 20).",
          remedy: "Restart the machine: sudo reboot",
        },
      ],
    },
  },
  lookedAt: new Date(now),
  range: "300",
  findings: [
    {
      ...{ id: "data.filesystem", level: "warning", title: "File system" },
      meaning:
        "The data folder lies on NFS: locks and power cuts are not safe there, and the database may be damaged.",
      remedy: "Keep it on a disk of this machine.",
    },
    {
      ...{ id: "data.space", level: "ok", title: "Free space" },
      ...{ meaning: "812 GB are free in the data folder.", remedy: null },
    },
  ],
  limits: [
    { title: "Largest upload", value: "550 GB", key: "uploads.maxBytes" },
    { title: "Jobs at the same time", value: "4", key: "jobs.cpuSlots" },
    { title: "Longest run of ffmpeg", value: "1 day", key: "jobs.wallLimitSeconds" },
  ],
};
