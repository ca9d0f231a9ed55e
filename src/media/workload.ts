/** How much there is to do in a step, in pixels, seconds of sound and bytes, wherever it runs. Pure. */
import {
  type AnimationEncode,
  type AudioEncode,
  type CutSpan,
  descriptionOf,
  type ImageEncode,
  type InputDescription,
  type OutputDescription,
  type RenderDescription,
  type StepWork,
  type StreamRef,
  type VideoEncode,
} from "./description.ts";
import type { MediaInfo } from "./media.ts";
import {
  type FilterLoad,
  type Flow,
  flowOf,
  type Moving,
  movingInput,
  pixelsOf,
  secondsRead,
  usualKeyframeSeconds,
} from "./moving.ts";
import { pictureStreams } from "./placement.ts";

/** Pictures of one output, with their number and size. */
export interface PictureLoad<Encode> {
  encode: Encode;
  picture: Moving;
}

export interface Workload {
  /** Inputs whose picture is decoded. */
  decodes: { codec: string; pixels: number }[];
  filters: FilterLoad[];
  encodes: PictureLoad<VideoEncode>[];
  images: PictureLoad<ImageEncode | AnimationEncode>[];
  sounds: { encode: AudioEncode; seconds: number }[];
  /** Seconds of sound that are measured or limited to a loudness. */
  loudnessSeconds: number;
  /** Streams that go over as they are. */
  copiedBytes: number;
  /** The longest output. */
  outputSeconds: number;
  /** It keeps no more of the processor busy; infinite where nothing limits it. */
  threads: number;
}

const nothing: Workload = {
  decodes: [],
  filters: [],
  encodes: [],
  images: [],
  sounds: [],
  loudnessSeconds: 0,
  copiedBytes: 0,
  outputSeconds: 0,
  threads: Number.POSITIVE_INFINITY,
};

/** Of a search for a score: there may be seven. */
const usualTries = 4;

/**
 * @param media of the job's assets by position
 * @returns for each run of ffmpeg what it does: a search has one for each candidate, a text none
 */
export function workloadsOf(work: StepWork, media: readonly MediaInfo[]): Workload[] {
  switch (work.kind) {
    case "write":
      return [];
    case "search":
      return work.candidates.map(({ description }) => described(description, media));
    case "target":
      return Array.from({ length: usualTries }, () => [work.description, work.compare])
        .flat()
        .map((description) => described(description, media));
    case "cut":
      return [cutting(work, media)];
    case "chunk":
      return [shareOf(described(work.description, media), work.of)];
    default: {
      const description = descriptionOf(work);
      return description === null ? [] : [described(description, media)];
    }
  }
}

/** One of so many equal parts. */
function shareOf(load: Workload, parts: number): Workload {
  const shorter = <Load extends { picture: Moving }>(each: Load): Load => ({
    ...each,
    picture: { ...each.picture, seconds: each.picture.seconds / parts },
  });
  return {
    ...load,
    decodes: load.decodes.map((each) => ({ ...each, pixels: each.pixels / parts })),
    filters: load.filters.map((each) => ({ ...each, pixels: each.pixels / parts })),
    encodes: load.encodes.map(shorter),
    images: load.images.map(shorter),
    outputSeconds: load.outputSeconds / parts,
  };
}

function described(description: RenderDescription, media: readonly MediaInfo[]): Workload {
  const flow = flowOf(description, media);
  const outputs = description.outputs.map((output) => outputLoad(output, description, flow, media));
  const levels = (description.sound ?? []).flatMap(({ filters }) => filters);
  const measured = levels.filter(({ filter }) => filter === "meter" || filter === "normalise");
  const outputSeconds = Math.max(0, ...outputs.map((output) => output.outputSeconds));
  const lasts = description.expectedSeconds ?? longestInput(description, media);
  return {
    decodes: decodesOf(description, media),
    filters: [...flow.filters],
    encodes: outputs.flatMap(({ encodes }) => encodes),
    images: outputs.flatMap(({ images }) => images),
    sounds: outputs.flatMap(({ sounds }) => sounds),
    loudnessSeconds: measured.length * lasts,
    copiedBytes: outputs.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0),
    outputSeconds: outputSeconds > 0 ? outputSeconds : lasts,
    threads: description.filterThreads ?? Number.POSITIVE_INFINITY,
  };
}

function decodesOf(description: RenderDescription, media: readonly MediaInfo[]) {
  return [...pictureStreams(description).keys()].flatMap((index) => {
    const input = description.inputs[index];
    const picture = input === undefined ? null : movingInput(input, description, media);
    if (input === undefined || picture === null) return [];
    const codec = input.picture?.codec ?? mediaOf(input, media)?.video?.codec ?? "";
    return [{ codec, pixels: pixelsOf(needed(picture, description)) }];
  });
}

/** A poster ends after its first frame: decoding begins at a keyframe before it. */
function needed(picture: Moving, { outputs, expectedSeconds }: RenderDescription): Moving {
  const [output] = outputs;
  const single = outputs.length === 1 && output?.video?.kind === "image";
  if (!single || output.video?.kind !== "image" || output.video.frames !== 1) return picture;
  const most = expectedSeconds ?? (picture.framesPerSecond > 1 ? usualKeyframeSeconds : 1);
  return { ...picture, seconds: Math.min(picture.seconds, Math.max(most, 0)) };
}

function outputLoad(
  output: OutputDescription,
  description: RenderDescription,
  flow: Flow,
  media: readonly MediaInfo[],
): Workload {
  const { video, audio } = output;
  const picture =
    video === null || video.kind === "copy" ? null : limited(flow.of(video.source), output);
  const lasts = Math.min(
    description.expectedSeconds ?? picture?.seconds ?? longestInput(description, media),
    output.limitSeconds ?? Number.POSITIVE_INFINITY,
  );
  const copies = [video, ...audio, ...output.subtitles].flatMap((stream) =>
    stream?.kind === "copy" ? [stream.source] : [],
  );
  return {
    ...nothing,
    encodes: picture && video?.kind === "encode" ? [{ encode: video, picture }] : [],
    images:
      picture && (video?.kind === "image" || video?.kind === "animation")
        ? [{ encode: video, picture: counted(video, picture) }]
        : [],
    sounds: audio.flatMap((encode) =>
      encode.kind === "encode" ? [{ encode, seconds: lasts }] : [],
    ),
    copiedBytes: copies.reduce((sum, ref) => sum + bytesOf(ref, lasts, description, media), 0),
    outputSeconds: lasts,
  };
}

/** The guard against bombs lies above what is expected, and cuts nothing then. */
function limited(picture: Moving | null, { limitSeconds }: OutputDescription): Moving | null {
  if (picture === null || limitSeconds === null) return picture;
  return { ...picture, seconds: Math.min(picture.seconds, limitSeconds) };
}

function counted(encode: ImageEncode | AnimationEncode, picture: Moving): Moving {
  if (encode.kind === "animation" || encode.frames === null) return picture;
  return { ...picture, framesPerSecond: encode.frames, seconds: 1 };
}

function bytesOf(
  ref: StreamRef,
  seconds: number,
  { inputs }: RenderDescription,
  media: readonly MediaInfo[],
): number {
  const input = "input" in ref ? inputs[ref.input] : undefined;
  const source = input === undefined ? undefined : mediaOf(input, media);
  if (source === undefined || !("input" in ref)) return 0;
  return (seconds * bitRateOf(source, ref.stream)) / 8;
}

/** Sound that does not say takes 128 kbit/s; what is left of the whole is the picture's. */
function bitRateOf({ bitRate, video, audio }: MediaInfo, stream: number): number {
  const usualSound = 128_000;
  const track = audio.find(({ index }) => index === stream);
  if (track !== undefined) return track.bitRate ?? usualSound;
  return video?.index === stream
    ? (video.bitRate ?? Math.max(0, (bitRate ?? 0) - audio.length * usualSound))
    : 0;
}

function mediaOf({ from }: InputDescription, media: readonly MediaInfo[]): MediaInfo | undefined {
  return "asset" in from ? media[from.asset] : undefined;
}

function longestInput({ inputs }: RenderDescription, media: readonly MediaInfo[]): number {
  return Math.max(
    0,
    ...inputs.map((input) => secondsRead(input, mediaOf(input, media)?.durationSeconds ?? 0)),
  );
}

/** Of each span that copies, what lies around its two cuts is encoded: a group of pictures in all. */
function cutting(work: Extract<StepWork, { kind: "cut" }>, media: readonly MediaInfo[]): Workload {
  const { description, spans, copies, prerollSeconds } = work;
  const [input] = description.inputs;
  const distance = media[0]?.video?.keyframeSeconds ?? usualKeyframeSeconds;
  const encoded = (span: CutSpan) => (copies ? Math.min(span.seconds, distance) : span.seconds);
  const loads = spans.map((span) => {
    const worked = encoded(span);
    const seek = { seekSeconds: span.from, durationSeconds: worked + prerollSeconds };
    const inputs = input === undefined ? [] : [{ ...input, ...seek }];
    const load = described({ ...description, inputs, expectedSeconds: worked }, media);
    return { ...load, copiedBytes: load.copiedBytes + copiedOf(span.seconds - worked, media[0]) };
  });
  const seconds = spans.reduce((sum, span) => sum + span.seconds, 0);
  return { ...joined(loads), outputSeconds: seconds };
}

function copiedOf(seconds: number, media: MediaInfo | undefined): number {
  const stream = media?.video?.index;
  if (media === undefined || stream === undefined) return 0;
  return (seconds * bitRateOf(media, stream)) / 8;
}

function joined(loads: readonly Workload[]): Workload {
  const sum = (of: (load: Workload) => number) => loads.reduce((all, load) => all + of(load), 0);
  return {
    decodes: loads.flatMap(({ decodes }) => decodes),
    filters: loads.flatMap(({ filters }) => filters),
    encodes: loads.flatMap(({ encodes }) => encodes),
    images: loads.flatMap(({ images }) => images),
    sounds: loads.flatMap(({ sounds }) => sounds),
    loudnessSeconds: sum((load) => load.loudnessSeconds),
    copiedBytes: sum((load) => load.copiedBytes),
    outputSeconds: sum((load) => load.outputSeconds),
    threads: Math.max(0, ...loads.map(({ threads }) => threads)),
  };
}
