/** The parameters of `overlay`. */
import { z } from "zod";
import { is, isNot } from "./conditions.ts";
import { easeLabels, eases } from "./easing.ts";

/** A week, as for the sources of all operations. */
const maxSeconds = 604_800;
/** What sums of decimal fractions may be off by. */
const timeSlack = 1e-6;
/** More things on one picture than anybody follows. */
const maxItems = 50;
/** Of a match of two hours one every fifteen seconds; of a drawn path of half a minute one a frame. */
const maxKeyframes = 500;
/** Each becomes up to some dozens of lines that libass looks through for every frame. */
const maxKeyframesInAll = 2_000;
/** Inputs of the job: the video, and ten to lay over it. */
export const maxInputs = 11;

export const anchors = [
  ...["top-left", "top", "top-right", "left", "center", "right"],
  ...["bottom-left", "bottom", "bottom-right"],
] as const;
export type Anchor =
  | `${"top" | "bottom"}-${"left" | "right"}`
  | ("top" | "left" | "center" | "right" | "bottom");

const share = z.number().min(0).max(1);

export const color = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/, "must be a colour as #rrggbb, for example #ffcc00");

const position = (standard: Anchor) =>
  z
    .union([
      z.enum(anchors as unknown as readonly [Anchor, ...Anchor[]]),
      z.strictObject({
        x: share.meta({ title: "X", description: "0 is the left edge, 1 the right." }),
        y: share.meta({ title: "Y", description: "0 is the top edge, 1 the bottom." }),
      }),
    ])
    .default(standard)
    .meta({
      title: "Position",
      description:
        "A corner, an edge or the center of the picture; or x and y, where its middle stands.",
    });

const times = {
  from: z.number().min(0).max(maxSeconds).default(0).meta({
    title: "From",
    unit: "s",
    description: "When it appears.",
  }),
  to: z.number().min(0).max(maxSeconds).optional().meta({
    title: "To",
    unit: "s",
    description: "When it is gone. Empty: it stays to the end.",
  }),
  opacity: share.default(1).meta({
    title: "Opacity",
    description: "1 is solid, 0 invisible.",
  }),
  fade: z.number().min(0).max(60).default(0).meta({
    title: "Fade",
    unit: "s",
    description: "It comes and goes in so long.",
  }),
};

const margin = z.number().min(0).max(40).default(4).meta({
  title: "Margin",
  unit: "%",
  description: "Distance to the edges at which it stands, of the picture's height.",
});

const inputNumber = z.int().min(2).max(maxInputs).meta({
  title: "Input",
  description: "Which file of the job: 2 is the second.",
});

const width = (standard: number) =>
  z.number().min(0.5).max(200).default(standard).meta({
    title: "Width",
    unit: "%",
    description: "Of the picture's width; the height follows its own shape.",
  });

export const box = z
  .strictObject({
    color: color.default("#000000").meta({ title: "Box colour", description: "As #rrggbb." }),
    opacity: share.default(0.5).meta({ title: "Box opacity", description: "1 is solid." }),
  })
  .optional()
  .meta({
    title: "Box",
    description: "A coloured box behind the text.",
    startsOn: false,
  });

const image = z
  .strictObject({
    kind: z.literal("image"),
    input: inputNumber,
    width: width(20),
    position: position("top-right"),
    margin,
    ...times,
  })
  .meta({ title: "Image", description: "A picture, for example a logo; transparency is kept." });

export const font = z
  .enum(["sans", "serif", "mono"])
  .default("sans")
  .meta({
    title: "Font",
    labels: { sans: "Sans serif", serif: "Serif", mono: "Monospaced" },
    description: "The DejaVu family, or what this machine has like it.",
  });

const text = z
  .strictObject({
    kind: z.literal("text"),
    text: z.string().min(1).max(10_000).meta({
      title: "Text",
      description: "Any characters, several lines too; long lines are wrapped.",
    }),
    font,
    size: z.number().min(1).max(50).default(6).meta({
      title: "Size",
      unit: "%",
      description: "Height of a line, of the picture's height.",
    }),
    color: color.default("#ffffff").meta({ title: "Colour", description: "As #rrggbb." }),
    box,
    outline: z.number().min(0).max(5).default(0.3).meta({
      title: "Outline",
      unit: "%",
      description: "Width of the outline, of the picture's height. 0 has none.",
    }),
    outlineColor: color
      .default("#000000")
      .meta({ when: [isNot("outline", "0")], title: "Outline colour", description: "As #rrggbb." }),
    align: z
      .enum(["left", "center", "right"])
      .optional()
      .meta({
        when: [is("position", "true")],
        advanced: true,
        title: "Alignment",
        labels: { left: "Left", center: "Centre", right: "Right" },
        description:
          "Of a text at x and y: which of its sides stands there, and how its lines lie. Elsewhere it follows the position.",
      }),
    position: position("bottom"),
    margin,
    ...times,
  })
  .superRefine((item, context) => {
    if (item.align !== undefined && typeof item.position === "string") {
      context.addIssue({
        code: "custom",
        path: ["align"],
        message: "is for a position of x and y: a text at an edge or corner is aligned to it",
      });
    }
  })
  .meta({ title: "Text" });

const keyframe = z.strictObject({
  time: z.number().min(0).max(maxSeconds).meta({
    title: "Time",
    unit: "s",
    description: "From the start of the video.",
  }),
  x: share.meta({ title: "X", description: "Middle: 0 is the left edge, 1 the right." }),
  y: share.meta({ title: "Y", description: "Middle: 0 is the top edge, 1 the bottom." }),
  radiusX: z.number().min(0.005).max(1).meta({
    title: "Half width",
    description: "Of the picture's width: 0.1 is a tenth to each side.",
  }),
  radiusY: z.number().min(0.005).max(1).meta({
    title: "Half height",
    description: "Of the picture's height.",
  }),
  ease: z.enum(eases).default("linear").meta({
    title: "Motion to the next",
    labels: easeLabels,
    description: "How it goes on from here.",
  }),
});
export type HighlightKeyframe = z.output<typeof keyframe>;

const highlight = z
  .strictObject({
    kind: z.literal("highlight"),
    keyframes: z
      .array(keyframe)
      .min(1)
      .max(maxKeyframes)
      .superRefine((keyframes, context) => {
        for (const [index, { time }] of keyframes.entries()) {
          const before = keyframes[index - 1];
          if (before === undefined || time > before.time) continue;
          context.addIssue({
            code: "custom",
            path: [index, "time"],
            message: `is ${time}, which is not after the keyframe before it (${before.time})`,
          });
        }
      })
      .meta({ title: "Keyframes", description: "Where the ellipse is, in the order of time." }),
    dim: share.default(0.5).meta({
      title: "Dim",
      description: "How dark the rest becomes: 0 stays as it is, 1 is black.",
    }),
    softness: z.number().min(0).max(10).default(1).meta({
      advanced: true,
      title: "Softness",
      unit: "%",
      description: "Of the edge, of the picture's height.",
    }),
    ring: z.number().min(0).max(5).default(0.5).meta({
      advanced: true,
      title: "Ring",
      unit: "%",
      description: "Width of the ring around it, of the picture's height. 0 has none.",
    }),
    color: color.default("#ffd400").meta({ title: "Ring colour", description: "As #rrggbb." }),
    ...times,
  })
  .meta({
    title: "Highlight",
    description: "An ellipse that follows something; the rest is dimmed.",
  });

const timecode = z
  .strictObject({
    kind: z.literal("timecode"),
    start: z
      .string()
      .regex(/^\d{2}:[0-5]\d:[0-5]\d[:;]\d{2}$/, "must be hh:mm:ss:ff, for example 01:00:00:00")
      .default("00:00:00:00")
      .meta({
        title: "Start",
        description: "Timecode of the first frame; hh:mm:ss;ff is drop-frame, for 29.97 and 59.94.",
      }),
    size: z.number().min(1).max(50).default(5).meta({
      title: "Size",
      unit: "%",
      description: "Height of the figures, of the picture's height.",
    }),
    color: color.default("#ffffff").meta({ title: "Colour", description: "As #rrggbb." }),
    box: box.unwrap().default({ color: "#000000", opacity: 0.5 }),
    position: position("bottom-left"),
    margin,
    ...times,
  })
  .meta({ title: "Timecode", description: "Hours, minutes, seconds and frames, counted on." });

const video = z
  .strictObject({
    kind: z.literal("video"),
    input: inputNumber,
    start: z.number().min(0).max(maxSeconds).default(0).meta({
      title: "Begin at",
      unit: "s",
      description: "From which time of its own it plays.",
    }),
    width: width(30),
    volume: z.number().min(0).max(4).default(0).meta({
      title: "Volume",
      description: "Of its sound beside the video's: 1 is as it is, 0 silent.",
    }),
    position: position("bottom-right"),
    margin,
    ...times,
  })
  .meta({ title: "Picture in picture", description: "Another video, smaller, over this one." });

const item = z.discriminatedUnion("kind", [image, text, highlight, timecode, video]);

export const overlaySchema = z
  .strictObject({
    items: z.array(item).min(1).max(maxItems).meta({
      title: "Items",
      description: "What is laid over the video; later ones lie above earlier ones.",
    }),
    container: z
      .enum(["mp4", "mkv", "webm", "mov"])
      .default("mp4")
      .meta({
        title: "Container",
        labels: { mp4: "MP4", mkv: "Matroska (MKV)", webm: "WebM", mov: "QuickTime (MOV)" },
        description: "MP4 and MOV hold H.264 here, WebM VP9.",
      }),
    codec: z
      .enum(["auto", "h264", "hevc", "av1", "vp9"])
      .default("auto")
      .meta({
        title: "Video codec",
        labels: { auto: "Automatic", h264: "H.264", hevc: "HEVC (H.265)", av1: "AV1", vp9: "VP9" },
        description: "auto is H.264, and VP9 in WebM.",
      }),
    quality: z.int().min(0).max(100).default(65).meta({
      title: "Quality",
      description: "The same scale for every codec: 65 is fine for the web.",
    }),
    speed: z
      .enum(["fast", "balanced", "best"])
      .default("balanced")
      .meta({
        advanced: true,
        title: "Speed",
        labels: { fast: "Fast", balanced: "Balanced", best: "Best" },
        description: "best takes several times as long as balanced and makes smaller files.",
      }),
  })
  .superRefine(({ items }, context) => {
    for (const [index, { from, to, fade }] of items.entries()) {
      if (to !== undefined && to <= from) {
        context.addIssue({
          code: "custom",
          path: ["items", index, "to"],
          message: `is ${to}, which is not after from (${from})`,
        });
      } else if (to !== undefined && fade * 2 > to - from + timeSlack) {
        context.addIssue({
          code: "custom",
          path: ["items", index, "fade"],
          message: `is ${fade}, and coming and going takes longer than it is there (${(to - from).toFixed(2)} s)`,
        });
      }
    }
    const drawn = items.flatMap((one) => (one.kind === "highlight" ? one.keyframes : []));
    if (drawn.length > maxKeyframesInAll) {
      context.addIssue({
        code: "custom",
        path: ["items"],
        message: `have ${drawn.length} keyframes together, and ${maxKeyframesInAll} are the most`,
      });
    }
  });

export type OverlayParams = z.output<typeof overlaySchema>;
export type OverlayItem = OverlayParams["items"][number];
export type ItemOf<Kind extends OverlayItem["kind"]> = Extract<OverlayItem, { kind: Kind }>;
