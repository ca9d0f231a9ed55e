/**
 * Two pictures held against each other, frame by frame: what brings them together, the graph, and the step
 * that measures. For `measure`, and for whoever wants to know what an encode has lost. Pure.
 */
import type { InputDescription, InputRef, StepWork } from "../media/description.ts";
import type { VmafModel } from "../media/filters-looking.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { VideoStream } from "../media/media.ts";
import { aheadSeconds } from "../media/readings/comparison.ts";
import { type Meeting, meetingFilters } from "./meeting.ts";
import { inputPicture } from "./picture.ts";

/** One of the two. */
export interface ComparedSide {
  from: InputRef;
  video: VideoStream;
  /** Where it is begun, in seconds from its start, and how much of it is looked at; absent: all. */
  seekSeconds?: number;
  durationSeconds?: number;
}

export interface ComparisonWish {
  meeting: Meeting;
  /** Null where VMAF is not measured: this ffmpeg must have libvmaf for it. */
  vmaf: { model: VmafModel; everyFrames: number } | null;
  /** So many frames are pointed out: the worst by PSNR, or else by VMAF or SSIM. */
  worst: number;
  byPsnr?: boolean;
  /** The n-th frame meets the n-th frame, whatever their times. */
  byOrder?: boolean;
  /** The figures of every frame, as a file beside the reading. */
  series?: "csv" | "json";
  /** For progress. */
  expectedSeconds: number | null;
}

/** Makes a `Comparison` of the two, as `comparison.json`. The reference's frames and times count. */
export function comparisonWork(
  reference: ComparedSide,
  second: ComparedSide,
  wish: ComparisonWish,
): Extract<StepWork, { kind: "analyse" }> {
  const { meeting, worst, byPsnr = false, byOrder = false, vmaf, series } = wish;
  const looks = vmaf === null ? ["compared"] : ["compared", "scored"];
  return {
    ...{ kind: "analyse", reading: "comparison", file: "comparison.json" },
    facts: {
      ...{ peak: 2 ** meeting.bitDepth - 1, worst },
      ...{ byPsnr: byPsnr ? 1 : 0, byOrder: byOrder ? 1 : 0 },
      ...{ referenceFrom: reference.seekSeconds ?? 0, secondFrom: second.seekSeconds ?? 0 },
      series: series === undefined ? 0 : series === "csv" ? 1 : 2,
    },
    description: {
      inputs: [sideInput(reference), sideInput(second)],
      graph: comparisonGraph(reference.video, second.video, wish),
      outputs: looks.map((pad) => ({
        ...{ file: `${pad}.null`, container: "null" as const, audio: [], subtitles: [] },
        video: { kind: "look" as const, source: { pad } },
        ...{ metadataFrom: null, limitSeconds: null },
      })),
      expectedSeconds: wish.expectedSeconds,
    },
  };
}

export function sideInput({
  from,
  video,
  seekSeconds = 0,
  durationSeconds,
}: ComparedSide): InputDescription {
  return {
    from,
    ...(seekSeconds > 0 ? { seekSeconds } : {}),
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    picture: inputPicture(video),
  };
}

/**
 * Chains to the pad `compared`, and to `scored` with VMAF. The reference is the first source of SSIM and
 * PSNR, so theirs are its frames and times; both are the same either way. For VMAF, which is not, the second
 * is laid over the reference: that gives it the same frames at the same times.
 */
function comparisonGraph(
  reference: VideoStream,
  second: VideoStream,
  { meeting, vmaf, byOrder = false }: ComparisonWish,
): FilterChain[] {
  const copies = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${name}_${index + 1}`);
  const references = vmaf === null ? ["reference_1"] : copies("reference", 3);
  const seconds = copies("second", vmaf === null ? 2 : 3);
  const side = (input: 0 | 1, video: VideoStream, to: string[]): FilterChain => ({
    from: { input, stream: video.index },
    filters: [
      ...meetingFilters(meeting, input),
      ...sideNotes(input === 0 ? "reference" : "second", byOrder, input === 0 ? 0 : aheadSeconds),
      ...(to.length > 1 ? [{ filter: "split" as const, count: to.length }] : []),
    ],
    to,
  });
  return [
    ...[side(0, reference, references), side(1, second, seconds)],
    {
      from: [{ pad: "reference_1" }, { pad: "second_1" }],
      filters: [{ filter: "ssim" }, note("ssim", "ssim.All"), note("ssimy", "ssim.Y")],
      to: "likened",
    },
    {
      from: [{ pad: "likened" }, { pad: "second_2" }],
      filters: [{ filter: "psnr" }, note("mse", "psnr.mse_avg"), note("msey", "psnr.mse.y")],
      to: "compared",
    },
    ...(vmaf === null ? [] : scoring(meeting, vmaf)),
  ];
}

/** Times as they are, noted; then those by which frames meet. */
function sideNotes(name: string, byOrder: boolean, ahead: number): VideoFilter[] {
  return [
    ...[{ filter: "forget" as const }, { filter: "clock" as const }],
    { filter: "note", name, of: "frames" },
    { filter: byOrder ? "count" : "align", aheadSeconds: ahead },
  ];
}

function scoring(
  { bitDepth, pixelFormat }: Meeting,
  vmaf: NonNullable<ComparisonWish["vmaf"]>,
): FilterChain[] {
  return [
    {
      from: [{ pad: "reference_2" }, { pad: "second_3" }],
      filters: [
        { filter: "overlay", x: 0, y: 0, bitDepth },
        { filter: "format", pixelFormats: [pixelFormat] },
      ],
      to: "aligned",
    },
    {
      from: [{ pad: "aligned" }, { pad: "reference_3" }],
      filters: [{ filter: "vmaf", file: "vmaf.csv", ...vmaf }],
      to: "scored",
    },
  ];
}

function note(name: string, key: string): VideoFilter {
  return { filter: "note", name, of: { key } };
}
