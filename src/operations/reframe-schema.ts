/** The parameters of `reframe`. */
import { z } from "zod";
import { is, notGiven } from "./conditions.ts";
import { easeLabels, eases } from "./easing.ts";
import { filmFields } from "./film.ts";

/** A week: longer sources are surveillance archives, for which one job is the wrong unit. */
const maxSeconds = 604_800;
/** One for every second of a match's best eight minutes; the filters take ten times as many. */
const maxKeyframes = 500;
/** Each becomes two pieces of every track of sound. */
const maxSpeeds = 50;
/** Past this a crop is a few pixels of a film. */
const maxZoom = 20;
/** Banners have 1:8; beyond 1:20 one side of the crop is a line. */
const maxRatio = 20;

/** The two numbers of "9:16"; null for what is no shape. */
export function shapeOf(text: string): { width: number; height: number } | null {
  const match = /^([1-9]\d{0,4}):([1-9]\d{0,4})$/.exec(text);
  if (match === null) return null;
  const shape = { width: Number(match[1]), height: Number(match[2]) };
  const ratio = shape.width / shape.height;
  return ratio <= maxRatio && ratio >= 1 / maxRatio ? shape : null;
}

const keyframe = z.strictObject({
  time: z.number().min(0).max(maxSeconds).meta({
    title: "Time",
    unit: "s",
    description: "In the source, before any change of speed.",
  }),
  x: z.number().min(0).max(1).default(0.5).meta({
    title: "Across",
    description: "Centre of the crop: 0 is the left edge of the shown picture, 1 the right one.",
  }),
  y: z.number().min(0).max(1).default(0.5).meta({
    title: "Down",
    description: "Centre of the crop: 0 is the upper edge of the shown picture, 1 the lower one.",
  }),
  zoom: z.number().min(1).max(maxZoom).default(1).meta({
    title: "Zoom",
    description: "1 is the largest crop of this shape, 2 half as wide and half as high.",
  }),
  ease: z.enum(eases).default("in-out").meta({
    title: "On to the next",
    labels: easeLabels,
    description: "How the crop moves from this keyframe to the next one.",
  }),
});

const speed = z.strictObject({
  from: z.number().min(0).max(maxSeconds).meta({
    title: "From",
    unit: "s",
    description: "In the source.",
  }),
  to: z.number().min(0).max(maxSeconds).meta({
    title: "To",
    unit: "s",
    description: "In the source.",
  }),
  factor: z.number().min(0.1).max(10).meta({
    title: "Times as fast",
    description: "0.5 is slow motion at half the speed, 2 twice as fast. The pitch of sound stays.",
  }),
});

export const reframeSchema = z
  .strictObject({
    aspect: z
      .string()
      .default("9:16")
      .meta({
        title: "Shape",
        examples: ["9:16", "1:1", "4:5", "16:9"],
        description:
          "Width to height: 9:16 for phones, 1:1, 4:5, 16:9, or any other two whole numbers with a colon between.",
      }),
    keyframes: z
      .array(keyframe)
      .max(maxKeyframes)
      .default([])
      .meta({
        when: [is("background", "crop")],
        title: "Keyframes",
        description:
          "Where the crop is at which time; between them it moves, before the first and after the last it stays. Without any it stays in the middle. It never leaves the picture.",
      }),
    height: z
      .int()
      .min(16)
      .max(8192)
      .optional()
      .meta({
        when: [notGiven("width")],
        title: "Height",
        unit: "px",
        description: "Of the result; the width follows the shape. Empty keeps the source's pixels.",
      }),
    width: z
      .int()
      .min(16)
      .max(8192)
      .optional()
      .meta({
        when: [notGiven("height")],
        title: "Width",
        unit: "px",
        description: "Of the result, instead of a height.",
      }),
    upscale: z.boolean().default(false).meta({
      advanced: true,
      title: "Enlarge",
      description: "Allows a width or height that the source's pixels do not fill.",
    }),
    background: z
      .enum(["crop", "blur", "colour"])
      .default("crop")
      .meta({
        title: "What does not fit",
        labels: {
          crop: "Is cut off",
          blur: "Stays, on a blurred copy",
          colour: "Stays, on a colour",
        },
        description:
          "crop fills the frame and cuts the rest; blur and colour show the whole picture, with an enlarged, blurred copy of it or with a colour behind.",
      }),
    colour: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, "is no colour: write six hexadecimal digits, like #1a2b3c")
      .default("#000000")
      .meta({
        when: [is("background", "colour")],
        title: "Colour behind",
        examples: ["#000000", "#ffffff"],
        description: "Red, green and blue in hexadecimal digits, for background colour.",
      }),
    speed: z.array(speed).max(maxSpeeds).default([]).meta({
      title: "Speed",
      description: "Stretches that run slower or faster, in their order.",
    }),
    ...filmFields,
  })
  .superRefine((value, context) => {
    const fault = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    if (shapeOf(value.aspect) === null) {
      fault(
        ["aspect"],
        `is no shape between 1:${maxRatio} and ${maxRatio}:1: write width and height as whole numbers, like 4:5`,
      );
    }
    if (value.width !== undefined && value.height !== undefined) {
      fault(["width"], "cannot stand beside height: the shape makes one from the other");
    }
    if (value.background !== "crop" && value.keyframes.length > 0) {
      fault(
        ["keyframes"],
        `move a crop, and background ${value.background} shows the whole picture: give one of the two`,
      );
    }
    for (const [index, { time }] of value.keyframes.entries()) {
      const before = value.keyframes[index - 1];
      if (before === undefined || time - before.time >= leastStepSeconds) continue;
      fault(["keyframes", index, "time"], `is ${time}, which is not after ${before.time}`);
    }
    for (const [index, { from, to }] of value.speed.entries()) {
      if (to - from < leastStepSeconds) {
        fault(["speed", index, "to"], `is ${to}, which is not after from (${from})`);
      }
      const before = value.speed[index - 1];
      if (before !== undefined && from < before.to) {
        fault(
          ["speed", index, "from"],
          `is ${from}, and the stretch before it lasts until ${before.to}: stretches come in order and share no time`,
        );
      }
    }
  });

/** ffmpeg counts commands in microseconds; a thousandth of a second is less than any frame. */
const leastStepSeconds = 0.001;

export type ReframeParams = z.output<typeof reframeSchema>;
