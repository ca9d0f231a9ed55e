/** `cutout`: takes the background of one colour out of a video, and leaves it transparent or puts another in. */
import { z } from "zod";
import { defaultQuality } from "../media/quality.ts";
import { isNot } from "./conditions.ts";
import { screenOf } from "./cutout-graph.ts";
import { planCutout } from "./cutout-plan.ts";
import { defineOperation } from "./operation.ts";

const colour = (title: string, description: string, value: string) =>
  z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, "is no colour: write six hexadecimal digits, like #00b140")
    .default(value)
    .meta({ title, description });

/**
 * How the background is known. `kind` tells the ways apart: today there is one, and a model that finds people
 * will be another shape beside it.
 */
const key = z
  .strictObject({
    kind: z
      .literal("colour")
      .default("colour")
      .meta({
        title: "Background known by",
        labels: { colour: "Its colour" },
        description: "The background is a screen of one colour.",
      }),
    colour: colour(
      "Colour of the screen",
      "Red, green and blue in hexadecimal digits. Light and shadow on the screen do not matter much.",
      "#00b140",
    ),
    similarity: z.number().min(0.01).max(0.5).default(0.12).meta({
      title: "Similarity",
      description:
        "How far from the colour something may be and still goes. Raise it when the screen stays in places, lower it when holes show in the subject.",
    }),
    blend: z.number().min(0).max(0.5).default(0.08).meta({
      title: "Softness of the edge",
      description: "How far beyond that something is partly seen. 0 cuts hard.",
    }),
    spill: z.number().min(0).max(1).optional().meta({
      title: "Take out spill",
      description:
        "How much of the glow of the screen is taken out of the subject, 0–1. Empty takes half for green and blue screens. All of it turns yellow towards orange.",
    }),
  })
  .superRefine((value, context) => {
    if (!value.spill || screenOf(value.colour) !== null) return;
    context.addIssue({
      code: "custom",
      path: ["spill"],
      message: "works for green and blue screens alone: leave it out for this colour",
    });
  })
  .prefault({})
  .meta({ title: "Key" });

const output = z
  .discriminatedUnion("kind", [
    z
      .strictObject({ kind: z.literal("alpha") })
      .meta({ title: "Transparent", description: "The subject alone." }),
    z
      .strictObject({
        kind: z.literal("colour"),
        colour: colour("Background colour", "Stands behind the subject.", "#ffffff"),
      })
      .meta({ title: "On a colour" }),
    z.strictObject({ kind: z.literal("image") }).meta({
      title: "On a picture",
      description: "The second input fills the frame behind the subject.",
    }),
    z
      .strictObject({
        kind: z.literal("blur"),
        strength: z.number().min(1).max(100).default(12).meta({
          title: "Strength of the blur",
          unit: "px",
          description: "Of the source's own picture, behind the sharp subject.",
        }),
      })
      .meta({ title: "On the source, blurred" }),
  ])
  .default({ kind: "alpha" })
  .meta({ title: "Output", description: "What stands where the background was." });

const schema = z
  .strictObject({
    key,
    output,
    format: z
      .enum(["auto", "webm", "mov", "webp", "mp4"])
      .default("auto")
      .meta({
        title: "Format",
        labels: {
          auto: "Automatic",
          webm: "WebM (VP9)",
          mov: "QuickTime (ProRes)",
          webp: "Animated WebP",
          mp4: "MP4 (H.264)",
        },
        description:
          "auto is WebM for a transparent result and MP4 for others. ProRes is for editing and large; WebP has no sound; MP4 cannot be transparent.",
      }),
    quality: z
      .int()
      .min(0)
      .max(100)
      .default(defaultQuality)
      .meta({
        when: [isNot("format", "mov")],
        title: "Quality",
        description: "The same scale for every codec; ProRes always has its own.",
      }),
    speed: z
      .enum(["fast", "balanced", "best"])
      .default("balanced")
      .meta({
        when: [isNot("format", "mov", "webp")],
        advanced: true,
        title: "Encoding speed",
        labels: { fast: "Fast", balanced: "Balanced", best: "Best" },
        description: "best takes several times as long as balanced and makes smaller files.",
      }),
  })
  .superRefine((value, context) => {
    if (value.format !== "mp4" || value.output.kind !== "alpha") return;
    context.addIssue({
      code: "custom",
      path: ["format"],
      message: "is mp4, which cannot be transparent: choose webm, mov or webp, or another output",
    });
  });
export type CutoutParams = z.output<typeof schema>;

export const cutout = defineOperation({
  name: "cutout",
  title: "Cut out",
  description:
    "Takes the background of one colour, such as a green screen, out of a video. The result is transparent, or stands on a colour, a picture or its own blurred background.",
  schema,
  example: { key: { colour: "#00b140" }, output: { kind: "colour", colour: "#203040" } },
  inputs: { min: 1, max: 2, kinds: ["video"] },
  family: "picture",
  part: (params) => params,
  plan: planCutout,
});
