/** What a clip is made of and how it is encoded, whatever its times. Pure. */
import type {
  AudioEncode,
  RenderDescription,
  StreamCopy,
  VideoEncode,
} from "../media/description.ts";
import type { Expectation } from "../media/expectation.ts";
import type { SoundChain, VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { type ReadTrim, readSpan } from "../media/pieces.ts";
import { durationToleranceSeconds } from "../media/tolerance.ts";
import { assert } from "../trouble.ts";
import { besideCopies, whyNotCopied } from "./clip-copying.ts";
import type { Span } from "./clip-ranges.ts";
import type { ClipParams } from "./clip-schema.ts";
import { containers } from "./containers.ts";
import { filmLook, finish } from "./film.ts";
import type { PlanContext } from "./operation.ts";
import { fitInto, gopFramesOf, inputPicture, rateNumber } from "./picture.ts";
import { prerollOf } from "./preroll.ts";
import { transcodeSchema } from "./transcode-schema.ts";
import { decideSound, decideSubtitles } from "./transcode-sound.ts";

export interface ClipMaterial {
  params: ClipParams;
  /** Null for sound alone. */
  picture: { video: VideoStream; filters: VideoFilter[]; encode: VideoEncode } | null;
  audio: (AudioEncode | StreamCopy)[];
  audioCodecs: string[];
  subtitles: StreamCopy[];
  /** Whether the picture is copied where it can be. */
  copies: boolean;
  /** Read so much before a span. */
  prerollSeconds: number;
  ending: string;
  mimeType: string;
  notes: string[];
}

/** @throws Refusal 422 `unsuitable_input` for what cannot be encoded so */
export function clipMaterial(
  params: ClipParams,
  media: MediaInfo,
  context: PlanContext,
): ClipMaterial {
  const facts = containers[params.container];
  const { video } = media;
  const obstacle = video === null ? null : whyNotCopied(params, media, video);
  const copies = params.cut === "fast" && video !== null && obstacle === null;
  const picture =
    video === null
      ? null
      : copies
        ? { made: { video, ...besideCopies(params, video) }, notes: [] }
        : pictureOf(params, video, context);
  const { tracks, codecs, notes } = soundOf(params, media);
  const subtitles = subtitlesOf(params, media, copies);
  const base = { params, picture: picture?.made ?? null, audio: tracks, audioCodecs: codecs };
  return {
    ...base,
    subtitles: subtitles.tracks,
    copies,
    prerollSeconds: prerollOf(media),
    ending: picture === null ? facts.audioEnding : facts.ending,
    mimeType: picture === null ? facts.audioMimeType : facts.mimeType,
    notes: [
      ...(params.cut === "fast" && obstacle !== null
        ? [
            `Nothing of the picture is copied, for ${obstacle}: the clips are cut exactly and encoded.`,
          ]
        : []),
      ...[...(picture?.notes ?? []), ...notes, ...subtitles.notes],
    ],
  };
}

/**
 * A clip that begins between two frames has its frames between the beats of its rate, and they are moved
 * onto them: by half a frame at most. Below this rate that is more than sound may be off, and they keep
 * their times.
 */
const gridRate = 25;

/** What frames may be moved and ends of packets may stand over: what is read ends exactly. */
const slackSeconds = 0.1;

function pictureOf(params: ClipParams, video: VideoStream, context: PlanContext) {
  const look = filmLook(params, video, context, { eightBits: false });
  const { filters: fitting, frame } = fitInto(video, { fit: "inside" });
  const filters: VideoFilter[] = [
    ...(video.interlaced ? [{ filter: "deinterlace", frames: "flagged" } as const] : []),
    ...fitting,
    ...look.tonemap,
    ...finish(look),
  ];
  const rate = rateNumber(video.frameRate);
  const encode: VideoEncode = {
    kind: "encode",
    source: { pad: "picture" },
    codec: look.codec,
    rate: { quality: params.quality },
    speed: params.effort,
    pixelFormat: look.pixelFormat,
    gopFrames: gopFramesOf(rate),
    color: look.color,
    ...frame,
    variableFrameRate: video.variableFrameRate || (rate ?? 0) < gridRate,
    hdrMetadata: look.hdrMetadata,
  };
  return { made: { video, filters, encode }, notes: look.notes };
}

/** Sound is cut to the sample, and so it is always encoded. */
function soundOf({ container, audio }: ClipParams, media: MediaInfo) {
  const like = transcodeSchema.parse({
    container,
    audio: { codec: audio === "none" ? "none" : "auto" },
    from: 0,
  });
  return decideSound(like, media);
}

function subtitlesOf({ container, join }: ClipParams, media: MediaInfo, copies: boolean) {
  if (media.video === null || media.subtitles.length === 0) return { tracks: [], notes: [] };
  if (join || copies) {
    return { tracks: [], notes: ["Subtitles are left out of clips that are joined or copied."] };
  }
  return decideSubtitles(transcodeSchema.parse({ container }), media);
}

/**
 * The run that makes a clip.
 * @param span null for what all ranges of a joined file have in common
 * @param name of the file, without its ending
 */
export function describeClip(
  material: ClipMaterial,
  span: Span | null,
  name: string,
): RenderDescription {
  const { params, picture, subtitles, ending } = material;
  const read = span === null ? null : readSpan(span, material.prerollSeconds);
  const { audio, sound } = soundChains(material, read?.trim ?? null);
  return {
    inputs: [
      {
        from: { asset: 0 },
        ...read?.times,
        ...(picture === null ? {} : { picture: inputPicture(picture.video) }),
      },
    ],
    graph:
      picture === null
        ? []
        : [
            {
              from: { input: 0, stream: picture.video.index },
              // What ffmpeg reads is as long as asked from its first frame on, which may begin later.
              filters: [...(read === null ? [] : [read.trim]), ...picture.filters],
              to: "picture",
            },
          ],
    ...(sound.length === 0 ? {} : { sound }),
    outputs: [
      {
        file: `${name}.${ending}`,
        container: params.container,
        video: picture?.encode ?? null,
        audio,
        subtitles,
        metadataFrom: 0,
        limitSeconds: span === null ? null : span.seconds + slackSeconds,
      },
    ],
    expectedSeconds: span?.seconds ?? null,
  };
}

/** Sound needs filters only where more is read than wanted; without them ffmpeg keeps its tracks' titles. */
function soundChains({ audio }: ClipMaterial, trim: ReadTrim | null) {
  if (trim?.startSeconds === undefined) return { audio, sound: [] };
  const sound: SoundChain[] = [];
  const encoded = audio.map((track, index) => {
    assert(track.kind === "encode" && "input" in track.source, "sound is cut to the sample");
    const pad = `sound${index}`;
    sound.push({ from: track.source, filters: [trim], to: pad });
    return { ...track, source: { pad } };
  });
  return { audio: encoded, sound };
}

/** Joined pieces begin and end at frames, so each may be off by one. */
export function expectClip(
  { picture, audio, audioCodecs, subtitles, params }: ClipMaterial,
  file: string,
  seconds: number,
): Expectation {
  const pieces = params.join ? params.ranges.length : 1;
  const rate = rateNumber(picture?.video.frameRate ?? null) ?? 1;
  const known = picture === null || pieces / rate <= durationToleranceSeconds(seconds);
  const { codec, width = 0, height = 0 } = picture?.encode ?? {};
  return {
    file,
    kind: picture === null ? "audio" : "video",
    durationSeconds: known ? seconds : null,
    video: codec === undefined ? null : { codec, width, height },
    audioTracks: audio.length,
    audioCodecs,
    // Of a short piece nothing may be said while it lasts.
    subtitles: { least: 0, most: subtitles.length },
  };
}
