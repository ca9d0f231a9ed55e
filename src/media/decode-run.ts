/** One run that decodes an output, or places of it, and one that is begun before it is known what the file is. */
import type { DecodeWindow } from "./decode-windows.ts";
import { type RunOutcome, runFfmpeg } from "./ffmpeg.ts";
import type { AudioStream, MediaInfo, VideoStream } from "./media.ts";
import { alphaFlags, inputPath, safeInputFlags, stillFlags } from "./safety.ts";
import type { VerifyTools } from "./verify.ts";

/** What has to be known of a file to decode it. */
export interface DecodedMedia extends Pick<MediaInfo, "container" | "kind" | "durationSeconds"> {
  video: Pick<VideoStream, "index" | "codec" | "alpha" | "width" | "height"> | null;
  audio: readonly Pick<AudioStream, "index">[];
}

export interface Decodable {
  /** Absolute path of the file, and of the folder that it lies in. */
  path: string;
  folder: string;
  media: DecodedMedia;
  tools: VerifyTools;
  /** A run that was begun already, for whoever asks the same. */
  ahead?: RunAhead | null;
}

export interface Window extends Omit<DecodeWindow, "fromSeconds"> {
  /** Null decodes from the start. */
  fromSeconds: number | null;
  /** Only keyframes, from the one before the window on. */
  keyframes?: boolean;
}

export interface Question {
  windows: readonly Window[];
  outputFlags?: readonly string[];
  /** Whether it shall be counted what each window holds. */
  counts?: boolean;
}

export interface Decoded {
  outcome: RunOutcome;
  /** Packets of each window by the kind of their stream; empty unless they were asked for. */
  held: readonly Partial<Record<string, number>>[];
}

/** A run that is taken where its question turns out to be the right one, and ended where not. */
export interface RunAhead {
  argv: readonly string[];
  decoded: Promise<Decoded>;
  /** Resolves when it has ended. */
  end(): Promise<void>;
}

/** Begins to decode; `decode` takes it for the same question of the same file. */
export function beginDecoding(request: Decodable, question: Question): RunAhead {
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, request.tools.signal]);
  const argv = argvOf(request, question);
  const decoded = run({ ...request, tools: { ...request.tools, signal } }, argv, question);
  // Whoever takes it gets what it throws; of a run that nobody takes it means nothing.
  const ended = decoded.then(
    () => {},
    () => {},
  );
  return {
    ...{ argv, decoded },
    end: async () => {
      abort.abort();
      await ended;
    },
  };
}

/** Each window is an input and an output of its own: one that ends early waits for no other. */
export async function decode(request: Decodable, question: Question): Promise<Decoded> {
  const argv = argvOf(request, question);
  const { ahead = null } = request;
  const isAsked = ahead !== null && JSON.stringify(ahead.argv) === JSON.stringify(argv);
  return isAsked ? await ahead.decoded : await run(request, argv, question);
}

function argvOf(
  { path, media, tools }: Decodable,
  { windows, outputFlags = [], counts = false }: Question,
): string[] {
  const { decoders = new Set<string>() } = tools.toolchain;
  const alpha = media.video?.alpha ? alphaFlags(media.video.codec, { decoders }) : [];
  const indexes = [...(media.video === null ? [] : [media.video.index])].concat(
    media.audio.map(({ index }) => index),
  );
  return [
    // What was decoded of each is said at the end, to those who ask for more than errors.
    ...["-v", counts ? "verbose" : "error", "-xerror"],
    ...windows.flatMap((window) => [
      ...[...safeInputFlags(), ...alpha, ...stillFlags(media.container)],
      ...(window.keyframes ? ["-skip_frame:v", "nokey", "-noaccurate_seek"] : []),
      ...beginningOf(window),
      ...(window.lastsSeconds === null ? [] : ["-t", String(window.lastsSeconds)]),
      ...["-i", inputPath(path)],
    ]),
    ...windows.flatMap((_, input) => [
      ...indexes.flatMap((index) => ["-map", `${input}:${index}`]),
      ...[...outputFlags, "-fps_mode", "passthrough", "-f", "null", "-"],
    ]),
  ];
}

function beginningOf({ fromSeconds, beforeEndSeconds }: Window): string[] {
  if (beforeEndSeconds !== undefined) return ["-sseof", String(-beforeEndSeconds)];
  return fromSeconds === null ? [] : ["-ss", fromSeconds.toFixed(3)];
}

async function run(
  { path, folder, tools }: Decodable,
  argv: string[],
  { windows, counts = false }: Question,
): Promise<Decoded> {
  const held = windows.map((): Partial<Record<string, number>> => ({}));
  const count = (line: string) => {
    const said = /Output stream #(\d+):\d+\S* \((\w+)\): .*?(\d+) packets muxed/.exec(line);
    const [, place = "", type = "", packets] = said ?? [];
    const before = held[Number(place)];
    if (said !== null && before !== undefined) before[type] = (before[type] ?? 0) + Number(packets);
    return false;
  };
  const outcome = await runFfmpeg({
    tool: tools.toolchain.ffmpegPath,
    argv,
    cwd: folder,
    readPaths: [path],
    writePaths: [],
    signal: tools.signal,
    niceness: tools.niceness,
    stallSeconds: tools.stallSeconds,
    wallLimitSeconds: tools.wallLimitSeconds,
    expectedSeconds: null,
    onLine: counts ? count : undefined,
  });
  return { outcome, held };
}
