/** The parameters of `measure`. */
import { z } from "zod";
import { isNot } from "./conditions.ts";

/** A day: a longer offset is another film. */
const maxSeconds = 86_400;

const vmaf = z
  .strictObject({
    model: z
      .enum(["auto", "hd", "4k", "phone", "no-enhancement"])
      .default("auto")
      .meta({
        title: "Model",
        labels: {
          auto: "Automatic",
          hd: "HD television",
          "4k": "4K television",
          phone: "Phone",
          "no-enhancement": "Without credit for enhancement (NEG)",
        },
        description:
          "How it is watched: auto takes 4k for references of 1440 lines and more, else hd. no-enhancement gives no points for sharpening and contrast: for comparing encoders.",
      }),
    everyFrames: z.int().min(1).max(100).default(1).meta({
      title: "One frame of",
      description:
        "VMAF of every so many frames alone, which is so many times as fast. 5 is enough for the mean of a film.",
    }),
  })
  .prefault({})
  .meta({
    when: [isNot("metric", "ssim", "psnr")],
    title: "VMAF",
    description: "How VMAF is measured, where it is.",
  });

const worst = z
  .strictObject({
    frames: z.int().min(0).max(12).default(3).meta({
      title: "Pictures",
      description: "So many of the frames that differ most, at least a second apart; 0 makes none.",
    }),
    show: z
      .enum(["beside", "difference"])
      .default("beside")
      .meta({
        when: [isNot("frames", "0")],
        title: "Shown",
        labels: { beside: "Side by side", difference: "Side by side, and the difference" },
        description:
          "The reference on the left, the second video beside it. difference adds what differs, five times as bright.",
      }),
    format: z
      .enum(["png", "jpeg"])
      .default("png")
      .meta({
        when: [isNot("frames", "0")],
        title: "Format",
        labels: { png: "PNG", jpeg: "JPEG" },
        description: "PNG shows exactly what there is; JPEG adds losses of its own.",
      }),
  })
  .prefault({})
  .meta({ title: "Worst frames", description: "Pictures of the frames that differ most." });

export const measureSchema = z.strictObject({
  metric: z
    .enum(["auto", "vmaf", "ssim", "psnr"])
    .default("auto")
    .meta({
      title: "Judged by",
      labels: { auto: "Automatic", vmaf: "VMAF", ssim: "SSIM", psnr: "PSNR" },
      description:
        "The worst frames are the worst by this measure. auto is VMAF where the installed FFmpeg has it, else SSIM. SSIM and PSNR are measured always; VMAF, which takes several times as long, for auto and vmaf alone.",
    }),
  vmaf,
  frames: z
    .enum(["time", "order"])
    .default("time")
    .meta({
      advanced: true,
      title: "Frames meet",
      labels: { time: "By their times", order: "By their order" },
      description:
        "By time each frame of the reference meets what the second shows then. By order the first meets the first and so on: for files whose times were changed.",
    }),
  offset: z.number().min(-maxSeconds).max(maxSeconds).default(0).meta({
    advanced: true,
    title: "Offset",
    unit: "s",
    description:
      "The second shows everything so much later than the reference: a leader or an advertisement stands before it. Negative: earlier.",
  }),
  from: z.number().min(0).max(maxSeconds).default(0).meta({
    title: "From",
    unit: "s",
    description: "Where in the reference the comparison begins.",
  }),
  seconds: z.number().min(0.1).max(maxSeconds).optional().meta({
    title: "Length",
    unit: "s",
    description: "How much of the reference is compared. Empty: all that both have.",
  }),
  size: z
    .enum(["reference", "second"])
    .default("reference")
    .meta({
      advanced: true,
      title: "Compared in the size of",
      labels: { reference: "The reference", second: "The second video" },
      description:
        "Where the two differ, the other is scaled. In the reference's size counts what a viewer sees; in the second's only what the encoder lost.",
    }),
  scaler: z
    .enum(["bicubic", "bilinear", "lanczos"])
    .default("bicubic")
    .meta({
      advanced: true,
      title: "Scaled by",
      labels: { bicubic: "Bicubic", bilinear: "Bilinear", lanczos: "Lanczos" },
      description: "VMAF's models were trained on bicubic pictures.",
    }),
  worst,
  series: z
    .enum(["csv", "json", "none"])
    .default("csv")
    .meta({
      title: "Figures of every frame",
      labels: { csv: "CSV", json: "JSON", none: "None" },
      description:
        "A file with a line for each frame. The report has means, spreads and an outline either way.",
    }),
});
export type MeasureParams = z.output<typeof measureSchema>;
