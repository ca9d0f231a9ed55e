/** The parameters of `clip`, and what of them can be wrong without the media. */
import { z } from "zod";
import { filmFields } from "./film.ts";

/** A week: longer sources are surveillance archives, for which one job is the wrong unit. */
const maxSeconds = 604_800;

/** A match with every touch noted has fewer; each is a run of its own. */
export const maxRanges = 200;

const range = z.strictObject({
  from: z.number().min(0).max(maxSeconds).meta({
    title: "From",
    unit: "s",
    description: "The first frame is the first one that begins at this time or later.",
  }),
  to: z.number().min(0).max(maxSeconds).meta({
    title: "To",
    unit: "s",
    description: "The last frame is the last one that begins before this time.",
  }),
  name: z.string().max(120).optional().meta({
    title: "Name",
    description: "What the clip shows; it becomes part of the file's name.",
  }),
  tags: z
    .array(z.string().min(1).max(60))
    .max(30)
    .optional()
    .meta({ title: "Tags", description: "Words to find it by, kept in the annotations." }),
  rating: z.int().min(0).max(5).optional().meta({
    title: "Rating",
    description: "0 to 5 stars, kept in the annotations.",
  }),
  notes: z.string().max(4_000).optional().meta({
    title: "Notes",
    description: "Anything else to say about it, kept in the annotations.",
  }),
});

export const clipSchema = z
  .strictObject({
    ranges: z
      .array(range)
      .min(1)
      .max(maxRanges)
      .meta({
        title: "Ranges",
        description: `The pieces to take, 1 to ${maxRanges}, in any order; they may overlap.`,
      }),
    cut: z
      .enum(["exact", "fast"])
      .default("exact")
      .meta({
        title: "Cut",
        labels: { exact: "Exact, re-encoded", fast: "Fast, copied where it can be" },
        description:
          "Both have exactly the frames asked for. exact encodes all of them; fast copies the picture as it is and encodes only the frames around the cuts, where the source allows it.",
      }),
    join: z.boolean().default(false).meta({
      title: "Join",
      description: "One file of all ranges in their order, instead of one file for each.",
    }),
    ...filmFields,
  })
  .superRefine(({ ranges }, context) => {
    for (const [index, { from, to }] of ranges.entries()) {
      if (to > from) continue;
      const message = `is ${to}, which is not after from (${from})`;
      context.addIssue({ code: "custom", path: ["ranges", index, "to"], message });
    }
  });

export type ClipParams = z.output<typeof clipSchema>;
export type ClipRange = ClipParams["ranges"][number];
