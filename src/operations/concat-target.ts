/** What inputs are brought to so that they can be joined: size, rate, colours, sound. Pure. */
import type { AudioEncode, ColorTags } from "../media/description.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { AudioStream, MediaInfo, VideoStream } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import type { ConcatParams } from "./concat-schema.ts";
import { type Rate, rateOf } from "./concat-timing.ts";
import { containers } from "./containers.ts";
import { type FilmLook, filmLook } from "./film.ts";
import type { PlanContext } from "./operation.ts";
import {
  bt709,
  type Frame,
  fitInto,
  hdrCurve,
  isFullRange,
  isRgb,
  keptColor,
  rateNumber,
  rateText,
  shownFrame,
  toSdr,
} from "./picture.ts";
import { encodeTrack } from "./sound.ts";

export interface PictureTarget {
  frame: Frame;
  rate: Rate;
  look: FilmLook;
  /** HDR stays where all inputs have the same. */
  keepsHdr: boolean;
}

/** Where files do not say their rate. */
const assumedRate = 25;
/** Beyond it a rate is a header's mistake. */
const mostRate = 240;

/**
 * The pictures of all inputs, or null where all are sound alone.
 * @throws Refusal 422 `unsuitable_input` for stills, and where only some have a picture
 */
export function picturesOf(inputs: readonly MediaInfo[]): VideoStream[] | null {
  const still = inputs.findIndex(({ kind }) => kind === "image");
  if (still >= 0) throw unsuitable(still, "is a still picture; videos and sounds can be joined");
  const pictures = inputs.flatMap(({ video }) => (video === null ? [] : [video]));
  if (pictures.length === 0) return null;
  const without = inputs.findIndex(({ video }) => video === null);
  if (without >= 0) {
    throw unsuitable(without, "is sound alone, and others have a picture: join one kind at a time");
  }
  return pictures;
}

function unsuitable(index: number, message: string): Refusal {
  const path = `inputs.${index}`;
  return new Refusal(422, "unsuitable_input", `Input ${index + 1} ${message}.`, {
    errors: [{ path, message }],
  });
}

/** @throws Refusal 422 `unsuitable_input` for what cannot be encoded so */
export function pictureTarget(
  params: ConcatParams,
  pictures: readonly VideoStream[],
  context: PlanContext,
): PictureTarget {
  const [first] = pictures;
  if (first === undefined) throw new Error("invariant broken: there are pictures");
  const pixels = (video: VideoStream) => shownFrame(video).width * shownFrame(video).height;
  const largest = pictures.reduce((best, video) => (pixels(video) > pixels(best) ? video : best));
  const model = params.match === "first" ? first : largest;
  const rates = (params.match === "first" ? [first] : pictures).map(
    ({ frameRate }) => rateNumber(frameRate) ?? assumedRate,
  );
  const look = filmLook(params, model, context, { eightBits: false });
  const curve = hdrCurve(model);
  const keepsHdr =
    curve !== null &&
    look.tonemap.length === 0 &&
    pictures.every((video) => hdrCurve(video) === curve);
  return {
    frame: fitInto(model, { fit: "inside" }).frame,
    rate: rateOf(rateText(Math.min(mostRate, Math.max(...rates)))),
    look: keepsHdr || curve === null ? look : { ...look, pixelFormat: "yuv420p", color: bt709 },
    keepsHdr,
  };
}

/** What brings one picture to the target. */
export function toTarget(
  video: VideoStream,
  { frame, rate, look, keepsHdr }: PictureTarget,
): VideoFilter[] {
  const tonemap = video.hdr !== null && !keepsHdr;
  const inner = within(video, frame);
  const source = tonemap ? bt709 : keptColor(video);
  const filters: VideoFilter[] = [];
  if (video.interlaced) filters.push({ filter: "deinterlace", frames: "flagged" });
  filters.push({ filter: "fps", rate: rate.text, startSeconds: 0 });
  // What a file leaves unsaid is said before anything is converted, or it would be read as BT.601.
  if (!isRgb(video.pixelFormat)) {
    filters.push({ filter: "tag", color: { ...keptColor(video), range: null } });
  }
  if (tonemap) filters.push(toSdr(video));
  filters.push(...scaled(video, inner, { from: source, to: look.color, tonemap }));
  filters.push({ filter: "format", pixelFormats: [look.pixelFormat] });
  if (inner.width !== frame.width || inner.height !== frame.height) {
    const x = even((frame.width - inner.width) / 2);
    const y = even((frame.height - inner.height) / 2);
    filters.push({ filter: "pad", ...frame, x, y, color: "black" });
  }
  filters.push({ filter: "setsar", ratio: "1" }, { filter: "tag", color: look.color });
  return filters;
}

/** The shown picture as large as it fits, with even sides. */
function within(video: VideoStream, frame: Frame): Frame {
  const shown = shownFrame(video);
  const factor = Math.min(frame.width / shown.width, frame.height / shown.height);
  const side = (length: number, most: number) =>
    Math.min(most, Math.max(2, Math.round((length * factor) / 2) * 2));
  return {
    width: side(shown.width, frame.width),
    height: side(shown.height, frame.height),
  };
}

/** Matrices by ffmpeg's name in the scaler, which knows the two of BT.601 as one. */
const matrices: Record<string, string> = {
  bt709: "bt709",
  smpte170m: "bt601",
  bt470bg: "bt601",
  fcc: "fcc",
  smpte240m: "smpte240m",
  bt2020nc: "bt2020",
  bt2020c: "bt2020",
};

function scaled(
  video: VideoStream,
  inner: Frame,
  { from, to, tonemap }: { from: ColorTags; to: ColorTags; tonemap: boolean },
): VideoFilter[] {
  const { width, height, rotation } = video;
  const turned = rotation === 90 || rotation === 270;
  const same = turned
    ? width === inner.height && height === inner.width
    : width === inner.width && height === inner.height;
  const matrix = matrices[to.space ?? ""];
  const converts = matrix !== matrices[from.space ?? ""] || isRgb(video.pixelFormat);
  const levels = isFullRange(video) && !tonemap;
  if (same && !converts && !levels) return [];
  return [
    {
      filter: "scale",
      ...inner,
      ...(converts && matrix !== undefined ? { matrix } : {}),
      ...(levels ? { range: "tv" as const } : {}),
    },
  ];
}

function even(value: number): number {
  return Math.max(0, Math.floor(value / 2) * 2);
}

/** The track that a player starts with. */
export function mainTrack({ audio }: MediaInfo): AudioStream | null {
  return audio.find((track) => track.default) ?? audio[0] ?? null;
}

/** How the one track of the result is encoded; null where no input has any, or none is wanted. */
export function soundTarget(
  { match, container, audio }: ConcatParams,
  inputs: readonly MediaInfo[],
): AudioEncode | null {
  const tracks = inputs.map(mainTrack).filter((track) => track !== null);
  const [first] = tracks;
  if (audio === "none" || first === undefined) return null;
  const richest = tracks.reduce((best, track) =>
    track.channels * 1e6 + track.sampleRate > best.channels * 1e6 + best.sampleRate ? track : best,
  );
  const model = match === "first" ? first : richest;
  const { audio: codec } = containers[container];
  return { ...encodeTrack(model, { codec }), source: { pad: "sound" }, title: null };
}
