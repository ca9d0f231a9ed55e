/** The parameters of `check`. */
import { z } from "zod";

const seconds = (title: string, value: number, description: string) =>
  z.number().min(0.1).max(3600).default(value).meta({ title, unit: "s", description });

const labels = { off: "No" };
const report = { title: "Yes" };
const off = z.literal("off");

const black = z
  .union([
    off,
    z
      .strictObject({
        seconds: seconds("Black from", 2, "A black picture that lasts so long is reported."),
        percent: z.number().min(50).max(100).default(98).meta({
          title: "Black share",
          unit: "%",
          description: "So much of the picture is dark: less lets a logo or a clock stand in it.",
        }),
        level: z.number().min(0).max(50).default(10).meta({
          title: "Dark below",
          unit: "%",
          description: "Of the way from black to white.",
        }),
      })
      .meta(report),
  ])
  .default({ seconds: 2, percent: 98, level: 10 })
  .meta({
    title: "Look for black",
    labels,
    description: "Stretches without a picture. Choose No where a film has them on purpose.",
  });

const frozen = z
  .union([
    off,
    z
      .strictObject({
        seconds: seconds("Frozen from", 2, "A picture that stands still for so long is reported."),
        noiseDb: z.number().min(-90).max(-30).default(-60).meta({
          title: "Still below",
          unit: "dB",
          description:
            "A picture stands still while it changes by less. What an encoder does at its keyframes is taken into account; −50 lets pass the noise of a coarse one, too.",
        }),
      })
      .meta(report),
  ])
  .default({ seconds: 2, noiseDb: -60 })
  .meta({ title: "Look for frozen", labels, description: "Stretches in which nothing moves." });

const levels = z
  .strictObject({
    percent: z.number().min(0).max(50).default(1).meta({
      title: "More than",
      unit: "%",
      description: "Of the picture's pixels outside: a few always overshoot at edges.",
    }),
    seconds: z.number().min(0.04).max(3600).default(1).meta({
      title: "From",
      unit: "s",
      description: "Stretches of so long are reported.",
    }),
  })
  .optional()
  .meta({
    title: "Illegal levels",
    description:
      "Pixels brighter than white, darker than black or with colours beyond the range of video, as broadcasters refuse them.",
    startsOn: false,
  });

const silent = z
  .union([
    off,
    z
      .strictObject({
        seconds: seconds("Silent from", 2, "Silence that lasts so long is reported."),
        levelDb: z.number().min(-90).max(-20).default(-60).meta({
          title: "Silent below",
          unit: "dB",
          description: "Sound below this level of full scale is silence.",
        }),
      })
      .meta(report),
  ])
  .default({ seconds: 2, levelDb: -60 })
  .meta({
    title: "Look for silence",
    labels,
    description:
      "Stretches without sound; and stereo of which one channel is silent from beginning to end.",
  });

const clipped = z
  .union([
    off,
    z
      .strictObject({
        samples: z.int().min(2).max(100).default(4).meta({
          title: "Samples in a row",
          description:
            "At full scale, on average: one or two are a peak, more are a wave whose top was cut off.",
        }),
      })
      .meta(report),
  ])
  .default({ samples: 4 })
  .meta({
    title: "Look for clipping",
    labels,
    description: "Sound that was too loud for its recorder or its mix.",
  });

const phase = z
  .union([
    off,
    z
      .strictObject({
        seconds: seconds("Out of phase from", 3, "Stretches of so long are reported."),
      })
      .meta(report),
  ])
  .default({ seconds: 3 })
  .meta({
    title: "Look for opposite phase",
    labels,
    description: "Stereo of which one channel is the other upside down: in mono it is silent.",
  });

const loudness = z
  .strictObject({
    lufs: z.number().min(-60).max(0).default(-23).meta({
      title: "Loudness",
      unit: "LUFS",
      description:
        "Integrated, after EBU R 128: −23 is broadcast in Europe, −24 in America, −14 streaming.",
    }),
    toleranceLu: z.number().min(0).max(20).default(1).meta({
      title: "Give or take",
      unit: "LU",
      description: "More is reported.",
    }),
    truePeakDbtp: z.number().min(-20).max(3).default(-1).meta({
      title: "True peak at most",
      unit: "dBTP",
      description: "Higher peaks are reported.",
    }),
  })
  .optional()
  .meta({
    title: "Expected loudness",
    description: "It is measured and told either way; with this, what is off is a fault.",
    startsOn: false,
  });

export const checkSchema = z.strictObject({
  decode: z
    .enum(["full", "keyframes"])
    .default("full")
    .meta({
      title: "Decode",
      labels: { full: "Every frame", keyframes: "Keyframes alone" },
      description:
        "Keyframes alone is many times faster and finds only what lasts longer than their distance. Sound is decoded whole either way.",
    }),
  gapSeconds: z.number().min(0.02).max(60).default(0.25).meta({
    title: "Holes from",
    unit: "s",
    description: "A hole in the timestamps that is longer is reported.",
  }),
  lengthSeconds: z.number().min(0.02).max(60).default(0.5).meta({
    title: "Lengths differ from",
    unit: "s",
    description:
      "Picture and sound that begin or end further apart are reported, and a file that is shorter by more than it says.",
  }),
  ...{ black, frozen, levels, silent, clipped, phase, loudness },
});
export type CheckParams = z.output<typeof checkSchema>;
