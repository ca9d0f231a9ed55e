/** `thumbnails`: a poster, and a sprite sheet with its WebVTT index for previews on the seek bar. */
import { z } from "zod";
import type { InputDescription } from "../media/description.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import { outputName } from "./naming.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type Step,
} from "./operation.ts";
import { fitInto, hdrCurve, inputPicture, rateNumber } from "./picture.ts";
import { layoutSprite, spriteIndex, spriteSeconds } from "./sprite.ts";
import { requireTonemap } from "./transcode-picture.ts";

const poster = z
  .strictObject({
    at: z
      .union([z.number().min(0).max(604_800), z.literal("best")])
      .default("best")
      .meta({
        title: "Taken at",
        unit: "s",
        description: "Seconds from the start, or best for the most telling picture near it.",
      }),
    width: z.int().min(16).max(4096).default(1280).meta({
      title: "Width at most",
      unit: "px",
      description: "Smaller sources stay as they are.",
    }),
  })
  .optional()
  .meta({
    title: "Poster",
    description: "One picture that stands for the video. Made when neither is asked for.",
    startsOn: true,
  });

const sprite = z
  .strictObject({
    every: z.number().min(0.5).max(3600).optional().meta({
      title: "One picture every",
      unit: "s",
      description: "Empty takes about a hundred pictures for the whole video.",
    }),
    width: z.int().min(32).max(640).default(160).meta({
      title: "Width of a picture",
      unit: "px",
      description: "The height follows the shape of the video.",
    }),
    columns: z.int().min(1).max(20).default(10).meta({
      title: "Columns",
      description: "Pictures side by side on a sheet; a sheet has at most as many rows.",
    }),
  })
  .optional()
  .meta({
    title: "Sprite",
    description: "Small pictures of the whole video on sheets, with a WebVTT index for players.",
    startsOn: false,
  });

const schema = z.strictObject({
  format: z
    .enum(["jpeg", "webp", "png"])
    .default("jpeg")
    .meta({
      title: "Format",
      labels: { jpeg: "JPEG", webp: "WebP", png: "PNG" },
      description: "WebP is smaller than JPEG; PNG is exact and large.",
    }),
  quality: z.int().min(0).max(100).default(80).meta({
    title: "Quality",
    description: "Of JPEG and WebP; PNG has none.",
  }),
  poster,
  sprite,
});
type Params = z.output<typeof schema>;

/**
 * Ending of pictures while they are made and proven. Under `.jpg` ffmpeg would open them as a numbered
 * series, a format that may name other files and therefore is closed. People get the real ending.
 */
const workEnding = "image";

const formats = {
  jpeg: { ending: "jpg", mimeType: "image/jpeg", codec: "mjpeg" },
  webp: { ending: "webp", mimeType: "image/webp", codec: "webp" },
  png: { ending: "png", mimeType: "image/png", codec: "png" },
};

export const thumbnails = defineOperation({
  name: "thumbnails",
  title: "Thumbnails",
  description:
    "Makes pictures of a video: a poster, and a sprite sheet with a WebVTT index for previews on the seek bar.",
  schema,
  example: { poster: { at: "best", width: 1280 }, sprite: { every: 10, width: 160 } },
  inputs: { min: 1, max: 1 },
  plan,
});

function plan(params: Params, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "thumbnails has one input");
  const { video } = input.media;
  if (video === null) {
    throw new Refusal(
      422,
      "unsuitable_input",
      "The source is sound alone and has no picture to make thumbnails of. Choose a video or an image.",
    );
  }
  if (video.hdr !== null) requireTonemap(context);
  const source = { name: input.name, media: input.media, video };
  const wantsPoster = params.poster !== undefined || params.sprite === undefined;
  const steps: Step[] = wantsPoster ? [posterStep(params, source)] : [];
  const notes: string[] = [];
  if (params.sprite !== undefined) {
    const made = spriteSteps(params, params.sprite, source);
    steps.push(...made.steps);
    notes.push(...made.notes);
  }
  return { steps, notes };
}

interface Source {
  name: string;
  media: MediaInfo;
  video: VideoStream;
}

const defaultPoster = { at: "best" as const, width: 1280 };

function posterStep(params: Params, source: Source): Step {
  const { video, name } = source;
  const { at, width } = params.poster ?? defaultPoster;
  const format = formats[params.format];
  const fitted = fitInto(video, { maxWidth: width, fit: "inside" });
  const { input, pick } = posterInput(at, source.media);
  const filters = [...pick.rate, ...stillFilters(params, video, fitted.filters), ...pick.choose];
  const file = `poster.${workEnding}`;
  return {
    name: "poster",
    title: `Make a poster of ${fitted.frame.width}×${fitted.frame.height}`,
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [{ ...input, picture: inputPicture(video) }],
        graph: [chainOf(video, filters)],
        outputs: [imageOutput(params, file, 1)],
        expectedSeconds: null,
      },
    },
    outputs: [
      {
        file,
        name: outputName(name, "poster", format.ending),
        role: "poster",
        mimeType: format.mimeType,
        expectation: imageExpectation(file, format.codec, fitted.frame),
      },
    ],
  };
}

/** Pictures that compete for `best`. They are held in memory together, at poster size. */
const candidates = 24;
/** Candidates come from this long a stretch, decoded as a whole: 20 s of 4K take a few seconds. */
const stretchSeconds = 20;

interface PosterPick {
  rate: VideoFilter[];
  choose: VideoFilter[];
}

function posterInput(
  at: number | "best",
  media: MediaInfo,
): { input: InputDescription; pick: PosterPick } {
  const whole = media.kind === "image" ? null : media.durationSeconds;
  const from = { asset: 0 };
  if (media.kind === "image") {
    return { input: { from, still: media.container }, pick: { rate: [], choose: [] } };
  }
  if (whole === null && at === "best") {
    return { input: { from }, pick: { rate: [], choose: [] } };
  }
  if (at !== "best") {
    const seekSeconds = lastFrameBefore(at, media);
    return { input: { from, seekSeconds }, pick: { rate: [], choose: [] } };
  }
  assert(whole !== null, "the duration is known here");
  // Past titles and black: a tenth into the video.
  const seekSeconds = whole / 10;
  const durationSeconds = Math.min(stretchSeconds, whole - seekSeconds);
  const perSecond = Math.max(1, Math.round((candidates / durationSeconds) * 1000));
  return {
    input: { from, seekSeconds, durationSeconds },
    pick: {
      rate: [{ filter: "fps", rate: `${perSecond}/1000` }],
      choose: [{ filter: "representative", frames: candidates }],
    },
  };
}

/**
 * A time at which a frame still follows. The last frame begins one frame before the end, half a second
 * where frames come unevenly.
 * @throws Refusal 422 `unsuitable_input` for a time after the end.
 */
function lastFrameBefore(at: number, media: MediaInfo): number {
  const { durationSeconds: whole, video } = media;
  if (whole === null) return at;
  if (at > whole) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `The source ends at ${whole} s, and poster.at is ${at} s. Choose a time before the end.`,
    );
  }
  const rate = video?.variableFrameRate ? null : rateNumber(video?.frameRate ?? null);
  const lastFrame = whole - (rate === null ? 0.5 : 1.5 / rate);
  return Math.max(0, Math.min(at, lastFrame));
}

function spriteSteps(
  params: Params,
  wish: NonNullable<Params["sprite"]>,
  source: Source,
): { steps: Step[]; notes: string[] } {
  const { media, video, name } = source;
  const seconds = spriteSeconds(media);
  const layout = layoutSprite(video, seconds, wish);
  const format = formats[params.format];
  const files = layout.sheets.map((_, index) => `sprite-${index + 1}.${workEnding}`);
  const names = files.map((_, index) =>
    outputName(name, files.length === 1 ? "sprite" : `sprite ${index + 1}`, format.ending),
  );
  const filters: VideoFilter[] = [
    { filter: "fps", rate: layout.rate, startSeconds: 0 },
    { filter: "exactly", frames: layout.count },
    ...stillFilters(params, video, [{ filter: "scale", ...layout.tile }]),
    { filter: "tile", columns: layout.columns, rows: layout.rows },
  ];
  const file = files.length === 1 ? `sprite-1.${workEnding}` : `sprite-%d.${workEnding}`;
  const sprites: Step = {
    name: "sprite",
    title: `Make ${layout.count} pictures, one every ${layout.every} s`,
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [
          {
            from: { asset: 0 },
            ...(layout.keyframesOnly ? { keyframesOnly: true } : {}),
            picture: inputPicture(video),
          },
        ],
        graph: [chainOf(video, filters)],
        outputs: [imageOutput(params, file, files.length)],
        expectedSeconds: seconds,
      },
    },
    outputs: files.map((sheet, index) => ({
      file: sheet,
      name: names[index] ?? sheet,
      role: "sprite",
      mimeType: format.mimeType,
      expectation: imageExpectation(sheet, format.codec, layout.sheet),
    })),
  };
  const notes = layout.keyframesOnly
    ? ["The pictures of the sprite are taken at keyframes, which is many times faster."]
    : [];
  return { steps: [sprites, indexStep(source, spriteIndex(layout, seconds, names))], notes };
}

function indexStep(source: Source, text: string): Step {
  const file = "sprite.vtt";
  return {
    name: "sprite-index",
    title: "Write the WebVTT index",
    needs: ["sprite"],
    work: { kind: "write", file, text },
    outputs: [
      {
        file,
        name: outputName(source.name, "sprite", "vtt"),
        role: "sprite-index",
        mimeType: "text/vtt",
        expectation: {
          file,
          kind: "text",
          durationSeconds: null,
          video: null,
          audioTracks: 0,
          audioCodecs: [],
        },
      },
    ],
  };
}

function chainOf(video: VideoStream, filters: VideoFilter[]): FilterChain {
  return { from: { input: 0, stream: video.index }, filters, to: "picture" };
}

/** Scaled first, then tone-mapped, then in the format's own levels: JPEG is full range, WebP is not. */
function stillFilters(params: Params, video: VideoStream, scaling: VideoFilter[]): VideoFilter[] {
  const hdr = hdrCurve(video);
  const filters: VideoFilter[] =
    hdr === null ? scaling : [...scaling, { filter: "tonemap", from: hdr }];
  return [...filters, { filter: "setsar", ratio: "1" }, { filter: "still", codec: params.format }];
}

function imageOutput(params: Params, file: string, frames: number) {
  return {
    file,
    container: "image" as const,
    video: {
      kind: "image" as const,
      source: { pad: "picture" },
      codec: params.format,
      quality: params.quality,
      frames,
    },
    audio: [],
    subtitles: [],
    metadataFrom: null,
    limitSeconds: null,
  };
}

function imageExpectation(file: string, codec: string, frame: { width: number; height: number }) {
  return {
    file,
    kind: "image" as const,
    durationSeconds: null,
    video: { codec, ...frame },
    audioTracks: 0,
    audioCodecs: [],
  };
}
