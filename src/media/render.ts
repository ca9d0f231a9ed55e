/**
 * A render description, a device and an ffmpeg → the argv. Pure. What differs between ffmpeg versions
 * stands in `dialect.ts` and nowhere else; where each part of the work happens is `placement.ts`'s to say.
 */
import { assert } from "../trouble.ts";
import type {
  InputDescription,
  InputRef,
  OutputContainer,
  OutputDescription,
  RenderDescription,
} from "./description.ts";
import { reasonOf } from "./device-reason.ts";
import type { Device, Toolchain } from "./devices.ts";
import { dialectOf } from "./dialect.ts";
import { audioEncoderOptions, chooseAudioEncoder, encodedSound } from "./encoders.ts";
import { decimal, seconds } from "./filter-syntax.ts";
import { type NativeChain, openPads, renderGraph } from "./graph.ts";
import { nvdecFlags } from "./nvdec.ts";
import { type Avoided, type Placement, pictureStreams, placeOn } from "./placement.ts";
import { mapOf, type RenderedVideo, renderVideo, type VideoTarget } from "./render-video.ts";
import {
  alphaFlags,
  captionFlags,
  inputPath,
  pieceListFlags,
  safeInputFlags,
  stillFlags,
} from "./safety.ts";
import { type Way, wayOf } from "./way.ts";

export interface RenderTarget {
  device: Device;
  toolchain: Toolchain;
  /** What is left to the CPU because it failed on the GPU; absent: nothing. */
  avoided?: Avoided | undefined;
}

export interface RenderFiles {
  /** Absolute path of an input. */
  resolve(ref: InputRef): string;
  /** Absolute folder in which the outputs are made. */
  outputFolder: string;
}

export interface RenderedRun {
  /** Without the path of ffmpeg and without its global flags. */
  argv: string[];
  /** The encoder of the picture in ffmpeg's words; null when nothing is encoded. */
  encoder: string | null;
  /** For the person: what does the work and where. */
  deviceReason: string;
  placement: Placement;
}

const muxers: Record<OutputContainer, string> = {
  mp4: "mp4",
  mov: "mov",
  mkv: "matroska",
  webm: "webm",
  mpegts: "mpegts",
  mp3: "mp3",
  ogg: "ogg",
  flac: "flac",
  wav: "wav",
  image: "image2",
  null: "null",
  srt: "srt",
  vtt: "webvtt",
  ass: "ass",
  gif: "gif",
  webp: "webp",
  apng: "apng",
  avif: "avif",
};

/** Packets that may wait for a slow stream before the muxer gives up; ffmpeg's 128 is too few for sparse ones. */
const maxMuxingPackets = "4096";

/** Names of output files are ours: plain, one dot, and `%d` where ffmpeg numbers them. */
const plainFile = /^[a-z0-9][a-z0-9-]{0,60}(%d)?\.[a-z0-9]{2,5}$/;

/**
 * The argv of one run.
 * @throws Failure `tool_missing` when this ffmpeg lacks an encoder that the description needs.
 */
export function renderArgv(
  description: RenderDescription,
  target: RenderTarget,
  files: RenderFiles,
): RenderedRun {
  checkStreams(description);
  const placement = placeOn(description, target, target.avoided);
  const dialect = dialectOf(target.toolchain.release);
  const way = wayOf(description, placement, dialect);
  const pictures = pictureStreams(description);
  const { sharedDevice: device } = way;
  const nvdec = { onCard: way.decodedOnCard, dialect, ...(device ? { device } : {}) };
  const inputs = description.inputs.flatMap((input, index) => {
    const byNvdec = placement.decode === "nvdec" && input.still === undefined;
    const stream = byNvdec ? pictures.get(index) : undefined;
    const decoding = stream === undefined ? [] : nvdecFlags(input, { ...nvdec, stream });
    return renderInput(input, files, { decoding, toolchain: target.toolchain });
  });
  const graphs = graphsOf(description, way);
  const videoTarget = { ...target, placement, way, dialect };
  const skipSeconds = skippedSeconds(description);
  const outputs = description.outputs.map((output) =>
    renderOutput(output, { ...videoTarget, skipSeconds }, files),
  );
  const encoder = outputs.find((output) => output.encoder !== null)?.encoder ?? null;
  return {
    argv: [
      // ffmpeg 7.1 exits with 0 when NVDEC fails in the middle, and leaves a shorter film.
      ...(placement.decode === "nvdec" ? ["-xerror"] : []),
      ...(description.inspects ? ["-copyts", "-start_at_zero", "-max_error_rate", "1"] : []),
      ...(device ? ["-init_hw_device", `cuda=${device}:0`, "-filter_hw_device", device] : []),
      ...inputs,
      ...filterThreads(description),
      ...graphs.flatMap((graph) => ["-filter_complex", graph]),
      ...outputs.flatMap((output) => output.argv),
    ],
    encoder,
    placement,
    deviceReason: reasonOf(description, encoder, target.device, placement),
  };
}

function filterThreads({ filterThreads: threads }: RenderDescription): string[] {
  return threads === undefined ? [] : ["-filter_complex_threads", String(threads)];
}

/**
 * Each a value of `-filter_complex`. Mostly one for all, or none. Where faults are looked for each chain stands
 * alone: what changes its format in the middle sets its graph up anew, and 5.1 fails where that takes others along.
 */
function graphsOf({ graph, sound = [], outputs, inspects }: RenderDescription, way: Way): string[] {
  if (inspects) {
    return [
      ...graph.map((chain) => renderGraph([chain], [], way.translate)),
      ...sound.map((chain) => renderGraph([], [chain], way.translate)),
    ];
  }
  const toEncoders = outputs.flatMap(({ audio }) => audio.flatMap(soundToEncoder));
  const all = renderGraph(graph, sound, way.translate, toEncoders);
  return all === "" ? [] : [all];
}

type SoundTrack = OutputDescription["audio"][number];

/** What stands before the encoder of a track that comes out of the graph. */
function soundToEncoder(track: SoundTrack): NativeChain[] {
  if (track.kind !== "encode" || !("pad" in track.source)) return [];
  const { pad } = track.source;
  return [{ from: [pad], filters: encodedSound(track), to: [encoderPad(pad)] }];
}

/** The large letter keeps it apart from the pads of operations. */
function encoderPad(pad: string): string {
  return `Encoded_${pad}`;
}

function renderInput(
  input: InputDescription,
  files: RenderFiles,
  { decoding, toolchain }: { decoding: string[]; toolchain: Toolchain },
): string[] {
  const { prerollSeconds: preroll = 0 } = input;
  return [
    ...inputFlags(input),
    ...decoding,
    ...(input.keepAlpha ? alphaFlags(input.picture?.codec, toolchain) : []),
    ...stillFlags(input.still ?? ""),
    ...(input.decoderThreads === undefined ? [] : ["-threads", String(input.decoderThreads)]),
    // MP4 does not even read the others then: a fifth less CPU for a sprite.
    ...(input.keyframesOnly ? ["-discard:v", "nokey", "-skip_frame", "nokey"] : []),
    // The only keyframe may stand before the time: it is shown rather than nothing.
    ...((input.keyframesOnly || input.keepsLead) && input.seekSeconds ? ["-noaccurate_seek"] : []),
    ...(input.seekSeconds ? ["-ss", seconds(input.seekSeconds - preroll)] : []),
    ...(input.durationSeconds === undefined
      ? []
      : ["-t", seconds(input.durationSeconds + preroll)]),
    ...(input.offsetSeconds ? ["-itsoffset", decimal(input.offsetSeconds)] : []),
    ...["-i", inputPath(files.resolve(input.from))],
  ];
}

/** What may be opened: media, or where we wrote it ourselves, a list or captions. */
function inputFlags({ pieces, captions }: InputDescription): string[] {
  if (captions !== undefined) return captionFlags(captions);
  return pieces ? pieceListFlags() : safeInputFlags();
}

/** What is read before the only input's seek. */
function skippedSeconds({ inputs }: RenderDescription): number {
  const [only] = inputs;
  const alone = inputs.length === 1;
  assert(alone || inputs.every(({ prerollSeconds }) => !prerollSeconds), "one input is read early");
  return alone ? (only?.prerollSeconds ?? 0) : 0;
}

function renderOutput(
  output: OutputDescription,
  target: VideoTarget & { skipSeconds: number },
  files: RenderFiles,
): RenderedVideo {
  assert(plainFile.test(output.file), `output file ${JSON.stringify(output.file)} is plain`);
  const video = renderVideo(output, target);
  const audio = output.audio.flatMap((track, index) => renderAudio(track, index, target.toolchain));
  const subtitles = renderSubtitles(output.subtitles);
  return {
    encoder: video.encoder,
    argv: [
      ...[...video.argv, ...audio, ...subtitles],
      ...renderMetadata(output),
      ...(target.skipSeconds > 0 ? ["-ss", seconds(target.skipSeconds)] : []),
      ...(output.limitSeconds === null ? [] : ["-t", seconds(output.limitSeconds)]),
      ...(output.limitBytes === undefined ? [] : ["-fs", String(output.limitBytes)]),
      ...["-max_muxing_queue_size", maxMuxingPackets],
      ...containerOptions(output),
      ...(output.ticksPerSecond === undefined
        ? []
        : ["-video_track_timescale", String(output.ticksPerSecond)]),
      ...["-f", muxers[output.container], outputPath(output, files)],
    ],
  };
}

function renderAudio(track: SoundTrack, index: number, toolchain: Toolchain) {
  if (track.kind === "look") return ["-map", mapOf(track.source), `-c:a:${index}`, "pcm_s16le"];
  if (track.kind === "copy") return ["-map", mapOf(track.source), `-c:a:${index}`, "copy"];
  const { source } = track;
  const map = ["-map", mapOf("pad" in source ? { pad: encoderPad(source.pad) } : source)];
  const encoder = chooseAudioEncoder(track.codec, toolchain);
  const language = track.language !== null && /^[a-z]{3}$/.test(track.language);
  return [
    ...[...map, `-c:a:${index}`, encoder, ...audioEncoderOptions(track, index)],
    ...(language ? [`-metadata:s:a:${index}`, `language=${track.language}`] : []),
  ];
}

function renderSubtitles(tracks: OutputDescription["subtitles"]): string[] {
  const maps = tracks.flatMap(({ source }) => ["-map", mapOf(source)]);
  const encoded = tracks.flatMap((track, index) =>
    track.kind === "encode" ? [`-c:s:${index}`, track.codec] : [],
  );
  const spoken = tracks.flatMap(({ language = null }, index) =>
    language !== null && /^[a-z]{3}$/.test(language)
      ? [`-metadata:s:s:${index}`, `language=${language}`]
      : [],
  );
  return [...maps, ...(maps.length > 0 ? ["-c:s", "copy"] : []), ...encoded, ...spoken];
}

function renderMetadata(output: OutputDescription): string[] {
  if (output.container === "image") return ["-map_metadata", "-1"];
  const from = output.metadataFrom === null ? "-1" : String(output.metadataFrom);
  return ["-map_metadata", from, "-map_chapters", output.dropChapters ? "-1" : from];
}

/** What is for a later step alone has its index at its end, and times that may lie below zero. */
function containerOptions(output: OutputDescription): string[] {
  const { container, isIntermediate, indexBytes, audio } = output;
  switch (container) {
    case "mp4":
    case "mov":
      if (isIntermediate) return [];
      return indexBytes === undefined
        ? ["-movflags", "+faststart"]
        : ["-moov_size", String(indexBytes)];
    case "mkv":
    case "webm":
      return isIntermediate && !audio.some(tellsRunUp) ? ["-avoid_negative_ts", "disabled"] : [];
    // Past 4 GB the sizes of a plain WAV overflow: hours of many channels.
    case "wav":
      return ["-rf64", "auto"];
    default:
      return [];
  }
}

/** Matroska says of Opus how long the run-up of its encoder is, and times are shown that much earlier. */
function tellsRunUp(track: SoundTrack): boolean {
  return track.kind !== "look" && track.codec === "opus";
}

/** The image writer reads `%` in the whole path, so a folder's own `%` is doubled where it numbers files. */
function outputPath(output: OutputDescription, files: RenderFiles): string {
  if (output.container === "null") return "-";
  const numbered = output.file.includes("%d");
  const folder = numbered ? files.outputFolder.replaceAll("%", "%%") : files.outputFolder;
  return `file:${folder}/${output.file}`;
}

/** Every pad left open is mapped once, and every mapped pad exists. */
function checkStreams(description: RenderDescription): void {
  const open = openPads([...description.graph, ...(description.sound ?? [])]);
  for (const output of description.outputs) {
    const { video } = output;
    const alpha =
      video?.kind === "animation" && video.alpha ? [{ ...video, source: video.alpha }] : [];
    const streams = [video, ...alpha, ...output.audio, ...output.subtitles];
    for (const stream of streams) {
      if (stream === null || !("pad" in stream.source)) continue;
      assert(stream.kind !== "copy", "what comes out of the graph is encoded");
      assert(open.delete(stream.source.pad), `pad ${stream.source.pad} is there to be mapped`);
    }
  }
  assert(open.size === 0, `every pad is mapped: ${[...open].join(", ")} is not`);
}
