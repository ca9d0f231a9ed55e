/** The tracks of captions that a video has, as files. Pure. */
import type { CaptionFormat } from "../media/captions/cue.ts";
import type { OutputDescription, SubtitleEncode } from "../media/description.ts";
import type { SubtitleStream } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import type { CaptionsParams } from "./captions-schema.ts";
import { outputName } from "./naming.ts";
import type { Plan, PlanInput, StepOutput } from "./operation.ts";

/** What ffmpeg makes text of. Discs and broadcasts have pictures of text instead. */
const textCodecs = ["subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"];

const formats: Record<
  CaptionFormat,
  { encoder: SubtitleEncode["codec"]; same: string[]; mimeType: string }
> = {
  srt: { encoder: "subrip", same: ["subrip", "srt"], mimeType: "application/x-subrip" },
  vtt: { encoder: "webvtt", same: ["webvtt"], mimeType: "text/vtt" },
  ass: { encoder: "ass", same: ["ass", "ssa"], mimeType: "text/x-ssa" },
};

/** @throws Refusal 422 `unsuitable_input` when there is no track of text */
export function extractPlan({ format }: CaptionsParams, { media, name }: PlanInput): Plan {
  const tracks = media.subtitles.filter(({ codec }) => textCodecs.includes(codec));
  const pictures = media.subtitles.length - tracks.length;
  if (tracks.length === 0) throw noText(pictures);
  const made = tracks.map((track, index) => fileOf(track, index, format));
  const outputs = tracks.map(
    (track, index): StepOutput => ({
      file: made[index]?.file ?? "",
      name: outputName(name, wordsFor(tracks, track, index), format),
      role: "captions",
      mimeType: formats[format].mimeType,
      expectation: {
        ...{ file: made[index]?.file ?? "", kind: "text", durationSeconds: null, video: null },
        ...{ audioTracks: 0, audioCodecs: [] },
      },
    }),
  );
  const some = pictures === 1 ? "1 track is" : `${pictures} tracks are`;
  return {
    steps: [
      {
        name: "extract",
        title: tracks.length === 1 ? "Extract the captions" : `Extract ${tracks.length} tracks`,
        needs: [],
        work: {
          kind: "render",
          description: {
            ...{ inputs: [{ from: { asset: 0 } }], graph: [], outputs: made },
            expectedSeconds: media.durationSeconds,
          },
        },
        outputs,
      },
    ],
    notes: pictures > 0 ? [`${some} left out: they are pictures of text, and no text.`] : [],
  };
}

function noText(pictures: number): Refusal {
  const why =
    pictures === 0
      ? "The source has no captions."
      : "The source has captions as pictures alone, and no text can be taken out of them.";
  return new Refusal(422, "unsuitable_input", why);
}

function fileOf(track: SubtitleStream, index: number, format: CaptionFormat): OutputDescription {
  const source = { input: 0, stream: track.index };
  const { encoder, same } = formats[format];
  return {
    ...{ file: `captions-${index + 1}.${format}`, container: format, video: null, audio: [] },
    subtitles: [
      same.includes(track.codec)
        ? { kind: "copy", source, codec: track.codec }
        : { kind: "encode", source, codec: encoder },
    ],
    ...{ metadataFrom: null, limitSeconds: null },
  };
}

/** The language where it tells them apart, and the number where it does not. */
function wordsFor(tracks: readonly SubtitleStream[], track: SubtitleStream, index: number): string {
  if (tracks.length === 1) return track.language ?? "";
  const alike = tracks.filter(({ language }) => language === track.language);
  if (track.language !== null && alike.length === 1) return track.language;
  return [track.language, index + 1].filter((word) => word !== null).join(" ");
}
