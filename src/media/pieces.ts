/**
 * Spans as pieces: the runs that make them, and the run that joins them. Pictures become MP4s or transport
 * streams, encoded or copied; the sound of several spans becomes MOVs of plain samples, so that it is encoded once. Pure.
 */
import { assert } from "../trouble.ts";
import type { CopiedPackets, Cutting } from "./cutting.ts";
import type {
  AudioEncode,
  CutSpan,
  InputDescription,
  InputRef,
  OutputDescription,
  RenderDescription,
  StreamCopy,
  VideoEncode,
} from "./description.ts";
import { decimal } from "./filter-syntax.ts";
import type { FilterChain, SoundChain } from "./graph.ts";

/** A file of a step, and how long it counts. */
export interface Piece {
  file: string;
  seconds: number;
  /** Of its packets those that are decoded before this time; absent: all. */
  untilSeconds?: number;
}

/** What a run makes, and the pieces that lie in its folder then, in their order. */
export interface PieceRun {
  description: RenderDescription;
  pictures: Piece[];
  /** How long nothing is shown before them, while there is sound. */
  bareSeconds: number;
  /** Null where the sound comes straight from the source. */
  sound: Piece | null;
}

/**
 * Read so much before a frame: its time is known to a microsecond, and one that began earlier would be
 * lost. Far less than a frame lasts.
 */
const guardSeconds = 0.0002;

/**
 * Without a seek ffmpeg counts the times of a transport stream from the first stream that it uses instead of
 * from the start of the file, and sound and picture are read one by one.
 */
export const leastSeekSeconds = 0.001;

/** How a span is read, and where it lies in what was read. */
export function readSpan(
  { from, seconds }: CutSpan,
  prerollSeconds: number,
): { times: ReadTimes; trim: ReadTrim } {
  const earliest = Math.min(leastSeekSeconds, from / 2);
  const seek = prerollSeconds === 0 ? from : Math.max(from - prerollSeconds, earliest);
  const before = from - seek;
  return {
    times: { ...(seek === 0 ? {} : { seekSeconds: seek }), durationSeconds: before + seconds },
    trim: {
      filter: "trim",
      ...(before === 0 ? {} : { startSeconds: before }),
      endSeconds: before + seconds,
    },
  };
}

export interface ReadTimes {
  seekSeconds?: number;
  durationSeconds: number;
}

export interface ReadTrim {
  filter: "trim";
  startSeconds?: number;
  endSeconds: number;
}

/** A list for ffmpeg of files beside it. */
export function pieceList(pieces: readonly Piece[]): string {
  const lines = pieces.map(({ file, seconds, untilSeconds }) => {
    assert(plainPiece.test(file), `piece ${file} is plain`);
    const until = untilSeconds === undefined ? "" : `outpoint ${decimal(untilSeconds)}\n`;
    return `file ${file}\n${until}duration ${decimal(seconds)}\n`;
  });
  return `ffconcat version 1.0\n${lines.join("")}`;
}

/**
 * One clock for all pieces: ffmpeg reads the times of a list by the clock of its first file. Frames of 24, 25, 30
 * and 60 a second, of NTSC's rates, of phones (600) and of Matroska (1000) lie on its ticks exactly.
 */
const pieceTicks = 360_000;

const plainPiece = /^[a-z0-9][a-z0-9-]{0,60}\.(mp4|ts|mov)$/;

export interface PieceWish {
  /** Of the span, for the names of its files. */
  number: number;
  withSound: boolean;
  prerollSeconds: number;
}

/**
 * The run that makes the pieces of one span.
 * @param whole how all of it would be encoded
 */
export function pieceRun(
  whole: RenderDescription,
  cutting: Cutting,
  { number, withSound, prerollSeconds }: PieceWish,
): PieceRun {
  const { head, copy, tail, span } = cutting;
  const run = new PieceRunDraft(whole, prerollSeconds);
  const pictures: Piece[] = [];
  const add = (part: string, seconds: number) => {
    const file = `picture-${number}-${part}.${run.ending}`;
    pictures.push({ file, seconds });
    return file;
  };
  if (whole.outputs[0]?.video) {
    const behindCopy = tail?.from ?? span.from + span.seconds;
    if (head !== null) run.encode(add("head", head.seconds), head);
    if (copy !== null) run.copy(add("copy", behindCopy - copy.from), copy, behindCopy);
    if (tail !== null) run.encode(add("tail", tail.seconds), tail);
  }
  const sound = withSound ? { file: `sound-${number}.mov`, seconds: span.seconds } : null;
  if (sound !== null) run.sound(sound.file, span);
  const description = run.description(head?.seconds ?? span.seconds);
  return { description, pictures, bareSeconds: cutting.bareSeconds, sound };
}

/** The pieces of the picture, and when the first begins. Where later ones are bare the picture before them stays. */
export function picturesOf(runs: readonly Pick<PieceRun, "pictures" | "bareSeconds">[]): {
  pieces: Piece[];
  fromSeconds: number;
} {
  let fromSeconds = 0;
  const pieces: Piece[] = [];
  for (const { pictures, bareSeconds } of runs) {
    const before = pieces.pop();
    if (before === undefined) fromSeconds += bareSeconds;
    else pieces.push({ ...before, seconds: before.seconds + bareSeconds });
    pieces.push(...pictures);
  }
  return { pieces, fromSeconds };
}

/** Grows by one input and one output for each piece. */
class PieceRunDraft {
  private readonly whole: RenderDescription;
  private readonly prerollSeconds: number;
  private readonly output: OutputDescription;
  private readonly source: InputDescription;
  private readonly inputs: InputDescription[] = [];
  private readonly graph: FilterChain[] = [];
  private readonly sounds: SoundChain[] = [];
  private readonly outputs: OutputDescription[] = [];
  /**
   * ffmpeg moves the parameters of joined MP4s among the pictures for H.264 alone; in a transport stream they
   * stand there already.
   */
  readonly ending: "mp4" | "ts";
  private readonly container: "mp4" | "mpegts";

  constructor(whole: RenderDescription, prerollSeconds: number) {
    const [source] = whole.inputs;
    const [output] = whole.outputs;
    assert(source !== undefined && output !== undefined, "a cut has an input and an output");
    assert(whole.graph.length <= 1, "a cut has one picture");
    this.whole = whole;
    this.prerollSeconds = prerollSeconds;
    this.source = source;
    this.output = output;
    const { video } = output;
    const hevc = video?.kind === "encode" && video.codec === "hevc";
    this.ending = hevc ? "ts" : "mp4";
    this.container = hevc ? "mpegts" : "mp4";
  }

  encode(file: string, span: CutSpan): void {
    const { video } = this.output;
    const [chain] = this.whole.graph;
    assert(video?.kind === "encode" && chain !== undefined, "the picture is encoded");
    const guarded = { from: Math.max(0, span.from - guardSeconds), seconds: span.seconds };
    const { input, trim } = this.read(this.source, guarded, this.prerollSeconds);
    const pad = `piece${this.outputs.length}`;
    const { from } = chain;
    assert("input" in from, "the picture comes from the source");
    this.graph.push({
      from: { input, stream: from.stream },
      filters: [trim, ...chain.filters],
      to: pad,
    });
    this.write({
      file,
      container: this.container,
      video: { ...video, source: { pad } },
      audio: [],
    });
  }

  copy(file: string, { from, packets }: CopiedPackets, until: number): void {
    const video = this.output.video as VideoEncode;
    const [chain] = this.whole.graph;
    assert(chain !== undefined && "input" in chain.from, "the picture comes from the source");
    const { picture: _, ...source } = this.source;
    // B-frames: the last packet may be shown before others that were decoded before it.
    const seconds = until - from + 1;
    const { input } = this.read(source, { from: Math.max(0, from - guardSeconds), seconds }, 0);
    const { stream } = chain.from;
    const copied = {
      kind: "copy",
      source: { input, stream },
      codec: video.codec,
      packets,
    } as const;
    this.write({ file, container: this.container, video: copied, audio: [] });
  }

  sound(file: string, span: CutSpan): void {
    const { picture: _, ...source } = this.source;
    const { input, trim } = this.read(source, span, this.prerollSeconds);
    const audio = this.output.audio.map((track, index): AudioEncode => {
      assert(track.kind === "encode" && "stream" in track.source, "the sound is encoded");
      const pad = `sound${index}`;
      this.sounds.push({
        from: { input, stream: track.source.stream },
        filters: [trim],
        to: pad,
      });
      return { ...track, source: { pad }, codec: "pcm_s24le", bitRate: null };
    });
    this.write({ file, container: "mov", video: null, audio });
  }

  description(expectedSeconds: number): RenderDescription {
    const { inputs, graph, sounds, outputs } = this;
    return {
      ...{ inputs, graph, outputs, expectedSeconds },
      ...(sounds.length === 0 ? {} : { sound: sounds }),
    };
  }

  private read(source: InputDescription, span: CutSpan, prerollSeconds: number) {
    const { seekSeconds: _seek, durationSeconds: _lasts, ...rest } = source;
    const { times, trim } = readSpan(span, prerollSeconds);
    const durationSeconds = times.durationSeconds + guardSeconds;
    this.inputs.push({ ...rest, ...times, durationSeconds });
    return { input: this.inputs.length - 1, trim };
  }

  private write(output: Pick<OutputDescription, "file" | "container" | "video" | "audio">): void {
    this.outputs.push({
      ...{ ...output, subtitles: [], metadataFrom: null, limitSeconds: null },
      ...(output.container === "mp4" ? { ticksPerSecond: pieceTicks } : {}),
    });
  }
}

export interface Joined {
  /** The list of the pieces of the picture; null for sound alone. */
  pictures: InputRef | null;
  /** When the first of them begins. */
  picturesFromSeconds: number;
  /** The list of the pieces of the sound, or the span of the source that it is; null for none. */
  sound: InputRef | CutSpan | null;
  seconds: number;
  /** Whether parameters change between the pieces. */
  changing: boolean;
}

/** The run that makes the output of its pieces. */
export function joinRun(whole: RenderDescription, joined: Joined): RenderDescription {
  const [source] = whole.inputs;
  const [output] = whole.outputs;
  assert(source !== undefined && output !== undefined, "a cut has an input and an output");
  const { pictures, picturesFromSeconds: offsetSeconds, sound, seconds, changing } = joined;
  const inputs: InputDescription[] = [];
  const add = (input: InputDescription) => inputs.push(input) - 1;
  const late = offsetSeconds === 0 ? {} : { offsetSeconds };
  const picture = pictures === null ? null : add({ from: pictures, pieces: true, ...late });
  const { audio, asset } = joinedSound(output, source, { sound, add });
  const codec = output.video?.kind === "encode" ? output.video.codec : null;
  assert((codec === null) === (pictures === null), "a picture has pieces");
  return {
    inputs,
    graph: [],
    outputs: [
      {
        ...output,
        video: picture === null || codec === null ? null : copyOf(picture, codec, changing),
        audio,
        subtitles: [],
        // Chapters have the times of the source.
        ...{ metadataFrom: asset, dropChapters: true, limitSeconds: seconds },
      },
    ],
    expectedSeconds: seconds,
  };
}

function copyOf(input: number, codec: string, changing: boolean): StreamCopy {
  const copy = { kind: "copy", source: { input, stream: 0 }, codec } as const;
  return changing ? { ...copy, changing } : copy;
}

function joinedSound(
  output: OutputDescription,
  { from }: InputDescription,
  { sound, add }: { sound: Joined["sound"]; add(input: InputDescription): number },
): { audio: OutputDescription["audio"]; asset: number } {
  if (sound !== null && "seconds" in sound) {
    const asset = add({ from, seekSeconds: sound.from, durationSeconds: sound.seconds });
    const audio = output.audio.map((track) => {
      assert("input" in track.source, "the sound comes from the source");
      return { ...track, source: { input: asset, stream: track.source.stream } };
    });
    return { audio, asset };
  }
  const list = sound === null ? null : add({ from: sound, pieces: true });
  const audio = output.audio.map((track, stream) => {
    assert(list !== null, "there is sound to be joined");
    return { ...track, source: { input: list, stream } };
  });
  return { audio, asset: add({ from }) };
}
