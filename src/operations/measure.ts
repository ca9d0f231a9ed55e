/** `measure`: how alike a video is to its reference: VMAF where this ffmpeg has it, SSIM and PSNR. */
import type { Expectation } from "../media/expectation.ts";
import type { VmafModel } from "../media/filters-looking.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { seriesFile } from "../media/readings/series.ts";
import type { MeasureAbout } from "../media/reports/measure.ts";
import { assert, Refusal } from "../trouble.ts";
import { type ComparisonWish, comparisonWork } from "./comparison.ts";
import { type MeasureParams, measureSchema } from "./measure-schema.ts";
import { type MeasuredSpan, spanNotes, spanOf } from "./measure-span.ts";
import { type Meeting, meetingOf, seenFrame } from "./meeting.ts";
import { outputName } from "./naming.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type Step,
  type StepOutput,
} from "./operation.ts";
import { rateNumber } from "./picture.ts";
import { reportStep } from "./report-step.ts";
import { worstStep } from "./worst-frames.ts";

export const measure = defineOperation({
  name: "measure",
  title: "Measure quality",
  description:
    "Holds a video against its reference, which is given first, frame by frame: VMAF where the installed FFmpeg can measure it, SSIM and PSNR always. Makes a report, the figures of every frame and pictures of the worst.",
  schema: measureSchema,
  example: { worst: { frames: 3 } },
  inputs: { min: 2, max: 2, kinds: ["video"] },
  family: "examine",
  plan,
});

export interface Side {
  name: string;
  media: MediaInfo;
  video: VideoStream;
}

type Params = MeasureParams;

function plan(params: Params, inputs: PlanInput[], context: PlanContext): Plan {
  const [reference, second] = inputs.map(sideOf);
  assert(reference !== undefined && second !== undefined, "measure has two inputs");
  const vmaf = vmafOf(params, reference, context);
  const meeting = meetingOf(
    reference.video,
    second.video,
    { size: params.size, kernel: params.scaler },
    context,
  );
  const span = spanOf(params, reference, second);
  const notes = [
    ...meeting.notes,
    ...timingNotes(params, reference, second),
    ...spanNotes(params, reference, second, span),
    ...vmafNotes(params, vmaf),
  ];
  const about: MeasureAbout = {
    ...{ reference: factsOf(reference), second: factsOf(second) },
    ...{ vmafModel: vmaf?.model ?? null, judgedBy: judgedBy(params, vmaf), remarks: notes },
  };
  const count = Math.min(params.worst.frames, framesAtLeast(span, reference, second));
  const report = reportStep({
    ...{ report: "measure", title: "Write the report", about },
    ...{ inputName: second.name, suffix: "quality" },
    of: [{ step: "compare", file: "comparison.json" }],
  });
  const tonemaps = context.filters.has("zscale") && context.filters.has("tonemap");
  const stills = Array.from({ length: count }, (_, index) =>
    worstStep(meeting, { ...params.worst, tonemaps, name: second.name }, index),
  );
  const sides: [Side, Side] = [reference, second];
  const compare = compareStep(params, sides, { meeting, span, vmaf, worst: count });
  return { steps: [compare, report, ...stills], notes };
}

function sideOf({ name, media }: PlanInput, index: number): Side {
  const which = index === 0 ? "The reference" : "The second file";
  if (media.video === null || media.kind !== "video") {
    const what = media.kind === "image" ? "a still picture" : "sound alone";
    throw new Refusal(
      422,
      "unsuitable_input",
      `${which} is ${what}, and measure compares moving pictures. Give two videos: the reference first, then the one to measure.`,
    );
  }
  return { name, media, video: media.video };
}

/** References of so many lines are watched on screens for which VMAF has a model of its own. */
const fourKLines = 1440;

/** @throws Refusal when VMAF is asked for and this ffmpeg cannot measure it */
function vmafOf(
  { metric, vmaf }: Params,
  { video }: Side,
  { filters }: PlanContext,
): ComparisonWish["vmaf"] {
  const has = filters.has("libvmaf");
  if (metric === "vmaf" && !has) {
    throw new Refusal(
      422,
      "unsuitable_input",
      "metric is vmaf, and the installed FFmpeg has no VMAF (libvmaf). Choose auto, ssim or psnr.",
    );
  }
  if (!has || metric === "ssim" || metric === "psnr") return null;
  const lines = Math.min(video.width, video.height);
  const usual: VmafModel = lines >= fourKLines ? "4k" : "hd";
  return { model: vmaf.model === "auto" ? usual : vmaf.model, everyFrames: vmaf.everyFrames };
}

function judgedBy({ metric }: Params, vmaf: ComparisonWish["vmaf"]): MeasureAbout["judgedBy"] {
  if (metric === "psnr") return "psnr";
  return vmaf === null ? "ssim" : "vmaf";
}

function vmafNotes({ metric }: Params, vmaf: ComparisonWish["vmaf"]): string[] {
  if (vmaf === null) {
    return metric === "auto"
      ? ["This FFmpeg has no VMAF (libvmaf): SSIM and PSNR are measured."]
      : [];
  }
  const { everyFrames } = vmaf;
  return everyFrames > 1 ? [`VMAF is that of one frame in ${everyFrames}.`] : [];
}

function timingNotes({ frames }: Params, reference: Side, second: Side): string[] {
  const [rate, other] = [reference, second].map(({ video }) => rateNumber(video.frameRate));
  if (frames === "order") {
    return ["The frames meet by their order: the first of one the first of the other, and so on."];
  }
  if (rate === other) return [];
  return [
    `The frame rates differ (${rateText(rate)} and ${rateText(other)}): each frame of the reference meets the frame that the second shows then.`,
  ];
}

function rateText(rate: number | null | undefined): string {
  return rate ? String(Math.round(rate * 1000) / 1000) : "unknown";
}

function factsOf({ media, video }: Side): MeasureAbout["reference"] {
  const { codec, frameRate } = video;
  return { codec, ...seenFrame(video), frameRate, durationSeconds: media.durationSeconds };
}

/** So many frames there surely are: a picture is made of each of the worst. */
function framesAtLeast({ expectedSeconds }: MeasuredSpan, reference: Side, second: Side): number {
  const rates = [reference, second].map(({ video }) => rateNumber(video.frameRate) ?? 1);
  return Math.max(1, Math.floor((expectedSeconds ?? 0) * Math.min(...rates)));
}

function compareStep(
  params: Params,
  [reference, second]: [Side, Side],
  about: { meeting: Meeting; span: MeasuredSpan; vmaf: ComparisonWish["vmaf"]; worst: number },
): Step {
  const { meeting, span, vmaf, worst } = about;
  const series = params.series === "none" ? null : params.series;
  return {
    name: "compare",
    title: vmaf ? "Measure VMAF, SSIM and PSNR" : "Measure SSIM and PSNR",
    needs: [],
    work: comparisonWork(
      { from: { asset: 0 }, video: reference.video, ...span.reference },
      { from: { asset: 1 }, video: second.video, ...span.second },
      {
        ...{ meeting, vmaf, worst, expectedSeconds: span.expectedSeconds },
        ...{ byPsnr: params.metric === "psnr", byOrder: params.frames === "order" },
        ...(series === null ? {} : { series }),
      },
    ),
    makes: ["comparison.json"],
    outputs: series === null ? [] : [seriesOutput(series, second)],
  };
}

function seriesOutput(series: "csv" | "json", { name }: Side): StepOutput {
  const file = seriesFile(series);
  const expectation: Expectation = {
    ...{ file, kind: "text", durationSeconds: null, video: null },
    ...{ audioTracks: 0, audioCodecs: [] },
  };
  return {
    ...{ file, name: outputName(name, "frames", series), role: "series" },
    ...{ mimeType: series === "csv" ? "text/csv" : "application/json", expectation },
  };
}
