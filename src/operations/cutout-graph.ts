/** The filter graph of `cutout`: what is seen through, what is put behind. Pure. */

import type { ColorTags } from "../media/description.ts";
import { yuvOf } from "../media/filters-alpha.ts";
import type { FilterChain, GraphSource, VideoFilter } from "../media/graph.ts";
import type { VideoStream } from "../media/media.ts";
import type { CutoutParams } from "./cutout.ts";
import { type Frame, fitInto, isRgb, shownFrame, toSdr } from "./picture.ts";

/** What the graph must know of source and result. */
export interface Scene {
  video: VideoStream;
  /** The second input, where it is the background. */
  image: VideoStream | null;
  frame: Frame;
  color: ColorTags;
  /** What the encoder takes. */
  pixelFormat: string;
}

/** Which of the screens that spill is known of a colour is; null for others. */
export function screenOf(colour: string): "green" | "blue" | null {
  const level = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16);
  const [red, green, blue] = [level(1), level(3), level(5)];
  if (green > red && green >= blue) return "green";
  return blue > red && blue > green ? "blue" : null;
}

/** Half of it is not seen any more, and skin and hair keep their colours. */
const usualSpill = 0.5;

/** Ends in the pad `picture`. */
export function cutoutGraph(params: CutoutParams, scene: Scene): FilterChain[] {
  const { video, pixelFormat } = scene;
  const source = { input: 0, stream: video.index };
  const { output } = params;
  const last: VideoFilter[] = [
    { filter: "format", pixelFormats: [pixelFormat] },
    { filter: "setsar", ratio: "1" },
    // RGB has no matrix to be said.
    ...(isRgb(pixelFormat) ? [] : [{ filter: "tag" as const, color: scene.color }]),
  ];
  if (output.kind === "alpha") {
    const seen = [...upright(scene), ...keyed(params, scene)];
    return [{ from: source, filters: [...seen, ...last], to: "picture" }];
  }
  return [
    {
      from: source,
      filters: [...upright(scene), { filter: "split", count: 2 }],
      to: ["subject", "ground"],
    },
    {
      from: { pad: "subject" },
      filters: [...keyed(params, scene), { filter: "format", pixelFormats: ["yuva420p"] }],
      to: "front",
    },
    ...background(output, scene, { pad: "ground" }),
    {
      from: [{ pad: "back" }, { pad: "front" }],
      filters: [{ filter: "overlay", x: 0, y: 0 }, ...last],
      to: "picture",
    },
  ];
}

/** Even, in square pixels and limited range, SDR, with its tags said: the key goes by the matrix. */
function upright({ video, color }: Scene): VideoFilter[] {
  const filters: VideoFilter[] = [
    ...(video.interlaced ? [{ filter: "deinterlace" as const, frames: "flagged" as const }] : []),
    ...fitInto(video, { fit: "inside" }).filters,
    ...(video.hdr === null ? [] : [toSdr(video)]),
  ];
  return [...filters, { filter: "tag", color }];
}

/** Colour is not subsampled while the key looks at it, so edges stay as fine as the source has them. */
function keyed({ key }: CutoutParams, { frame, color, pixelFormat }: Scene): VideoFilter[] {
  const { similarity, blend } = key;
  const matrix = color.space ?? "bt709";
  const screen = screenOf(key.colour);
  const strength = key.spill ?? (screen === null ? 0 : usualSpill);
  const filters: VideoFilter[] = [
    { filter: "format", pixelFormats: ["yuva444p"] },
    { filter: "keyColor", color: key.colour, matrix, similarity, blend },
  ];
  if (screen === null || strength === 0) return filters;
  filters.push({ filter: "despill", screen, strength });
  if (isRgb(pixelFormat)) return filters;
  return [...filters, { filter: "scale", ...frame, matrix, range: "tv" }];
}

/**
 * Made of the source's own frames, so that it has their times whatever they are. Ends in the pad `back`.
 */
function background(
  output: Exclude<CutoutParams["output"], { kind: "alpha" }>,
  scene: Scene,
  from: GraphSource,
): FilterChain[] {
  const yuv: VideoFilter = { filter: "format", pixelFormats: ["yuv420p"] };
  const flat = (colour: string): VideoFilter => ({
    filter: "flat",
    ...yuvOf(colour, scene.color.space ?? "bt709"),
  });
  switch (output.kind) {
    case "colour":
      return [{ from, filters: [yuv, flat(output.colour)], to: "back" }];
    case "blur":
      return [{ from, filters: [yuv, { filter: "blur", sigma: output.strength }], to: "back" }];
    case "image":
      // Black under pictures that are transparent themselves.
      return [
        { from, filters: [yuv, flat("#000000")], to: "behind" },
        ...picture(scene),
        {
          from: [{ pad: "behind" }, { pad: "image" }],
          filters: [{ filter: "overlay", x: 0, y: 0 }],
          to: "back",
        },
      ];
  }
}

/** The second input, as large as it must be to fill the frame; what hangs over is cut. */
function picture({ image, frame, color }: Scene): FilterChain[] {
  if (image === null) return [];
  const shown = shownFrame(image);
  const factor = Math.max(frame.width / shown.width, frame.height / shown.height);
  const even = (side: number) => 2 * Math.ceil((side * factor) / 2 - 1e-6);
  const width = even(shown.width);
  const height = even(shown.height);
  const x = 2 * Math.floor((width - frame.width) / 4);
  const y = 2 * Math.floor((height - frame.height) / 4);
  const matrix = color.space ?? "bt709";
  return [
    {
      from: { input: 1, stream: image.index },
      filters: [
        { filter: "scale", width, height, matrix, range: "tv" },
        { filter: "format", pixelFormats: [image.alpha ? "yuva420p" : "yuv420p"] },
        { filter: "crop", ...frame, x, y },
        { filter: "setsar", ratio: "1" },
      ],
      to: "image",
    },
  ];
}
