/**
 * What a GPU can do, found out by doing it: a real encode or decode of a few frames. What ffmpeg has
 * compiled in and what a model is said to do prove nothing about this driver in this container.
 */
import type { Toolchain } from "./devices.ts";
import { type RunOutcome, runFfmpeg } from "./ffmpeg.ts";
import { type GpuSkill, gpuSkills } from "./gpu-skill.ts";
import type { NvidiaGpu } from "./nvidia-smi.ts";
import {
  lostVerdict,
  notCompiled,
  type ProbeRun,
  readProbe,
  type Verdict,
} from "./probe-verdict.ts";

export interface SkillVerdict {
  skill: GpuSkill;
  verdict: Verdict;
}

/** A probe takes under a second; the first one after a start also wakes a sleeping GPU. */
const PROBE_LIMIT_SECONDS = 15;

/** Past its limit ffmpeg is killed. Stuck inside the driver it lives on; then nobody waits for it. */
const KILL_GRACE_SECONDS = 6;

/**
 * Three frames of grey, 256×256, H.264 Main, made with x264: in the command line, because a probe must
 * need neither a file nor an encoder.
 */
const greyClip =
  "AAAAAWdNQA3aBAIbARAAAAMAEAAAAwMg8UKqAAAAAWjvDyyAAAABZYiEC//+9q783FSpcOrL3ZqPl0JLl+xBg+uJ2Ekf9j7dlWZh" +
  "uwAABFQITA8sbeVlzLjoeQAAAAFBmiYhf/6MsAAKqAAAAAFBmkYhX/44QAApIQ==";

/**
 * The command line of a probe. 256×256: NVENC refuses pictures below about 145 pixels. ffmpeg must log
 * warnings: the reasons stand there, at `error` only "No capable devices found" would be left.
 */
export function probeArguments({ work, codec, bitDepth }: GpuSkill): string[] {
  if (work === "decode") {
    return [
      ...["-hwaccel", "cuda", "-hwaccel_output_format", "cuda", "-threads", "1"],
      ...["-f", "h264", "-i", `data:application/octet-stream;base64,${greyClip}`],
      // Taken back from the GPU: without a filter ffmpeg would decode on the CPU and call it a success.
      ...["-vf", "hwdownload,format=nv12", "-f", "null", "-"],
    ];
  }
  return [
    ...["-f", "lavfi", "-i", "color=s=256x256:r=25", "-frames:v", "10"],
    ...["-pix_fmt", bitDepth === 10 ? "p010le" : "yuv420p"],
    // Without B-frames: Pascal has none in HEVC, and would look as if it had no HEVC.
    ...["-c:v", `${codec}_nvenc`, "-bf", "0", "-f", "null", "-"],
  ];
}

export interface ProbeOptions {
  /** What is tried; all when absent. */
  skills?: readonly GpuSkill[];
  signal?: AbortSignal;
  limitSeconds?: number;
}

/** Tries all skills on one GPU, one at a time. Null only when it was aborted. */
export async function probeGpu(
  gpu: NvidiaGpu,
  toolchain: Toolchain,
  options: ProbeOptions = {},
): Promise<SkillVerdict[] | null> {
  const verdicts: SkillVerdict[] = [];
  for (const skill of options.skills ?? gpuSkills) {
    const settled =
      (gpu.name === null ? lostVerdict() : null) ??
      inherited(skill, verdicts) ??
      tooDeep(skill, verdicts) ??
      notCompiled(skill, gpu, toolchain);
    const verdict = settled ?? (await probeSkill(skill, gpu, toolchain, options));
    if (verdict === null) return null;
    verdicts.push({ skill, verdict });
  }
  return verdicts;
}

/**
 * What failed for all of the GPU, or for all of its encoder, is not tried six times more. A GPU without
 * an encoder still decodes: that is tried for itself.
 */
function inherited(skill: GpuSkill, before: SkillVerdict[]): Verdict | null {
  const whole = before.find(
    ({ verdict }) =>
      verdict.state === "cannot" &&
      (verdict.scope === "gpu" || (verdict.scope === "encoder" && skill.work === "encode")),
  );
  return whole?.verdict ?? null;
}

/** Ten bits of a codec that has not even eight need no run. */
function tooDeep({ codec, bitDepth }: GpuSkill, before: SkillVerdict[]): Verdict | null {
  const eightBit = before.find(({ skill }) => skill.codec === codec)?.verdict;
  return bitDepth === 10 && eightBit !== undefined && eightBit.state !== "can" ? eightBit : null;
}

/** In the fence of a job, so that the verdict holds for jobs. */
async function probeSkill(
  skill: GpuSkill,
  gpu: NvidiaGpu,
  toolchain: Toolchain,
  { signal, limitSeconds = PROBE_LIMIT_SECONDS }: ProbeOptions,
): Promise<Verdict | null> {
  const run = runFfmpeg({
    tool: toolchain.ffmpegPath,
    argv: probeArguments(skill),
    cwd: "/",
    readPaths: [],
    writePaths: [],
    gpuUuid: gpu.uuid,
    signal,
    wallLimitSeconds: limitSeconds,
    // The limit of the run alone ends it; it is shorter than any stall.
    stallSeconds: limitSeconds * 2,
    expectedSeconds: null,
    niceness: 0,
  });
  const patience = Promise.withResolvers<"hung">();
  const timer = setTimeout(
    () => patience.resolve("hung"),
    (limitSeconds + KILL_GRACE_SECONDS) * 1000,
  );
  const outcome = await Promise.race([run, patience.promise]);
  clearTimeout(timer);
  if (outcome !== "hung" && outcome.kind === "aborted") return null;
  return readProbe(probeRun(outcome), skill, gpu, toolchain);
}

function probeRun(outcome: RunOutcome | "hung"): ProbeRun {
  if (outcome === "hung") return { kind: "hung" };
  switch (outcome.kind) {
    case "exited":
      return { kind: "exited", code: outcome.code, stderr: outcome.stderr };
    case "signalled":
      return { kind: "broken", reason: `ffmpeg was ended by ${outcome.signal}` };
    case "not_started":
      return { kind: "broken", reason: outcome.reason };
    default:
      return { kind: "hung" };
  }
}
