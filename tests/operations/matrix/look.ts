/** What is seen and heard in a file, by ffmpeg and ffprobe themselves: nothing of Kinomill's takes part. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKey } from "../../support/file-key.ts";
import { rate as soundRate } from "../hearing.ts";
import { flashBox, type Mark, markCentre, markNames, markPart } from "./film.ts";

export interface Seen {
  /** Of the container, as it says; null for a still. */
  seconds: number | null;
  picture: SeenPicture | null;
  sound: SeenTrack[];
  subtitles: number;
  chapters: number;
}

export interface SeenPicture {
  codec: string;
  width: number;
  height: number;
  /** Width to height as a player shows it. */
  aspect: number;
  /** What a player still has to turn it by. */
  turn: number;
  /** "progressive", "tt" …; "unknown" counts as progressive. */
  fieldOrder: string;
  pixelFormat: string;
  transfer: string;
  /** When each frame is shown; time zero is the file's. */
  times: number[];
  /** When it begins to flash. */
  flashes: number[];
}

export interface SeenTrack {
  codec: string;
  channels: number;
  layout: string;
  language: string | null;
  /** When it begins to beep; time zero is the file's. */
  beeps: number[];
  /** Numbers of the channels in which a beep is heard. */
  heard: number[];
  /** Pitch of the first beep; null without one. */
  hertz: number | null;
  /** As long as it decodes. */
  seconds: number;
}

interface Stream {
  [field: string]: unknown;
  side_data_list?: { rotation?: number }[];
  tags?: Record<string, string>;
  disposition?: Record<string, number>;
}

const wholeTurn = 360;

/** What was looked at last: the same is asked of it again. */
let last: { key: string; seen: Seen } | null = null;

export function look(path: string): Seen {
  const key = fileKey(path);
  if (last?.key !== key) last = { key, seen: lookAt(path) };
  return last.seen;
}

function lookAt(path: string): Seen {
  const show = ["-show_format", "-show_streams", "-show_chapters", "-of", "json", path];
  const { format, streams, chapters } = JSON.parse(
    Bun.spawnSync(["ffprobe", "-v", "error", ...show], { timeout: 60_000 }).stdout.toString(),
  ) as { format: Record<string, string>; streams: Stream[]; chapters: unknown[] };
  const picture = streams.find(
    ({ codec_type, disposition }) => codec_type === "video" && disposition?.["attached_pic"] !== 1,
  );
  const tracks = streams.filter(({ codec_type }) => codec_type === "audio");
  const played = play(path, picture === undefined ? null : `0:${picture["index"]}`, tracks.length);
  return {
    seconds: format["duration"] === undefined ? null : Number(format["duration"]),
    picture: picture === undefined ? null : seenPicture(picture, played),
    sound: tracks.map((track, index) => seenTrack(track, played.sound[index] ?? new Int16Array())),
    subtitles: streams.filter(({ codec_type }) => codec_type === "subtitle").length,
    chapters: chapters.length,
  };
}

interface Played {
  /** Of each frame: when it is shown, and whether it flashes. */
  times: number[];
  bright: boolean[];
  /** Samples of each track, channels interleaved; the first is at time zero. */
  sound: Int16Array[];
}

/** In one run, for ffmpeg counts the times of some files from the first stream that it reads. */
function play(path: string, picture: string | null, tracks: number): Played {
  const folder = mkdtempSync(join(tmpdir(), "look-"));
  const { x, y, width, height } = flashBox;
  // Its middle, so that what was scaled and sharpened at the edges does not count.
  const [wide, high, left, up] = [width / 2, height / 2, x + width / 4, y + height / 4];
  const crop = `crop=iw*${wide}:ih*${high}:iw*${left}:ih*${up},format=yuv420p`;
  const tell = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-";
  const seen =
    picture === null
      ? []
      : ["-map", picture, "-vf", `${crop},${tell}`, "-fps_mode", "passthrough", "-f", "null", "-"];
  const file = (track: number) => join(folder, `${track}.raw`);
  const heard = Array.from({ length: tracks }, (_, track) => [
    ...["-map", `0:a:${track}`, "-af", "aresample=async=1:first_pts=0", "-ar", String(soundRate)],
    ...["-f", "s16le", file(track)],
  ]);
  try {
    const argv = ["-v", "error", "-nostdin", "-i", path, ...seen, ...heard.flat()];
    const done = Bun.spawnSync(["ffmpeg", ...argv], { timeout: 60_000 });
    if (done.exitCode !== 0) throw new Error(`${path}: ${done.stderr.toString()}`);
    const text = done.stdout.toString();
    const values = (pattern: RegExp) =>
      Array.from(text.matchAll(pattern), (match) => Number(match[1]));
    return {
      times: values(/pts_time:(\S+)/g),
      bright: values(/YAVG=(\S+)/g).map((lightness) => lightness > flashLightness),
      sound: heard.map((_, track) => {
        const bytes = readFileSync(file(track));
        return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
      }),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Lightness of 8 bits from which on the middle flashes: the ground has 60, white 235. */
const flashLightness = 150;

function seenPicture(stream: Stream, { times, bright }: Played): SeenPicture {
  const text = (field: string) => String(stream[field] ?? "unknown");
  const [width, height] = [Number(stream["width"]), Number(stream["height"])];
  const [top = 1, bottom = 1] = text("sample_aspect_ratio").split(":").map(Number);
  const ratio = top > 0 && bottom > 0 ? top / bottom : 1;
  const counter = stream.side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation;
  const turn = ((-(counter ?? 0) % wholeTurn) + wholeTurn) % wholeTurn || 0;
  const lying = turn % 180 !== 0;
  const aspect = (width * ratio) / height;
  return {
    ...{ codec: text("codec_name"), width, height, turn, times },
    aspect: lying ? 1 / aspect : aspect,
    fieldOrder: text("field_order"),
    pixelFormat: text("pix_fmt"),
    transfer: text("color_transfer"),
    flashes: times.filter((_, at) => bright[at] === true && bright[at - 1] !== true),
  };
}

/** Of 255: less is noise of a codec. */
const combDepth = 24;

/**
 * The most pixels of one frame that are lighter, or darker, than those above and below: what two moments in one
 * frame look like where something moves. A frame of the moving bar has more than a hundred of them.
 */
export function combedPixels(path: string): number {
  const { width, height } = frameAt(path, 0);
  const raw = ["-pix_fmt", "gray", "-fps_mode", "passthrough", "-f", "rawvideo", "-"];
  const argv = ["-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", ...raw];
  const { stdout } = Bun.spawnSync(["ffmpeg", ...argv], { timeout: 60_000 });
  const size = width * height;
  let most = 0;
  for (let frame = 0; (frame + 1) * size <= stdout.length; frame += 1) {
    most = Math.max(most, combedIn(stdout.subarray(frame * size, (frame + 1) * size), width));
  }
  return most;
}

function combedIn(pixels: Uint8Array, width: number): number {
  let count = 0;
  for (let at = width; at < pixels.length - width; at += 1) {
    const here = pixels[at] ?? 0;
    const [above, below] = [here - (pixels[at - width] ?? 0), here - (pixels[at + width] ?? 0)];
    const sticksOut = above > 0 === below > 0 && Math.min(Math.abs(above), Math.abs(below));
    if (sticksOut !== false && sticksOut > combDepth) count += 1;
  }
  return count;
}

/** Of full scale, 16 bits: a beep is at 19,000 at its loudest. */
const beepThreshold = 2500;
/** Beeps are at least so far apart. */
const beepGapSeconds = 0.3;

function seenTrack(stream: Stream, samples: Int16Array): SeenTrack {
  const channels = Number(stream["channels"]);
  const beeps: number[] = [];
  const heard = new Set<number>();
  let loudAt = Number.NEGATIVE_INFINITY;
  for (const [at, sample] of samples.entries()) {
    if (Math.abs(sample) < beepThreshold) continue;
    const time = Math.floor(at / channels) / soundRate;
    if (time - loudAt > beepGapSeconds) beeps.push(time);
    loudAt = time;
    heard.add(at % channels);
  }
  const language = stream.tags?.["language"];
  return {
    ...{ codec: String(stream["codec_name"]), channels, beeps },
    layout: String(stream["channel_layout"] ?? "unknown"),
    language: language === undefined || language === "und" ? null : language,
    heard: [...heard].toSorted((a, b) => a - b),
    hertz: pitch(samples, channels, [...heard][0] ?? 0, beeps[0]),
    seconds: samples.length / channels / soundRate,
  };
}

/** By its zero crossings over the 60 ms in which the beep is surely there. */
function pitch(
  samples: Int16Array,
  channels: number,
  channel: number,
  from: number | undefined,
): number | null {
  if (from === undefined) return null;
  const seconds = 0.06;
  const start = Math.round((from + 0.01) * soundRate);
  let crossings = 0;
  let side = 0;
  for (let at = start; at < start + seconds * soundRate; at += 1) {
    const next = Math.sign(samples[at * channels + channel] ?? 0);
    if (next !== 0 && side !== 0 && next !== side) crossings += 1;
    if (next !== 0) side = next;
  }
  return crossings / 2 / seconds;
}

export type Rgb = readonly [red: number, green: number, blue: number];

export interface Still {
  width: number;
  height: number;
  /** A pixel, at whole numbers. */
  at(x: number, y: number): Rgb;
}

/** A frame as a player shows it, but for the shape of its pixels. */
export function frameAt(path: string, seconds: number): Still {
  // After the input: containers without an index find no time, and it is a matter of a few frames.
  const seek = seconds > 0 ? ["-ss", String(seconds)] : [];
  const argv = ["-v", "error", "-nostdin", "-i", path, ...seek, "-map", "0:v:0", "-frames:v", "1"];
  // Without these flags the scaler leaves the last column of odd widths undone.
  const exact = "scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp,format=rgb24";
  const ppm = ["-vf", exact, "-c:v", "ppm", "-f", "image2pipe", "-"];
  const { stdout } = Bun.spawnSync(["ffmpeg", ...argv, ...ppm], { timeout: 60_000 });
  const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(stdout.subarray(0, 40).toString("latin1"));
  if (head === null) throw new Error(`${path} has no frame at ${seconds} s`);
  const [width, height] = [Number(head[1]), Number(head[2])];
  const pixels = stdout.subarray(head[0].length);
  return {
    ...{ width, height },
    at(x, y) {
      const from = (Math.min(height - 1, y) * width + Math.min(width - 1, x)) * 3;
      return [pixels[from] ?? 0, pixels[from + 1] ?? 0, pixels[from + 2] ?? 0];
    },
  };
}

/** Where the whole source picture lies in a result, as shares of the result's sides; it may reach beyond. */
export interface View {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const wholeView: View = { x: 0, y: 0, width: 1, height: 1 };

/** The colour of each mark, but for those that lie outside. */
export function marksIn(still: Still, view: View): Partial<Record<Mark, Rgb>> {
  const found = markNames.map((mark): [Mark, Rgb | null] => {
    const centre = markCentre(mark);
    const x = view.x + centre.x * view.width;
    const y = view.y + centre.y * view.height;
    const [half, tall] = [(markPart.width / 2) * view.width, (markPart.height / 2) * view.height];
    const inside = x - half >= -0.01 && x + half <= 1.01 && y - tall >= -0.01 && y + tall <= 1.01;
    return [mark, inside ? averageAround(still, x, y, Math.min(half, tall) / 2) : null];
  });
  return Object.fromEntries(found.filter(([, color]) => color !== null));
}

/** Of a square around a point, all in shares of the picture. */
function averageAround(still: Still, x: number, y: number, half: number): Rgb {
  const sum = [0, 0, 0];
  let count = 0;
  const [left, right] = [
    Math.round((x - half) * still.width),
    Math.round((x + half) * still.width),
  ];
  const [up, down] = [Math.round((y - half) * still.height), Math.round((y + half) * still.height)];
  for (let row = up; row <= down; row += 1) {
    for (let column = left; column <= right; column += 1) {
      for (const [index, level] of still.at(column, row).entries()) {
        sum[index] = (sum[index] ?? 0) + level;
      }
      count += 1;
    }
  }
  const [red = 0, green = 0, blue = 0] = sum.map((total) => Math.round(total / count));
  return [red, green, blue];
}

/** The sides of a picture. */
export const sides = ["top", "bottom", "left", "right"] as const;

/**
 * How much the outermost line of each side differs from the lines further in, as the mean of all pixels
 * and colours: a line of green or of rubbish is 40 and more. All marks and the ground reach the edge.
 */
export function edges(still: Still): Record<(typeof sides)[number], number> {
  const { width, height, at } = still;
  const inner = 4;
  const along = (length: number, outer: (n: number) => Rgb, further: (n: number) => Rgb) => {
    let sum = 0;
    for (let n = 0; n < length; n += 1) {
      const [a, b] = [outer(n), further(n)];
      sum += (Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2])) / 3;
    }
    return Math.round(sum / length);
  };
  return {
    top: along(
      width,
      (n) => at(n, 0),
      (n) => at(n, inner),
    ),
    bottom: along(
      width,
      (n) => at(n, height - 1),
      (n) => at(n, height - 1 - inner),
    ),
    left: along(
      height,
      (n) => at(0, n),
      (n) => at(inner, n),
    ),
    right: along(
      height,
      (n) => at(width - 1, n),
      (n) => at(width - 1 - inner, n),
    ),
  };
}
