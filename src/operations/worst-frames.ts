/** Pictures of the frames that differ most: both beside each other, as they were compared. Pure. */
import type { FigureRef } from "../media/description.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { VideoStream } from "../media/media.ts";
import { type Meeting, shapeFilters, tagsOf } from "./meeting.ts";
import { outputName } from "./naming.ts";
import type { Step } from "./operation.ts";
import { type Frame, hdrCurve, inputPicture } from "./picture.ts";

export interface WorstWish {
  show: "beside" | "difference";
  format: "png" | "jpeg";
  /** Where the ffmpeg can show HDR in SDR: pictures of it would be pale. */
  tonemaps: boolean;
  /** Name of the second video. */
  name: string;
}

/** Each of the pictures at most; beyond it they are heavy and screens are too small. */
const widestPixels = 1920;

/** What differs is seldom more than a shade. */
const differenceFactor = 5;

const formats = {
  png: { ending: "png", mimeType: "image/png", codec: "png" },
  jpeg: { ending: "jpg", mimeType: "image/jpeg", codec: "mjpeg" },
};

/** Their times are known once the two were compared, so the seeks point into what that found. */
export function worstStep(meeting: Meeting, wish: WorstWish, index: number): Step {
  const format = formats[wish.format];
  const file = "worst.image";
  const at = (which: string): FigureRef => ({
    ...{ step: "compare", file: "comparison.json" },
    pointer: `/worst/${index}/${which}SeekSeconds`,
  });
  const { graph, frame } = worstGraph(meeting, wish);
  return {
    name: `worst-${index + 1}`,
    title: `Make a picture of the ${index === 0 ? "worst frame" : `worst frame but ${index}`}`,
    needs: ["compare"],
    work: {
      kind: "render",
      description: {
        inputs: meeting.sides.map(({ video }, asset) => ({
          ...{ from: { asset }, seekFrom: at(asset === 0 ? "reference" : "second") },
          picture: inputPicture(video),
        })),
        graph,
        outputs: [
          {
            ...{ file, container: "image", audio: [], subtitles: [] },
            video: {
              ...{ kind: "image", source: { pad: "worst" }, codec: wish.format },
              ...{ quality: 90, frames: 1 },
            },
            ...{ metadataFrom: null, limitSeconds: null },
          },
        ],
        expectedSeconds: null,
      },
    },
    outputs: [
      {
        file,
        name: outputName(wish.name, `worst ${index + 1}`, format.ending),
        role: "worst-frame",
        mimeType: format.mimeType,
        expectation: {
          ...{ file, kind: "image", durationSeconds: null, audioTracks: 0, audioCodecs: [] },
          video: { codec: format.codec, ...frame },
        },
      },
    ],
  };
}

function worstGraph(
  { frame: compared, sides }: Meeting,
  { show, format, tonemaps }: WorstWish,
): { graph: FilterChain[]; frame: Frame } {
  const factor = Math.min(1, widestPixels / compared.width);
  const even = (pixels: number) => Math.max(2, Math.round((pixels * factor) / 2) * 2);
  const frame = { width: even(compared.width), height: even(compared.height) };
  const differs = show === "difference";
  const chain = (input: 0 | 1, name: string): FilterChain => ({
    from: { input, stream: sides[input].video.index },
    filters: [
      ...shownFilters(sides[input], tonemaps),
      { filter: "scale", ...frame, kernel: "bicubic" },
      { filter: "setsar", ratio: "1" },
      { filter: "format", pixelFormats: ["gbrp"] },
      ...(differs ? [{ filter: "split" as const, count: 2 }] : []),
    ],
    to: differs ? [name, `${name}_again`] : name,
  });
  const pads = ["left", "right", ...(differs ? ["between"] : [])];
  return {
    graph: [
      ...[chain(0, "left"), chain(1, "right")],
      ...(differs ? [difference] : []),
      {
        from: pads.map((pad) => ({ pad })),
        filters: [
          { filter: "beside", count: pads.length },
          { filter: "still", codec: format },
        ],
        to: "worst",
      },
    ],
    frame: { width: frame.width * pads.length, height: frame.height },
  };
}

const difference: FilterChain = {
  from: [{ pad: "left_again" }, { pad: "right_again" }],
  filters: [{ filter: "difference", factor: differenceFactor }],
  to: "between",
};

/** As compared; what is HDR on both sides is made SDR for the screen. */
function shownFilters(side: Meeting["sides"][0], tonemaps: boolean): VideoFilter[] {
  const curve = hdrCurve(side.video);
  if (curve !== null && side.tonemap === null && tonemaps) {
    const { matrix: _, range: __, ...scale } = side.scale;
    return shapeFilters({ ...side, tonemap: curve, scale });
  }
  return [...(side.tonemap === null ? tagged(side.video) : []), ...shapeFilters(side)];
}

/** RGB is made of YUV by what the file says, or by what is assumed. */
function tagged(video: VideoStream): VideoFilter[] {
  return [{ filter: "tag", color: tagsOf(video) }];
}
