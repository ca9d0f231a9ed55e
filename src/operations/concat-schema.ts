/** The parameters of `concat`. */
import { z } from "zod";
import { is } from "./conditions.ts";
import { filmFields } from "./film.ts";

export const concatSchema = z
  .strictObject({
    transition: z
      .enum(["cut", "crossfade"])
      .default("cut")
      .meta({
        title: "Transition",
        labels: { cut: "Cut", crossfade: "Crossfade" },
        description:
          "cut puts one behind the other; crossfade blends the end of each, picture and sound, into the next.",
      }),
    seconds: z
      .number()
      .min(0.1)
      .max(10)
      .optional()
      .meta({
        when: [is("transition", "crossfade")],
        title: "Length of the crossfade",
        unit: "s",
        description:
          "1 s when nothing is said. Each crossfade makes the result shorter by its length.",
      }),
    match: z
      .enum(["first", "largest"])
      .default("first")
      .meta({
        title: "Match",
        labels: { first: "The first input", largest: "The largest input" },
        description:
          "Whose size, frame rate and sound the others are brought to, with bars where the shape differs. largest takes the largest picture, the highest rate and the most channels that there are.",
      }),
    ...filmFields,
  })
  .superRefine(({ transition, seconds }, context) => {
    if (transition === "crossfade" || seconds === undefined) return;
    const message = `is ${seconds}, and a cut takes no time: leave it out, or set transition to crossfade`;
    context.addIssue({ code: "custom", path: ["seconds"], message });
  });

export type ConcatParams = z.output<typeof concatSchema>;

/** A second is what editors put in when nobody says. */
export const usualCrossfadeSeconds = 1;
