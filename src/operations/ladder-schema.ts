/** The parameters of `ladder`, and what of them can be wrong without the media. */
import { z } from "zod";
import { defaultQuality } from "../media/quality.ts";
import { is, isNot, notGiven } from "./conditions.ts";

/** More than the longest ladders in use; each is an encoder at work at the same time. */
export const maxRungs = 10;

/** Tracks of sound; more languages than most films have. */
export const maxTracks = 16;

const bitRate = () => z.int().min(20_000).max(400_000_000);

const rung = z
  .strictObject({
    height: z.int().min(64).max(4320).meta({
      title: "Height",
      unit: "px",
      description:
        "Lines of the picture: the 720 of 720p. Of an upright picture, as phones make them, it is the width. Never more than the source has.",
    }),
    bitRate: bitRate().optional().meta({
      title: "Bit rate",
      unit: "bit/s",
      description: "Average bits per second instead of a quality; peaks go to half as much again.",
    }),
    quality: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .meta({
        when: [notGiven("bitRate")],
        title: "Quality",
        description: "Of this rung; empty takes that of the ladder.",
      }),
    maxBitRate: bitRate()
      .optional()
      .meta({
        when: [notGiven("bitRate")],
        title: "Bit rate at most",
        unit: "bit/s",
        description: "Beside a quality: hard scenes take no more. Empty takes what suits the size.",
      }),
    frameRate: z.number().min(1).max(240).optional().meta({
      title: "Frame rate at most",
      unit: "fps",
      description:
        "Faster sources keep every second frame, or every third and so on. Empty means 60, and 30 below 480 lines.",
    }),
    name: z
      .string()
      .min(1)
      .max(20)
      .regex(/^[A-Za-z0-9][A-Za-z0-9 _-]*$/)
      .optional()
      .meta({
        title: "Name",
        description: "Part of its files' names, letters and digits; empty takes the height: 720p.",
      }),
  })
  .superRefine((value, context) => {
    if (value.bitRate === undefined) return;
    for (const field of ["quality", "maxBitRate"] as const) {
      if (value[field] === undefined) continue;
      const message = "cannot stand beside bitRate: give one of the two";
      context.addIssue({ code: "custom", path: [field], message });
    }
  });

const audio = z
  .strictObject({
    tracks: z
      .enum(["all", "first", "none"])
      .default("all")
      .meta({
        title: "Tracks",
        labels: { all: "All of them", first: "The first one", none: "No sound" },
        description: "Each track becomes a choice of its own in the player.",
      }),
    languages: z
      .array(z.string().regex(/^[a-z]{2,3}$/))
      .max(maxTracks)
      .optional()
      .meta({
        when: [isNot("tracks", "none")],
        advanced: true,
        title: "Languages",
        description:
          "Only tracks in these, as codes such as en or deu, in this order; the first is what players begin with. Empty takes the tracks as they come.",
      }),
    bitRate: z
      .int()
      .min(16_000)
      .max(512_000)
      .optional()
      .meta({
        when: [isNot("tracks", "none")],
        title: "Audio bit rate",
        unit: "bit/s",
        description: "Per track, AAC. Empty takes a good one for the channels.",
      }),
    channels: z
      .literal([1, 2, 6, 8])
      .default(2)
      .meta({
        when: [isNot("tracks", "none")],
        title: "Channels at most",
        labels: { "1": "1 (mono)", "2": "2 (stereo)", "6": "6 (5.1)", "8": "8 (7.1)" },
        description: "Stereo plays everywhere. Never more than the source has.",
      }),
    loudness: z
      .number()
      .min(-36)
      .max(-5)
      .optional()
      .meta({
        when: [isNot("tracks", "none")],
        title: "Loudness",
        unit: "LUFS",
        description:
          "Brings each track to this integrated loudness (EBU R 128), true peaks below −1 dBTP. It is measured first. Empty leaves it as it is.",
      }),
  })
  .prefault({})
  .meta({ title: "Audio" });

const thumbnails = z
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
  })
  .optional()
  .meta({
    title: "Thumbnails",
    description:
      "Small pictures for the seek bar: sheets with a WebVTT index, and a track of them in DASH.",
    startsOn: false,
  });

export const ladderSchema = z
  .strictObject({
    format: z
      .enum(["hls", "dash", "both"])
      .default("hls")
      .meta({
        title: "Format",
        labels: { hls: "HLS", dash: "DASH", both: "Both" },
        description:
          "HLS plays on Apple's devices by itself and in browsers with hls.js; DASH with dash.js or Shaka. Both share the same files of picture and sound.",
      }),
    codec: z
      .enum(["h264", "hevc", "av1"])
      .default("h264")
      .meta({
        title: "Video codec",
        labels: { h264: "H.264", hevc: "HEVC (H.265)", av1: "AV1" },
        description:
          "H.264 plays everywhere. HEVC and AV1 need half to two thirds of its bits, keep ten bits and HDR, and do not play in every browser.",
      }),
    rungs: z
      .union([z.literal("auto"), z.array(rung).min(1).max(maxRungs)])
      .default("auto")
      .meta({
        title: "Rungs",
        labels: { auto: "Automatic" },
        description:
          "auto makes the source's own size and every usual one well below it (2160, 1440, 1080, 720, 480, 360 and 240 lines). Or a list of them.",
      }),
    quality: z.int().min(0).max(100).default(defaultQuality).meta({
      title: "Quality",
      description:
        "Of rungs that say nothing of their own. 65 is fine for the web, 80 hard to tell from the source.",
    }),
    speed: z
      .enum(["fast", "balanced", "best"])
      .default("balanced")
      .meta({
        title: "Speed",
        labels: { fast: "Fast", balanced: "Balanced", best: "Best" },
        description: "best takes several times as long as balanced and makes smaller files.",
      }),
    segmentSeconds: z.number().min(1).max(10).default(4).meta({
      advanced: true,
      title: "Segment",
      unit: "s",
      description:
        "How much of the video players fetch at a time, rounded to whole frames. Short ones start and switch sooner, long ones need fewer requests.",
    }),
    audio,
    thumbnails,
    hdr: z
      .enum(["keep", "sdr"])
      .default("keep")
      .meta({
        when: [isNot("codec", "h264")],
        advanced: true,
        title: "HDR",
        labels: { keep: "Keep", sdr: "Convert to SDR" },
        description:
          "keep leaves HDR in HEVC and AV1 (H.264 has none, so there it becomes SDR); sdr converts always.",
      }),
    deinterlace: z
      .enum(["auto", "on", "off"])
      .default("auto")
      .meta({
        advanced: true,
        title: "Deinterlace",
        labels: { auto: "Automatic", on: "On", off: "Off" },
        description: "auto does it when the source says that it is interlaced.",
      }),
    encryption: z
      .enum(["none", "aes-128"])
      .default("none")
      .meta({
        when: [is("format", "hls")],
        advanced: true,
        title: "Encryption",
        labels: { none: "None", "aes-128": "AES-128" },
        description:
          "aes-128 encrypts every segment with a new key, which becomes a file of its own. HLS alone has it.",
      }),
    keyUri: z
      .string()
      .max(1000)
      .regex(/^https:\/\/[A-Za-z0-9][\w.~:/?#[\]@!$&'()*+,;=%-]*$/)
      .optional()
      .meta({
        when: [is("encryption", "aes-128")],
        advanced: true,
        title: "Address of the key",
        description:
          "Where players will fetch the key (https), when you keep it elsewhere than beside the playlists. Counts with encryption alone.",
      }),
  })
  .superRefine((value, context) => {
    if (value.encryption === "aes-128" && value.format !== "hls") {
      const message = `is aes-128, which HLS alone has: set format to hls, or encryption to none`;
      context.addIssue({ code: "custom", path: ["encryption"], message });
    }
    if (value.keyUri !== undefined && value.encryption === "none") {
      const message =
        "is the address of a key, and nothing is encrypted: set encryption to aes-128";
      context.addIssue({ code: "custom", path: ["keyUri"], message });
    }
  });

export type LadderParams = z.output<typeof ladderSchema>;
export type RungWish = Exclude<LadderParams["rungs"], "auto">[number];
