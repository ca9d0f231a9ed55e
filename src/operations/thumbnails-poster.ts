/** The poster of `thumbnails`: one picture, of a time or the most telling one. Pure. */
import type { InputDescription } from "../media/description.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import { keyframesAreEnough, surelyKeyframedSeconds } from "./evenly.ts";
import { outputName } from "./naming.ts";
import type { Plan } from "./operation.ts";
import { fitInto, inputPicture, rateNumber } from "./picture.ts";
import { pictureFrom } from "./preroll.ts";
import {
  type StillSource,
  stillChain,
  stillExpectation,
  stillFilters,
  stillFormats,
  stillOutput,
  workEnding,
} from "./still-picture.ts";
import type { ThumbnailsParams } from "./thumbnails-schema.ts";

const usual = { at: "best" as const, width: 1280 };

/** @throws Refusal 422 `unsuitable_input` for a time after the end */
export function posterStep(
  params: ThumbnailsParams,
  { at, width }: NonNullable<ThumbnailsParams["poster"]> = usual,
  { video, name, media }: StillSource,
): Plan {
  const format = stillFormats[params.format];
  const fitted = fitInto(video, { maxWidth: width, fit: "inside" });
  const { input, pick } = posterInput(at, media, video);
  const filters = [...pick.rate, ...stillFilters(params, video, fitted.filters), ...pick.choose];
  const file = `poster.${workEnding}`;
  const step: Plan["steps"][number] = {
    name: "poster",
    title: `Make a poster of ${fitted.frame.width}×${fitted.frame.height}`,
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [{ ...input, picture: inputPicture(video) }],
        graph: [stillChain(video, filters)],
        outputs: [stillOutput(params, file, 1)],
        expectedSeconds: null,
      },
    },
    outputs: [
      {
        file,
        name: outputName(name, "poster", format.ending),
        role: "poster",
        mimeType: format.mimeType,
        expectation: stillExpectation(params, file, fitted.frame),
      },
    ],
  };
  return { steps: [step], notes: [] };
}

/** Pictures that compete for `best`. They are held in memory together, at poster size. */
const candidates = 24;
/** Candidates come from this long a stretch, decoded as a whole: 20 s of 4K take a few seconds. */
const stretchSeconds = 20;
/** Of long films they are keyframes, which are also where scenes begin: ten of them in this time. */
const keyframesSeconds = 5 * surelyKeyframedSeconds;

interface PosterPick {
  rate: VideoFilter[];
  choose: VideoFilter[];
}

function posterInput(
  at: number | "best",
  media: MediaInfo,
  video: VideoStream,
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
    const { times, trim } = pictureFrom(lastFrameBefore(at, media), null, media);
    return { input: { from, ...times }, pick: { rate: trim, choose: [] } };
  }
  assert(whole !== null, "the duration is known here");
  // Past titles and black: a tenth into the video.
  const seekSeconds = whole / 10;
  const best: VideoFilter = { filter: "representative", frames: candidates };
  const long = whole - seekSeconds >= keyframesSeconds;
  if (long && keyframesAreEnough(video, surelyKeyframedSeconds)) {
    return {
      input: { from, keyframesOnly: true, seekSeconds, durationSeconds: keyframesSeconds },
      pick: { rate: [], choose: [best] },
    };
  }
  const durationSeconds = Math.min(stretchSeconds, whole - seekSeconds);
  const perSecond = Math.max(1, Math.round((candidates / durationSeconds) * 1000));
  return {
    input: { from, seekSeconds, durationSeconds },
    pick: {
      rate: [{ filter: "fps", rate: `${perSecond}/1000` }],
      choose: [best],
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
