/** The parameters of `transcode` for sound. */
import { z } from "zod";
import { isNot } from "./conditions.ts";

/** What becomes of the tracks of sound. */
export const transcodeAudio = z
  .strictObject({
    codec: z
      .enum(["auto", "aac", "opus", "mp3", "pcm", "copy", "none"])
      .default("auto")
      .meta({
        title: "Audio codec",
        labels: {
          auto: "Automatic",
          aac: "AAC",
          opus: "Opus",
          mp3: "MP3",
          pcm: "PCM (uncompressed)",
          copy: "Copy as it is",
          none: "No sound",
        },
        description:
          "auto is AAC in MP4, MOV and Matroska and Opus in WebM; pcm, for editing programs, stands in MOV and Matroska; copy keeps the tracks as they are; none drops them.",
      }),
    bitRate: z
      .int()
      .min(16_000)
      .max(2_000_000)
      .optional()
      .meta({
        when: [isNot("codec", "copy", "none", "pcm")],
        title: "Audio bit rate",
        unit: "bit/s",
        description: "Per track. Empty takes a good one for the codec and the channels.",
      }),
    channels: z
      .literal([1, 2, 6, 8])
      .optional()
      .meta({
        when: [isNot("codec", "copy", "none")],
        title: "Channels at most",
        labels: { "1": "1 (mono)", "2": "2 (stereo)", "6": "6 (5.1)", "8": "8 (7.1)" },
        description: "1 mono, 2 stereo, 6 for 5.1, 8 for 7.1. Never more than the source has.",
      }),
    loudness: z
      .number()
      .min(-36)
      .max(-5)
      .optional()
      .meta({
        when: [isNot("codec", "copy", "none")],
        title: "Loudness",
        unit: "LUFS",
        description:
          "Brings each track to this integrated loudness (EBU R 128), true peaks below −1 dBTP: −16 for podcasts, −23 for broadcast. It is measured first. Empty leaves it as it is.",
      }),
  })
  .superRefine((value, context) => {
    if (value.bitRate !== undefined && value.codec === "pcm") {
      context.addIssue({
        code: "custom",
        path: ["bitRate"],
        message:
          "cannot stand beside codec pcm: nothing is compressed, so there is no rate to choose",
      });
    }
    if (value.loudness !== undefined && (value.codec === "copy" || value.codec === "none")) {
      context.addIssue({
        code: "custom",
        path: ["loudness"],
        message: `cannot stand beside codec ${value.codec}: the sound must be encoded for it`,
      });
    }
  })
  .prefault({})
  .meta({ title: "Audio" });
