/** The plan of `cutout`. Pure. */
import type { OutputContainer, OutputDescription, VideoEncode } from "../media/description.ts";
import type { MediaInfo } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import { containers } from "./containers.ts";
import type { CutoutParams } from "./cutout.ts";
import { cutoutGraph, type Scene } from "./cutout-graph.ts";
import { type FilmTracks, keptTracks } from "./film.ts";
import { filmLasting } from "./lasting.ts";
import { outputName } from "./naming.ts";
import type { Plan, PlanContext, PlanInput } from "./operation.ts";
import { bt709, fitInto, gopFramesOf, inputPicture, keptColor, rateNumber } from "./picture.ts";
import { requireTonemap } from "./transcode-picture.ts";

type Format = Exclude<CutoutParams["format"], "auto">;

/** How far a probed duration may be off before a source counts as growing without end. */
const slackSeconds = 5;
/** For sources that do not say how long they are: a day of media. */
const unknownLimitSeconds = 86_400;

/** @throws Refusal 422 `unsuitable_input` for what has no moving picture, and without the background asked for */
export function planCutout(params: CutoutParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input, second] = inputs;
  assert(input !== undefined, "cutout has an input");
  const { media } = input;
  const { video } = media;
  if (video === null || media.kind !== "video") {
    throw unsuitable("The first input has no moving picture to cut out of. Choose a video.");
  }
  const image = backgroundOf(params, second);
  const format = formatOf(params);
  if (format === "webp" && !context.encoders.has("libwebp_anim")) {
    throw unsuitable(
      "The ffmpeg of this machine cannot make animated WebP (it lacks libwebp_anim). Choose webm or mov.",
    );
  }
  if (video.hdr !== null) requireTonemap(context);
  const scene: Scene = {
    ...{ video, image: image?.media.video ?? null },
    frame: fitInto(video, { fit: "inside" }).frame,
    color: video.hdr === null ? keptColor(video) : bt709,
    pixelFormat: pixelFormatOf(params, format),
  };
  const tracks = tracksOf(format, media);
  const made = { params, format, scene, tracks, media };
  const seconds = media.durationSeconds;
  const output = outputOf(made);
  const { ending, mimeType } = facts(format);
  return {
    steps: [
      {
        name: "cutout",
        title: titleOf(params, format, scene),
        needs: [],
        work: {
          kind: "render",
          description: {
            inputs: [
              { from: { asset: 0 }, picture: inputPicture(video) },
              ...(image === null ? [] : [stillInput(image)]),
            ],
            graph: cutoutGraph(params, scene),
            outputs: [output],
            expectedSeconds: seconds,
          },
        },
        outputs: [
          {
            file: output.file,
            name: outputName(input.name, "cutout", ending),
            role: "main",
            mimeType,
            expectation: {
              ...{ file: output.file, kind: "video", durationSeconds: seconds },
              ...filmLasting(media, tracks),
              video: {
                ...{ codec: codecOf[format], ...scene.frame },
                ...(scene.pixelFormat.startsWith("yuva") ? { alpha: true } : {}),
              },
              ...(format === "webp" ? { mayBeStill: true } : {}),
              audioTracks: tracks.audio.length,
              audioCodecs: tracks.audioCodecs,
            },
          },
        ],
      },
    ],
    notes: [...notesOf(made), ...tracks.notes],
  };
}

const codecOf = { webm: "vp9", mov: "prores", webp: "webp", mp4: "h264" } as const;

function facts(format: Format): { ending: string; mimeType: string } {
  return format === "webp" ? { ending: "webp", mimeType: "image/webp" } : containers[format];
}

function formatOf({ format, output }: CutoutParams): Format {
  if (format !== "auto") return format;
  return output.kind === "alpha" ? "webm" : "mp4";
}

function pixelFormatOf({ output }: CutoutParams, format: Format): string {
  const alpha = output.kind === "alpha";
  switch (format) {
    case "webm":
      return alpha ? "yuva420p" : "yuv420p";
    case "mov":
      return alpha ? "yuva444p10le" : "yuv422p10le";
    case "webp":
      return "bgra";
    case "mp4":
      return "yuv420p";
  }
}

function backgroundOf({ output }: CutoutParams, second: PlanInput | undefined): PlanInput | null {
  if (output.kind !== "image") {
    if (second === undefined) return null;
    throw unsuitable(
      `A second input was given, and output.kind is ${output.kind}. Set it to image to put the second input behind, or leave the second input out.`,
    );
  }
  if (second === undefined) {
    throw unsuitable("The output is to stand on a picture: give that picture as the second input.");
  }
  if (second.media.kind === "image" && second.media.video !== null) return second;
  throw unsuitable(
    "The second input, the background, is no still picture. Choose a JPEG, PNG or WebP.",
  );
}

function stillInput({ media }: PlanInput) {
  const { video } = media;
  assert(video !== null, "a picture has one");
  return { from: { asset: 1 }, still: media.container, picture: inputPicture(video) };
}

function tracksOf(format: Format, media: MediaInfo): FilmTracks {
  if (format === "webp") {
    const notes = media.audio.length > 0 ? ["WebP has no sound: the source's is left out."] : [];
    return { audio: [], audioCodecs: [], subtitles: [], sound: [], notes };
  }
  const like = { container: format, codec: "auto", quality: 0, effort: "balanced" } as const;
  return keptTracks({ ...like, audio: "keep" }, media);
}

interface Made {
  params: CutoutParams;
  format: Format;
  scene: Scene;
  tracks: FilmTracks;
  media: MediaInfo;
}

function outputOf({ params, format, scene, tracks, media }: Made): OutputDescription {
  const { durationSeconds: whole } = media;
  const container: OutputContainer = format;
  return {
    ...{ file: `output.${facts(format).ending}`, container },
    video:
      format === "webp"
        ? {
            ...{ kind: "animation", source: { pad: "picture" }, format, plays: 0 },
            ...{ quality: params.quality, color: scene.color },
          }
        : encodeOf(params, codecOf[format], scene),
    audio: tracks.audio,
    subtitles: tracks.subtitles,
    metadataFrom: format === "webp" ? null : 0,
    limitSeconds: whole === null ? unknownLimitSeconds : whole * 1.01 + slackSeconds,
  };
}

function encodeOf(params: CutoutParams, codec: VideoEncode["codec"], scene: Scene): VideoEncode {
  const { video, frame, color, pixelFormat } = scene;
  return {
    ...{ kind: "encode", source: { pad: "picture" }, codec, pixelFormat, color, ...frame },
    ...{ rate: { quality: params.quality }, speed: params.speed, hdrMetadata: null },
    gopFrames: gopFramesOf(rateNumber(video.frameRate)),
    variableFrameRate: video.variableFrameRate,
  };
}

function titleOf({ output }: CutoutParams, format: Format, { frame }: Scene): string {
  const grounds = {
    alpha: "leave it transparent",
    colour: "put a colour behind",
    image: "put a picture behind",
    blur: "blur what is behind",
  };
  const size = `${frame.width}×${frame.height}`;
  return `Key the background and ${grounds[output.kind]}: ${facts(format).ending} at ${size}`;
}

function notesOf({ scene: { video }, params, format }: Made): string[] {
  return [
    ...(video.hdr === null
      ? []
      : [
          "The source is HDR; the result is SDR, and the key goes by the colours that it has there.",
        ]),
    ...(video.hdr === null && video.bitDepth > 8
      ? ["The source has more than 8 bits per colour; the key works in 8."]
      : []),
    ...(video.alpha ? ["The source has transparency of its own, which is replaced."] : []),
    ...(format === "mov" && params.output.kind === "alpha"
      ? [
          "ProRes 4444 keeps transparency for editing programs; browsers other than Safari do not play it.",
        ]
      : []),
  ];
}

function unsuitable(message: string): Refusal {
  return new Refusal(422, "unsuitable_input", message);
}
