/** What the exit code and the words of a probe mean: can, cannot and why, or busy. Pure. */
import type { Toolchain } from "./devices.ts";
import { codecTitles } from "./encoders.ts";
import { type GpuSkill, skillTitle } from "./gpu-skill.ts";
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

const restart = "Restart the machine: sudo reboot";
const kernelLog = "The kernel says more: sudo dmesg | grep -iE 'nvrm|xid'";
const installFfmpeg = "Install the ffmpeg of Debian or Ubuntu: sudo apt-get install ffmpeg";
const newerFfmpeg = "Install ffmpeg 6.0 or newer, for example that of Debian 13 or Ubuntu 24.04.";
const capabilities =
  "Install the driver's video libraries (on Debian: sudo apt-get install libnvidia-encode1 libnvcuvid1; Ubuntu has libnvidia-encode-NNN of the driver's number). In a container, start it with --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility.";

/** Models that NVIDIA builds without an encoder; they still decode. */
const withoutEncoder = /\b(A100|H100|H200|B200|GT 1030|MX350|MX450|P106)\b/;

/** Oldest driver for the interface that an ffmpeg was built with (FFmpeg, libavcodec/nvenc.c). */
const oldestDriver: Record<string, string> = {
  "11.1": "470.57.02",
  "12.0": "520.56.06",
  "12.1": "530.41.03",
  "12.2": "550.54.14",
  "13.0": "570",
  "13.1": "610",
};

/** Texts of ffmpeg and of the driver, the most telling first: several of them may stand in one log. */
const rows: Row[] = [
  {
    text: /required nvenc API version\. Required: (\S+) Found: (\S+)/,
    verdict: ({ toolchain, gpu, found }) => {
      const [, required = "", offered = ""] = found;
      const oldest = oldestDriver[required];
      return cannot(
        "encoder",
        `The NVIDIA driver${gpu.driver === null ? "" : ` ${gpu.driver}`} is too old for ffmpeg ${toolchain.version}, which needs NVENC ${required}; the driver offers ${offered}.`,
        `Install driver ${oldest === undefined ? "of a newer series" : `${oldest} or newer`} and restart, or use an older ffmpeg.`,
      );
    },
  },
  {
    text: /Cannot load (libcuda|libnvidia-encode|libnvcuvid|nvcuda|nvEncodeAPI\S*)/,
    verdict: ({ found }) => {
      const [, library = ""] = found;
      const scope = library.includes("libcuda") ? "gpu" : "encoder";
      return cannotNow(
        scope,
        `The library ${library} of the NVIDIA driver is missing.`,
        capabilities,
      );
    },
  },
  {
    text: /CUDA_ERROR_SYSTEM_DRIVER_MISMATCH/,
    verdict: () =>
      cannot(
        "gpu",
        "The NVIDIA driver was upgraded, but the old one still runs in the kernel.",
        restart,
      ),
  },
  {
    text: /CUDA_ERROR_OUT_OF_MEMORY/,
    verdict: () => busy("Its memory is full.", "See who uses it: nvidia-smi"),
  },
  {
    text: /CUDA_ERROR_NO_DEVICE/,
    verdict: ({ gpu }) =>
      gpu.mig
        ? cannot(
            "gpu",
            "MIG has split this GPU, and Kinomill uses whole GPUs.",
            `Switch MIG off: sudo nvidia-smi -i ${gpu.uuid} -mig 0`,
          )
        : cannotNow(
            "gpu",
            "nvidia-smi sees it, but programs may not use it (CUDA finds no device).",
            "See whether the user of Kinomill may open the nodes: ls -l /dev/nvidia*. A container that lost them is started again with --gpus all.",
          ),
  },
  {
    text: /CUDA_ERROR_(\w+)/,
    verdict: ({ found }) =>
      cannotNow(
        "gpu",
        `The GPU or its driver is in trouble (CUDA_ERROR_${found[1]}).`,
        `${restart}. ${kernelLog}`,
      ),
  },
  {
    text: /OpenEncodeSessionEx failed: out of memory \(10\)/,
    verdict: () =>
      busy(
        "Other programs use all of its encode sessions or its memory.",
        "See who uses it: nvidia-smi. GeForce cards allow a few sessions for the whole machine.",
      ),
  },
  {
    text: /OpenEncodeSessionEx failed: unsupported device \(2\)/,
    verdict: ({ gpu }) => {
      if (withoutEncoder.test(gpu.name ?? "")) {
        return cannot("encoder", "This model is built without a video encoder (NVENC).", null);
      }
      return cannot(
        "encoder",
        "The driver offers no video encoder (NVENC) on it.",
        "If this model has one and Kinomill runs in a container: give the container all GPUs (--gpus all); drivers 570 and 580 refuse to encode where only some are visible.",
      );
    },
  },
  {
    text: /10 bit encode not supported/,
    verdict: ({ skill }) =>
      cannot("skill", `It does not encode ${codecTitles[skill.codec]} in 10 bit.`, null),
  },
  {
    text: /Codec not supported/,
    verdict: ({ skill }) =>
      cannot("skill", `It has no encoder for ${codecTitles[skill.codec]}.`, null),
  },
  {
    text: /Hardware is lacking required capabilities/,
    verdict: ({ skill }) =>
      cannot("skill", `It does not decode ${codecTitles[skill.codec]}.`, null),
  },
  {
    text: /EncodePicture failed!|generic error \(20\)/,
    verdict: () =>
      cannotNow(
        "encoder",
        "The encoder broke off in the middle of a test.",
        `${restart}. ${kernelLog}`,
      ),
  },
];

type Cannot = Extract<Verdict, { state: "cannot" }>;

function cannot(scope: Cannot["scope"], reason: string, remedy: string | null): Cannot {
  return { state: "cannot", scope, again: false, reason, remedy };
}

function cannotNow(scope: Cannot["scope"], reason: string, remedy: string): Cannot {
  return { ...cannot(scope, reason, remedy), again: true };
}

function busy(reason: string, remedy: string) {
  return { state: "busy" as const, reason, remedy };
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
    return cannot("skill", reason, byHand(skill, gpu));
  }
  if (run.kind === "hung") {
    const reason = "The GPU does not answer: a test of a few frames did not end.";
    return cannot("gpu", reason, `${restart}. See what it does: nvidia-smi`);
  }
  if (run.code === 0) return { state: "can" };
  for (const { text, verdict } of rows) {
    const found = text.exec(run.stderr);
    if (found !== null) return verdict({ skill, gpu, toolchain, found });
  }
  if (/No capable devices found/.test(run.stderr)) {
    return cannot("skill", `ffmpeg finds no fitting encoder on it (${skillTitle(skill)}).`, null);
  }
  return unexplained(run, skill, gpu);
}

/** What ffmpeg itself said, its first line: the later ones only follow from it. */
function unexplained(run: { code: number; stderr: string }, skill: GpuSkill, gpu: NvidiaGpu) {
  const line = plainLog(run.stderr, []).split("\n")[0] ?? "";
  const said = line.replace(/^\[[^\]]*\] /, "");
  return cannot(
    "skill",
    `The test of ${skillTitle(skill)} failed with code ${run.code}${said === "" ? "" : `: "${said}"`}.`,
    byHand(skill, gpu),
  );
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
    return cannot("skill", reason, installFfmpeg);
  }
  if (encoders.has(`${codec}_nvenc`)) return null;
  if (![...encoders].some((name) => name.endsWith("_nvenc"))) {
    const reason = `ffmpeg ${version} is built without encoders for NVIDIA GPUs (NVENC).`;
    return cannot("encoder", reason, installFfmpeg);
  }
  const generation = gpu.computeCapability === null ? null : Number(gpu.computeCapability);
  if (codec === "av1" && generation !== null && generation < adaComputeCapability) {
    const reason = "It has no encoder for AV1: that came with the Ada generation.";
    return cannot("skill", reason, null);
  }
  const reason = `ffmpeg ${version} has no ${codecTitles[codec]} encoder for NVIDIA GPUs (${codec}_nvenc).`;
  // av1_nvenc came with FFmpeg 6.0.
  const newer = codec === "av1" && release.major < 6;
  return cannot("skill", reason, newer ? newerFfmpeg : installFfmpeg);
}

/** nvidia-smi still lists a GPU that is gone, without its name. */
export function lostVerdict(): Verdict {
  const reason = "It has fallen off the bus: the machine no longer reaches it.";
  const remedy = `${restart}. When it comes back, look at its power, cooling and slot. ${kernelLog}`;
  return cannotNow("gpu", reason, remedy);
}
