/** The parameters of `transcode`. */
import { z } from "zod";
import { given, is, isNot, notGiven } from "./conditions.ts";
import { transcodeAudio as audio } from "./transcode-audio-schema.ts";

/** A week: longer sources are surveillance archives, for which one job is the wrong unit. */
const maxSeconds = 604_800;

/** What scores can be: below the least nothing is seen any more, above the most only copies are. */
const scores = { ssim: [0.5, 0.9999], psnr: [15, 70], vmaf: [10, 99.9] } as const;

const target = z
  .strictObject({
    metric: z.enum(["ssim", "psnr", "vmaf"]).meta({
      title: "Measured by",
      labels: { ssim: "SSIM", psnr: "PSNR", vmaf: "VMAF" },
      description: "VMAF is nearest to the eye, and only where the installed FFmpeg has it.",
    }),
    score: z.number().min(0).max(100).meta({
      title: "Score",
      description:
        "SSIM up to 1 (0.98 is hard to tell from the source), PSNR in dB (42), VMAF up to 100 (95).",
    }),
  })
  .superRefine(({ metric, score }, context) => {
    const [least, most] = scores[metric];
    if (score >= least && score <= most) return;
    context.addIssue({
      code: "custom",
      path: ["score"],
      message: `is ${score}: must be a number from ${least} to ${most} for ${metric}`,
    });
  })
  .optional()
  .meta({
    when: [isNot("codec", "copy", "none", "prores"), notGiven("/maxBytes")],
    title: "Aim at a score",
    description:
      "The lowest quality that reaches it is looked for on samples; size and time are told before the whole is encoded, and the result is measured.",
    startsOn: false,
  });

const video = z
  .strictObject({
    codec: z
      .enum(["auto", "h264", "hevc", "av1", "vp9", "prores", "copy", "none"])
      .default("auto")
      .meta({
        title: "Video codec",
        labels: {
          auto: "Automatic",
          h264: "H.264",
          hevc: "HEVC (H.265)",
          av1: "AV1",
          vp9: "VP9",
          prores: "ProRes 422",
          copy: "Copy as it is",
          none: "No picture",
        },
        description:
          "auto is H.264 in MP4, MOV and Matroska and VP9 in WebM; prores, for editing programs, stands in MOV and Matroska; copy keeps the stream as it is; none leaves sound alone.",
      }),
    profile: z
      .enum(["proxy", "lt", "standard", "hq"])
      .optional()
      .meta({
        when: [is("codec", "prores")],
        title: "ProRes profile",
        labels: { proxy: "Proxy", lt: "LT", standard: "Standard", hq: "HQ" },
        description:
          "Of prores alone, in place of a quality: about 45, 100, 150 and 220 Mbit/s at 1080p30. Empty takes standard.",
      }),
    quality: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .meta({
        when: [isNot("codec", "copy", "none", "prores"), notGiven("target")],
        title: "Quality",
        description:
          "The same scale for every codec: 65 (the default) is fine for the web, 80 hard to tell from the source. Asking for one always re-encodes.",
      }),
    bitRate: z
      .int()
      .min(20_000)
      .max(400_000_000)
      .optional()
      .meta({
        when: [isNot("codec", "copy", "none", "prores"), notGiven("target"), notGiven("/maxBytes")],
        advanced: true,
        title: "Video bit rate",
        unit: "bit/s",
        description: "Average bits per second instead of a quality.",
      }),
    target,
    maxHeight: z
      .int()
      .min(16)
      .max(8192)
      .optional()
      .meta({
        when: [isNot("codec", "copy", "none")],
        title: "Height at most",
        unit: "px",
        description: "Larger pictures are scaled down; smaller ones stay as they are.",
      }),
    maxWidth: z
      .int()
      .min(16)
      .max(8192)
      .optional()
      .meta({
        when: [isNot("codec", "copy", "none")],
        advanced: true,
        title: "Width at most",
        unit: "px",
        description: "Larger pictures are scaled down; smaller ones stay as they are.",
      }),
    fit: z
      .enum(["inside", "pad", "crop"])
      .default("inside")
      .meta({
        when: [isNot("codec", "copy", "none"), given("maxWidth"), given("maxHeight")],
        title: "Fit",
        labels: { inside: "Keep the shape", pad: "Add black bars", crop: "Fill and crop" },
        description:
          "inside keeps the shape; pad adds black bars up to width × height; crop fills width × height and cuts the rest.",
      }),
    frameRate: z
      .number()
      .min(1)
      .max(240)
      .optional()
      .meta({
        when: [isNot("codec", "copy", "none")],
        advanced: true,
        title: "Frame rate",
        unit: "fps",
        description:
          "A constant rate (29.97 means 30000/1001). Empty keeps the source's, variable rates too.",
      }),
    pixelFormat: z
      .enum(["auto", "yuv420p", "yuv420p10le"])
      .default("auto")
      .meta({
        when: [isNot("codec", "copy", "none", "prores")],
        advanced: true,
        title: "Pixel format",
        labels: { auto: "Automatic", yuv420p: "8-bit 4:2:0", yuv420p10le: "10-bit 4:2:0" },
        description:
          "auto keeps 10 bits in HEVC, AV1 and VP9 and makes 8 bits in H.264, which plays everywhere; ProRes always is 10-bit 4:2:2.",
      }),
  })
  .superRefine((value, context) => {
    if (value.quality !== undefined && value.bitRate !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["bitRate"],
        message: "cannot stand beside quality: give one of the two",
      });
    }
    for (const path of ["quality", "bitRate"] as const) {
      if (value.target === undefined || value[path] === undefined) continue;
      context.addIssue({
        code: "custom",
        path: [path],
        message: "cannot stand beside target, which finds the quality: give one of the two",
      });
    }
    if (value.target !== undefined && ["copy", "none", "prores"].includes(value.codec)) {
      context.addIssue({
        code: "custom",
        path: ["target"],
        message: `cannot stand beside codec ${value.codec}, which has no quality to choose`,
      });
    }
    for (const path of ["quality", "bitRate"] as const) {
      if (value.codec !== "prores" || value[path] === undefined) continue;
      context.addIssue({
        code: "custom",
        path: [path],
        message: "cannot stand beside codec prores: its profile sets quality and rate",
      });
    }
    if (value.codec === "prores" && value.pixelFormat !== "auto") {
      context.addIssue({
        code: "custom",
        path: ["pixelFormat"],
        message: "must be auto beside codec prores, which always is 10-bit 4:2:2",
      });
    }
    if (value.codec !== "prores" && value.profile !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["profile"],
        message: `belongs to codec prores, and codec is ${value.codec}`,
      });
    }
    if (value.fit !== "inside" && (value.maxWidth === undefined || value.maxHeight === undefined)) {
      context.addIssue({
        code: "custom",
        path: ["fit"],
        message: `is ${value.fit}, which needs both maxWidth and maxHeight`,
      });
    }
  })
  .prefault({})
  .meta({ title: "Video" });

export const transcodeSchema = z
  .strictObject({
    container: z
      .enum(["mp4", "mkv", "webm", "mov"])
      .default("mp4")
      .meta({
        title: "Container",
        labels: { mp4: "MP4", mkv: "Matroska (MKV)", webm: "WebM", mov: "QuickTime (MOV)" },
        description: "MP4 plays everywhere; Matroska holds everything; WebM is for VP9 and AV1.",
      }),
    speed: z
      .enum(["fast", "balanced", "best"])
      .default("balanced")
      .meta({
        when: [isNot("video.codec", "copy", "none", "prores")],
        title: "Speed",
        labels: { fast: "Fast", balanced: "Balanced", best: "Best" },
        description: "best takes several times as long as balanced and makes smaller files.",
      }),
    video,
    audio,
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
    maxBytes: z
      .int()
      .min(50_000)
      .max(1_000_000_000_000)
      .optional()
      .meta({
        when: [isNot("video.codec", "copy", "prores"), isNot("audio.codec", "pcm")],
        title: "Size at most",
        unit: "bytes",
        description:
          "The file becomes no larger: bit rates follow from the length, the picture becomes smaller where they are low, and settings are tried until it fits. Refused where it cannot fit. 25 MB (25000000) for e-mail.",
      }),
    hdr: z
      .enum(["keep", "sdr"])
      .default("keep")
      .meta({
        when: [isNot("video.codec", "copy", "none")],
        advanced: true,
        title: "HDR",
        labels: { keep: "Keep", sdr: "Convert to SDR" },
        description:
          "keep leaves HDR in 10-bit codecs (H.264 has none, so there it becomes SDR); sdr converts always.",
      }),
    deinterlace: z
      .enum(["auto", "on", "off"])
      .default("auto")
      .meta({
        when: [isNot("video.codec", "copy", "none")],
        advanced: true,
        title: "Deinterlace",
        labels: { auto: "Automatic", on: "On", off: "Off" },
        description: "auto does it when the source says that it is interlaced.",
      }),
    tracks: z
      .enum(["all", "first"])
      .default("all")
      .meta({
        when: [isNot("audio.codec", "none")],
        advanced: true,
        title: "Audio tracks",
        labels: { all: "All", first: "The first" },
        description: "Keep all audio tracks or the first alone.",
      }),
    metadata: z
      .enum(["keep", "strip"])
      .default("keep")
      .meta({
        advanced: true,
        title: "Metadata",
        labels: { keep: "Keep", strip: "Strip" },
        description: "strip drops titles, dates, places and chapters.",
      }),
  })
  .superRefine((value, context) => {
    if (value.from !== undefined && value.to !== undefined && value.to <= value.from) {
      context.addIssue({
        code: "custom",
        path: ["to"],
        message: `is ${value.to}, which is not after from (${value.from})`,
      });
    }
    const against = [
      [
        "video.target",
        value.video.target !== undefined,
        "has no place, for one of the two decides the quality: leave one out",
      ],
      [
        "video.bitRate",
        value.video.bitRate !== undefined,
        "has no place, for rates follow from the size: leave one out",
      ],
      [
        "video.codec",
        value.video.codec === "copy",
        "is copy, which cannot be made smaller: leave one out",
      ],
      [
        "video.codec",
        value.video.codec === "prores",
        "is prores, whose rate is fixed: choose another codec",
      ],
      [
        "audio.codec",
        value.audio.codec === "pcm",
        "is pcm, whose rate is fixed: choose another codec",
      ],
    ] as const;
    for (const [path, wrong, message] of against) {
      if (value.maxBytes === undefined || !wrong) continue;
      context.addIssue({
        code: "custom",
        path: path.split("."),
        message: `beside maxBytes ${message}`,
      });
    }
    if (value.video.codec === "none" && value.audio.codec === "none") {
      context.addIssue({
        code: "custom",
        path: ["audio", "codec"],
        message: "is none like video.codec, so nothing would be left",
      });
    }
  });

export type TranscodeParams = z.output<typeof transcodeSchema>;
