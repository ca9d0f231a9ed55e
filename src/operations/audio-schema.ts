/** The parameters of `audio`. */
import { z } from "zod";
import { is, isNot } from "./conditions.ts";
import { usualTruePeakDbtp } from "./levelling.ts";

/** A week: longer sources are surveillance archives, for which one job is the wrong unit. */
const maxSeconds = 604_800;

const seconds = () => z.number().min(0).max(maxSeconds);

/** A number from 1, or a language. */
const track = z.union([z.int().min(1).max(64), z.string().regex(/^[a-z]{3}$/)]).optional();
const trackWords =
  "Number from 1, or a language as three letters (eng). Empty takes the one that players start with.";

/** Longer fades are turns of a knob, not the beginning or end of a sound. */
const fade = () => z.number().min(0).max(60).default(0);

const loudness = z
  .strictObject({
    lufs: z.number().min(-36).max(-5).default(-16).meta({
      title: "Loudness",
      unit: "LUFS",
      description:
        "Integrated loudness after EBU R 128: −16 for podcasts, −14 as streaming services play it, −23 for broadcast in Europe, −24 in America.",
    }),
    truePeakDbtp: z.number().min(-9).max(0).default(usualTruePeakDbtp).meta({
      title: "True peak at most",
      unit: "dBTP",
      description:
        "Where one gain would make peaks higher, a limiter holds them. AAC, MP3 and Opus make some peaks higher again, so leave them room below 0.",
    }),
  })
  .optional()
  .meta({
    when: [isNot("do", "waveform")],
    title: "Loudness",
    description:
      "Brings the sound to a loudness: measured first, then changed by one gain, so that soft and loud keep their distance.",
    startsOn: false,
  });

const replace = z
  .strictObject({
    track: track.meta({ title: "Track of the second file", description: trackWords }),
    offset: z.number().min(-maxSeconds).max(maxSeconds).default(0).meta({
      title: "Offset",
      unit: "s",
      description:
        "The new sound begins so long after the picture; a negative one leaves out so much of its beginning.",
    }),
    loop: z.boolean().default(false).meta({
      title: "Repeat",
      description: "Plays the new sound again and again until the picture ends.",
    }),
    fadeIn: fade().meta({ title: "Fade in", unit: "s", description: "At its beginning." }),
    fadeOut: fade().meta({
      title: "Fade out",
      unit: "s",
      description: "Before the end of the picture.",
    }),
  })
  .optional()
  .meta({
    when: [is("do", "replace")],
    title: "Replace",
    description:
      "For do replace: the second file's sound takes the place of all sound of the first. It is cut, or followed by silence, to the length of the picture.",
    startsOn: false,
  });

const ducking = z
  .strictObject({
    amountDb: z.number().min(1).max(30).default(12).meta({
      title: "Turned down by",
      unit: "dB",
      description: "How much softer the second sound is while the first is heard.",
    }),
    thresholdDb: z.number().min(-60).max(-10).default(-38).meta({
      advanced: true,
      title: "Heard from",
      unit: "dB",
      description: "Level of the first sound, of full scale, from which it counts as heard.",
    }),
    attack: z.number().min(1).max(2000).default(20).meta({
      advanced: true,
      title: "Attack",
      unit: "ms",
      description: "How fast it is turned down.",
    }),
    release: z.number().min(10).max(9000).default(400).meta({
      advanced: true,
      title: "Release",
      unit: "ms",
      description: "How fast it comes back.",
    }),
  })
  .optional()
  .meta({
    title: "Ducking",
    description: "Turns the second sound down while the first is heard: music under speech.",
    startsOn: false,
  });

const mix = z
  .strictObject({
    track: track.meta({ title: "Track of the second file", description: trackWords }),
    levelDb: z.number().min(-60).max(12).default(-12).meta({
      title: "Level",
      unit: "dB",
      description: "Of the second sound; 0 leaves it as it is.",
    }),
    from: seconds()
      .default(0)
      .meta({ title: "From", unit: "s", description: "Where the second sound begins." }),
    to: seconds().optional().meta({
      title: "To",
      unit: "s",
      description: "Where it ends. Empty: with itself, or with the first sound.",
    }),
    loop: z
      .boolean()
      .default(false)
      .meta({ title: "Repeat", description: "Plays it again and again until then." }),
    fadeIn: fade().meta({ title: "Fade in", unit: "s", description: "At its beginning." }),
    fadeOut: fade().meta({ title: "Fade out", unit: "s", description: "Before its end." }),
    ducking,
  })
  .optional()
  .meta({
    when: [is("do", "mix")],
    title: "Mix",
    description: "For do mix: the second file's sound under or over that of the first.",
    startsOn: false,
  });

const waveform = z
  .strictObject({
    output: z
      .enum(["both", "json", "png"])
      .default("both")
      .meta({
        title: "Files",
        labels: { both: "Both", json: "Peaks as JSON", png: "Picture as PNG" },
        description:
          "json is audiowaveform's format, version 2, which wavesurfer.js and peaks.js read: version, channels, sample_rate, samples_per_pixel, bits, length (points), and data, in which the least and the greatest sample of each channel follow each other, point by point.",
      }),
    pointsPerSecond: z
      .number()
      .min(0.1)
      .max(1000)
      .default(20)
      .meta({
        when: [isNot("output", "png")],
        title: "Points per second",
        description: "Of the peaks: each has the least and the greatest sample of its time.",
      }),
    bits: z
      .literal([8, 16])
      .default(8)
      .meta({
        when: [isNot("output", "png")],
        title: "Bits",
        description: "Of a peak: 8 for −128 to 127, 16 for −32768 to 32767.",
      }),
    channels: z
      .enum(["mixed", "split"])
      .default("mixed")
      .meta({
        when: [isNot("output", "png")],
        title: "Channels of the peaks",
        labels: { mixed: "Mixed to one", split: "Each its own" },
        description: "The picture always shows the mix.",
      }),
    width: z
      .int()
      .min(16)
      .max(8192)
      .default(1800)
      .meta({
        when: [isNot("output", "json")],
        title: "Width",
        unit: "px",
        description: "Of the picture.",
      }),
    height: z
      .int()
      .min(16)
      .max(2048)
      .default(280)
      .meta({
        when: [isNot("output", "json")],
        title: "Height",
        unit: "px",
        description: "Of the picture; full scale fills it.",
      }),
    colour: z
      .string()
      .regex(/^#[0-9a-fA-F]{6}$/)
      .default("#2f80ed")
      .meta({
        when: [isNot("output", "json")],
        title: "Colour",
        description: "As #rrggbb; the background is transparent.",
      }),
  })
  .optional()
  .meta({
    when: [is("do", "waveform")],
    title: "Waveform",
    description: "For do waveform: the sound as a drawing.",
    startsOn: false,
  });

const fields = z.strictObject({
  do: z
    .enum(["extract", "loudness", "replace", "mix", "waveform"])
    .default("extract")
    .meta({
      title: "What to do",
      labels: {
        extract: "Take the sound out",
        loudness: "Change the loudness",
        replace: "Replace the sound",
        mix: "Mix a second sound in",
        waveform: "Draw the waveform",
      },
      description:
        "replace and mix need a second file. All but extract and waveform leave the picture of a video as it is.",
    }),
  format: z
    .enum(["auto", "aac", "mp3", "opus", "flac", "wav"])
    .default("auto")
    .meta({
      when: [isNot("do", "waveform")],
      title: "Format",
      labels: {
        auto: "Automatic",
        aac: "AAC (M4A)",
        mp3: "MP3",
        opus: "Opus",
        flac: "FLAC",
        wav: "WAV",
      },
      description:
        "auto keeps the codec where it can be written. FLAC and WAV keep every sample. In a video it is the codec of the sound.",
    }),
  bitRate: z
    .int()
    .min(16_000)
    .max(2_000_000)
    .optional()
    .meta({
      when: [isNot("do", "waveform"), isNot("format", "flac", "wav")],
      title: "Bit rate",
      unit: "bit/s",
      description: "Empty takes a good one for the format and the channels.",
    }),
  channels: z
    .literal([1, 2, 6, 8])
    .optional()
    .meta({
      when: [isNot("do", "waveform")],
      advanced: true,
      title: "Channels at most",
      labels: { "1": "1 (mono)", "2": "2 (stereo)", "6": "6 (5.1)", "8": "8 (7.1)" },
      description: "1 mono, 2 stereo, 6 for 5.1, 8 for 7.1. Never more than the source has.",
    }),
  sampleRate: z
    .literal([8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000])
    .optional()
    .meta({
      when: [isNot("do", "waveform")],
      advanced: true,
      title: "Sample rate",
      unit: "Hz",
      description: "Empty keeps the source's where the format knows it.",
    }),
  track: track.meta({
    advanced: true,
    title: "Audio track",
    description: `${trackWords} The loudness of a video is changed in all of its tracks then.`,
  }),
  loudness,
  replace,
  mix,
  waveform,
  metadata: z
    .enum(["keep", "strip"])
    .default("keep")
    .meta({
      when: [isNot("do", "waveform")],
      advanced: true,
      title: "Metadata",
      labels: { keep: "Keep", strip: "Strip" },
      description: "strip drops titles, dates, places and chapters.",
    }),
});

export const audioSchema = fields.superRefine((value, context) => {
  const refuse = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  for (const group of ["replace", "mix", "waveform"] as const) {
    if (value[group] !== undefined && value.do !== group) {
      refuse([group], `is for do ${group}, and do is ${value.do}`);
    }
  }
  if (value.do === "waveform") {
    for (const key of ["loudness", "bitRate", "channels", "sampleRate"] as const) {
      if (value[key] !== undefined) refuse([key], "has no effect on a waveform: leave it out");
    }
    if (value.format !== "auto") refuse(["format"], "has no effect on a waveform: leave it out");
  }
  if (value.bitRate !== undefined && (value.format === "flac" || value.format === "wav")) {
    refuse(["bitRate"], `cannot stand beside format ${value.format}, which keeps every sample`);
  }
  const { from = 0, to } = value.mix ?? {};
  if (to !== undefined && to <= from) {
    refuse(["mix", "to"], `is ${to}, which is not after from (${from})`);
  }
});

export type AudioParams = z.output<typeof audioSchema>;
export type SoundWish = Pick<AudioParams, "format" | "bitRate" | "channels" | "sampleRate">;
