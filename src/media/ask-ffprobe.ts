/** One question to ffprobe about one file that nobody trusts, and every way in which it can go wrong. */
import { Failure, Refusal } from "../trouble.ts";
import { type Capture, runFfprobe } from "./ffmpeg.ts";
import { notMedia, whyNotMedia } from "./not-media.ts";
import { inputPath, safeInputFlags, stillContainerOf, stillFlags } from "./safety.ts";

export interface ProbeTools {
  /** A path, or a name on PATH. */
  ffprobePath: string;
  signal?: AbortSignal;
}

/** The file that is looked at. */
export interface Subject {
  /** Absolute. */
  path: string;
  /** Its first bytes as Latin-1. */
  head: string;
}

/**
 * Seconds for one question. A recording with late headers takes some on a slow disk; reading every
 * packet of a file that does not say its length reads 6 GB in that time even there.
 */
const limitSeconds = 60;

/** Private memory of ffprobe: 55 MB in bad cases, and a 2 MB picture took 2 GB without limits. */
const memoryBytes = 2 * 1024 ** 3;

/**
 * @param argv what shall be shown and how, without the input
 * @param onLine takes stdout line by line instead of `stdout`, for answers that grow with the file
 * @throws Refusal 422 `not_media`, Failure `tool_missing`
 */
export async function askFfprobe(
  subject: Subject,
  argv: string[],
  tools: ProbeTools,
  onLine?: (line: string) => void,
): Promise<{ stdout: string; stderr: string }> {
  const capture = await runFfprobe(
    {
      tool: ffprobeOf(tools),
      argv: [
        ...safeInputFlags(),
        ...stillFlags(stillContainerOf(subject.head) ?? ""),
        ...argv,
        ...["-i", inputPath(subject.path)],
      ],
      cwd: "/",
      readPaths: [subject.path],
      writePaths: [],
      signal: tools.signal,
      wallLimitSeconds: limitSeconds,
      niceness: 0,
      memoryBytes,
      fileBytes: 0,
    },
    onLine,
  );
  return readCapture(capture, subject);
}

function ffprobeOf(tools: ProbeTools): string {
  const path = Bun.which(tools.ffprobePath);
  if (path !== null) return path;
  throw new Failure("tool_missing", `ffprobe is not on this machine ("${tools.ffprobePath}").`, {
    hint: "Install it with: sudo apt-get install ffmpeg — or set ffmpeg.ffprobePath to where it is.",
  });
}

function readCapture({ outcome, stdout }: Capture, { head }: Subject) {
  switch (outcome.kind) {
    case "exited":
      if (outcome.code === 0) return { stdout, stderr: outcome.stderr };
      throw notMedia(whyNotMedia(outcome.stderr, head));
    case "not_started":
      throw new Failure("tool_missing", `ffprobe could not be started: ${outcome.reason}.`, {
        hint: "Run: kinomill doctor",
        retryable: true,
      });
    case "aborted":
      throw new Refusal(499, "aborted", "The asker went away while the file was being looked at.");
    case "time_limit":
    case "stalled":
      throw notMedia(`It could not be made out within ${limitSeconds} s, so it is refused.`);
    case "too_much_output":
      throw notMedia("Its description is too large to be that of a media file.");
    case "signalled":
      throw notMedia(
        `It makes ffprobe crash (${outcome.signal}), so it is refused. Check that it plays on your own machine, and convert it there first.`,
      );
  }
}
