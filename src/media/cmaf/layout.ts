/** Where everything of a packaged track lies in its file. Pure; `runners/` writes it so. */
import { assert } from "../../trouble.ts";
import { box, join } from "./boxes.ts";
import { fragmentHeadBytes, headerBytes, indexBytes, payloadBytes } from "./fragments.ts";
import type { Fragment, Segment } from "./segments.ts";
import { type Samples, type SourceTrack, shownTicks } from "./source-track.ts";

/** A piece of a file. */
export interface ByteSpan {
  at: number;
  bytes: number;
}

/** A segment as a player fetches it. */
export interface LaidSegment extends ByteSpan {
  startSeconds: number;
  seconds: number;
}

/** A keyframe as a player fetches it alone: the head of its fragment and the one frame. */
export type LaidKeyframe = LaidSegment;

export interface TrackLayout {
  /** What stands before the segments: written as it is. */
  front: Uint8Array;
  /** Of it `ftyp` and `moov`, and the index where there is one. */
  header: ByteSpan;
  index: ByteSpan | null;
  segments: LaidSegment[];
  /** Empty for sound. */
  keyframes: LaidKeyframe[];
  sizeBytes: number;
}

export interface LayoutWish {
  /** An index behind the header, for DASH. */
  indexed: boolean;
  /** 16 random bytes when segments are encrypted: they stand right before the first. Null: they are not. */
  seed: Uint8Array | null;
}

/** AES works on blocks of so many bytes, and fills up the last one; where none is missing it adds one. */
export const cipherBlockBytes = 16;

export function layOut(
  track: SourceTrack,
  segments: readonly Segment[],
  wish: LayoutWish,
): TrackLayout {
  const header = headerBytes(track);
  const encrypted = wish.seed !== null;
  assert(!(wish.indexed && encrypted), "DASH has no segments that are encrypted whole");
  const plain = segments.map((segment) => segmentBytes(track, segment));
  const sizes = plain.map((bytes) => (encrypted ? paddedBytes(bytes) : bytes));
  const index = wish.indexed ? indexOf(track, segments, sizes) : new Uint8Array();
  const front = join([header, index, ...(wish.seed === null ? [] : [seedBox(header, wish.seed)])]);
  const laid: LaidSegment[] = [];
  const keyframes: LaidKeyframe[] = [];
  let at = front.length;
  for (const [position, segment] of segments.entries()) {
    const bytes = sizes[position] ?? 0;
    laid.push({ at, bytes, ...timesOf(track, segment) });
    if (track.kind === "video") keyframes.push(...keyframesOf(track, segment, at));
    at += bytes;
  }
  return {
    front,
    header: { at: 0, bytes: header.length },
    index: wish.indexed ? { at: header.length, bytes: index.length } : null,
    segments: laid,
    keyframes,
    sizeBytes: at,
  };
}

export function paddedBytes(bytes: number): number {
  return (Math.floor(bytes / cipherBlockBytes) + 1) * cipherBlockBytes;
}

/** All fragments are numbered through the file, from 1. */
export function fragmentNumbers(segments: readonly Segment[]): Map<Fragment, number> {
  const fragments = segments.flatMap((segment) => segment.fragments);
  return new Map(fragments.map((fragment, index) => [fragment, index + 1]));
}

function segmentBytes(track: SourceTrack, { fragments }: Segment): number {
  return fragments.reduce((sum, fragment) => sum + fragmentBytes(track, fragment), 0);
}

function fragmentBytes(track: SourceTrack, fragment: Fragment): number {
  return fragmentHeadBytes(track, fragment) + payloadBytes(track.samples, fragment);
}

function indexOf(track: SourceTrack, segments: readonly Segment[], sizes: readonly number[]) {
  const entries = segments.map(({ durationTicks }, position) => ({
    sizeBytes: sizes[position] ?? 0,
    durationTicks,
  }));
  return indexBytes(track.timescale, segments[0]?.startTicks ?? 0, entries);
}

/** A box that nobody reads, as long as brings its end to a whole block, with the seed at its end. */
function seedBox(header: Uint8Array, seed: Uint8Array): Uint8Array {
  const before = header.length + 8 + seed.length;
  const missing = (cipherBlockBytes - (before % cipherBlockBytes)) % cipherBlockBytes;
  return box("free", new Uint8Array(missing), seed);
}

function timesOf({ timescale }: SourceTrack, { startTicks, durationTicks }: Segment) {
  return { startSeconds: startTicks / timescale, seconds: durationTicks / timescale };
}

/** Each lasts until the next one, the last until the segment's end. */
function keyframesOf(track: SourceTrack, segment: Segment, segmentAt: number): LaidKeyframe[] {
  const { samples, timescale } = track;
  const endTicks = segment.startTicks + segment.durationTicks;
  let at = segmentAt;
  return segment.fragments.map((fragment, index) => {
    const next = segment.fragments[index + 1];
    const start = shownTicks(samples, fragment.first);
    const end = next === undefined ? endTicks : shownTicks(samples, next.first);
    const head = fragmentHeadBytes(track, fragment);
    const keyframe = {
      at,
      bytes: head + (samples.sizes[fragment.first] ?? 0),
      startSeconds: start / timescale,
      seconds: (end - start) / timescale,
    };
    at += head + payloadBytes(samples, fragment);
    return keyframe;
  });
}

/** Stretches of the source file that hold a fragment's samples, in their order. */
export function payloadSpans(samples: Samples, { first, count }: Fragment): ByteSpan[] {
  const spans: ByteSpan[] = [];
  for (let index = first; index < first + count; index += 1) {
    const at = samples.offsets[index] ?? 0;
    const bytes = samples.sizes[index] ?? 0;
    const last = spans.at(-1);
    if (last !== undefined && last.at + last.bytes === at) last.bytes += bytes;
    else spans.push({ at, bytes });
  }
  return spans;
}
