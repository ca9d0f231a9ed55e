/** The parameters of `enhance`. */
import { z } from "zod";
import { notGiven } from "./conditions.ts";
import { filmFields } from "./film.ts";

const strengths = { off: "Off", light: "Light", medium: "Medium", strong: "Strong" };

export const enhanceSchema = z
  .strictObject({
    denoise: z.enum(["off", "light", "medium", "strong"]).default("off").meta({
      title: "Take noise away",
      labels: strengths,
      description:
        "light and medium are quick; strong compares patches of the picture, which keeps more of it and takes about ten times as long.",
    }),
    stabilise: z
      .strictObject({
        strength: z.int().min(1).max(10).default(5).meta({
          title: "Strength",
          description: "How much of the movement counts as shaking: 10 is for a run with a phone.",
        }),
      })
      .optional()
      .meta({
        title: "Stabilise",
        description:
          "Moves the picture against the shaking of the camera. It is looked at once before; a little of its edges is lost.",
        startsOn: false,
      }),
    sharpen: z.enum(["off", "light", "medium", "strong"]).default("off").meta({
      title: "Sharpen",
      labels: strengths,
      description: "Makes edges clearer. Noise too: take it away first.",
    }),
    deinterlace: z
      .enum(["auto", "on", "off"])
      .default("auto")
      .meta({
        title: "Deinterlace",
        labels: { auto: "Automatic", on: "On", off: "Off" },
        description: "auto does it when the source says that it is interlaced.",
      }),
    upscale: z
      .strictObject({
        factor: z
          .literal([2, 3, 4])
          .optional()
          .meta({
            when: [notGiven("height")],
            title: "Times as large",
            labels: { "2": "2×", "3": "3×", "4": "4×" },
            description: "Of width and height; 2 when no height is given either.",
          }),
        height: z
          .int()
          .min(32)
          .max(8192)
          .optional()
          .meta({
            when: [notGiven("factor")],
            title: "Height",
            unit: "px",
            description: "Of the result, instead of a factor; the width follows.",
          }),
      })
      .optional()
      .meta({
        title: "Enlarge",
        description: "More pixels, by Lanczos: no detail is invented.",
        startsOn: false,
      }),
    frameRate: z.number().min(1).max(240).optional().meta({
      title: "Frame rate",
      unit: "fps",
      description:
        "A higher, constant rate: frames between two others are made by following the motion. Very slow.",
    }),
    ...filmFields,
  })
  .superRefine(({ upscale }, context) => {
    if (upscale?.factor === undefined || upscale.height === undefined) return;
    context.addIssue({
      code: "custom",
      path: ["upscale", "height"],
      message: "cannot stand beside factor: give one of the two",
    });
  });

export type EnhanceParams = z.output<typeof enhanceSchema>;
