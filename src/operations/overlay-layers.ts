/** The pictures that `overlay` lays over the video: images, and other videos. Pure. */
import type { InputDescription } from "../media/description.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import type { PlanInput } from "./operation.ts";
import type { ItemOf } from "./overlay-schema.ts";
import { type Frame, inputPicture, toSdr } from "./picture.ts";
import { cornerOf, placed } from "./placing.ts";
import { pictureFrom } from "./preroll.ts";

export type LaidItem = ItemOf<"image"> | ItemOf<"video">;

/** What an item stands on. */
export interface Base {
  frame: Frame;
  /** ffmpeg's word for the colours of the video. */
  matrix: string;
  /** Frames per second, for stills that fade. */
  rate: string;
  /** Where the video ends; null when unknown. */
  endSeconds: number | null;
}

export interface Layer {
  input: InputDescription;
  /** From the input to what is laid over. */
  chain: Pick<FilterChain, "from" | "filters">;
  overlay: Extract<VideoFilter, { filter: "overlay" }>;
}

/**
 * The layer of one item.
 * @param index of its input among those of the run
 * @throws Refusal 422 `unsuitable_input` when the input is missing, or is not what the item says
 */
export function layerOf(
  item: LaidItem,
  inputs: readonly PlanInput[],
  base: Base,
  index: number,
): Layer {
  const { media, name } = inputOf(item, inputs);
  const video = pictureOf(item, media, name);
  const size = sizeOf(item, video, base.frame);
  const corner = cornerOf(placed(item.position, base.frame, item.margin), size);
  const { input, trim } = inputFor(item, media, video);
  const whole = item.from === 0 && item.to === undefined;
  const film = item.kind === "video" || item.fade > 0;
  return {
    input,
    chain: {
      from: { input: index, stream: video.index },
      filters: [
        ...trim,
        ...scaled(video, size, base),
        ...lookOf(item, base),
        ...timesOf(item, film),
      ],
    },
    overlay: {
      filter: "overlay",
      ...corner,
      atEnd: item.kind === "video" ? "hide" : "stay",
      ...(whole ? {} : { during: { fromSeconds: item.from, toSeconds: item.to ?? null } }),
    },
  };
}

function inputOf(item: LaidItem, inputs: readonly PlanInput[]): PlanInput {
  const input = inputs[item.input - 1];
  if (input !== undefined) return input;
  const given = inputs.length === 1 ? "1 file was given" : `${inputs.length} files were given`;
  throw new Refusal(
    422,
    "unsuitable_input",
    `An item lays input ${item.input} over the video, and ${given}. Give the job that file too.`,
  );
}

function pictureOf(item: LaidItem, media: MediaInfo, name: string): VideoStream {
  const { video, kind } = media;
  const wanted = item.kind === "image" ? "an image" : "a video";
  if (video === null || kind === "audio") {
    throw new Refusal(422, "unsuitable_input", `${name} has no picture, and ${wanted} is needed.`);
  }
  if (kind !== item.kind) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `${name} is ${kind === "image" ? "an image" : "a video"} and stands in an item of the kind ${item.kind}: say kind ${kind}.`,
    );
  }
  return video;
}

function sizeOf({ width }: LaidItem, video: VideoStream, frame: Frame): Frame {
  const wide = Math.max(2, Math.round((width / 100) * frame.width));
  const high = Math.max(2, Math.round((wide * video.displayHeight) / video.displayWidth));
  return { width: wide, height: high };
}

function inputFor(
  item: LaidItem,
  media: MediaInfo,
  video: VideoStream,
): { input: InputDescription; trim: VideoFilter[] } {
  const from = { asset: item.input - 1 };
  const picture = inputPicture(video);
  if (item.kind === "image") {
    return { input: { from, still: media.container, picture }, trim: [] };
  }
  const seconds = item.to === undefined ? null : item.to - item.from;
  const { times, trim } = pictureFrom(startOf(item, media), seconds, media);
  return { input: { from, picture, ...times }, trim };
}

function startOf({ start }: ItemOf<"video">, { durationSeconds: whole }: MediaInfo): number {
  if (whole === null || start < whole) return start;
  throw new Refusal(
    422,
    "unsuitable_input",
    `The picture in the picture ends at ${whole} s, and shall begin at ${start} s. Choose a time before its end.`,
  );
}

/** In the colours of the video: where they come together nothing is converted any more. */
function scaled(video: VideoStream, size: Frame, { matrix }: Base): VideoFilter[] {
  const scale: VideoFilter = { filter: "scale", ...size, matrix, range: "tv" };
  const alpha: VideoFilter = { filter: "format", pixelFormats: ["yuva420p"] };
  if (video.hdr === null) return [scale, alpha];
  return [{ filter: "scale", ...size }, toSdr(video), scale, alpha];
}

function lookOf(item: LaidItem, base: Base): VideoFilter[] {
  const { opacity, fade, from } = item;
  const solid: VideoFilter[] = opacity === 1 ? [] : [{ filter: "opacity", factor: opacity }];
  if (fade === 0) return solid;
  const end = item.to ?? base.endSeconds;
  const still: VideoFilter[] =
    item.kind === "image"
      ? [{ filter: "loop", rate: base.rate, seconds: Math.max(fade, (end ?? from + fade) - from) }]
      : [];
  const common = { filter: "fade", seconds: fade, to: "alpha" } as const;
  const out: VideoFilter[] =
    end === null
      ? []
      : [{ ...common, direction: "out", startSeconds: Math.max(fade, end - from - fade) }];
  return [...solid, ...still, { ...common, direction: "in", startSeconds: 0 }, ...out];
}

/** A still that does not fade is there at once and waits until it is shown. */
function timesOf({ from }: LaidItem, film: boolean): VideoFilter[] {
  return film && from > 0 ? [{ filter: "delay", seconds: from }] : [];
}
