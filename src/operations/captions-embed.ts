/** Captions added as a track. Streams that conform already are copied. Pure. */

import type { CaptionFormat, Captions } from "../media/captions/cue.ts";
import { writeSubrip, writeWebvtt } from "../media/captions/write.ts";
import type { OutputDescription, SubtitleCopy, SubtitleEncode } from "../media/description.ts";
import type { Expectation } from "../media/expectation.ts";
import { burntOutput, burntResult } from "./burning.ts";
import type { CaptionsParams } from "./captions-schema.ts";
import { containers, copyableSources, subtitlesExpected } from "./containers.ts";
import type { Plan, PlanContext, PlanInput, Step } from "./operation.ts";
import { inputPicture } from "./picture.ts";
import { canKeepPicture, decidePicture } from "./transcode-picture.ts";
import { transcodeSchema } from "./transcode-schema.ts";
import { decideSound, decideSubtitles } from "./transcode-sound.ts";

interface Track {
  format: CaptionFormat;
  text: string;
  track: SubtitleCopy | SubtitleEncode;
}

export function embedPlan(
  params: CaptionsParams,
  input: PlanInput,
  given: Captions,
  context: PlanContext,
): Plan {
  const { media } = input;
  const { container, speed } = params;
  const { holdsAudio } = containers[container];
  const heard = media.audio.every(({ codec }) => holdsAudio === null || holdsAudio.includes(codec));
  const keeps = (can: boolean) => ({ codec: can ? "copy" : "auto" });
  const wish = transcodeSchema.parse({
    ...{ container, speed },
    video: keeps(canKeepPicture(container, media)),
    audio: keeps(heard && copyableSources.has(media.container)),
  });
  const picture = decidePicture(wish, media, context);
  const sound = decideSound(wish, media);
  const subtitles = decideSubtitles(wish, media);
  const { format, text, track } = trackFor(params, given);
  const file = `captions.${format}`;
  const output: OutputDescription = {
    ...burntOutput(params, media, { picture, sound }),
    // The new one first: players begin with it.
    subtitles: [track, ...subtitles.tracks],
  };
  const result = burntResult(params, input, { picture, sound }, "captions");
  const expectation: Expectation = {
    ...result.expectation,
    subtitles: subtitlesExpected(params.container, subtitles.tracks.length, 1),
  };
  const write: Step = {
    ...{ name: "texts", title: "Write the captions", needs: [], makes: [file], outputs: [] },
    work: { kind: "write", file, text },
  };
  const copied = picture.stream?.kind === "copy";
  const decoded = !copied && media.video !== null ? { picture: inputPicture(media.video) } : {};
  const render: Step = {
    name: "embed",
    title: "Add the captions as a track",
    needs: ["texts"],
    work: {
      kind: "render",
      description: {
        inputs: [
          { from: { asset: 0 }, ...decoded },
          { from: { step: "texts", file }, captions: format },
        ],
        graph: picture.graph,
        outputs: [output],
        expectedSeconds: media.durationSeconds,
      },
    },
    outputs: [{ ...result, expectation }],
  };
  const notes = [
    ...(copied ? ["The picture is copied, not re-encoded."] : []),
    ...[...picture.notes, ...sound.notes, ...subtitles.notes],
    ...(given.ass !== null && format !== "ass"
      ? ["The text of the captions is kept and their looks are not: Matroska alone holds those."]
      : []),
  ];
  return { steps: [write, render], notes };
}

/** Where QuickTime's list of languages has the other code of the two that there are. */
const quickTimeCodes: Record<string, string> = {
  ...{ deu: "ger", nld: "dut", ell: "gre", isl: "ice", zho: "chi", sqi: "alb", swe: "sve" },
};

function trackFor(params: CaptionsParams, { ass, cues }: Captions): Track {
  const given = params.language ?? null;
  const language = params.container === "mov" ? (quickTimeCodes[given ?? ""] ?? given) : given;
  const source = { input: 1, stream: 0 };
  const copy = { kind: "copy", source, language } as const;
  switch (params.container) {
    case "mkv":
      return ass === null
        ? { format: "srt", text: writeSubrip(cues), track: { ...copy, codec: "subrip" } }
        : { format: "ass", text: ass, track: { ...copy, codec: "ass" } };
    case "webm":
      return { format: "vtt", text: writeWebvtt(cues), track: { ...copy, codec: "webvtt" } };
    case "mp4":
    case "mov":
      return {
        // ffmpeg makes MP4's text of ASS, in which `\\N` is a line break: kept apart it is text.
        ...{ format: "srt", text: writeSubrip(cues).replace(/\\(?=[Nnh])/g, "\\\u2060") },
        track: { kind: "encode", source, codec: "mov_text", language },
      };
  }
}
