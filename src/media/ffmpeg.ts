/**
 * The only module that starts ffmpeg and ffprobe: an argv and never a shell, stdin closed, a process
 * group of its own, a closed environment, the fence around it. Why we stopped it and the exit code
 * decide what happened; `progress=end` proves nothing, ffmpeg prints it after a signal too.
 */
import { join } from "node:path";
import { within } from "../clock.ts";
import { processEnvironment } from "../environment.ts";
import { fenceExitCode, fenceMark, smallBun } from "./fence-rules.ts";
import { Movement } from "./movement.ts";
import type { Rest } from "./pause.ts";
import { signalGroup } from "./process-group.ts";
import { type Progress, ProgressReader } from "./progress.ts";
import { BoundedText, Lines } from "./stderr.ts";
import { childEnvironment, rulesOf } from "./surroundings.ts";
import { type Signs, type StopReason, watchOver } from "./watch.ts";

/** How long output pipes may stay open after the exit; only a stray child could hold them. */
const drainLimitMs = 1_000;

/** ffmpeg tells its progress as often as the API passes it on. */
const progressPeriodSeconds = "0.5";

/** Characters of ffprobe's stdout; more is no description of a file: 64 streams take about 100 kB. */
const stdoutLimit = 8 * 1024 ** 2;

/** What every run has in common. */
export interface ToolRun {
  /** Absolute path of the executable. */
  tool: string;
  /** Arguments without the executable and without the global flags. */
  argv: string[];
  /** Absolute folder in which it runs. */
  cwd: string;
  /** Absolute files and folders that it may read. */
  readPaths: string[];
  /** Absolute folders in which it may write. */
  writePaths: string[];
  /** Aborting ends it: SIGTERM, then SIGKILL. */
  signal?: AbortSignal | undefined;
  wallLimitSeconds: number;
  /** 0–19. */
  niceness: number;
  /** Most private memory in bytes; null for no limit. */
  memoryBytes?: number | null;
  /** Largest file in bytes that it may write; null for no limit. */
  fileBytes?: number | null;
  /** Whether it stops where it stands while all work is paused: then no limit counts that time. */
  pausable?: boolean;
  /** The switch that stops the runs of its job alone, in the same way. */
  rest?: Rest | undefined;
  /** UUID of the GPU that it uses: it sees that one alone, as number 0. Null or absent: it gets none. */
  gpuUuid?: string | null | undefined;
}

export interface FfmpegRun extends ToolRun {
  /** Seconds without progress and without a change in its files after which it is ended. */
  stallSeconds: number;
  /**
   * Has it say more than warnings: what filters found out; `levels` with the weight of each line, `counts` also
   * what was read and decoded.
   */
  talks?: boolean | "levels" | "counts";
  /** Gets every line of what it says; true when the outcome shall not keep it. */
  onLine?: ((line: string) => boolean) | undefined;
  /** Seconds of output that mean 100 %; null when unknown. */
  expectedSeconds: number | null;
  onProgress?(progress: Progress): void;
}

/** How a run ended. `stderr` is bounded and holds host paths: pass it through `plainLog`. */
export type RunOutcome =
  | { kind: "exited"; code: number; stderr: string; progress: Progress | null }
  /** The caller's signal. */
  | { kind: "aborted" }
  | { kind: "stalled"; stderr: string }
  | { kind: "time_limit"; stderr: string }
  /** Ended by a signal that we did not send. */
  | { kind: "signalled"; signal: string; stderr: string }
  /** It never ran: executable missing, or the fence could not be built. */
  | { kind: "not_started"; reason: string };

export type CaptureOutcome = RunOutcome | { kind: "too_much_output" };

/** stdout as text beside the outcome; meant for ffprobe's JSON. */
export interface Capture {
  outcome: CaptureOutcome;
  stdout: string;
}

/**
 * Share of the source's pieces that may fail to decode. ffmpeg's own is two thirds: a file whose index is
 * broken for its second half came out as half a film, with exit code 0. Recordings that begin in the
 * middle of a picture stay below: what cannot be decoded before the first keyframe is not counted.
 */
const worstErrorRate = "0.1";

const ffmpegGlobals = (level: Verbosity) => [
  ...["-nostdin", "-hide_banner", "-nostats", "-v", level],
  ...["-progress", "pipe:1", "-stats_period", progressPeriodSeconds, "-y"],
  ...["-max_error_rate", worstErrorRate],
];

type Verbosity = "warning" | "info" | "level+info" | "level+verbose";

function verbosity({ talks }: FfmpegRun): Verbosity {
  if (talks === "counts") return "level+verbose";
  if (talks === "levels") return "level+info";
  return talks ? "info" : "warning";
}

/** Runs ffmpeg inside the fence. Never rejects for what ffmpeg does. */
export async function runFfmpeg(run: FfmpegRun): Promise<RunOutcome> {
  const reader = new ProgressReader(run.expectedSeconds);
  const movement = new Movement(run.stallSeconds, run.cwd);
  let last: Progress | null = null;
  const outcome = await supervise(
    { ...run, argv: [...ffmpegGlobals(verbosity(run)), ...run.argv] },
    {
      onStdout: (chunk) => {
        for (const progress of reader.push(chunk)) {
          last = progress;
          movement.see(progress);
          run.onProgress?.(progress);
        }
      },
      ...(run.onLine === undefined ? {} : { onLine: run.onLine }),
      stalled: () => movement.stalled(),
      rest: () => movement.rest(),
    },
  );
  return outcome.kind === "exited" ? { ...outcome, progress: last } : outcome;
}

/**
 * Runs ffprobe inside the fence and keeps its stdout within bounds.
 * @param onLine takes the lines of stdout one by one instead, for output that grows with the file
 */
export async function runFfprobe(run: ToolRun, onLine?: (line: string) => void): Promise<Capture> {
  const argv = ["-hide_banner", "-v", "warning", ...run.argv];
  const overflow = new AbortController();
  const signal = AbortSignal.any([overflow.signal, ...(run.signal ? [run.signal] : [])]);
  const decoder = new TextDecoder();
  let text = "";
  const onStdout = (chunk: Uint8Array) => {
    text += decoder.decode(chunk, { stream: true });
    if (onLine !== undefined) {
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    }
    if (text.length > stdoutLimit) {
      text = "";
      overflow.abort();
    }
  };
  const outcome = await supervise({ ...run, argv, signal }, { onStdout });
  if (overflow.signal.aborted) return { outcome: { kind: "too_much_output" }, stdout: "" };
  return { outcome, stdout: text };
}

/**
 * Asks a tool about itself (`-version`, `-encoders`), without the fence: it opens no media. Null when
 * it cannot be started or does not answer in time.
 */
export async function askTool(
  tool: string,
  argv: string[],
  limitMs = 10_000,
): Promise<string | null> {
  let deadline: Timer | undefined;
  try {
    const child = Bun.spawn([tool, ...argv], {
      env: childEnvironment(),
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: stdoutLimit,
      detached: true,
    });
    // The whole group: a wrapper's child would keep the pipe open for ever.
    deadline = setTimeout(() => signalGroup(child.pid, "SIGKILL"), limitMs);
    const text = await child.stdout.text();
    return (await child.exited) === 0 ? text : null;
  } catch {
    return null;
  } finally {
    clearTimeout(deadline);
  }
}

/** How a tool answered that was asked about this machine. */
export type Answer =
  | { kind: "exited"; code: number; stdout: string; stderr: string }
  /** It said nothing in time and was killed. A driver that hangs keeps it alive even then. */
  | { kind: "no_answer" }
  | { kind: "aborted" }
  | { kind: "not_started"; reason: string };

/**
 * Asks a tool about this machine and keeps all of its answer: exit code, stdout and stderr, bounded.
 * Without the fence: it must open no media that somebody sent. Never rejects, and never waits longer
 * than the limit, though the tool may be stuck inside the driver where no signal reaches it.
 */
export async function consultTool(
  tool: string,
  argv: string[],
  options: { limitMs: number; environment?: Record<string, string>; signal?: AbortSignal },
): Promise<Answer> {
  if (options.signal?.aborted) return { kind: "aborted" };
  let child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  try {
    child = Bun.spawn([tool, ...argv], {
      cwd: "/",
      env: { ...childEnvironment(), ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
  } catch (trouble) {
    return { kind: "not_started", reason: String(trouble) };
  }
  const texts = { stdout: new BoundedText(), stderr: new BoundedText() };
  const ended = Promise.all([
    pump(child.stdout, (chunk) => texts.stdout.push(chunk)),
    pump(child.stderr, (chunk) => texts.stderr.push(chunk)),
    child.exited,
  ]).then(() => "ended" as const);
  const patience = new AbortController();
  const stopped = firstAbort(options.limitMs, options.signal, patience.signal);
  const winner = await Promise.race([ended, stopped]);
  patience.abort();
  if (winner === "ended") {
    const [stdout, stderr] = [texts.stdout.text(), texts.stderr.text()];
    return { kind: "exited", code: child.exitCode ?? -1, stdout, stderr };
  }
  signalGroup(child.pid, "SIGKILL");
  child.unref();
  return { kind: winner };
}

/** Resolves with why to stop waiting; `done` takes its timer and its listener away. */
function firstAbort(limitMs: number, signal: AbortSignal | undefined, done: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<"no_answer" | "aborted">();
  const timer = setTimeout(() => resolve("no_answer"), limitMs);
  const abort = () => resolve("aborted");
  signal?.addEventListener("abort", abort, { once: true });
  done.addEventListener("abort", () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
  return promise;
}

interface Ears extends Signs {
  /** Gets stderr line by line; true when nobody else needs the line. */
  onLine?(line: string): boolean;
  onStdout(chunk: Uint8Array): void;
}

async function supervise(run: ToolRun, ears: Ears): Promise<RunOutcome> {
  if (run.signal?.aborted) return { kind: "aborted" };
  let child: ReturnType<typeof spawnFenced>;
  try {
    child = spawnFenced(run);
  } catch (trouble) {
    return { kind: "not_started", reason: String(trouble) };
  }
  const stderr = new BoundedText();
  const lines = ears.onLine && linesFor(ears.onLine, stderr);
  const pipes = Promise.all([
    pump(child.stdout, (chunk) => ears.onStdout(chunk)),
    pump(child.stderr, (chunk) => (lines ?? stderr).push(chunk)),
  ]);
  const watch = watchOver(child, run, ears);
  const ended = await Promise.race([child.exited.then(() => true), watch.abandoned]);
  watch.end();
  if (ended !== true) child.unref();
  await within(drainLimitMs, pipes);
  lines?.end();
  return conclude(child, watch.reason(), stderr.text());
}

/** Offers each line to one who listens, and keeps what is not taken. */
function linesFor(onLine: (line: string) => boolean, kept: BoundedText): Lines {
  const encoder = new TextEncoder();
  return new Lines((line) => {
    if (!onLine(line)) kept.push(encoder.encode(`${line}\n`));
  });
}

/** Starts the tool behind the fence, in a process group of its own. */
function spawnFenced(run: ToolRun) {
  const rules = rulesOf(run);
  return Bun.spawn([...fenceLauncher(), JSON.stringify(rules), "--", run.tool, ...run.argv], {
    // Not the job's folder: Bun looks for its own settings where it starts. The fence moves there.
    cwd: "/",
    env: { ...childEnvironment(processEnvironment(), run.gpuUuid), ...smallBun },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
}

/**
 * The compiled executable starts itself again; from source a file of its own is run. By the kernel's
 * name for what runs now: under its path there is another version, or nothing, after an upgrade.
 */
export function fenceLauncher(): string[] {
  if (Bun.main.startsWith("/$bunfs/")) return ["/proc/self/exe", "fence"];
  const entry = join(import.meta.dir, "fence-entry.ts");
  return [process.execPath, "--no-env-file", "--config=/dev/null", entry];
}

async function pump(stream: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void) {
  for await (const chunk of stream) take(chunk);
}

type Child = ReturnType<typeof spawnFenced>;

function conclude(child: Child, reason: StopReason | null, stderr: string): RunOutcome {
  if (reason === "aborted") return { kind: "aborted" };
  if (reason !== null) return { kind: reason, stderr };
  if (child.signalCode !== null)
    return { kind: "signalled", signal: String(child.signalCode), stderr };
  if (child.exitCode === fenceExitCode && stderr.startsWith(fenceMark)) {
    return { kind: "not_started", reason: stderr.slice(fenceMark.length).trim() };
  }
  return { kind: "exited", code: child.exitCode ?? -1, stderr, progress: null };
}
