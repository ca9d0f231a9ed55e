/** The parameters of `thumbnails`. */
import { z } from "zod";
import { given, isNot } from "./conditions.ts";
import { color } from "./overlay-schema.ts";

const poster = z
  .strictObject({
    at: z
      .union([z.number().min(0).max(604_800), z.literal("best")])
      .default("best")
      .meta({
        title: "Taken at",
        unit: "s",
        description: "Seconds from the start, or best for the most telling picture near it.",
      }),
    width: z.int().min(16).max(4096).default(1280).meta({
      title: "Width at most",
      unit: "px",
      description: "Smaller sources stay as they are.",
    }),
  })
  .optional()
  .meta({
    title: "Poster",
    description: "One picture that stands for the video. Made when nothing else is asked for.",
    startsOn: true,
  });

const sprite = z
  .strictObject({
    every: z.number().min(0.5).max(3600).optional().meta({
      title: "One picture every",
      unit: "s",
      description: "Empty takes about a hundred pictures for the whole video.",
    }),
    width: z.int().min(32).max(640).default(160).meta({
      title: "Width of a picture",
      unit: "px",
      description: "The height follows the shape of the video.",
    }),
    columns: z.int().min(1).max(20).default(10).meta({
      title: "Columns",
      description: "Pictures side by side on a sheet; a sheet has at most as many rows.",
    }),
  })
  .optional()
  .meta({
    title: "Sprite",
    description: "Small pictures of the whole video on sheets, with a WebVTT index for players.",
    startsOn: false,
  });

const sheet = z
  .strictObject({
    columns: z.int().min(1).max(20).default(4).meta({
      title: "Columns",
      description: "Pictures side by side.",
    }),
    rows: z.int().min(1).max(20).default(4).meta({
      title: "Rows",
      description:
        "Pictures one below the other; columns × rows of them stand for the whole video.",
    }),
    width: z.int().min(320).max(8192).default(1600).meta({
      title: "Width of the sheet",
      unit: "px",
      description: "With all its pictures and gaps; the height follows the shape of the video.",
    }),
    gap: z.int().min(0).max(100).default(8).meta({
      title: "Gap",
      unit: "px",
      description: "Between the pictures and around them.",
    }),
    background: color.default("#16181d").meta({
      title: "Background",
      description: "Colour of the gaps and of the header, as #rrggbb.",
    }),
    timecodes: z.boolean().default(true).meta({
      title: "Timecodes",
      description: "Each picture says when it is shown.",
    }),
    header: z
      .enum(["none", "title", "facts"])
      .default("none")
      .meta({
        title: "Header",
        labels: { none: "None", title: "The title", facts: "The title and the facts" },
        description:
          "Above the pictures: the title, with facts also length, size, frame rate and codecs of the video.",
      }),
    title: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({
        when: [isNot("header", "none")],
        title: "Title",
        description: "In the header. Empty takes the file's name.",
      }),
  })
  .superRefine((value, context) => {
    if (value.title === undefined || value.header !== "none") return;
    context.addIssue({
      code: "custom",
      path: ["title"],
      message: "stands in the header, and there is none: set header to title or facts",
    });
  })
  .optional()
  .meta({
    title: "Contact sheet",
    description: "Pictures of the whole video on one sheet, for people to look at.",
    startsOn: false,
  });

/** With a sprite of a hundred sheets it still is a job that people and pages can show. */
const maxStills = 100;

export const thumbnailsSchema = z.strictObject({
  format: z
    .enum(["jpeg", "webp", "png"])
    .default("jpeg")
    .meta({
      title: "Format",
      labels: { jpeg: "JPEG", webp: "WebP", png: "PNG" },
      description: "WebP is smaller than JPEG; PNG is exact and large.",
    }),
  quality: z
    .int()
    .min(0)
    .max(100)
    .default(80)
    .meta({
      when: [isNot("format", "png")],
      title: "Quality",
      description: "Of JPEG and WebP; PNG has none.",
    }),
  poster,
  count: z.int().min(1).max(maxStills).optional().meta({
    title: "Stills",
    description: "So many pictures at even distances over the whole video, each a file.",
  }),
  countWidth: z
    .int()
    .min(16)
    .max(4096)
    .default(1280)
    .meta({
      when: [given("count")],
      title: "Width of the stills at most",
      unit: "px",
      description: "Smaller sources stay as they are.",
    }),
  sheet,
  sprite,
});

export type ThumbnailsParams = z.output<typeof thumbnailsSchema>;
