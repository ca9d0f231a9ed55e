/** An operation for looking at forms: it has a field of every kind, and does nothing. */
import { z } from "zod";
import { findOperation } from "../src/operations/index.ts";
import { defineOperation } from "../src/operations/operation.ts";

const about = (title: string, description: string, unit?: string) => ({
  ...{ title, description },
  ...(unit === undefined ? {} : { unit }),
});
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/);
const seconds = (title: string) =>
  z
    .number()
    .min(0)
    .max(600_000)
    .meta(about(title, "Counted from the beginning.", "s"));
const part = (title: string) =>
  z.number().min(0).max(1).meta(about(title, "0 is the left or upper edge, 1 the right or lower."));

const image = z
  .strictObject({
    type: z.literal("image"),
    input: z.int().min(1).max(63).default(1).meta(about("File", "Its place among the files.")),
    keyframes: z
      .array(z.strictObject({ time: seconds("Time"), x: part("Across"), y: part("Down") }))
      .max(500)
      .optional()
      .meta(about("Keyframes", "Where it is when.")),
  })
  .meta({ title: "Image" });

const text = z
  .strictObject({
    type: z.literal("text"),
    text: z.string().min(1).max(10_000).meta(about("Text", "What stands there.")),
    colour: colour.default("#ffffff").meta(about("Colour", "Of the letters.")),
    fade: z
      .strictObject({ seconds: seconds("Seconds").default(1) })
      .optional()
      .meta(about("Fade", "Comes and goes softly.")),
  })
  .meta({ title: "Text" });

const schema = z.strictObject({
  ranges: z
    .array(
      z.strictObject({
        from: seconds("From"),
        to: seconds("To").optional(),
        tags: z
          .array(z.string().min(1).max(40))
          .max(20)
          .optional()
          .meta(about("Tags", "Words to find it by.")),
      }),
    )
    .min(1)
    .max(3)
    .meta(about("Ranges", "What is cut out, each a file of its own.")),
  items: z
    .array(z.discriminatedUnion("type", [image, text]))
    .max(9)
    .default([])
    .meta(about("Items", "What is laid over the picture.")),
  rungs: z
    .union([
      z.literal("auto"),
      z.array(
        z.strictObject({
          height: z
            .int()
            .min(1)
            .max(8192)
            .meta(about("Height", "Of one.", "px")),
        }),
      ),
    ])
    .default("auto")
    .meta(about("Rungs", "Chosen for the source, or listed.")),
  loop: z
    .union([z.literal("auto"), z.int().min(0).max(99)])
    .default("auto")
    .meta(about("Loop", "How often it starts again.")),
  background: colour.optional().meta(about("Background", "Behind what is clear.")),
  curve: z
    .array(z.tuple([part("In"), part("Out")]))
    .optional()
    .meta(about("Curve", "Pairs of brightness before and after.")),
});

export const everyField = defineOperation({
  name: "every-field",
  title: "Every field",
  description: "A form with a field of every kind.",
  schema,
  example: {
    ranges: [{ from: 1, to: 2 }],
    items: [{ type: "text", text: "Goal" }],
    curve: [
      [0, 0.1],
      [1, 0.9],
    ],
  },
  inputs: { min: 1, max: 3 },
  plan: (_params, ...rest) => findOperation("thumbnails").plan({}, ...rest),
});
