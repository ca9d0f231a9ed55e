/** `reframe`: another shape of a film, by a crop that follows keyframes or on a background; slow motion. */

import type { AudioEncode, InputRef } from "../media/description.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import { codecTitle, containers } from "./containers.ts";
import { cropPath } from "./crop-path.ts";
import {
  type FilmLook,
  type FilmTracks,
  filmLook,
  filmStep,
  finish,
  keptTracks,
  movingPicture,
} from "./film.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type Step,
} from "./operation.ts";
import { keyframesWithin, movedInto } from "./part.ts";
import { type Frame, fitInto, rateNumber, rateText, settledLevels } from "./picture.ts";
import { mountPicture } from "./reframe-background.ts";
import { type ReframeParams, reframeSchema } from "./reframe-schema.ts";
import { frameOf } from "./reframe-size.ts";
import {
  chainsPerTrack,
  type Piece,
  piecesOf,
  retimedPicture,
  retimedSeconds,
  retimedSound,
} from "./reframe-speed.ts";
import { encodeTrack, maxChannels } from "./sound.ts";

export const reframe = defineOperation({
  name: "reframe",
  title: "Reframe",
  description:
    "Gives a film another shape, such as 9:16 for phones: with a crop that follows keyframes, or with the whole picture on a blurred or coloured background. Stretches of it can run in slow motion or faster.",
  schema: reframeSchema,
  example: {
    aspect: "9:16",
    keyframes: [
      { time: 0, x: 0.3, ease: "in-out" },
      { time: 4, x: 0.7, zoom: 1.5 },
    ],
  },
  inputs: { min: 1, max: 1, kinds: ["video"] },
  family: "picture",
  part: (params, span) => ({
    ...params,
    keyframes: keyframesWithin(params.keyframes, span, ["x", "y", "zoom"]),
    speed: params.speed.flatMap((stretch) => movedInto(stretch, span) ?? []),
  }),
  plan,
});

/** What `steer` reads. */
const commandFile = { step: "path", file: "commands.txt" };
const pad = "picture";

function plan(params: ReframeParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "reframe has one input");
  const { media } = input;
  const video = movingPicture(media, "reframe");
  const look = filmLook(params, video, context, { eightBits: false });
  const { filters: fitting, frame: source } = fitInto(video, { fit: "inside" });
  // Fields that are cropped or scaled are combs for ever.
  const combed = { filter: "deinterlace", frames: "flagged" } as const;
  const upright: VideoFilter[] = [...(video.interlaced ? [combed] : []), ...fitting];
  const sized = frameOf(params, source);
  const timing = timingOf(params, media, video);
  const after = [...look.tonemap, ...timing.filters, ...finish(look)];
  const scene = { params, video, look, source, upright, frame: sized.frame, after };
  const { graph, commands } =
    params.background === "crop" ? croppedScene(scene) : mountedScene(scene);
  const tracks =
    timing.pieces === null
      ? keptTracks(params, media)
      : retimedTracks(params, media, timing.pieces, context);
  const reads: InputRef[] = commands === null ? [] : [commandFile];
  const main = filmStep({
    ...{ params, input, video, look, tracks, frame: sized.frame, pad, graph },
    reads,
    constantRate: timing.perSecond,
    seconds: timing.seconds,
    keepChapters: timing.pieces === null,
    step: {
      name: "reframe",
      title: `Encode ${codecTitle(look.codec)} at ${sized.frame.width}×${sized.frame.height}`,
      needs: reads.length > 0 ? [commandFile.step] : [],
      suffix: params.aspect.replace(":", "x"),
    },
  });
  return {
    steps: [...(commands === null ? [] : [pathStep(commands)]), main],
    notes: [
      ...look.notes,
      ...sized.notes,
      ...timing.notes,
      ...lateNotes(params, media),
      ...tracks.notes,
    ],
  };
}

function pathStep(text: string): Step {
  return {
    name: commandFile.step,
    title: "Lay out the path of the crop",
    needs: [],
    work: { kind: "write", file: commandFile.file, text },
    makes: [commandFile.file],
    outputs: [],
  };
}

interface Scene {
  params: ReframeParams;
  video: VideoStream;
  look: FilmLook;
  source: Frame;
  /** Makes `source` of the stream. */
  upright: VideoFilter[];
  frame: Frame;
  after: VideoFilter[];
}

function croppedScene(scene: Scene): { graph: FilterChain[]; commands: string | null } {
  const { params, video, source, upright, frame, after } = scene;
  const path = cropPath(params.keyframes, { source, output: frame, file: commandFile });
  const from = { input: 0, stream: video.index };
  const scaled = path.filters.some(({ filter }) => filter === "scale");
  const settled = scaled ? settledLevels(video) : [];
  const graph = [{ from, filters: [...upright, ...settled, ...path.filters, ...after], to: pad }];
  return { graph, commands: path.commands };
}

function mountedScene(scene: Scene): { graph: FilterChain[]; commands: null } {
  const { params, video, look, source, upright, frame, after } = scene;
  const behind = params.background === "blur" ? "blur" : params.colour;
  // The colour behind is SDR where the result is.
  const before = [...upright, ...look.tonemap];
  const rest = after.filter((filter) => !look.tonemap.includes(filter));
  const mounted = { stream: video.index, source, frame, before, after: rest, look };
  return { graph: mountPicture(mounted, behind, pad), commands: null };
}

interface Timing {
  /** Null when no speed is changed. */
  pieces: Piece[] | null;
  filters: VideoFilter[];
  seconds: number | null;
  /** The constant rate of the result; null when frames keep their times. */
  perSecond: number | null;
  notes: string[];
}

/** Where a file does not say its rate. */
const assumedRate = 25;
/** People round up the end that a player shows them. */
const endToleranceSeconds = 1;

function timingOf({ speed }: ReframeParams, media: MediaInfo, video: VideoStream): Timing {
  const whole = media.durationSeconds;
  if (speed.length === 0)
    return { pieces: null, filters: [], seconds: whole, perSecond: null, notes: [] };
  for (const [index, { to }] of speed.entries()) {
    if (whole === null || to <= whole + endToleranceSeconds) continue;
    throw new Refusal(
      422,
      "unsuitable_input",
      `The source ends at ${whole} s, and speed.${index}.to is ${to} s. Choose a time before the end.`,
    );
  }
  const pieces = piecesOf(speed, whole);
  const text =
    video.variableFrameRate || video.frameRate === null
      ? rateText(Math.round(rateNumber(video.frameRate) ?? assumedRate))
      : video.frameRate;
  const perSecond = rateNumber(text) ?? assumedRate;
  return {
    ...{ pieces, perSecond, seconds: retimedSeconds(pieces) },
    filters: retimedPicture(pieces, { text, perSecond }),
    notes: video.variableFrameRate
      ? [
          `The frame rate of the source varies; with changed speed it becomes a constant ${text} per second.`,
        ]
      : [],
  };
}

/** Chains of one graph, with room for those of the picture. */
const maxSoundChains = 240;

function retimedTracks(
  params: ReframeParams,
  media: MediaInfo,
  pieces: readonly Piece[],
  context: PlanContext,
): FilmTracks {
  const wanted = params.audio === "none" ? [] : media.audio;
  const room = Math.max(1, Math.floor(maxSoundChains / chainsPerTrack(pieces)));
  const kept = wanted.slice(0, room);
  const codec = containers[params.container].audio;
  const wide = kept.find(({ channels }) => channels > maxChannels);
  if (wide !== undefined) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `The source has an audio track of ${wide.channels} channels; up to ${maxChannels} can be encoded. Set audio to none.`,
    );
  }
  const audio = kept.map(
    (track, index): AudioEncode => ({
      ...encodeTrack(track, { codec }),
      source: { pad: `sound${index}` },
    }),
  );
  const notes: string[] = [];
  if (kept.length < wanted.length) {
    notes.push(
      `With so many stretches of speed the first ${kept.length} audio tracks are kept, and ${wanted.length - kept.length} left out.`,
    );
  }
  if (media.subtitles.length > 0)
    notes.push("Subtitles are left out: their times are those of the source.");
  if (media.chapters.length > 0)
    notes.push("Chapters are left out: their times are those of the source.");
  return {
    audio,
    audioCodecs: audio.map(() => codec),
    subtitles: [],
    sound: kept.flatMap((track, index) =>
      retimedSound(track, pieces, {
        to: `sound${index}`,
        finely: context.filters.has("rubberband"),
      }),
    ),
    notes,
  };
}

function lateNotes({ keyframes }: ReframeParams, { durationSeconds }: MediaInfo): string[] {
  if (durationSeconds === null) return [];
  const late = keyframes.filter(({ time }) => time > durationSeconds + endToleranceSeconds).length;
  if (late === 0) return [];
  const some = late === 1 ? "1 keyframe lies" : `${late} keyframes lie`;
  return [`${some} after the end of the source, at ${durationSeconds} s.`];
}
