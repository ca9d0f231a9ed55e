/** The parameters of `captions`. */
import { z } from "zod";
import { captionFormats } from "../media/captions/cue.ts";
import { is, isNot } from "./conditions.ts";
import { box, color, font } from "./overlay-schema.ts";

/** Characters: an evening's subtitles have a tenth of it; larger ones come as a file. */
const maxText = 1_000_000;

const style = z
  .strictObject({
    font,
    size: z.number().min(1).max(30).default(6).meta({
      title: "Size",
      unit: "%",
      description: "Height of a line, of the picture's height.",
    }),
    color: color.default("#ffffff").meta({ title: "Colour", description: "As #rrggbb." }),
    outline: z.number().min(0).max(5).default(0.4).meta({
      title: "Outline",
      unit: "%",
      description: "Width of the outline, of the picture's height. 0 has none.",
    }),
    outlineColor: color.default("#000000").meta({
      title: "Outline colour",
      description: "As #rrggbb.",
    }),
    background: box.meta({
      title: "Background",
      description: "A coloured box behind the captions.",
      startsOn: false,
    }),
    position: z
      .enum(["bottom", "middle", "top"])
      .default("bottom")
      .meta({
        title: "Position",
        labels: { bottom: "Bottom", middle: "Middle", top: "Top" },
        description: "Captions that ask for another place get it.",
      }),
    margin: z.number().min(0).max(40).default(5).meta({
      title: "Margin",
      unit: "%",
      description: "Distance to the edges, of the picture's height.",
    }),
  })
  .optional()
  .meta({
    when: [is("action", "burn")],
    title: "Style",
    description: "How burnt captions look. Without it ASS keeps its own look.",
    startsOn: false,
  });
export type CaptionStyle = NonNullable<z.output<typeof style>>;

export const captionsSchema = z
  .strictObject({
    action: z
      .enum(["burn", "embed", "extract"])
      .default("burn")
      .meta({
        title: "Do what",
        labels: {
          burn: "Draw them into the picture",
          embed: "Add them as a track",
          extract: "Take the tracks out as files",
        },
        description:
          "burn is seen everywhere and cannot be switched off; embed adds a track that players show on demand; extract makes files of the tracks that the video has.",
      }),
    text: z
      .string()
      .min(1)
      .max(maxText)
      .optional()
      .meta({
        when: [isNot("action", "extract")],
        title: "Captions",
        description:
          "SubRip, WebVTT or ASS as text. Empty: a file of captions is the second input of the job.",
      }),
    language: z
      .string()
      .regex(/^[a-z]{3}$/, "must be three letters of ISO 639-2, for example eng")
      .optional()
      .meta({
        when: [is("action", "embed")],
        title: "Language",
        description: "Of an embedded track, as ISO 639-2 has it: eng, deu, fra, spa.",
      }),
    style,
    container: z
      .enum(["mp4", "mkv", "webm", "mov"])
      .default("mp4")
      .meta({
        when: [isNot("action", "extract")],
        title: "Container",
        labels: { mp4: "MP4", mkv: "Matroska (MKV)", webm: "WebM", mov: "QuickTime (MOV)" },
        description:
          "Of the video with captions. Matroska alone keeps the looks of ASS in a track.",
      }),
    codec: z
      .enum(["auto", "h264", "hevc", "av1", "vp9"])
      .default("auto")
      .meta({
        when: [is("action", "burn")],
        title: "Video codec",
        labels: { auto: "Automatic", h264: "H.264", hevc: "HEVC (H.265)", av1: "AV1", vp9: "VP9" },
        description: "Of burnt captions. auto is H.264, and VP9 in WebM.",
      }),
    quality: z
      .int()
      .min(0)
      .max(100)
      .default(65)
      .meta({
        when: [is("action", "burn")],
        title: "Quality",
        description: "Of burnt captions' video, on the scale that all codecs share.",
      }),
    speed: z
      .enum(["fast", "balanced", "best"])
      .default("balanced")
      .meta({
        when: [is("action", "burn")],
        advanced: true,
        title: "Speed",
        labels: { fast: "Fast", balanced: "Balanced", best: "Best" },
        description: "best takes several times as long as balanced and makes smaller files.",
      }),
    format: z
      .enum(captionFormats)
      .default("srt")
      .meta({
        when: [is("action", "extract")],
        title: "Format of extracted captions",
        labels: { srt: "SubRip (.srt)", vtt: "WebVTT (.vtt)", ass: "ASS (.ass)" },
        description: "WebVTT is for the web, ASS keeps looks.",
      }),
  })
  .superRefine((value, context) => {
    if (value.action === "extract" && value.text !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["text"],
        message: "has no use when tracks are extracted: leave it out",
      });
    }
  });

export type CaptionsParams = z.output<typeof captionsSchema>;
