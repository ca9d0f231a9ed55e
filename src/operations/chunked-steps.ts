/** The steps of which a long encode is made when it is cut into chunks. Pure. */
import type { TakenFile } from "../media/chunk-work.ts";
import { chunkFiles, pictureFile } from "../media/chunks.ts";
import type {
  AudioEncode,
  InputDescription,
  OutputDescription,
  RenderDescription,
  StreamCopy,
  StreamRef,
} from "../media/description.ts";
import type { MediaInfo } from "../media/media.ts";
import { assert } from "../trouble.ts";
import { isBroadcast, pictureSource, seamWish } from "./chunk-seams.ts";
import type { Step } from "./operation.ts";

const seamsFile = "seams.json";

/** Pixels of the largest picture up to which one thread is enough for a chunk: 1080p. */
const oneThreadPixels = 1920 * 1088;
/** An encoder of larger ones takes so much memory that fewer should run side by side. */
const largeThreads = 4;

/** Threads of a chunk. */
export function chunkThreads({ outputs }: RenderDescription): number {
  const pixels = outputs.map(({ video }) =>
    video?.kind === "encode" ? (video.width ?? 0) * (video.height ?? 0) : 0,
  );
  return Math.max(0, ...pixels) > oneThreadPixels ? largeThreads : 1;
}

/**
 * The step in so many chunks: where to cut, the sound, the chunks, and under its own name and with its own
 * outputs what joins them.
 */
export function cutStep(step: Step, media: readonly MediaInfo[], count: number): Step[] {
  const { work, name } = step;
  assert(work.kind === "render", "an encode is cut");
  const whole = work.description;
  const seams = { step: `${name}-seams`, file: seamsFile };
  const picture = pictureOf(whole, media);
  const sound = soundStep(step, whole, media);
  const chunks = Array.from({ length: count }, (_, index): Step => {
    const number = index + 1;
    return {
      name: `${name}-part-${number}`,
      title: `${step.pictureTitle ?? step.title}: part ${number} of ${count}`,
      needs: [...new Set([...readSteps(picture), seams.step])],
      work: { kind: "chunk", description: picture, seams, number: index, of: count },
      makes: chunkFiles(picture),
      outputs: [],
      ...(whole.expectedSeconds === null ? {} : { weight: whole.expectedSeconds / count }),
    };
  });
  const made = chunks.map((chunk) => chunk.name);
  const files = picture.outputs.map((_, index) => pictureFile(picture, index));
  const needed = [seams.step, ...(sound === null ? [] : [sound.name]), ...made];
  return [
    {
      ...{ name: seams.step, title: "Look up where to cut the picture into parts", needs: [] },
      work: { kind: "seams", wish: seamWish(whole, media, count), file: seams.file },
      makes: [seams.file],
      outputs: [],
    },
    ...(sound === null ? [] : [sound]),
    ...chunks,
    {
      ...step,
      title: `Join the ${count} parts`,
      needs: [...step.needs, ...needed],
      work: {
        kind: "join",
        description: joinOf(whole, media, { sound: sound?.name ?? "", part: made[0] ?? "", files }),
        seams,
        chunks: made,
        pictures: files,
        chunk: picture,
        taken: takenOf(whole, sound?.name ?? ""),
      },
    },
  ];
}

/** The picture alone, with the threads of a chunk. */
function pictureOf(whole: RenderDescription, media: readonly MediaInfo[]): RenderDescription {
  const { sound: _, ...description } = whole;
  const threads = chunkThreads(whole);
  const outputs = whole.outputs.flatMap((output): OutputDescription[] => {
    const { video } = output;
    if (video?.kind !== "encode") return [];
    const alone = { audio: [], subtitles: [], metadataFrom: null };
    return [{ ...output, ...alone, video: { ...video, threads } }];
  });
  return {
    ...description,
    inputs: whole.inputs.map((input) => ({ ...input, decoderThreads: threads })),
    graph: withPeak(whole.graph, media[0]),
    outputs,
    filterThreads: threads,
  };
}

/**
 * How bright the film becomes is said once and for all: a frame may know it only from what stood at the
 * beginning of the file.
 */
function withPeak(graph: RenderDescription["graph"], source: MediaInfo | undefined) {
  const { light, mastering } = source?.video?.hdrMetadata ?? { light: null, mastering: null };
  const peakNits = light?.maxContentNits || mastering?.maxNits;
  if (!peakNits) return graph;
  return graph.map((chain) => ({
    ...chain,
    filters: chain.filters.map((filter) =>
      filter.filter === "tonemap" ? { ...filter, peakNits } : filter,
    ),
  }));
}

/** Steps whose files the picture is made of. */
function readSteps({ inputs, reads = [] }: RenderDescription): string[] {
  const refs = [...inputs.map(({ from }) => from), ...reads];
  return refs.flatMap((ref) => ("step" in ref ? [ref.step] : []));
}

/** The tracks that are encoded, each output's in a file of its own; null when there are none. */
function soundStep(step: Step, whole: RenderDescription, media: readonly MediaInfo[]): Step | null {
  const outputs = whole.outputs.flatMap((output, index): OutputDescription[] => {
    const audio = output.audio.filter(isEncoded);
    if (audio.length === 0) return [];
    const file = soundFile(output, index);
    const alone = { video: null, audio, subtitles: [] };
    return [{ ...output, ...alone, file, dropChapters: true, isIntermediate: true }];
  });
  if (outputs.length === 0) return null;
  const { reads: _, ...description } = whole;
  return {
    name: `${step.name}-sound`,
    title: "Encode the sound",
    needs: step.needs,
    work: {
      kind: "render",
      description: {
        ...description,
        inputs: whole.inputs.map(withoutPicture),
        graph: [],
        outputs: [...outputs, ...clockOutput(whole, media)],
      },
    },
    makes: outputs.map(({ file }) => file),
    outputs: [],
  };
}

/** Sounds for a later step alone, which are well as they were encoded: nothing of them is written again. */
function takenOf({ outputs }: RenderDescription, step: string): TakenFile[] {
  return outputs.flatMap((output, index) =>
    isWellAsEncoded(output)
      ? [{ from: { step, file: soundFile(output, index) }, file: output.file }]
      : [],
  );
}

function isWellAsEncoded({ video, audio, subtitles, metadataFrom, ...output }: OutputDescription) {
  const plain = video === null && subtitles.length === 0 && metadataFrom === null;
  return plain && output.isIntermediate === true && audio.every(isEncoded);
}

function isEncoded(track: OutputDescription["audio"][number]): track is AudioEncode {
  return track.kind === "encode";
}

/** In the output's own container, whose tags of tracks it keeps. */
function soundFile({ container }: OutputDescription, index: number): string {
  return `sound-${index + 1}.${container}`;
}

function withoutPicture({ picture: _, ...input }: InputDescription): InputDescription {
  return input;
}

/**
 * ffmpeg counts the times of a transport stream from the first of those streams that it reads, unless it
 * seeks: the picture is read along, and goes nowhere.
 */
function clockOutput(whole: RenderDescription, media: readonly MediaInfo[]): OutputDescription[] {
  const [input] = whole.inputs;
  if (!isBroadcast(media[0]) || input?.seekSeconds) return [];
  const source = pictureSource(whole);
  return [
    {
      ...{ file: "clock.ts", container: "null", audio: [], subtitles: [] },
      video: { kind: "copy", source, codec: input?.picture?.codec ?? "" },
      ...{ metadataFrom: null, limitSeconds: null },
    },
  ];
}

/** A cut ends with its last frame, which may be shown a little later than the cut is long. */
const endSlackSeconds = 0.05;

interface Joined {
  /** Names of the step that encoded the sound, and of one that encoded a part. */
  sound: string;
  part: string;
  /** What each part is called, for each picture. */
  files: readonly string[];
}

/** The run that joins: the lists of the parts come last among its inputs. */
function joinOf(
  whole: RenderDescription,
  media: readonly MediaInfo[],
  { sound, part, files }: Joined,
): RenderDescription {
  const inputs = new JoinInputs(whole);
  const heard = whole.outputs.flatMap((output, index) => {
    if (isWellAsEncoded(output)) return [];
    const kept = inputs.keep(output);
    if (!output.audio.some(isEncoded)) return [kept];
    const input = inputs.add({
      ...{ from: { step: sound, file: soundFile(output, index) }, keepsStart: true },
    });
    return [{ ...kept, audio: withEncoded(kept.audio, input) }];
  });
  const lists = files.map((file) => inputs.add({ from: { step: part, file } }));
  const trimmed = whole.inputs[0]?.durationSeconds !== undefined;
  const outputs = heard.map((output): OutputDescription => {
    const { video, limitSeconds } = output;
    if (video?.kind !== "encode") return output;
    const input = lists.shift();
    assert(input !== undefined, "each picture has a list");
    const copy: StreamCopy = {
      ...{ kind: "copy", source: { input, stream: 0 }, codec: video.codec, untold: true },
    };
    const limit = limitSeconds === null || !trimmed ? limitSeconds : limitSeconds + endSlackSeconds;
    return { ...output, video: copy, limitSeconds: limit };
  });
  return {
    inputs: inputs.all,
    graph: [],
    outputs: [...outputs, ...clockOutput(whole, media)],
    expectedSeconds: whole.expectedSeconds,
  };
}

/** Tracks that were encoded, out of their file. */
function withEncoded(
  tracks: OutputDescription["audio"],
  input: number,
): OutputDescription["audio"] {
  let stream = -1;
  return tracks.map((track) => {
    if (!isEncoded(track)) return track;
    stream += 1;
    return { kind: "copy", source: { input, stream }, codec: track.codec };
  });
}

/** The inputs of a join: of the whole's those that something is taken of, and new ones behind them. */
class JoinInputs {
  readonly all: InputDescription[] = [];
  private readonly whole: RenderDescription;
  private readonly places = new Map<number, number>();

  constructor(whole: RenderDescription) {
    this.whole = whole;
    // The proof looks up how long the source is.
    this.placeOf(0);
  }

  add(input: InputDescription): number {
    return this.all.push(input) - 1;
  }

  /** The output with its sources at their places here; what is encoded keeps them. */
  keep(output: OutputDescription): OutputDescription {
    const { audio, subtitles, metadataFrom } = output;
    return {
      ...output,
      audio: audio.map((track) => (isEncoded(track) ? track : this.moved(track))),
      subtitles: subtitles.map((track) => this.moved(track)),
      metadataFrom: metadataFrom === null ? null : this.placeOf(metadataFrom),
    };
  }

  private moved<Track extends { source: StreamRef }>(track: Track): Track {
    const { source } = track;
    assert("input" in source, "what is not encoded comes from an input");
    return { ...track, source: { ...source, input: this.placeOf(source.input) } };
  }

  private placeOf(index: number): number {
    const known = this.places.get(index);
    if (known !== undefined) return known;
    const input = this.whole.inputs[index];
    assert(input !== undefined, `there is an input ${index}`);
    const place = this.add(withoutPicture(input));
    this.places.set(index, place);
    return place;
  }
}
