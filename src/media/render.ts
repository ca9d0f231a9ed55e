/**
 * A render description, a device and an ffmpeg → the argv. Pure. What differs between ffmpeg versions
 * stands in `dialectOf` and nowhere else.
 */
import { assert } from "../trouble.ts";
import type {
  AudioEncode,
  ImageEncode,
  InputDescription,
  InputRef,
  OutputContainer,
  OutputDescription,
  RenderDescription,
  StreamCopy,
  StreamRef,
  VideoEncode,
} from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";
import {
  audioEncoderOptions,
  chooseAudioEncoder,
  chooseVideoEncoder,
  codecTitles,
  videoEncoderOptions,
} from "./encoders.ts";
import { openPads, renderGraph } from "./graph.ts";
import { type Avoided, type Placement, placeOn } from "./placement.ts";
import { jpegScale } from "./quality.ts";
import { inputPath, safeInputFlags, stillFlags } from "./safety.ts";

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

/** What ffmpeg's releases say differently. Oldest supported: 5.1. */
export interface Dialect {
  /** Option that says how frames get their times: per output since 5.1, global and now removed before. */
  frameTiming: "-fps_mode" | "-vsync";
}

export function dialectOf(release: { major: number; minor: number }): Dialect {
  const atLeast = (major: number, minor: number) =>
    release.major > major || (release.major === major && release.minor >= minor);
  return { frameTiming: atLeast(5, 1) ? "-fps_mode" : "-vsync" };
}

const muxers: Record<OutputContainer, string> = {
  mp4: "mp4",
  mov: "mov",
  mkv: "matroska",
  webm: "webm",
  image: "image2",
};

/** Packets that may wait for a slow stream before the muxer gives up; ffmpeg's 128 is too few for sparse ones. */
const maxMuxingPackets = "4096";

/** Ticks per second for uneven frame distances: MPEG's own clock, exact for 24, 25, 30, 60 and 29.97. */
const variableRateClock = 90_000;

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
  const inputs = description.inputs.flatMap((input) => renderInput(input, files));
  const graph =
    description.graph.length === 0 ? [] : ["-filter_complex", renderGraph(description.graph)];
  const outputs = description.outputs.map((output) => renderOutput(output, target, files));
  const encoder = outputs.find((output) => output.encoder !== null)?.encoder ?? null;
  return {
    argv: [...inputs, ...graph, ...outputs.flatMap((output) => output.argv)],
    encoder,
    placement: placeOn(description, target, target.avoided),
    deviceReason: reasonOf(description, encoder, target.device),
  };
}

function renderInput(input: InputDescription, files: RenderFiles): string[] {
  return [
    ...safeInputFlags(),
    ...stillFlags(input.still ?? ""),
    ...(input.keyframesOnly ? ["-skip_frame", "nokey"] : []),
    // The only keyframe may stand before the time: it is shown rather than nothing.
    ...(input.keyframesOnly && input.seekSeconds ? ["-noaccurate_seek"] : []),
    ...(input.seekSeconds ? ["-ss", seconds(input.seekSeconds)] : []),
    ...(input.durationSeconds === undefined ? [] : ["-t", seconds(input.durationSeconds)]),
    ...["-i", inputPath(files.resolve(input.from))],
  ];
}

interface RenderedOutput {
  argv: string[];
  encoder: string | null;
}

function renderOutput(
  output: OutputDescription,
  target: RenderTarget,
  files: RenderFiles,
): RenderedOutput {
  assert(plainFile.test(output.file), `output file ${JSON.stringify(output.file)} is plain`);
  const video = renderVideo(output, target);
  const audio = output.audio.flatMap((track, index) => renderAudio(track, index, target.toolchain));
  const subtitles = output.subtitles.flatMap(({ source }) => ["-map", mapOf(source)]);
  return {
    encoder: video.encoder,
    argv: [
      ...[...video.argv, ...audio, ...subtitles],
      ...(subtitles.length > 0 ? ["-c:s", "copy"] : []),
      ...renderMetadata(output),
      ...(output.limitSeconds === null ? [] : ["-t", seconds(output.limitSeconds)]),
      ...["-max_muxing_queue_size", maxMuxingPackets],
      ...(output.container === "mp4" || output.container === "mov"
        ? ["-movflags", "+faststart"]
        : []),
      ...["-f", muxers[output.container], outputPath(output, files)],
    ],
  };
}

function renderVideo(output: OutputDescription, { toolchain }: RenderTarget): RenderedOutput {
  const { video, container } = output;
  if (video === null) return { argv: ["-vn"], encoder: null };
  const map = ["-map", mapOf(video.source)];
  switch (video.kind) {
    case "copy":
      return { argv: [...map, "-c:v", "copy", ...codecTag(video.codec, container)], encoder: null };
    case "image":
      return renderImage(video, map, toolchain);
    case "encode": {
      const encoder = chooseVideoEncoder(video, toolchain);
      const argv = [
        ...[...map, "-c:v", encoder, ...videoEncoderOptions(encoder, video)],
        ...["-pix_fmt", video.pixelFormat, ...colorOptions(video)],
        ...[...codecTag(video.codec, container), ...timing(video, toolchain)],
      ];
      return { argv, encoder };
    }
  }
}

/**
 * ffmpeg 5.1 snaps frames to the grid of the guessed rate unless the encoder's clock is finer. `vfr`
 * keeps what comes and drops only frames of equal time; it never repeats one.
 */
function timing(video: VideoEncode, toolchain: Toolchain): string[] {
  const mode = [dialectOf(toolchain.release).frameTiming, "vfr"];
  return video.variableFrameRate ? [...mode, "-enc_time_base:v", `1/${variableRateClock}`] : mode;
}

function renderImage(image: ImageEncode, map: string[], toolchain: Toolchain): RenderedOutput {
  const encoder = { jpeg: "mjpeg", png: "png", webp: "libwebp" }[image.codec];
  const quality = {
    jpeg: ["-q:v", String(jpegScale(image.quality)), "-color_range", "pc"],
    png: [],
    webp: ["-quality", String(Math.round(image.quality)), "-compression_level", "4"],
  }[image.codec];
  const one = image.frames === 1;
  return {
    encoder,
    argv: [
      ...[...map, "-c:v", encoder, ...quality],
      ...[dialectOf(toolchain.release).frameTiming, "passthrough"],
      ...(image.frames === null ? [] : ["-frames:v", String(image.frames)]),
      // A single picture is written under its name as it is; several are numbered from one.
      ...(one ? ["-update", "1"] : ["-start_number", "1"]),
    ],
  };
}

function renderAudio(track: AudioEncode | StreamCopy, index: number, toolchain: Toolchain) {
  const map = ["-map", mapOf(track.source)];
  if (track.kind === "copy") return [...map, `-c:a:${index}`, "copy"];
  const encoder = chooseAudioEncoder(track.codec, toolchain);
  const language = track.language !== null && /^[a-z]{3}$/.test(track.language);
  return [
    ...[...map, `-c:a:${index}`, encoder, ...audioEncoderOptions(track, index)],
    ...(language ? [`-metadata:s:a:${index}`, `language=${track.language}`] : []),
  ];
}

function renderMetadata(output: OutputDescription): string[] {
  if (output.container === "image") return ["-map_metadata", "-1"];
  const from = output.metadataFrom === null ? "-1" : String(output.metadataFrom);
  return ["-map_metadata", from, "-map_chapters", from];
}

/** Apple's players take HEVC only under this tag; ffmpeg's own choice is `hev1`. */
function codecTag(codec: string, container: OutputContainer): string[] {
  const apple = container === "mp4" || container === "mov";
  return codec === "hevc" && apple ? ["-tag:v", "hvc1"] : [];
}

function colorOptions({ color }: VideoEncode): string[] {
  return [
    ...(color.primaries === null ? [] : ["-color_primaries", color.primaries]),
    ...(color.transfer === null ? [] : ["-color_trc", color.transfer]),
    ...(color.space === null ? [] : ["-colorspace", color.space]),
    ...(color.range === null ? [] : ["-color_range", color.range]),
  ];
}

/** The image writer reads `%` in the whole path, so a folder's own `%` is doubled where it numbers files. */
function outputPath(output: OutputDescription, files: RenderFiles): string {
  const numbered = output.file.includes("%d");
  const folder = numbered ? files.outputFolder.replaceAll("%", "%%") : files.outputFolder;
  return `file:${folder}/${output.file}`;
}

function mapOf(source: StreamRef): string {
  return "pad" in source ? `[${source.pad}]` : `${source.input}:${source.stream}`;
}

function seconds(value: number): string {
  assert(Number.isFinite(value) && value >= 0, `${value} is a time`);
  // Never an exponent, which ffmpeg does not read; microseconds are its own unit.
  return value.toFixed(6).replace(/\.?0+$/, "");
}

/** Every pad left open is mapped once, and every mapped pad exists. */
function checkStreams(description: RenderDescription): void {
  const open = openPads(description.graph);
  for (const output of description.outputs) {
    const streams = [output.video, ...output.audio, ...output.subtitles];
    for (const stream of streams) {
      if (stream === null || !("pad" in stream.source)) continue;
      assert(open.delete(stream.source.pad), `pad ${stream.source.pad} is there to be mapped`);
    }
  }
  assert(open.size === 0, `every pad is mapped: ${[...open].join(", ")} is not`);
}

function reasonOf(description: RenderDescription, encoder: string | null, device: Device): string {
  if (encoder === null) {
    const sound = description.outputs.some((output) =>
      output.audio.some((track) => track.kind === "encode"),
    );
    return sound
      ? `Only sound is encoded, which is work for the CPU: ${device.title}`
      : "The streams are copied: nothing is encoded";
  }
  const video = description.outputs.find((output) => output.video !== null)?.video;
  const what = video?.kind === "encode" ? codecTitles[video.codec] : "Pictures";
  return `${what} with ${encoder} on ${device.title}; this version does not use GPUs`;
}
