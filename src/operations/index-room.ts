/**
 * Room for the index at the front of a large MP4 or MOV, so that it is written once. Without it ffmpeg learns only at
 * the end how large the index is, and moves all that it wrote behind it: a second reading and writing of the whole
 * file. What is left of the room stays in the file as a box that players skip. Pure.
 */
import type { OutputDescription, StepWork } from "../media/description.ts";
import { expectedBytes } from "../media/expected-bytes.ts";
import type { MediaInfo } from "../media/media.ts";
import { flowOf } from "../media/moving.ts";
import type { Plan, Step } from "./operation.ts";

/** Smaller files are moved within the page cache, in less time than anybody notices. */
const leastBytes = 64 * 1024 ** 2;

/** A file that is larger by more than this share has its index put in front afterwards. */
const mostShare = 0.01;

/** Sizes, times of decoding, times of showing, keyframes, open groups and what may be left out: one entry in each. */
const videoPacketBytes = 4 + 8 + 8 + 4 + 4 + 1;
/** Sizes and times. */
const otherPacketBytes = 4 + 8;
/** Its offset in 64 bits, and how many packets lie in it. */
const chunkBytes = 8 + 12;
/** ffmpeg's muxer ends a chunk there. */
const longestChunkBytes = 1024 ** 2;

/** Headers, parameters and an edit list of each; tags of the whole. */
const trackBytes = 8 * 1024;
const tagsBytes = 64 * 1024;
/** A title has at most 255 bytes in one list of them, and may be longer in the other. */
const chapterBytes = 1024;

/**
 * The fewest samples that a packet of a codec usually has. Shorter ones may fill the room: then the run says so and
 * the index is put in front afterwards.
 */
const packetSamples: Record<string, number> = {
  ...{ aac: 960, mp3: 576, opus: 480, flac: 1152, ac3: 1536, eac3: 1536, alac: 4096, dts: 512 },
  ...{ pcm_s16le: 1024, pcm_s24le: 1024 },
};
const fewestSamples = 512;

/** A cue and the pause behind it. */
const subtitlePacketsPerSecond = 2;

/** The plan with room for the index of each large file whose packets are copied into it. */
export function withIndexRoom(plan: Plan, media: readonly MediaInfo[]): Plan {
  return { ...plan, steps: plan.steps.map((step) => stepWithRoom(step, media)) };
}

function stepWithRoom(step: Step, media: readonly MediaInfo[]): Step {
  const { work } = step;
  if (!isCopying(work)) return step;
  const { description } = work;
  const outputs = description.outputs.map((output) => {
    const declared = step.outputs.find(({ file }) => file === output.file);
    const seconds = declared?.expectation.durationSeconds ?? null;
    if (seconds === null || !isCopied(work, output)) return output;
    const bytes = expectedBytes(work, media, "cpu");
    const lasts = { seconds: Math.max(seconds, output.limitSeconds ?? 0), bytes };
    const indexBytes = indexRoomBytes(output, work, lasts, media);
    const isWorthIt = bytes >= leastBytes && indexBytes <= bytes * mostShare;
    return isWorthIt ? { ...output, indexBytes } : output;
  });
  return { ...step, work: { ...work, description: { ...description, outputs } } };
}

type Copying = Extract<StepWork, { kind: "render" | "cut" | "join" }>;

/** What may copy packets into a file at its end. */
function isCopying(work: StepWork): work is Copying {
  return ["render", "cut", "join"].includes(work.kind);
}

/** Beside an encode the second writing is nothing, and what it makes is not known as well. */
function isCopied(work: Copying, { container, video, ...output }: OutputDescription): boolean {
  const indexed = container === "mp4" || container === "mov";
  if (!indexed || output.isIntermediate || output.limitBytes !== undefined) return false;
  return work.kind === "render" ? video?.kind === "copy" : video !== null;
}

interface Lasts {
  seconds: number;
  bytes: number;
}

/** What the index takes at most: each packet at a distance of its own, and chunks as short as they can be. */
export function indexRoomBytes(
  output: OutputDescription,
  work: Copying,
  { seconds, bytes }: Lasts,
  media: readonly MediaInfo[],
): number {
  const pictures = output.video === null ? [] : [seconds * pictureRate(output, work, media)];
  const others = [
    ...output.audio.map((track) => seconds * soundRate(track, work, media)),
    ...output.subtitles.map(() => seconds * subtitlePacketsPerSecond),
  ];
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
  const tracks = [...pictures, ...others];
  const all = sum(tracks);
  // A chunk ends where a packet of another track comes, or when it is full.
  const chunks = sum(tracks.map((count) => Math.min(count, all - count + 1)));
  const { chapters = [] } = media[output.metadataFrom ?? -1] ?? {};
  return Math.ceil(
    sum(pictures) * videoPacketBytes +
      sum(others) * otherPacketBytes +
      (chunks + bytes / longestChunkBytes) * chunkBytes +
      tracks.length * trackBytes +
      (output.dropChapters ? 0 : chapters.length * chapterBytes) +
      tagsBytes,
  );
}

/** Where nothing is known of it. */
const highestUsualRate = 60;

function pictureRate({ file }: OutputDescription, work: Copying, media: readonly MediaInfo[]) {
  // What joins chunks knows of their lists alone.
  const description = work.kind === "join" ? work.chunk : work.description;
  const source = description.outputs.find((output) => output.file === file)?.video?.source;
  const picture = source === undefined ? null : flowOf(description, media).of(source);
  return picture?.framesPerSecond ?? highestUsualRate;
}

type SoundTrack = OutputDescription["audio"][number];

/** Packets a second. */
function soundRate(
  track: SoundTrack,
  { description: { inputs } }: Copying,
  media: readonly MediaInfo[],
): number {
  if (track.kind === "look") return 0;
  const samples = packetSamples[track.codec] ?? fewestSamples;
  if (track.kind === "encode") return track.sampleRate / samples;
  const { source } = track;
  const from = "input" in source ? inputs[source.input]?.from : undefined;
  const file = from !== undefined && "asset" in from ? media[from.asset] : undefined;
  const found = file?.audio.find(({ index }) => "stream" in source && index === source.stream);
  return (found?.sampleRate ?? usualSampleRate) / samples;
}

const usualSampleRate = 48_000;
