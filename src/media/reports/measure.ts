/** The report of `measure`: how alike two videos are, frame by frame. */
import { z } from "zod";
import type { Comparison } from "../readings/comparison.ts";
import type { Report } from "../reports.ts";
import { clockText } from "./words.ts";

const side = z.strictObject({
  width: z.int(),
  height: z.int(),
  frameRate: z.string().nullable(),
  durationSeconds: z.number().nullable(),
});

/** What the plan knows of the two. */
export interface MeasureAbout {
  reference: z.output<typeof side>;
  second: z.output<typeof side>;
  /** What was done to make them comparable, as sentences. */
  remarks: string[];
}

const score = z.number().nullable();

/** The JSON of the report; `docs/reports.md` tells it in words. Fields are added, never changed. */
export const measureReportShape = z.strictObject({
  kind: z.literal("kinomill-measure"),
  version: z.literal(1),
  reference: side,
  second: side,
  frames: z.int().describe("That were compared: those of the reference"),
  comparedSeconds: z.number(),
  vmaf: score.describe("Mean, 0–100; null where this ffmpeg cannot measure it"),
  ssim: z.number().describe("Mean over all planes, 0–1"),
  psnrDb: score.describe("Of the mean error of all frames and planes; null where nothing differs"),
  worst: z.array(
    z.strictObject({ seconds: z.number(), ssim: z.number(), psnrDb: score, vmaf: score }),
  ),
  series: z.strictObject({
    seconds: z.array(z.number()),
    vmaf: z.array(z.number()).nullable(),
    ssim: z.array(z.number()),
    psnrDb: z.array(score),
  }),
  remarks: z.array(z.string()),
});
export type MeasureReport = z.output<typeof measureReportShape>;

/** @param found a Comparison, as it was written */
export function reportMeasure(planned: unknown, found: unknown[]): Report {
  const about = planned as MeasureAbout;
  const [comparison] = found as [Comparison];
  const { frames, comparedSeconds, vmaf, ssim, psnrDb, series } = comparison;
  const data: MeasureReport = {
    ...{ kind: "kinomill-measure", version: 1 },
    ...{ reference: about.reference, second: about.second, frames, comparedSeconds },
    ...{ vmaf, ssim, psnrDb },
    worst: comparison.worst.map(
      ({ referenceSeekSeconds: _, secondSeekSeconds: __, ...frame }) => frame,
    ),
    ...{ series, remarks: about.remarks },
  };
  const sentence = `${scores(data)} over ${frames} frames (${comparedSeconds.toFixed(2)} s).`;
  return { data, text: markdown(data, sentence), sentences: [sentence] };
}

function scores({ vmaf, ssim, psnrDb }: Pick<MeasureReport, "vmaf" | "ssim" | "psnrDb">): string {
  return [
    ...(vmaf === null ? [] : [`VMAF ${vmaf.toFixed(2)}`]),
    `SSIM ${ssim.toFixed(4)}`,
    psnrDb === null ? "PSNR without limit, for nothing differs" : `PSNR ${psnrDb.toFixed(2)} dB`,
  ].join(", ");
}

function markdown({ worst, remarks }: MeasureReport, sentence: string): string {
  const rows = worst.map((frame) => `| ${clockText(frame.seconds)} | ${scores(frame)} |`);
  return [
    ...["# Measure", "", sentence, "", "## Worst frames", ""],
    ...["| at | scores |", "|---|---|", ...rows],
    ...(remarks.length === 0 ? [] : ["", "## How it was compared", ""]),
    ...remarks.map((remark) => `- ${remark}`),
    "",
  ].join("\n");
}
