/** `enhance`: a film mended: without noise, shaking or combs, sharper, larger, with more frames. */
import type { VideoFilter } from "../media/graph.ts";
import type { VideoStream } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import { codecTitle } from "./containers.ts";
import { type EnhanceParams, enhanceSchema } from "./enhance-schema.ts";
import { filmLook, filmStep, finish, keptTracks, movingPicture } from "./film.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type Step,
} from "./operation.ts";
import {
  type Frame,
  fitInto,
  inputPicture,
  rateNumber,
  rateText,
  settledLevels,
} from "./picture.ts";

export const enhance = defineOperation({
  name: "enhance",
  title: "Enhance",
  description:
    "Mends a film: takes noise away, stabilises, sharpens, deinterlaces, enlarges it, or makes frames between its frames. Only what is asked for is done.",
  schema: enhanceSchema,
  example: { denoise: "light", sharpen: "light", upscale: { factor: 2 } },
  inputs: { min: 1, max: 1, kinds: ["video"] },
  family: "picture",
  part: (params) => params,
  plan,
});

/** What the first look leaves for the second. */
const shakes = { step: "shakes", file: "shakes.trf" };
const pad = "picture";
/** Where a file does not say its rate. */
const assumedRate = 25;
/** What H.264 and most players go up to. */
const mostSide = 8192;

function plan(params: EnhanceParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "enhance has one input");
  const { media } = input;
  const video = movingPicture(media, "enhance");
  const { stabilise, frameRate } = params;
  requireFilters(params, context);
  refuseNothing(params, video);
  const eightBits = stabilise !== undefined || frameRate !== undefined;
  const look = filmLook(params, video, context, { eightBits });
  const fitted = fitInto(video, { fit: "inside" });
  const larger = enlarged(params, fitted.frame);
  const settled = larger === null ? [] : settledLevels(video);
  const upright = [...deinterlaced(params, video), ...fitted.filters, ...settled];
  const frame = larger ?? fitted.frame;
  const seconds = media.durationSeconds;
  const filters: VideoFilter[] = [
    ...upright,
    ...denoised(params, look.pixelFormat),
    ...look.tonemap,
    ...(stabilise === undefined ? [] : [stabilised(stabilise.strength, video)]),
    // Before it is enlarged: following motion is what takes longest.
    ...interpolated(params, video, seconds),
    ...(larger === null ? [] : [{ filter: "scale" as const, ...larger }]),
    ...sharpened(params),
    ...finish(look),
  ];
  const from = { input: 0, stream: video.index };
  const tracks = keptTracks(params, media);
  const main = filmStep({
    ...{ params, input, video, look, tracks, frame, pad, seconds },
    graph: [{ from, filters, to: pad }],
    reads: stabilise === undefined ? [] : [shakes],
    constantRate: frameRate ?? null,
    keepChapters: true,
    step: {
      name: "enhance",
      title: `Encode ${codecTitle(look.codec)} at ${frame.width}×${frame.height}`,
      needs: stabilise === undefined ? [] : [shakes.step],
      suffix: "enhanced",
    },
  });
  const steps =
    stabilise === undefined
      ? [main]
      : [shakesStep(input, video, [...upright, detection(stabilise.strength)]), main];
  return {
    steps,
    notes: [...look.notes, ...notesOf(params, video, look.pixelFormat), ...tracks.notes],
  };
}

const filterNames = {
  denoise: { light: ["hqdn3d"], medium: ["hqdn3d"], strong: ["hqdn3d", "nlmeans"], off: [] },
  stabilise: ["vidstabdetect", "vidstabtransform"],
  frameRate: ["minterpolate"],
};

/** @throws Refusal 422 when this ffmpeg was built without what is asked for */
function requireFilters(
  { denoise, stabilise, frameRate }: EnhanceParams,
  { filters }: PlanContext,
) {
  const needed: [field: string, names: readonly string[]][] = [
    ["denoise", filterNames.denoise[denoise]],
    ["stabilise", stabilise === undefined ? [] : filterNames.stabilise],
    ["frameRate", frameRate === undefined ? [] : filterNames.frameRate],
  ];
  for (const [field, names] of needed) {
    const missing = names.find((name) => !filters.has(name));
    if (missing === undefined) continue;
    throw new Refusal(
      422,
      "unsuitable_input",
      `The ffmpeg of this machine was built without ${missing}, which ${field} needs. Leave ${field} out, or install a full ffmpeg.`,
    );
  }
}

function refuseNothing(params: EnhanceParams, video: VideoStream): void {
  const { denoise, stabilise, sharpen, upscale, frameRate } = params;
  const some = stabilise !== undefined || upscale !== undefined || frameRate !== undefined;
  if (some || denoise !== "off" || sharpen !== "off") return;
  if (deinterlaced(params, video).length > 0) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    "Nothing is to be done: the source is not interlaced, and nothing else was asked for. Choose denoise, stabilise, sharpen, upscale or frameRate.",
  );
}

function deinterlaced({ deinterlace }: EnhanceParams, video: VideoStream): VideoFilter[] {
  if (deinterlace === "on") return [{ filter: "deinterlace", frames: "all" }];
  const flagged = deinterlace === "auto" && video.interlaced;
  return flagged ? [{ filter: "deinterlace", frames: "flagged" }] : [];
}

/** Of `hqdn3d`, whose own default is luma 4 and the rest in this proportion. */
const lumaStrength = { light: 3, medium: 6, strong: 12 };
/** Of `nlmeans`. Above it fine detail goes with the noise. */
const patchStrength = 6;

function denoised({ denoise }: EnhanceParams, pixelFormat: string): VideoFilter[] {
  if (denoise === "off") return [];
  if (denoise === "strong" && pixelFormat === "yuv420p") {
    return [{ filter: "denoise-patches", strength: patchStrength }];
  }
  const luma = lumaStrength[denoise];
  return [
    {
      ...{ filter: "denoise", luma, chroma: luma * 0.75 },
      ...{ lumaTime: luma * 1.5, chromaTime: luma * 1.125 },
    },
  ];
}

function detection(strength: number): VideoFilter {
  return { filter: "detect-shakes", file: shakes.file, shakiness: strength };
}

/** A tenth of a second to either side for each step of strength. */
function stabilised(strength: number, video: VideoStream): VideoFilter {
  const rate = rateNumber(video.frameRate) ?? assumedRate;
  const smoothing = Math.max(2, Math.round((rate * strength) / 10));
  return { filter: "stabilise", shakes, smoothing };
}

/** The same frames as in the main step, so that each is moved by what was seen in it. */
function shakesStep(input: PlanInput, video: VideoStream, filters: VideoFilter[]): Step {
  const seconds = input.media.durationSeconds;
  return {
    name: shakes.step,
    title: "Look how the picture shakes",
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [{ from: { asset: 0 }, picture: inputPicture(video) }],
        graph: [{ from: { input: 0, stream: video.index }, filters, to: pad }],
        outputs: [
          {
            ...{
              file: "nothing.null",
              container: "null",
              video: { kind: "look", source: { pad } },
            },
            ...{ audio: [], subtitles: [], metadataFrom: null, limitSeconds: null },
          },
        ],
        expectedSeconds: seconds,
      },
    },
    makes: [shakes.file],
    outputs: [],
  };
}

/** @throws Refusal 422 when the source has that many frames already */
function interpolated(
  { frameRate }: EnhanceParams,
  video: VideoStream,
  seconds: number | null,
): VideoFilter[] {
  if (frameRate === undefined) return [];
  const has = rateNumber(video.frameRate) ?? 0;
  if (frameRate <= has + 0.01) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `frameRate is ${frameRate}, and the source has ${Math.round(has * 100) / 100} frames per second already. Ask for more, or use transcode to leave frames out.`,
    );
  }
  const rate = rateText(frameRate);
  const frames = Math.max(1, Math.round((seconds ?? 0) * (rateNumber(rate) ?? frameRate)));
  const exactly: VideoFilter = { filter: "exactly", frames };
  return [{ filter: "interpolate", rate }, ...(seconds === null ? [] : [exactly])];
}

/** @throws Refusal 422 when it would not be larger, or too large */
function enlarged({ upscale }: EnhanceParams, frame: Frame): Frame | null {
  if (upscale === undefined) return null;
  const { factor = 2, height } = upscale;
  const times = height === undefined ? factor : height / frame.height;
  if (times <= 1) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `upscale.height is ${height}, and the source has ${frame.height} lines already. Ask for more, or use transcode to make it smaller.`,
    );
  }
  const even = (side: number) => 2 * Math.round((side * times) / 2);
  const larger = { width: even(frame.width), height: even(frame.height) };
  if (Math.max(larger.width, larger.height) > mostSide) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `Enlarged the picture would have ${larger.width}×${larger.height} pixels; each side can have ${mostSide} at most.`,
    );
  }
  return larger;
}

/** Of `unsharp`: how much of the difference to a blurred copy is added. */
const sharpness = { light: 0.5, medium: 1, strong: 1.8 };

function sharpened({ sharpen }: EnhanceParams): VideoFilter[] {
  return sharpen === "off" ? [] : [{ filter: "sharpen", amount: sharpness[sharpen] }];
}

function notesOf(
  { denoise, stabilise, frameRate }: EnhanceParams,
  video: VideoStream,
  pixelFormat: string,
): string[] {
  const notes: string[] = [];
  if (frameRate !== undefined) {
    notes.push(
      "Frames between others are made by following the motion, which is very slow: in HD a few frames per second at most, on one core.",
    );
  }
  if (frameRate !== undefined && video.variableFrameRate) {
    notes.push(
      `The frame rate of the source varies; it becomes a constant ${frameRate} per second.`,
    );
  }
  if (denoise === "strong" && pixelFormat === "yuv420p") {
    notes.push("Comparing patches to take noise away takes about ten times as long as medium.");
  }
  if (stabilise !== undefined) {
    notes.push("The source is decoded twice: once to see how it shakes, once to hold it still.");
  }
  return notes;
}
