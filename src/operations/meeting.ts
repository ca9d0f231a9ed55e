/** What two pictures need before they can be held against each other, and how it is said to the person. Pure. */
import type { ColorTags } from "../media/description.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { VideoStream } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import type { PlanContext } from "./operation.ts";
import { bt709, type Frame, hdrCurve, isFullRange, isRgb, keptColor } from "./picture.ts";

export type Kernel = "bicubic" | "bilinear" | "lanczos";

export interface MeetingWish {
  /** Whose size both get; absent: the reference's. */
  size?: "reference" | "second";
  /** Absent: bicubic. */
  kernel?: Kernel;
}

/** How the two are brought together: the reference first. */
export interface Meeting {
  frame: Frame;
  pixelFormat: string;
  bitDepth: 8 | 10;
  sides: [MeetingSide, MeetingSide];
  /** Sentences: what was done to either. */
  notes: string[];
}

interface MeetingSide {
  video: VideoStream;
  deinterlace: boolean;
  tonemap: "hdr10" | "hlg" | null;
  /** Also where nothing is to scale: the picture may change its size on the way, which is found out then. */
  scale: Extract<VideoFilter, { filter: "scale" }>;
}

/** Shapes that differ by less are rounding: 854×480 beside 1920×1080. */
const sameShape = 0.03;

/**
 * @throws Refusal when no figure could mean anything: other shapes, or HDR against SDR where this ffmpeg cannot
 * make it SDR
 */
export function meetingOf(
  reference: VideoStream,
  second: VideoStream,
  { size = "reference", kernel = "bicubic" }: MeetingWish,
  context: Pick<PlanContext, "filters">,
): Meeting {
  refuseOtherShape(reference, second);
  const curves = [hdrCurve(reference), hdrCurve(second)];
  const tonemaps = curves[0] !== curves[1];
  if (tonemaps) refuseWithoutTonemap(context);
  const deinterlaces = reference.interlaced !== second.interlaced;
  const frame = seenFrame(size === "reference" ? reference : second);
  const levels = commonLevels(reference, second, tonemaps);
  const sideOf = (video: VideoStream): MeetingSide => ({
    video,
    deinterlace: deinterlaces && video.interlaced,
    tonemap: tonemaps ? hdrCurve(video) : null,
    scale: scaleOf(video, { frame, kernel, ...levels, tonemaps }),
  });
  const sides: Meeting["sides"] = [sideOf(reference), sideOf(second)];
  const deep = !tonemaps && Math.max(reference.bitDepth, second.bitDepth) > 8;
  return {
    ...{ frame, sides, bitDepth: deep ? 10 : 8 },
    pixelFormat: `yuv${chromaOf(reference)}p${deep ? "10le" : ""}`,
    notes: notesOf(sides, { frame, kernel, deep, matrix: levels.matrix }),
  };
}

/** The filters of one side, up to frames that can be held against the other's. */
export function meetingFilters(
  { sides, pixelFormat }: Pick<Meeting, "sides" | "pixelFormat">,
  side: 0 | 1,
): VideoFilter[] {
  return [
    ...shapeFilters(sides[side]),
    { filter: "format", pixelFormats: [pixelFormat] },
    { filter: "setsar", ratio: "1" },
  ];
}

/** Without the last step to a pixel format: for those who show the frame. */
export function shapeFilters({ video, deinterlace, tonemap, scale }: MeetingSide): VideoFilter[] {
  return [
    ...(deinterlace ? [{ filter: "deinterlace" as const }] : []),
    ...(tonemap === null ? [] : tonemapped(tonemap)),
    // What the file does not say the scaler takes for BT.601, and HD is not.
    ...(scale.matrix !== undefined && tonemap === null && !isRgb(video.pixelFormat)
      ? [{ filter: "tag" as const, color: tagsOf(video) }]
      : []),
    scale,
  ];
}

/** Out of linear light, so that what follows works on pixels. */
function tonemapped(from: "hdr10" | "hlg"): VideoFilter[] {
  return [
    { filter: "tonemap", from },
    { filter: "format", pixelFormats: ["yuv444p"] },
  ];
}

/** Size of the frames that filters get: coded pixels, turned upright. */
export function seenFrame({ width, height, rotation }: VideoStream): Frame {
  return rotation === 90 || rotation === 270 ? { width: height, height: width } : { width, height };
}

function refuseOtherShape(reference: VideoStream, second: VideoStream): void {
  const shape = ({ displayWidth, displayHeight }: VideoStream) => displayWidth / displayHeight;
  const ratio = shape(reference) / shape(second);
  if (Math.abs(Math.log(ratio)) <= sameShape) return;
  const size = ({ displayWidth, displayHeight }: VideoStream) => `${displayWidth}×${displayHeight}`;
  throw new Refusal(
    422,
    "unsuitable_input",
    `The pictures have different shapes, ${size(reference)} and ${size(second)}: no frame of one lies over a frame of the other. Cut or pad one of them to the shape of the other first (reframe, or transcode with fit).`,
  );
}

function refuseWithoutTonemap({ filters }: Pick<PlanContext, "filters">): void {
  if (filters.has("zscale") && filters.has("tonemap")) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    "One of the two is HDR and the other is not, or has another curve, and the ffmpeg of this machine cannot make it SDR (it lacks zscale or tonemap). Give two that have the same curve, or install a full ffmpeg.",
  );
}

interface Levels {
  range?: "tv";
  matrix?: string;
}

/** Range and matrix of both, where theirs differ or are none of YUV's. */
function commonLevels(reference: VideoStream, second: VideoStream, tonemaps: boolean): Levels {
  const both = [reference, second];
  const rgb = both.some(({ pixelFormat }) => isRgb(pixelFormat));
  const [ranges, matrices] = [both.map(isFullRange), both.map(matrixOf)];
  const [matrix] = matrices;
  const other = tonemaps || rgb || matrices[0] !== matrices[1];
  return {
    ...(ranges[0] !== ranges[1] || rgb || tonemaps ? { range: "tv" as const } : {}),
    ...(other ? { matrix: tonemaps ? "bt709" : (matrix ?? "bt709") } : {}),
  };
}

function scaleOf(
  video: VideoStream,
  {
    frame,
    kernel,
    range,
    matrix,
    tonemaps,
  }: Levels & {
    frame: Frame;
    kernel: Kernel;
    tonemaps: boolean;
  },
): MeetingSide["scale"] {
  const seen = seenFrame(video);
  const resized = seen.width !== frame.width || seen.height !== frame.height;
  const made709 = tonemaps && hdrCurve(video) !== null;
  const rematrixed =
    matrix !== undefined && !made709 && (isRgb(video.pixelFormat) || matrixOf(video) !== matrix);
  return {
    // Colours that are only computed anew stay where they are: a smooth kernel would move them twice.
    ...{ filter: "scale", ...frame, kernel: resized ? kernel : "neighbor" },
    ...(range === undefined ? {} : { range }),
    ...(rematrixed && matrix !== undefined ? { matrix } : {}),
  };
}

/** PAL's and NTSC's are one matrix under two names. */
function matrixOf(video: VideoStream): string {
  const { space } = keptColor(video);
  return space === null || space === "bt470bg" ? "smpte170m" : space;
}

const matrixTitles: Record<string, string> = {
  bt709: "BT.709",
  smpte170m: "BT.601",
  smpte240m: "SMPTE 240M",
  bt2020nc: "BT.2020",
  bt2020c: "BT.2020",
};

/** What the frames mean, the assumed said too. */
export function tagsOf(video: VideoStream): ColorTags {
  const range = isFullRange(video) ? ("pc" as const) : ("tv" as const);
  return isRgb(video.pixelFormat) ? bt709 : { ...keptColor(video), range };
}

/** The reference's colour resolution. */
function chromaOf({ pixelFormat }: VideoStream): string {
  if (isRgb(pixelFormat) || pixelFormat.includes("444")) return "444";
  return pixelFormat.includes("422") ? "422" : "420";
}

const which = ["reference", "second"] as const;

function notesOf(
  sides: Meeting["sides"],
  about: { frame: Frame; kernel: Kernel; deep: boolean; matrix: string | undefined },
): string[] {
  const [reference, second] = sides.map(({ video }) => video) as [VideoStream, VideoStream];
  const of = (video: VideoStream) => sizeText(seenFrame(video));
  const to = sizeText(about.frame);
  const depths = reference.bitDepth !== second.bitDepth && about.deep;
  const chroma = chromaOf(reference) !== chromaOf(second);
  return [
    ...sides.flatMap(({ deinterlace }, at) =>
      deinterlace
        ? [`The ${which[at]} is interlaced and the other is not: it is deinterlaced.`]
        : [],
    ),
    ...sides.flatMap(({ tonemap }, at) =>
      tonemap
        ? [
            `The ${which[at]} is HDR and the other is not, or has another curve: it is made SDR (BT.709), which is part of what is measured.`,
          ]
        : [],
    ),
    ...sides.flatMap(({ video }, at) =>
      of(video) === to
        ? []
        : [
            `The ${which[at]} is scaled from ${of(video)} to the ${which[1 - at]}'s ${to} (${about.kernel}).`,
          ],
    ),
    ...(sides.some(({ scale }) => scale.matrix !== undefined)
      ? [
          `Their colours are coded by different matrices: both are compared in ${matrixTitles[about.matrix ?? ""] ?? about.matrix}.`,
        ]
      : []),
    ...(depths ? ["One has more than 8 bits: both are compared in 10."] : []),
    ...(chroma
      ? [
          `Their colours have different resolutions: both are compared in the reference's, 4:${chromaOf(reference).slice(1).split("").join(":")}.`,
        ]
      : []),
  ];
}

function sizeText({ width, height }: Frame): string {
  return `${width}×${height}`;
}
