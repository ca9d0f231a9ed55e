/** The report of `measure`: how alike two videos are, frame by frame. */
import { z } from "zod";
import type { Comparison } from "../readings/comparison.ts";
import type { Report } from "../reports.ts";
import { clockText } from "./words.ts";

const side = z.strictObject({
  codec: z.string(),
  width: z.int(),
  height: z.int(),
  frameRate: z.string().nullable(),
  durationSeconds: z.number().nullable(),
});

const metric = z.enum(["vmaf", "ssim", "psnr"]);

/** What the plan knows of the two. */
export interface MeasureAbout {
  reference: z.output<typeof side>;
  second: z.output<typeof side>;
  judgedBy: z.output<typeof metric>;
  vmafModel: string | null;
  /** What was done to make them comparable, as sentences. */
  remarks: string[];
}

const score = z.number().nullable();

const spread = z
  .strictObject({
    lowest: score,
    percentile1: score,
    percentile5: score,
    median: score,
    harmonicMean: score,
  })
  .describe("How the frames lie; null is without limit");

/** The JSON of the report. Fields are added, never changed. */
export const measureReportShape = z.strictObject({
  kind: z.literal("kinomill-measure"),
  version: z.literal(1),
  reference: side,
  second: side,
  frames: z.int().describe("That were compared: those of the reference"),
  comparedSeconds: z.number(),
  judgedBy: metric.describe("The measure by which frames are called the worst"),
  vmaf: score.describe("Mean, 0–100; null where it was not measured"),
  vmafModel: z.string().nullable(),
  ssim: z.number().describe("Mean over all planes, 0–1"),
  ssimLuma: z.number().describe("Mean of the luma alone"),
  psnrDb: score.describe("Of the mean error of all frames and planes; null where nothing differs"),
  psnrLumaDb: score.describe("The same of the luma alone"),
  spread: z.strictObject({ vmaf: spread.nullable(), ssim: spread, psnrDb: spread }),
  worst: z.array(
    z.strictObject({ seconds: z.number(), ssim: z.number(), psnrDb: score, vmaf: score }),
  ),
  outline: z
    .strictObject({
      framesPerPoint: z.int(),
      seconds: z.array(z.number()),
      vmaf: z.array(score).nullable(),
      ssim: z.array(score),
      psnrDb: z.array(score),
    })
    .describe("For a drawing: the lowest of so many frames each. The series has all of them"),
  complete: z
    .boolean()
    .describe("False when there were more frames than are kept: the figures are of the first"),
  remarks: z.array(z.string()),
});
export type MeasureReport = z.output<typeof measureReportShape>;

/** @param found a Comparison, as it was written */
export function reportMeasure(planned: unknown, found: unknown[]): Report {
  const about = planned as MeasureAbout;
  const [comparison] = found as [Comparison];
  const { frames, comparedSeconds, vmaf, ssim, ssimLuma, psnrDb, psnrLumaDb } = comparison;
  const data: MeasureReport = {
    ...{ kind: "kinomill-measure", version: 1 },
    ...{ reference: about.reference, second: about.second, frames, comparedSeconds },
    ...{ judgedBy: about.judgedBy, vmaf, vmafModel: about.vmafModel },
    ...{ ssim, ssimLuma, psnrDb, psnrLumaDb, spread: comparison.spread },
    worst: comparison.worst.map(
      ({ referenceSeekSeconds: _, secondSeekSeconds: __, ...frame }) => frame,
    ),
    ...{ outline: comparison.outline, complete: comparison.complete, remarks: about.remarks },
  };
  const sentences = [verdictOf(data), ...worstSentence(data)];
  return { data, text: markdown(data, sentences), sentences };
}

function verdictOf(data: MeasureReport): string {
  const { frames, comparedSeconds, psnrDb } = data;
  const same = psnrDb === null ? " Nothing differs." : "";
  return `${scores(data)} over ${frames} frames (${comparedSeconds.toFixed(2)} s).${same}${vmafWords(data)}`;
}

/** Netflix's own reading of the scale. */
function vmafWords({ vmaf }: MeasureReport): string {
  if (vmaf === null) return "";
  if (vmaf >= 93) return " A viewer will hardly tell the two apart.";
  if (vmaf >= 80) return " A viewer who looks for it sees the difference.";
  return vmaf >= 60 ? " A viewer sees the difference." : " The difference disturbs a viewer.";
}

function worstSentence({ worst, psnrDb }: MeasureReport): string[] {
  const [frame] = worst;
  if (frame === undefined || psnrDb === null) return [];
  return [`The worst frame is at ${clockText(frame.seconds)}: ${scores(frame)}.`];
}

type Scores = Pick<MeasureReport, "vmaf" | "ssim" | "psnrDb">;

function scores({ vmaf, ssim, psnrDb }: Scores): string {
  return [
    ...(vmaf === null ? [] : [`VMAF ${vmaf.toFixed(2)}`]),
    `SSIM ${ssim.toFixed(4)}`,
    psnrDb === null ? "PSNR without limit" : `PSNR ${psnrDb.toFixed(2)} dB`,
  ].join(", ");
}

function markdown(data: MeasureReport, sentences: string[]): string {
  const { worst, remarks, complete } = data;
  const rows = worst.map((frame) => `| ${clockText(frame.seconds)} | ${scores(frame)} |`);
  const cut = "There were more frames than are kept: the figures are those of the first.";
  const notes = [...remarks, ...(complete ? [] : [cut])];
  return [
    ...["# Measure", "", ...sentences.flatMap((sentence) => [sentence, ""])],
    ...["## Figures", "", ...figures(data), ""],
    ...(rows.length === 0
      ? []
      : ["## Worst frames", "", "| at | scores |", "|---|---|", ...rows, ""]),
    ...(notes.length === 0
      ? []
      : ["## How it was compared", "", ...notes.map((note) => `- ${note}`), ""]),
  ].join("\n");
}

function figures({
  vmaf,
  vmafModel,
  ssim,
  ssimLuma,
  psnrDb,
  psnrLumaDb,
  spread: lie,
}: MeasureReport) {
  const number = (value: number | null, digits: number) =>
    value === null ? "∞" : value.toFixed(digits);
  const row = (name: string, mean: string, about: z.output<typeof spread>, digits: number) =>
    `| ${name} | ${mean} | ${number(about.lowest, digits)} | ${number(about.percentile1, digits)} | ${number(about.percentile5, digits)} | ${number(about.median, digits)} |`;
  return [
    "| measure | mean | lowest | 1 % of frames below | 5 % below | half below |",
    "|---|---|---|---|---|---|",
    ...(vmaf === null || lie.vmaf === null
      ? []
      : [row(`VMAF (${vmafModel})`, vmaf.toFixed(2), lie.vmaf, 2)]),
    row("SSIM", ssim.toFixed(4), lie.ssim, 4),
    row("PSNR in dB", number(psnrDb, 2), lie.psnrDb, 2),
    "",
    `Of the luma alone: SSIM ${ssimLuma.toFixed(4)}, PSNR ${number(psnrLumaDb, 2)} dB.`,
  ];
}
