/**
 * An MP4 with one track, as encoders leave it: which samples it has, where they lie and when they are shown.
 * From its `moov` box.
 */
import { setImmediate } from "node:timers/promises";
import { bodyAt, boxesIn, fullBody, malformed, needBody } from "./boxes.ts";

export interface SourceTrack {
  kind: "video" | "audio";
  /** Ticks per second of all times here. */
  timescale: number;
  samples: Samples;
  /** The `moov` that it was read from. */
  moov: Uint8Array;
}

/** All samples in decoding order; every list is as long as the others. */
export interface Samples {
  count: number;
  sizes: Uint32Array;
  /** Bytes from the start of the file. */
  offsets: Float64Array;
  /** When a sample is decoded. */
  decodeTicks: Float64Array;
  /** How long it is shown. */
  durations: Uint32Array;
  /** When it is shown, counted from `decodeTicks`. */
  shownAfter: Int32Array;
  /** 1 for a keyframe. */
  sync: Uint8Array;
}

/** Two days at 120 frames a second. More is no film, and its lists would not be small. */
const maxSamples = 20_736_000;

/**
 * Its times begin where it is shown: edit lists are applied, and what they hide of a sound is left out. The
 * tables of a long film take a tenth of a second, so others have their turn between them.
 */
export async function readSourceTrack(moov: Uint8Array): Promise<SourceTrack> {
  const tracks = boxesIn(moov).filter(({ type }) => type === "trak");
  const [only, ...more] = tracks;
  if (only === undefined || more.length > 0) throw malformed(`it has ${tracks.length} tracks`);
  const trak = only.body;
  const handler = new TextDecoder("latin1").decode(needBody(trak, "mdia", "hdlr").subarray(8, 12));
  const kind = { vide: "video", soun: "audio" }[handler] as SourceTrack["kind"] | undefined;
  if (kind === undefined) throw malformed(`its track is ${handler}`);
  const timescale = timescaleOf(needBody(trak, "mdia", "mdhd"));
  const table = await readTable(needBody(trak, "mdia", "minf", "stbl"));
  const edit = readEdit(trak, timescaleOf(needBody(moov, "mvhd")), timescale);
  const samples = kind === "video" ? squeezed(table, edit) : cutSound(table, edit);
  return { kind, timescale, samples, moov };
}

/** Of `mvhd` and `mdhd`, which begin alike. */
export function timescaleOf(body: Uint8Array): number {
  const { version, rest } = fullBody(body);
  return rest.skip(version === 1 ? 16 : 8).u32();
}

async function readTable(stbl: Uint8Array): Promise<Samples> {
  const sizes = readSizes(needBody(stbl, "stsz"));
  await setImmediate();
  const count = sizes.length;
  const { decodeTicks, durations } = readTimes(needBody(stbl, "stts"), count);
  const shownAfter = readShownAfter(bodyAt(stbl, "ctts"), count);
  await setImmediate();
  const offsets = readOffsets(stbl, sizes);
  await setImmediate();
  const sync = readSync(bodyAt(stbl, "stss"), count);
  return { count, sizes, decodeTicks, durations, offsets, shownAfter, sync };
}

function readSizes(body: Uint8Array): Uint32Array {
  const { rest } = fullBody(body);
  const same = rest.u32();
  const count = rest.u32();
  if (count === 0) throw malformed("there is not a single frame in it");
  if (count > maxSamples) throw malformed(`it has ${count} samples, which is too many`);
  const sizes = new Uint32Array(count);
  for (let index = 0; index < count; index += 1) sizes[index] = same === 0 ? rest.u32() : same;
  return sizes;
}

/** Runs of samples: calls `note` for each, with its value and where it begins and ends; counts that all are told. */
function everyRun(
  body: Uint8Array,
  { count, what }: { count: number; what: string },
  note: (value: number, first: number, end: number) => void,
): void {
  const { rest } = fullBody(body);
  const runs = rest.u32();
  let first = 0;
  for (let run = 0; run < runs; run += 1) {
    const end = first + rest.u32();
    if (end > count) throw malformed(`${what} tell of more samples than there are`);
    note(rest.i32(), first, end);
    first = end;
  }
  if (first !== count) throw malformed(`${what} tell of ${first} of ${count} samples`);
}

function readTimes(body: Uint8Array, count: number) {
  const decodeTicks = new Float64Array(count);
  const durations = new Uint32Array(count);
  let ticks = 0;
  everyRun(body, { count, what: "its times" }, (duration, first, end) => {
    durations.fill(duration, first, end);
    for (let index = first; index < end; index += 1) {
      decodeTicks[index] = ticks;
      ticks += duration;
    }
  });
  return { decodeTicks, durations };
}

function readShownAfter(body: Uint8Array | null, count: number): Int32Array {
  const shownAfter = new Int32Array(count);
  if (body === null) return shownAfter;
  everyRun(body, { count, what: "its orders" }, (ticks, first, end) => {
    shownAfter.fill(ticks, first, end);
  });
  return shownAfter;
}

/** Without a list every sample stands alone. */
function readSync(body: Uint8Array | null, count: number): Uint8Array {
  if (body === null) return new Uint8Array(count).fill(1);
  const sync = new Uint8Array(count);
  const { rest } = fullBody(body);
  const listed = rest.u32();
  for (let entry = 0; entry < listed; entry += 1) {
    const number = rest.u32();
    if (number < 1 || number > count) throw malformed("its keyframes lie outside of it");
    sync[number - 1] = 1;
  }
  return sync;
}

function readOffsets(stbl: Uint8Array, sizes: Uint32Array): Float64Array {
  const chunks = chunkOffsets(stbl);
  const offsets = new Float64Array(sizes.length);
  const { rest } = fullBody(needBody(stbl, "stsc"));
  const runs = Array.from({ length: rest.u32() }, () => {
    const firstChunk = rest.u32() - 1;
    const perChunk = rest.u32();
    rest.u32();
    return { firstChunk, perChunk };
  });
  let index = 0;
  for (const [position, { firstChunk, perChunk }] of runs.entries()) {
    const endChunk = runs[position + 1]?.firstChunk ?? chunks.length;
    for (let chunk = firstChunk; chunk < endChunk; chunk += 1) {
      let at = chunks[chunk] ?? 0;
      for (let within = 0; within < perChunk && index < sizes.length; within += 1) {
        offsets[index] = at;
        at += sizes[index] ?? 0;
        index += 1;
      }
    }
  }
  if (index !== sizes.length) throw malformed(`it says of ${index} samples where they lie`);
  return offsets;
}

function chunkOffsets(stbl: Uint8Array): Float64Array {
  const small = bodyAt(stbl, "stco");
  const { rest } = fullBody(small ?? needBody(stbl, "co64"));
  const offsets = new Float64Array(rest.u32());
  for (let index = 0; index < offsets.length; index += 1) {
    offsets[index] = small === null ? rest.u64() : rest.u32();
  }
  return offsets;
}

interface Edit {
  /** Nothing is shown before. */
  emptyTicks: number;
  /** What of the track comes first then. */
  fromTicks: number;
}

function readEdit(trak: Uint8Array, movieTimescale: number, timescale: number): Edit {
  const edit: Edit = { emptyTicks: 0, fromTicks: 0 };
  const body = bodyAt(trak, "edts", "elst");
  if (body === null) return edit;
  const { version, rest } = fullBody(body);
  const entries = rest.u32();
  for (let entry = 0; entry < entries; entry += 1) {
    const duration = version === 1 ? rest.u64() : rest.u32();
    const fromTicks = version === 1 ? rest.i64() : rest.i32();
    rest.u32();
    // The first piece that is shown decides; encoders write no other.
    if (fromTicks >= 0) return { ...edit, fromTicks };
    edit.emptyTicks += Math.round((duration * timescale) / movieTimescale);
  }
  return edit;
}

/**
 * A picture whose first frame is shown at zero (after what an edit list leaves empty). Frames that wait for
 * others are decoded ahead of their time, so the first would have to be decoded before zero: instead, the few at
 * the beginning are decoded closer to each other. So no time is negative, and no edit list is needed, in both of
 * which players differ.
 */
function squeezed(samples: Samples, { emptyTicks, fromTicks }: Edit): Samples {
  const { count, durations } = samples;
  const { decodeTicks, shownAfter } = samples;
  const late = decodeTicks.findIndex((ticks) => ticks > fromTicks);
  // Of a film so short that it ends before: within the time of its first frame.
  const steady = late < 0 ? count : late;
  const until = late < 0 ? (durations[0] ?? 0) : (decodeTicks[late] ?? 0) - fromTicks;
  for (let index = 0; index < count; index += 1) {
    const shown = (decodeTicks[index] ?? 0) - fromTicks + (shownAfter[index] ?? 0);
    const early = Math.floor((until * index) / steady);
    const decoded = index < steady ? early : (decodeTicks[index] ?? 0) - fromTicks;
    if (shown < decoded) throw malformed("a frame is shown before it can be decoded");
    decodeTicks[index] = decoded + emptyTicks;
    shownAfter[index] = shown - decoded;
  }
  return samples;
}

/** How long until the next sample is decoded. */
export function decodeDuration({ decodeTicks, durations, count }: Samples, index: number): number {
  if (index + 1 === count) return durations[index] ?? 0;
  return (decodeTicks[index + 1] ?? 0) - (decodeTicks[index] ?? 0);
}

/**
 * Encoders of sound put frames of nothing in front, which an edit list hides. Players differ in whether they
 * read those of fragmented files, so these frames stay behind, and every player begins at the same sample.
 */
function cutSound(samples: Samples, { emptyTicks, fromTicks }: Edit): Samples {
  const half = (samples.durations[0] ?? 0) / 2;
  const isShown = (ticks: number) => ticks - fromTicks >= -half;
  const hidden = samples.decodeTicks.findIndex(isShown);
  if (hidden < 0) throw malformed("nothing of its sound is heard");
  const decodeTicks = samples.decodeTicks
    .subarray(hidden)
    .map((ticks) => Math.max(0, ticks - fromTicks) + emptyTicks);
  return {
    count: samples.count - hidden,
    sizes: samples.sizes.subarray(hidden),
    offsets: samples.offsets.subarray(hidden),
    decodeTicks,
    durations: samples.durations.subarray(hidden),
    shownAfter: samples.shownAfter.subarray(hidden),
    sync: samples.sync.subarray(hidden),
  };
}

/** When a sample is shown. */
export function shownTicks({ decodeTicks, shownAfter }: Samples, index: number): number {
  return (decodeTicks[index] ?? 0) + (shownAfter[index] ?? 0);
}
