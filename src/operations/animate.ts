/** `animate`: a piece of a video as a moving picture for pages, chats and mails: GIF, WebP, APNG or AVIF. */

import { z } from "zod";
import { animationEncoders, animationTitles } from "../media/animation.ts";
import { assert, Refusal } from "../trouble.ts";
import { candidatesOf, describeAnimation, type Look, lookTitle, piece } from "./animate-plan.ts";
import { isNot } from "./conditions.ts";
import { lastingLike } from "./lasting.ts";
import { outputName } from "./naming.ts";
import { defineOperation, type Plan, type PlanContext, type PlanInput } from "./operation.ts";
import { shareOfBytes, withoutSpan } from "./part.ts";
import { requireTonemap } from "./transcode-picture.ts";

/** A week, as for every cut. */
const maxSeconds = 604_800;

const schema = z
  .strictObject({
    format: z
      .enum(["gif", "webp", "apng", "avif"])
      .default("gif")
      .meta({
        title: "Format",
        labels: { gif: "GIF", webp: "WebP", apng: "APNG", avif: "AVIF" },
        description:
          "GIF is shown everywhere and is large. WebP and AVIF are much smaller and keep soft transparency; APNG loses nothing and is the largest.",
      }),
    width: z.int().min(16).max(4096).default(480).meta({
      title: "Width at most",
      unit: "px",
      description: "The height follows. Smaller sources stay as they are.",
    }),
    frameRate: z.number().min(1).max(60).default(15).meta({
      title: "Frame rate",
      unit: "fps",
      description:
        "Pictures per second, never more than the source has. Browsers show GIFs at 50 at most.",
    }),
    from: z.number().min(0).max(maxSeconds).optional().meta({
      title: "From",
      unit: "s",
      description: "Start here instead of at the beginning, exact to the frame.",
    }),
    to: z.number().min(0).max(maxSeconds).optional().meta({
      title: "To",
      unit: "s",
      description: "End here instead of at the end.",
    }),
    loop: z.int().min(0).max(1000).default(0).meta({
      title: "Times played",
      description: "0 plays it for ever, 1 once.",
    }),
    quality: z
      .int()
      .min(0)
      .max(100)
      .default(75)
      .meta({
        when: [isNot("format", "apng")],
        title: "Quality",
        description: "Of WebP and AVIF. For GIF it sets the number of colours; APNG loses nothing.",
      }),
    maxBytes: z.int().min(1000).max(1_000_000_000).optional().meta({
      title: "Size at most",
      unit: "bytes",
      description:
        "Tries smaller pictures, fewer of them and less quality, in this order of wishes, until the file fits; the job tells each try.",
    }),
  })
  .superRefine((value, context) => {
    if (value.from === undefined || value.to === undefined || value.to > value.from) return;
    context.addIssue({
      code: "custom",
      path: ["to"],
      message: `is ${value.to}, which is not after from (${value.from})`,
    });
  });
export type AnimateParams = z.output<typeof schema>;

const mimeTypes = { gif: "image/gif", webp: "image/webp", apng: "image/apng", avif: "image/avif" };

/** What ffprobe calls the picture of each. */
const codecs = { gif: "gif", webp: "webp", apng: "apng", avif: "av1" };

export const animate = defineOperation({
  name: "animate",
  title: "Animate",
  description:
    "Makes an animated GIF, WebP, APNG or AVIF of a piece of a video, with its transparency. With a size at most it looks for the best settings that fit.",
  schema,
  example: { format: "webp", width: 480, frameRate: 15, from: 2, to: 6 },
  inputs: { min: 1, max: 1, kinds: ["video"] },
  family: "convert",
  part: (params, span, whole) => {
    const maxBytes = shareOfBytes(params, span, whole);
    return { ...withoutSpan(params), ...(maxBytes === undefined ? {} : { maxBytes }) };
  },
  plan,
});

function plan(params: AnimateParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "animate has one input");
  const source = piece(params, input.media);
  refuseUnable(params, context);
  if (source.video.hdr !== null) requireTonemap(context);
  const looks = candidatesOf(params, source);
  const [best] = looks;
  assert(best !== undefined, "there is a first candidate");
  const { format, maxBytes } = params;
  const file = `output.${format}`;
  const describe = (look: Look) => describeAnimation(params, source, look, file);
  const candidates = looks.map((look) => ({ title: lookTitle(look), description: describe(look) }));
  const otherSizes = looks.slice(1).map(({ frame }) => frame);
  return {
    steps: [
      {
        name: "animate",
        title: `Make an animated ${animationTitles[format]} of ${lookTitle(best)}`,
        needs: [],
        work:
          maxBytes === undefined
            ? { kind: "render", description: describe(best) }
            : { kind: "search", candidates, file, maxBytes, orLast: false },
        outputs: [
          {
            file,
            name: outputName(input.name, "", format),
            role: "main",
            mimeType: mimeTypes[format],
            expectation: {
              file,
              kind: "video",
              durationSeconds: source.seconds,
              ...lastingLike(input.media, [source.video.index], source.from),
              video: {
                ...{ codec: codecs[format], ...best.frame },
                ...(maxBytes === undefined ? {} : { otherSizes }),
                // Opaque frames of WebP say so; the others say what they could be.
                ...(source.alpha && format !== "webp" ? { alpha: true } : {}),
              },
              ...(format === "webp" ? { mayBeStill: true } : {}),
              ...{ audioTracks: 0, audioCodecs: [] },
            },
          },
        ],
      },
    ],
    notes: source.notes,
  };
}

/** The first release whose AVIF tells how often it is played, and how long it is. */
const avifSince = 6;

/** @throws Refusal 422 when this ffmpeg cannot make the format */
function refuseUnable({ format }: AnimateParams, { encoders, release }: PlanContext): void {
  const title = animationTitles[format];
  if (format === "avif" && release !== undefined && release.major < avifSince) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `The ffmpeg of this machine (${release.major}.${release.minor}) makes no AVIF that loops; 6.0 and newer do. Choose webp, which is nearly as small.`,
    );
  }
  const encoder = animationEncoders[format];
  if (encoders.has(encoder)) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    `The ffmpeg of this machine cannot encode ${title} (it lacks ${encoder}). Choose another format, or install a full ffmpeg.`,
  );
}
