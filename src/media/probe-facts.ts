/** Small readings of ffprobe's JSON: numbers as text, rationals, side data, tags. Pure. */
import type { HdrKind, HdrMetadata } from "./media.ts";

/** A stream as ffprobe's JSON has it. Everything may be missing; numbers are often text. */
export interface RawStream {
  index?: number;
  codec_type?: string;
  codec_name?: string;
  profile?: string;
  width?: number;
  height?: number;
  pix_fmt?: string;
  bits_per_raw_sample?: string;
  sample_aspect_ratio?: string;
  field_order?: string;
  r_frame_rate?: string;
  avg_frame_rate?: string;
  color_range?: string;
  color_space?: string;
  color_transfer?: string;
  color_primaries?: string;
  channels?: number;
  channel_layout?: string;
  sample_rate?: string;
  bit_rate?: string;
  start_time?: string;
  duration?: string;
  nb_frames?: string;
  nb_read_packets?: string;
  disposition?: Record<string, number>;
  tags?: Record<string, string>;
  side_data_list?: RawSideData[];
}

export type RawSideData = Record<string, string | number | undefined>;

export interface RawProbe {
  streams?: RawStream[];
  /** Where they were asked for. */
  packets?: RawPacket[];
  chapters?: { start_time?: string; end_time?: string; tags?: Record<string, string> }[];
  format?: {
    format_name?: string;
    start_time?: string;
    duration?: string;
    bit_rate?: string;
    size?: string;
    probe_score?: number;
    tags?: Record<string, string>;
  };
}

export interface RawPacket {
  stream_index?: string | number | undefined;
  pts_time?: string | undefined;
  dts_time?: string | undefined;
  duration_time?: string | undefined;
  flags?: string | undefined;
}

/** Text of a tag that is shown to people: longer is no title. */
const tagChars = 200;

/** A finite number out of "25", "1.5" or 25; null for "N/A" and everything else. */
export function numberOf(value: string | number | undefined): number | null {
  if (value === undefined || value === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** "30000/1001" or "4:3" as a number; null when a part is zero or missing. */
export function ratioOf(text: string | number | undefined): number | null {
  const [top, bottom] = String(text ?? "")
    .split(/[/:]/)
    .map(Number);
  if (top === undefined || bottom === undefined || !(top > 0) || !(bottom > 0)) return null;
  return top / bottom;
}

/** A tag by its name in any case, without control characters; null when empty. */
export function tagOf(tags: Record<string, string> | undefined, name: string): string | null {
  const found = Object.entries(tags ?? {}).find(([key]) => key.toLowerCase() === name);
  const text = String(found?.[1] ?? "")
    .replace(/\p{Cc}+/gu, " ")
    .trim();
  return text === "" ? null : text.slice(0, tagChars);
}

/** ISO 639-2 or null; "und" says that nobody knows. */
export function languageOf(tags: Record<string, string> | undefined): string | null {
  const language = tagOf(tags, "language")?.toLowerCase() ?? "";
  return /^[a-z]{3}$/.test(language) && language !== "und" ? language : null;
}

/** A colour tag in ffmpeg's words; null for "unknown" and its like. */
export function colorOf(text: string | undefined): string | null {
  return text === undefined || ["unknown", "unspecified", "reserved", ""].includes(text)
    ? null
    : text;
}

/** ffprobe turns counter-clockwise, people clockwise; odd angles count as the nearest quarter. */
export function rotationOf(stream: RawStream): 0 | 90 | 180 | 270 {
  const matrix = sideData(stream.side_data_list, "Display Matrix");
  const counterClockwise = numberOf(matrix?.["rotation"]) ?? 0;
  const quarters = Math.round(-counterClockwise / 90);
  const rotations = [0, 90, 180, 270] as const;
  return rotations[((quarters % 4) + 4) % 4] ?? 0;
}

/** Bits per component, from the pixel format's name when the stream does not say. */
export function bitDepthOf(stream: RawStream): number {
  const said = numberOf(stream.bits_per_raw_sample);
  if (said !== null && said >= 1 && said <= 32) return said;
  const name = stream.pix_fmt ?? "";
  const planar = /(?:p|gray|gbrap?)(9|10|12|14|16)(?:le|be)?$/.exec(name)?.[1];
  const packed = /^(?:p|y2|x2rgb|x2bgr|xv|v)(?:0|1|2|4)?(10|12|16)(?:le|be)?$/.exec(name)?.[1];
  if (/^(?:rgb|bgr)(?:48)|(?:rgba|bgra)64|ya16/.test(name)) return 16;
  return Number(planar ?? packed ?? 8);
}

/** Whether the picture can be transparent; VP8 and VP9 say it in a tag, their alpha is a second stream. */
export function alphaOf(stream: RawStream): boolean {
  const format = /^(yuva|ya8|ya16|rgba|bgra|argb|abgr|gbrap|pal8|vuya|ayuv)/;
  return format.test(stream.pix_fmt ?? "") || tagOf(stream.tags, "alpha_mode") === "1";
}

/** Which HDR it is; `frames` are side data of the first frames, where HDR10+ stands. */
export function hdrOf(stream: RawStream, frames: RawSideData[]): HdrKind | null {
  const all = [...(stream.side_data_list ?? []), ...frames];
  if (sideData(all, "DOVI configuration record") !== undefined) return "dolby-vision";
  if (stream.color_transfer === "arib-std-b67") return "hlg";
  if (stream.color_transfer !== "smpte2084") return null;
  const dynamic = all.some((data) => /2094-40|HDR10\+/.test(String(data["side_data_type"])));
  return dynamic ? "hdr10plus" : "hdr10";
}

/** SMPTE ST 2086 and CTA-861.3 out of the side data of the stream or of its first frames. */
export function hdrMetadataOf(stream: RawStream, frames: RawSideData[]): HdrMetadata | null {
  const all = [...(stream.side_data_list ?? []), ...frames];
  const mastering = sideData(all, "Mastering display metadata");
  const light = sideData(all, "Content light level metadata");
  const point = (name: string): [number, number] => [
    ratioOf(mastering?.[`${name}_x`]) ?? 0,
    ratioOf(mastering?.[`${name}_y`]) ?? 0,
  ];
  const maxNits = ratioOf(mastering?.["max_luminance"]);
  const read = {
    mastering:
      maxNits === null || ratioOf(mastering?.["red_x"]) === null
        ? null
        : {
            red: point("red"),
            green: point("green"),
            blue: point("blue"),
            white: point("white_point"),
            minNits: ratioOf(mastering?.["min_luminance"]) ?? 0,
            maxNits,
          },
    light:
      light === undefined
        ? null
        : {
            maxContentNits: numberOf(light["max_content"]) ?? 0,
            maxAverageNits: numberOf(light["max_average"]) ?? 0,
          },
  };
  return read.mastering === null && read.light === null ? null : read;
}

function sideData(list: RawSideData[] | undefined, type: string): RawSideData | undefined {
  return list?.find((data) => data["side_data_type"] === type);
}

/** Above this the two rates disagree by more than the rounding of timestamps in short files. */
const rateTolerance = 0.01;

export interface FrameRate {
  /** Rational in ffprobe's form, or null when the stream has none. */
  rate: string | null;
  variable: boolean;
}

/** Shares and times by which distances between frames may differ at a constant rate. */
const spacing = {
  /** Of the median distance: Matroska's clock of 1 ms makes 33, 33 and 34 of 30 fps. */
  ratio: 0.2,
  seconds: 0.0015,
  /** A frame lost here or there makes no variable rate. */
  oddShare: 0.05,
};

/**
 * Whether frames lie unevenly, by their own times. Matroska and its like say a rate in the header that
 * need not hold for the frames, and ffprobe believes it.
 * @param times seconds, in any order
 */
export function unevenlySpaced(times: number[]): boolean {
  const sorted = times.toSorted((a, b) => a - b);
  const gaps = sorted.slice(1).map((time, index) => time - (sorted[index] ?? time));
  const median = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)];
  if (median === undefined) return false;
  const tolerance = Math.max(spacing.seconds, median * spacing.ratio);
  const odd = gaps.filter((gap) => Math.abs(gap - median) > tolerance).length;
  return odd >= 2 && odd > gaps.length * spacing.oddShare;
}

/**
 * ffprobe gives `r_frame_rate`, the coarsest grid on which all first timestamps lie, and
 * `avg_frame_rate`, frames by time. They agree at a constant rate. Twice the average is a constant rate
 * too: fields of interlaced video. Where they differ by more than 1 % frames are unevenly spaced.
 * It costs nothing, and in MP4 it is exact; for containers whose header may lie `probe.ts` looks at the
 * times of the first frames too. What begins to vary only late in such a file goes unseen.
 * @param uneven what `unevenlySpaced` said of the first frames; false when nobody looked
 */
export function frameRateOf(stream: RawStream, uneven = false): FrameRate {
  const grid = ratioOf(stream.r_frame_rate);
  const average = ratioOf(stream.avg_frame_rate);
  if (average === null)
    return { rate: grid === null ? null : (stream.r_frame_rate ?? null), variable: false };
  const averageText = stream.avg_frame_rate ?? null;
  if (grid === null) return { rate: averageText, variable: false };
  if (uneven) return { rate: averageText, variable: true };
  const near = (a: number, b: number) => Math.abs(a - b) <= b * rateTolerance;
  if (near(average, grid)) return { rate: stream.r_frame_rate ?? null, variable: false };
  if (near(average * 2, grid) && isInterlaced(stream))
    return { rate: averageText, variable: false };
  return { rate: averageText, variable: true };
}

export function isInterlaced(stream: RawStream): boolean {
  return ["tt", "bb", "tb", "bt"].includes(stream.field_order ?? "");
}
