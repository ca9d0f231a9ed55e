/** The score that `transcode` aims at: its quality is looked for on samples, and the result is measured. Pure. */
import type { RenderDescription, VideoEncode } from "../media/description.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { type ScoreTarget, targetMetrics } from "../media/target-search.ts";
import { assert, Refusal } from "../trouble.ts";
import {
  joinedWindows,
  likenessGraph,
  lookedAt,
  type Window,
  windowInput,
  windowsOf,
} from "./likeness-graph.ts";
import type { Plan, PlanContext, Step } from "./operation.ts";

/** What was found is the quality of the encode. */
const found = { step: "target", file: "target.json" };
const candidate = "candidate.mkv";
const samples = "samples";

/** @throws Refusal 422 when this ffmpeg cannot measure it, or the film does not say how long it is */
export function planTarget(
  plan: Plan,
  target: ScoreTarget,
  source: { media: MediaInfo; piece: { from: number; seconds: number | null } },
  context: PlanContext,
): Plan {
  const { media, piece } = source;
  const last = plan.steps.at(-1);
  assert(last?.work.kind === "render", "the last step renders");
  const { description } = last.work;
  const [output] = description.outputs;
  const { video } = media;
  // A source without a picture has no score, and nothing to look for.
  if (output?.video?.kind !== "encode" || video === null) return plan;
  if (target.metric === "vmaf" && !context.filters.has("libvmaf")) throw noVmaf();
  if (piece.seconds === null) throw endless();
  const windows = windowsOf({ from: piece.from, seconds: piece.seconds });
  const filters = description.graph[0]?.filters ?? [];
  const about = { target, windows, video, filters, encode: output.video };
  const search = searchStep(about, piece.seconds, otherBytes(description, media, piece.seconds));
  const encoded: Step = {
    ...last,
    needs: [...last.needs, search.name],
    work: { kind: "render", description: atFound(description) },
  };
  return {
    steps: [search, ...plan.steps.slice(0, -1), encoded, scoreStep(about, last, piece.from)],
    notes: plan.notes,
  };
}

interface About {
  target: ScoreTarget;
  windows: Window[];
  video: VideoStream;
  filters: readonly VideoFilter[];
  encode: VideoEncode;
}

const totalSeconds = (windows: readonly Window[]) =>
  windows.reduce((sum, { seconds }) => sum + seconds, 0);

const peakOf = ({ pixelFormat }: VideoEncode) => (pixelFormat.includes("10") ? 1023 : 255);

function searchStep(about: About, wholeSeconds: number, other: number): Step {
  const { target, windows, video, filters, encode } = about;
  const inputs = windows.map((window) => windowInput({ asset: 0 }, window));
  const expectedSeconds = totalSeconds(windows);
  const joined = joinedWindows(windows.length, video.index, filters, samples);
  const pair = {
    reference: { from: { pad: samples }, filters: [] },
    second: { input: windows.length, stream: 0 },
    earlierSeconds: 0,
  };
  return {
    name: found.step,
    title: `Look for the quality with ${targetWords(target)}`,
    needs: [],
    work: {
      kind: "target",
      ...{ file: found.file, target, candidate, peak: peakOf(encode) },
      ...{ sampleSeconds: expectedSeconds, wholeSeconds, otherBytes: other },
      description: {
        ...{ inputs, graph: joined, expectedSeconds },
        outputs: [
          {
            ...{ file: candidate, container: "mkv", audio: [], subtitles: [] },
            video: { ...encode, source: { pad: samples } },
            ...{ metadataFrom: null, limitSeconds: null },
          },
        ],
      },
      compare: {
        inputs: [...inputs, { from: { step: found.step, file: candidate } }],
        graph: [...joined, ...likenessGraph([pair], target.metric, encode.pixelFormat)],
        outputs: lookedAt(1),
        expectedSeconds,
      },
    },
    makes: [found.file],
    outputs: [],
  };
}

function atFound(description: RenderDescription): RenderDescription {
  const outputs = description.outputs.map((output) =>
    output.video?.kind === "encode"
      ? { ...output, video: { ...output.video, qualityFrom: { ...found, pointer: "/quality" } } }
      : output,
  );
  return { ...description, outputs };
}

/**
 * So much more of the result is read before a window: its times are rounded to the container's. Behind it a frame
 * more would be held against the last of the source.
 */
const marginSeconds = 0.1;

/** The samples of the result, held against those of the source. */
function scoreStep(about: About, last: Step, cutFrom: number): Step {
  const { target, windows, video, filters, encode } = about;
  const file = last.outputs[0]?.file;
  assert(file !== undefined, "the encode makes a file");
  const results = windows.map(({ from, seconds }) => {
    const at = Math.max(0, from - cutFrom - marginSeconds);
    return { from: at, seconds: seconds + (from - cutFrom - at), earlier: from - cutFrom - at };
  });
  const pairs = windows.map((_, index) => ({
    reference: { from: { input: index, stream: video.index }, filters },
    second: { input: windows.length + index, stream: 0 },
    earlierSeconds: results[index]?.earlier ?? 0,
  }));
  return {
    name: "score",
    title: "Measure the result",
    needs: [last.name],
    work: {
      kind: "analyse",
      reading: "likeness",
      file: "score.json",
      facts: {
        windows: windows.length,
        metric: targetMetrics.indexOf(target.metric),
        peak: peakOf(encode),
      },
      tells: target,
      description: {
        inputs: [
          ...windows.map((window) => windowInput({ asset: 0 }, window)),
          ...results.map((window) => windowInput({ step: last.name, file }, window)),
        ],
        graph: likenessGraph(pairs, target.metric, encode.pixelFormat),
        outputs: lookedAt(windows.length),
        expectedSeconds: totalSeconds(windows),
      },
    },
    makes: ["score.json"],
    outputs: [],
  };
}

/** "SSIM 0.98" */
function targetWords({ metric, score }: ScoreTarget): string {
  return `${metric.toUpperCase()} ${score}${metric === "psnr" ? " dB" : ""}`;
}

/** Of a copied track that does not say its own. */
const unknownSoundRate = 128_000;

/** What the file has besides its picture. */
function otherBytes(description: RenderDescription, media: MediaInfo, seconds: number): number {
  const tracks = description.outputs[0]?.audio ?? [];
  const rates = tracks.map((track) => {
    if (track.kind === "encode") {
      return track.bitRate ?? track.channels * track.sampleRate * (track.bitDepth ?? 16);
    }
    const { source } = track;
    const own = "stream" in source && media.audio.find(({ index }) => index === source.stream);
    return (own ? own.bitRate : null) ?? unknownSoundRate;
  });
  return Math.round((rates.reduce((sum, rate) => sum + rate, 0) * seconds) / 8);
}

function noVmaf(): Refusal {
  return unsuitable(
    "video.target.metric is vmaf, and the installed FFmpeg has no VMAF (libvmaf). Choose ssim or psnr.",
  );
}

function endless(): Refusal {
  return unsuitable(
    "The source does not say how long it is, so no samples can be taken for video.target. Say a quality instead.",
  );
}

function unsuitable(message: string): Refusal {
  return new Refusal(422, "unsuitable_input", message);
}
