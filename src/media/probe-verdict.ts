/** What the exit code and the words of a probe mean: can, cannot and why, or busy. Pure. */
import type { Toolchain } from "./devices.ts";
import { codecTitles } from "./encoders.ts";
import { type GpuSkill, skillTitle } from "./gpu-skill.ts";
import {
  driverTexts,
  driverWords,
  restartAndCheckSlot,
  restartAndLook,
  restartAndWatch,
} from "./gpu-words.ts";
import type { NvidiaGpu, Words } from "./nvidia-smi.ts";
import { plainLog } from "./stderr.ts";

/**
 * `scope` says what else is lost with it: only this skill, all of the encoder, or all of the GPU. A
 * remedy of null means that nothing can be done on this box: the hardware is like that. `again`: it can
 * pass without a new driver and without a restart of the machine, so another try is worth it.
 */
export type Verdict =
  | { state: "can" }
  | ({ state: "cannot"; scope: "skill" | "encoder" | "gpu"; again: boolean } & Words)
  /** No free session or no memory now; says nothing about what the GPU can do. */
  | ({ state: "busy" } & Words);

/** How a probe ended. */
export type ProbeRun =
  | { kind: "exited"; code: number; stderr: string }
  /** It did not end in time. */
  | { kind: "hung" }
  /** It crashed or never ran. */
  | { kind: "broken"; reason: string };

interface Context {
  skill: GpuSkill;
  gpu: NvidiaGpu;
  toolchain: Toolchain;
  found: RegExpExecArray;
}

interface Row {
  text: RegExp;
  verdict(context: Context): Verdict;
}

const installFfmpeg = "Install the ffmpeg of Debian or Ubuntu: sudo apt-get install ffmpeg";
const newerFfmpeg = "Install ffmpeg 6.0 or newer, for example that of Debian 13 or Ubuntu 24.04.";

/** Texts of ffmpeg and of the driver, the most telling first: several of them may stand in one log. */
const rows: Row[] = [
  {
    text: driverTexts.apiTooOld,
    verdict: ({ toolchain, gpu, found }) =>
      cannot(
        "encoder",
        driverWords.apiTooOld(found, { driver: gpu.driver, ffmpeg: toolchain.version }),
      ),
  },
  {
    text: driverTexts.libraryMissing,
    verdict: ({ found }) =>
      cannotNow(found[1]?.includes("cuda") ? "gpu" : "encoder", driverWords.libraryMissing(found)),
  },
  { text: driverTexts.driverMismatch, verdict: () => cannot("gpu", driverWords.driverMismatch) },
  { text: driverTexts.cudaTooNew, verdict: () => cannot("gpu", driverWords.cudaTooNew) },
  { text: driverTexts.fabricMissing, verdict: () => cannotNow("gpu", driverWords.fabricMissing) },
  { text: driverTexts.reserved, verdict: () => cannotNow("gpu", driverWords.reserved) },
  { text: driverTexts.memoryFull, verdict: () => busy(driverWords.memoryFull) },
  {
    text: driverTexts.noDevice,
    verdict: ({ gpu }) =>
      gpu.mig
        ? cannot("gpu", {
            reason: "MIG has split this GPU, and Kinomill uses whole GPUs.",
            remedy: `Switch MIG off: sudo nvidia-smi -i ${gpu.uuid} -mig 0`,
          })
        : cannotNow("gpu", driverWords.noDevice),
  },
  {
    text: driverTexts.cudaTrouble,
    verdict: ({ found }) => cannotNow("gpu", driverWords.cudaTrouble(found)),
  },
  {
    text: driverTexts.sessionRefused,
    verdict: () =>
      busy({
        reason: "Other programs use all of its encode sessions or its memory.",
        remedy:
          "See who uses it: nvidia-smi. GeForce cards allow a few sessions for the whole machine.",
      }),
  },
  {
    text: driverTexts.noEncoder,
    verdict: ({ gpu }) => cannot("encoder", driverWords.noEncoder(gpu.name ?? "")),
  },
  {
    text: /10 bit encode not supported/,
    verdict: ({ skill }) =>
      cannot("skill", hardwareIs(`It does not encode ${codecTitles[skill.codec]} in 10 bit.`)),
  },
  {
    text: /Codec not supported/,
    verdict: ({ skill }) =>
      cannot("skill", hardwareIs(`It has no encoder for ${codecTitles[skill.codec]}.`)),
  },
  {
    text: driverTexts.decoderRefused,
    verdict: ({ skill }) =>
      cannot("skill", hardwareIs(`It does not decode ${codecTitles[skill.codec]}.`)),
  },
  {
    text: driverTexts.settingsRefused,
    verdict: ({ skill }) =>
      cannot(
        "skill",
        hardwareIs(`Its encoder does not take ${skillTitle(skill)} from this ffmpeg.`),
      ),
  },
  {
    text: driverTexts.encoderBrokeOff,
    verdict: () =>
      cannotNow("skill", {
        reason: "The encoder broke off in the middle of a test.",
        remedy: restartAndLook,
      }),
  },
];

type Cannot = Extract<Verdict, { state: "cannot" }>;

function cannot(scope: Cannot["scope"], words: Words): Cannot {
  return { state: "cannot", scope, again: false, ...words };
}

function cannotNow(scope: Cannot["scope"], words: Words): Cannot {
  return { ...cannot(scope, words), again: true };
}

function busy(words: Words) {
  return { state: "busy" as const, ...words };
}

/** Nothing that anybody could do on this box. */
function hardwareIs(reason: string): Words {
  return { reason, remedy: null };
}

/** The verdict of one probe. Exit code 0 alone proves it: the output was made by the GPU or not at all. */
export function readProbe(
  run: ProbeRun,
  skill: GpuSkill,
  gpu: NvidiaGpu,
  toolchain: Toolchain,
): Verdict {
  if (run.kind === "broken") {
    const reason = `The test of ${skillTitle(skill)} did not get to its end (${run.reason}).`;
    return cannot("skill", { reason, remedy: byHand(skill, gpu) });
  }
  if (run.kind === "hung") {
    const reason = "The GPU does not answer: a test of a few frames did not end.";
    return cannot("gpu", { reason, remedy: restartAndWatch });
  }
  if (run.code === 0) return { state: "can" };
  for (const { text, verdict } of rows) {
    const found = text.exec(run.stderr);
    if (found !== null) return verdict({ skill, gpu, toolchain, found });
  }
  if (/No capable devices found/.test(run.stderr)) {
    const reason = `ffmpeg finds no fitting encoder on it (${skillTitle(skill)}).`;
    return cannot("skill", hardwareIs(reason));
  }
  return unexplained(run, skill, gpu);
}

/** What ffmpeg itself said, its first line: the later ones only follow from it. */
function unexplained(run: { code: number; stderr: string }, skill: GpuSkill, gpu: NvidiaGpu) {
  const line = plainLog(run.stderr, []).split("\n")[0] ?? "";
  const said = line.replace(/^\[[^\]]*\] /, "");
  const reason = `The test of ${skillTitle(skill)} failed with code ${run.code}${said === "" ? "" : `: "${said}"`}.`;
  return cannot("skill", { reason, remedy: byHand(skill, gpu) });
}

function byHand({ work, codec }: GpuSkill, gpu: NvidiaGpu): string {
  const visible = `CUDA_VISIBLE_DEVICES=${gpu.uuid}`;
  return work === "decode"
    ? `Try it by hand with a video of your own: ${visible} ffmpeg -hwaccel cuda -i FILE -f null -`
    : `Try it by hand: ${visible} ffmpeg -f lavfi -i color=s=256x256 -frames:v 10 -c:v ${codec}_nvenc -f null -`;
}

/** First generation with an AV1 encoder; Hopper (9.0) is a higher number and has none at all. */
const adaComputeCapability = 8.9;

/** The verdict when this ffmpeg has nothing compiled in to try it with; null when it has. */
export function notCompiled(
  { work, codec }: GpuSkill,
  gpu: NvidiaGpu,
  { version, release, encoders, hwaccels }: Toolchain,
): Verdict | null {
  if (work === "decode") {
    if (hwaccels.has("cuda")) return null;
    const reason = `ffmpeg ${version} is built without decoding on NVIDIA GPUs (cuda).`;
    return cannot("skill", { reason, remedy: installFfmpeg });
  }
  if (encoders.has(`${codec}_nvenc`)) return null;
  if (![...encoders].some((name) => name.endsWith("_nvenc"))) {
    const reason = `ffmpeg ${version} is built without encoders for NVIDIA GPUs (NVENC).`;
    return cannot("encoder", { reason, remedy: installFfmpeg });
  }
  const generation = gpu.computeCapability === null ? null : Number(gpu.computeCapability);
  if (codec === "av1" && generation !== null && generation < adaComputeCapability) {
    const reason = "It has no encoder for AV1: that came with the Ada generation.";
    return cannot("skill", hardwareIs(reason));
  }
  const reason = `ffmpeg ${version} has no ${codecTitles[codec]} encoder for NVIDIA GPUs (${codec}_nvenc).`;
  // av1_nvenc came with FFmpeg 6.0.
  const newer = codec === "av1" && release.major < 6;
  return cannot("skill", { reason, remedy: newer ? newerFfmpeg : installFfmpeg });
}

/** nvidia-smi still lists a GPU that is gone, without its name. */
export function lostVerdict(): Verdict {
  const reason = "It has fallen off the bus: the machine no longer reaches it.";
  return cannotNow("gpu", { reason, remedy: restartAndCheckSlot });
}
