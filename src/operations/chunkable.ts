/** Whether a long encode can be cut into chunks that join to what one pass makes, and if not, why. Pure. */
import type { RenderDescription } from "../media/description.ts";
import { isLooking } from "../media/filters-looking.ts";
import type { VideoFilter } from "../media/filters-picture.ts";
import { sourcesOf } from "../media/graph.ts";
import type { MediaInfo } from "../media/media.ts";
import { unreachable } from "../trouble.ts";
import { clockOf } from "./chunk-seams.ts";
import type { Step } from "./operation.ts";

/** Containers in which every frame has a time, and a time is found again. */
const seekable = new Set(["mp4", "mov", "mkv", "webm", "mpegts"]);

/** A clause that goes on after "because"; null when it can be cut. */
export function whyInOnePiece({ work }: Step, media: readonly MediaInfo[]): string | null {
  switch (work.kind) {
    case "render":
      return whyNotCut(work.description, media[0]);
    case "search":
      return "its settings are tried until the file is small enough";
    case "cut":
      return "ranges of the source are joined";
    default:
      return "it is no plain encode";
  }
}

function whyNotCut(whole: RenderDescription, source: MediaInfo | undefined): string | null {
  return (
    whyNotOutputs(whole) ??
    whyNotInputs(whole) ??
    whyNotSource(source) ??
    whyNotFilters(whole) ??
    (source !== undefined && clockOf(whole, source) === null
      ? "the rate of its frames is not known"
      : null)
  );
}

function whyNotOutputs({ outputs }: RenderDescription): string | null {
  for (const { video } of outputs) {
    if (video === null) continue;
    if (video.kind === "animation") return "an animation is one piece";
    if (video.kind !== "encode" || !("pad" in video.source)) {
      return "not only films are made of it";
    }
    if (video.qualityFrom !== undefined) return "its quality is looked for first";
    if ("bitRate" in video.rate) {
      return "a bit rate is held over the whole of it, which only one pass can do";
    }
    if (video.codec === "vp9" && video.pixelFormat.startsWith("yuva")) {
      return "its transparency cannot be joined";
    }
  }
  return null;
}

function whyNotInputs({ inputs, graph, inspects }: RenderDescription): string | null {
  const [film] = inputs;
  if (inspects || film === undefined || !("asset" in film.from) || film.from.asset !== 0) {
    return "it is made of what an earlier step made";
  }
  if (
    film.keyframesOnly ||
    film.seekFrom ||
    film.still !== undefined ||
    film.picture === undefined
  ) {
    return "it is made of single pictures";
  }
  if (film.prerollSeconds) return "where it begins is found by decoding what is before";
  const used = new Set(
    graph.flatMap(sourcesOf).flatMap((from) => ("input" in from ? [from.input] : [])),
  );
  const films = [...used].filter((index) => inputs[index]?.still === undefined);
  return films.length === 1 && films[0] === 0 ? null : "several films meet in it";
}

function whyNotSource(source: MediaInfo | undefined): string | null {
  if (source?.video == null) return "the source has no film";
  if (seekable.has(source.container)) return null;
  return "the container of the source has no index that can be relied on";
}

function whyNotFilters({ graph }: RenderDescription): string | null {
  for (const { filters } of graph) {
    for (const filter of filters) {
      const reason = whyNotFilter(filter);
      if (reason !== null) return reason;
    }
  }
  return null;
}

/** What a filter makes of a frame must follow from the frame, its time, and at most its neighbours. */
function whyNotFilter(filter: VideoFilter): string | null {
  switch (filter.filter) {
    case "scale":
    case "format":
    case "setsar":
    case "deinterlace":
    case "crop":
    case "pad":
    case "tonemap":
    case "tag":
    case "matrix":
    case "overlay":
    case "subtitles":
    case "split":
    case "steer":
    case "flat":
    case "denoise-patches":
    case "sharpen":
    case "blur":
    case "fade":
    case "opacity":
    case "keyColor":
    case "despill":
    case "alphaOnly":
    case "ticks":
    case "window":
      return null;
    case "fps":
      // From zero on the first chunk fills what stands before the first frame.
      return filter.startSeconds ? countsOn : null;
    case "trim":
      return filter.startSeconds === undefined ? null : countsOn;
    case "denoise":
      return "its noise is taken away by what stood in all frames before";
    case "stabilise":
    case "detect-shakes":
      return "the movement of the camera is followed from its beginning";
    case "interpolate":
      return "frames are made between others";
    case "speed":
    case "retime":
      return "its speed changes";
    case "timecode":
      return "a timecode counts its frames";
    case "delay":
    case "loop":
      return "pictures that move are laid over it";
    case "crossfade":
    case "concat":
      return "several films are joined";
    case "tile":
    case "stamp":
    case "still":
    case "representative":
    case "exactly":
    case "palette":
    case "usePalette":
      return "single pictures are made of it";
    default:
      return isLooking(filter) ? "the picture is measured" : unreachable(filter);
  }
}

const countsOn = "its times count from where it begins";
