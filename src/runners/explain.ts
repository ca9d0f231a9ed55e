/** How a run of ffmpeg ended → a Failure that says to a person what happened and what to do. Pure. */
import type { RunOutcome } from "../media/ffmpeg.ts";
import { type PathName, plainLog } from "../media/stderr.ts";
import { Failure, type FailureCode, unreachable } from "../trouble.ts";

interface Explanation {
  code: FailureCode;
  message: string;
  hint: string;
  retryable: boolean;
}

interface Rule extends Explanation {
  pattern: RegExp;
}

const supportedFfmpeg =
  "Install the ffmpeg of Debian or Ubuntu (sudo apt-get install ffmpeg) or a build that has it; kinomill doctor lists what is missing.";

const diskFull: Explanation = {
  code: "disk_full",
  message: "The disk is full: the output could not be written.",
  hint: "Free space on the disk of the data folder or delete assets that are not needed, then retry the job.",
  retryable: true,
};

const memoryShort: Explanation = {
  code: "memory_limit",
  message: "There was not enough memory for this job.",
  hint: "Run fewer jobs at the same time (jobs.cpuSlots), choose a smaller picture or a faster speed, or give the machine more memory.",
  retryable: true,
};

const diskFullWords = /No space left on device|Disk quota exceeded|File too large/;

/** Texts of ffmpeg 5.1 to 9.0. Ordered: what the machine lacks comes before what the media is blamed for. */
const rules: Rule[] = [
  { pattern: diskFullWords, ...diskFull },
  { pattern: /Cannot allocate memory|bad_alloc|Error allocating|malloc of size/, ...memoryShort },
  {
    pattern: /Exiting normally, received signal/,
    code: "worker_lost",
    message: "Somebody outside Kinomill ended ffmpeg.",
    hint: "Retry the job. If it happens again, look for what ends processes on this machine.",
    retryable: true,
  },
  {
    pattern: /Unknown encoder|Encoder not found|Unknown decoder|No such filter|Unrecognized option/,
    code: "media_unsupported",
    message: "This ffmpeg lacks something that the job needs.",
    hint: supportedFfmpeg,
    retryable: false,
  },
  {
    pattern: /not on whitelist/,
    code: "media_unsupported",
    message: "The source holds a track in a format that Kinomill does not decode.",
    hint: "Convert the source first, for example to H.264 and AAC, and upload that.",
    retryable: false,
  },
  {
    pattern: /exceeds specified max pixel count/,
    code: "media_unsupported",
    message: "The picture of the source is too large.",
    hint: "At most 8192 × 8192 pixels are decoded. Scale it down first.",
    retryable: false,
  },
  {
    pattern: /input \d+: No such file or directory/,
    code: "input_missing",
    message: "An input of the job is not there any more.",
    hint: "Upload it again and start a new job.",
    retryable: false,
  },
  {
    pattern: /Input\/output error|Read-only file system|Stale file handle/,
    code: "internal",
    message: "The disk answered with an error while ffmpeg read or wrote.",
    hint: "Look at the system's log (sudo dmesg) for errors of the disk, then retry the job.",
    retryable: true,
  },
  {
    pattern:
      /Error (while opening|initializing) (en|out)|Could not open encoder|Error setting option|Invalid argument/,
    code: "encoder_failed",
    message: "The encoder refused these settings for this picture or sound.",
    hint: "Try another codec, size or pixel format. The log below has the encoder's own words.",
    retryable: false,
  },
  {
    pattern:
      /Invalid data found|moov atom not found|Error while decoding|[Ee]rror (submitting packet|processing packet) to (the )?decoder|could not find codec parameters|[Cc]orrupt|no frame!|Nothing was written|does not contain any stream|matches no streams/,
    code: "media_undecodable",
    message: "The source cannot be decoded: it is damaged or cut off.",
    hint: "Check that the source plays to its end on your own machine, then upload it again.",
    retryable: false,
  },
];

/** What a run that did not end well means. `stderr` is cleaned with `names` for the report's log. */
export function explainRun(
  outcome: Exclude<RunOutcome, { kind: "aborted" }>,
  names: PathName[],
  limits: { stallSeconds: number; wallLimitSeconds: number },
): Failure {
  const stderr = outcome.kind === "not_started" ? outcome.reason : outcome.stderr;
  const log = plainLog(stderr, names);
  const { code, message, hint, retryable } = explain(outcome, stderr, limits);
  return new Failure(code, message, { hint, retryable, log });
}

function explain(
  outcome: Exclude<RunOutcome, { kind: "aborted" }>,
  stderr: string,
  limits: { stallSeconds: number; wallLimitSeconds: number },
): Explanation {
  switch (outcome.kind) {
    case "exited":
      return explainExit(outcome.code, stderr);
    case "signalled":
      return explainSignal(outcome.signal);
    case "stalled":
      return {
        code: "stalled",
        message: `ffmpeg made no progress for ${limits.stallSeconds} s and was ended.`,
        hint: "Retry the job. If it stalls again, the source is probably damaged; for very slow disks raise jobs.stallSeconds.",
        retryable: true,
      };
    case "time_limit":
      return {
        code: "time_limit",
        message: `ffmpeg was not done within ${limits.wallLimitSeconds} s and was ended.`,
        hint: "Choose a faster speed or a smaller picture, or raise jobs.wallLimitSeconds.",
        retryable: false,
      };
    case "not_started":
      return {
        code: "tool_missing",
        message: "ffmpeg could not be started.",
        hint: "Run: kinomill doctor",
        retryable: true,
      };
    default:
      return unreachable(outcome);
  }
}

function explainExit(code: number, stderr: string): Explanation {
  const rule = rules.find(({ pattern }) => pattern.test(stderr));
  if (rule !== undefined) return rule;
  return {
    code: "encoder_failed",
    message: `ffmpeg ended with exit code ${code}.`,
    hint: "The log below has ffmpeg's own words. Retry the job once; if it fails again, try other settings.",
    retryable: true,
  };
}

function explainSignal(signal: string): Explanation {
  if (signal === "SIGKILL") {
    // Nobody but the kernel's out-of-memory killer sends it without asking first.
    return { ...memoryShort, message: "The system ended ffmpeg, most likely for want of memory." };
  }
  if (["SIGTERM", "SIGINT", "SIGHUP"].includes(signal)) {
    return {
      code: "worker_lost",
      message: `Somebody outside Kinomill ended ffmpeg (${signal}).`,
      hint: "Retry the job. If it happens again, look for what ends processes on this machine.",
      retryable: true,
    };
  }
  return {
    code: "encoder_failed",
    message: `ffmpeg crashed (${signal}).`,
    hint: "Retry the job. If it crashes again on this source, update ffmpeg: such crashes are mistakes in it.",
    retryable: true,
  };
}

/** What the disk did to a job, by the error of a call of the system; null when it was something else. */
export function diskFailure(cause: unknown): Failure | null {
  switch ((cause as NodeJS.ErrnoException | null)?.code) {
    case "ENOSPC":
    case "EDQUOT":
      return diskFullFailure();
    case "EIO":
    case "EROFS":
      return new Failure("disk_failed", "The disk of the data folder failed to read or write.", {
        hint: "Look at the health of the disk (dmesg, smartctl), then retry the job.",
        retryable: true,
      });
    default:
      return null;
  }
}

/** For runs that never began because the disk has no room. */
export function diskFullFailure(log = ""): Failure {
  return new Failure(diskFull.code, diskFull.message, { ...diskFull, log });
}

/** ffmpeg 5.1 exits 0 when only the end of a file did not fit any more; what it says gives it away. */
export function refuseQuietDiskFull(stderr: string, names: PathName[]): void {
  if (diskFullWords.test(stderr)) throw diskFullFailure(plainLog(stderr, names));
}
