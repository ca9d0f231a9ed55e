/** `measure`: how alike a video is to its reference: VMAF where this ffmpeg has it, SSIM and PSNR. */
import { z } from "zod";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import type { MeasureAbout } from "../media/reports/measure.ts";
import { assert, Refusal } from "../trouble.ts";
import { comparisonFormat, comparisonGraph, seenFrame, worstGraph } from "./measure-graph.ts";
import { outputName } from "./naming.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type Step,
} from "./operation.ts";
import { hdrCurve, inputPicture, rateNumber } from "./picture.ts";
import { reportStep } from "./report-step.ts";

const schema = z.strictObject({
  metric: z
    .enum(["auto", "vmaf", "ssim", "psnr"])
    .default("auto")
    .meta({
      title: "Judged by",
      labels: { auto: "Automatic", vmaf: "VMAF", ssim: "SSIM", psnr: "PSNR" },
      description:
        "The worst frames are the worst by this measure. auto is VMAF where the installed FFmpeg has it, else SSIM. SSIM and PSNR are measured always; VMAF, which takes several times as long, for auto and VMAF alone.",
    }),
  worstFrames: z.int().min(0).max(12).default(3).meta({
    title: "Worst frames",
    description:
      "So many pictures of the frames that differ most, the reference on the left and the second video on the right.",
  }),
  format: z
    .enum(["png", "jpeg"])
    .default("png")
    .meta({
      title: "Format of the pictures",
      labels: { png: "PNG", jpeg: "JPEG" },
      description: "PNG shows exactly what there is; JPEG adds losses of its own.",
    }),
});
type Params = z.output<typeof schema>;

export const measure = defineOperation({
  name: "measure",
  title: "Measure quality",
  description:
    "Holds a video against its reference, which is given first, frame by frame: VMAF where the installed FFmpeg can measure it, SSIM and PSNR always. Makes a report and pictures of the worst frames.",
  schema,
  example: { worstFrames: 3 },
  inputs: { min: 2, max: 2 },
  plan,
});

export interface Side {
  name: string;
  media: MediaInfo;
  video: VideoStream;
}

function plan(params: Params, inputs: PlanInput[], context: PlanContext): Plan {
  const [reference, second] = inputs.map(sideOf);
  assert(reference !== undefined && second !== undefined, "measure has two inputs");
  const vmaf = measuresVmaf(params, context);
  const remarks = remarksOf(reference, second, { vmaf: vmaf || params.metric !== "auto" });
  const about: MeasureAbout = {
    ...{ reference: factsOf(reference), second: factsOf(second), remarks },
  };
  const count = Math.min(params.worstFrames, framesAtLeast(reference, second));
  const compare = compareStep(reference, second, {
    ...{ worst: count, vmaf, byPsnr: params.metric === "psnr" },
  });
  const stills = Array.from({ length: count }, (_, index) =>
    worstStep(params, [reference, second], index),
  );
  const report = reportStep({
    ...{ report: "measure", title: "Write the report", about },
    ...{ inputName: second.name, suffix: "quality" },
    of: [{ step: "compare", file: "comparison.json" }],
  });
  return { steps: [compare, report, ...stills], notes: remarks };
}

/** @throws Refusal when VMAF is asked for and this ffmpeg cannot measure it */
function measuresVmaf({ metric }: Params, { filters }: PlanContext): boolean {
  const has = filters.has("libvmaf");
  if (metric !== "vmaf" || has) return has && (metric === "auto" || metric === "vmaf");
  throw new Refusal(
    422,
    "unsuitable_input",
    "metric is vmaf, and the installed FFmpeg has no VMAF (libvmaf). Choose auto, ssim or psnr.",
  );
}

function sideOf({ name, media }: PlanInput, index: number): Side {
  const which = index === 0 ? "The reference" : "The second file";
  if (media.video === null || media.kind !== "video") {
    throw new Refusal(
      422,
      "unsuitable_input",
      `${which} is no moving picture. Give two videos: the reference first, then the one to measure.`,
    );
  }
  return { name, media, video: media.video };
}

function factsOf({ media, video }: Side): MeasureAbout["reference"] {
  const { width, height } = seenFrame(video);
  const { frameRate } = video;
  return { width, height, frameRate, durationSeconds: media.durationSeconds };
}

/** So many frames there surely are: a picture is made of each of the worst. */
function framesAtLeast(reference: Side, second: Side): number {
  const seconds = Math.min(reference.media.durationSeconds ?? 0, second.media.durationSeconds ?? 0);
  const rate = rateNumber(reference.video.frameRate) ?? 1;
  return Math.max(1, Math.floor(seconds * rate));
}

/** Lengths that differ by less are a packet of sound. */
const sameLengthSeconds = 0.1;

function remarksOf(reference: Side, second: Side, { vmaf }: { vmaf: boolean }): string[] {
  const [a, b] = [seenFrame(reference.video), seenFrame(second.video)];
  const [from, to] = [`${b.width}×${b.height}`, `${a.width}×${a.height}`];
  const [rateA, rateB] = [reference, second].map(({ video }) => rateNumber(video.frameRate));
  const [long, short] = [reference.media.durationSeconds, second.media.durationSeconds];
  const lengths = long !== null && short !== null && Math.abs(long - short) > sameLengthSeconds;
  const curves = hdrCurve(reference.video) !== hdrCurve(second.video);
  return [
    ...(from === to
      ? []
      : [`The second is scaled from ${from} to the reference's ${to} (bicubic).`]),
    ...(rateA === rateB
      ? []
      : [
          "The frame rates differ: each frame of the reference meets the frame that the second shows then.",
        ]),
    ...(lengths
      ? [
          `The reference lasts ${long.toFixed(2)} s and the second ${short.toFixed(2)} s: their common part is compared.`,
        ]
      : []),
    ...(curves
      ? ["One is HDR and the other is not, or otherwise: their values mean different light."]
      : []),
    ...(vmaf ? [] : ["This FFmpeg has no VMAF (libvmaf): SSIM and PSNR are measured."]),
  ];
}

function compareStep(
  reference: Side,
  second: Side,
  { worst, vmaf, byPsnr }: { worst: number; vmaf: boolean; byPsnr: boolean },
): Step {
  const { format, bitDepth } = comparisonFormat(reference.video, second.video);
  const looks = vmaf ? ["compared", "scored"] : ["compared"];
  return {
    name: "compare",
    title: vmaf ? "Measure VMAF, SSIM and PSNR" : "Measure SSIM and PSNR",
    needs: [],
    work: {
      kind: "analyse",
      reading: "comparison",
      file: "comparison.json",
      facts: { peak: 2 ** bitDepth - 1, worst, byPsnr: byPsnr ? 1 : 0 },
      description: {
        inputs: [reference, second].map(({ video }, asset) => ({
          from: { asset },
          picture: inputPicture(video),
        })),
        graph: comparisonGraph(reference.video, second.video, { format, bitDepth, vmaf }),
        outputs: looks.map((pad) => ({
          ...{ file: `${pad}.null`, container: "null" as const, audio: [], subtitles: [] },
          video: { kind: "look" as const, source: { pad } },
          ...{ metadataFrom: null, limitSeconds: null },
        })),
        expectedSeconds: reference.media.durationSeconds,
      },
    },
    makes: ["comparison.json"],
    outputs: [],
  };
}

const formats = {
  png: { ending: "png", mimeType: "image/png", codec: "png" },
  jpeg: { ending: "jpg", mimeType: "image/jpeg", codec: "mjpeg" },
};

/** Their times are known once the two were compared, so the seeks point into what that found. */
function worstStep(params: Params, sides: [Side, Side], index: number): Step {
  const [reference, second] = sides;
  const format = formats[params.format];
  const file = "worst.image";
  const at = (which: string) => ({
    ...{ step: "compare", file: "comparison.json" },
    pointer: `/worst/${index}/${which}SeekSeconds`,
  });
  const { graph, frame } = worstGraph(reference.video, second.video, params.format);
  return {
    name: `worst-${index + 1}`,
    title: `Make a picture of the ${index === 0 ? "worst frame" : `worst frame but ${index}`}`,
    needs: ["compare"],
    work: {
      kind: "render",
      description: {
        inputs: sides.map(({ video }, asset) => ({
          ...{ from: { asset }, seekFrom: at(asset === 0 ? "reference" : "second") },
          picture: inputPicture(video),
        })),
        graph,
        outputs: [
          {
            ...{ file, container: "image", audio: [], subtitles: [] },
            video: {
              ...{ kind: "image", source: { pad: "beside" }, codec: params.format },
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
        name: outputName(second.name, `worst ${index + 1}`, format.ending),
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
