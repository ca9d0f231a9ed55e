/**
 * A track as CMAF (ISO/IEC 23000-19): header, index and fragments, as bytes. Samples are not touched; where
 * they go between these is `layout.ts`'s to say. Pure.
 */
import { assert } from "../../trouble.ts";
import {
  ascii,
  BodyReader,
  bodyAt,
  box,
  boxesIn,
  fullBody,
  fullBox,
  join,
  needBody,
  u32,
  u64,
  viewOf,
  words,
} from "./boxes.ts";
import type { Fragment } from "./segments.ts";
import { decodeDuration, type Samples, type SourceTrack, timescaleOf } from "./source-track.ts";

/** ISO base media of 2012, CMAF, and what programs of that time look for. */
const brands = ["iso6", "cmfc", "mp41", "dash"];

/** The one track of every file. */
const trackId = 1;

const flags = {
  /** `tfhd`: sample duration and flags follow; offsets count from the fragment's own beginning. */
  fragment: 0x02_00_28,
  /** `trun`: an offset and sizes follow. */
  run: 0x2_01,
  firstFlags: 0x4,
  durations: 0x1_00,
  shownAfter: 0x8_00,
};

/** Flags of a sample that others depend on and that depends on none, and of one that depends on others. */
const sampleFlags = { sync: 0x02_00_00_00, dependent: 0x01_01_00_00 };

/** `ftyp` and `moov`: what a decoder needs before the first fragment. */
export function headerBytes(track: SourceTrack): Uint8Array {
  const { moov, samples, timescale } = track;
  const last = samples.count - 1;
  const ends = (samples.decodeTicks[last] ?? 0) + (samples.durations[last] ?? 0);
  const movieTimescale = timescaleOf(needBody(moov, "mvhd"));
  const wholeTicks = Math.round((ends / timescale) * movieTimescale);
  const extends_ = box(
    "mvex",
    fullBox("mehd", { version: 1 }, u64(wholeTicks)),
    fullBox("trex", {}, u32(trackId, 1, 0, 0, 0)),
  );
  const parts = boxesIn(moov).flatMap(({ type, body }) => {
    if (type === "mvhd") return [withoutDuration(type, body)];
    return type === "trak" ? [trackBox(body)] : [];
  });
  const [major = ""] = brands;
  return join([
    box("ftyp", ascii(major), u32(0), ...brands.map(ascii)),
    box("moov", ...parts, extends_),
  ]);
}

function trackBox(trak: Uint8Array): Uint8Array {
  const media = needBody(trak, "mdia");
  const info = needBody(media, "minf");
  const stsd = needBody(info, "stbl", "stsd");
  const tables = box(
    "stbl",
    box("stsd", stsd),
    ...["stts", "stsc", "stco"].map((type) => fullBox(type, {}, u32(0))),
    fullBox("stsz", {}, u32(0, 0)),
  );
  const kept = boxesIn(info)
    .filter(({ type }) => ["vmhd", "smhd", "dinf"].includes(type))
    .map(({ type, body }) => box(type, body));
  return box(
    "trak",
    trackHead(needBody(trak, "tkhd")),
    box(
      "mdia",
      withoutDuration("mdhd", needBody(media, "mdhd")),
      box("hdlr", needBody(media, "hdlr")),
      box("minf", ...kept, tables),
    ),
  );
}

/** `mvhd` and `mdhd`: the length is that of the fragments. */
function withoutDuration(type: string, body: Uint8Array): Uint8Array {
  const bytes = body.slice();
  const { version } = fullBody(body);
  bytes.fill(0, version === 1 ? 24 : 16, version === 1 ? 32 : 20);
  return box(type, bytes);
}

function trackHead(body: Uint8Array): Uint8Array {
  const bytes = body.slice();
  const { version } = fullBody(body);
  viewOf(bytes).setUint32(version === 1 ? 20 : 12, trackId);
  bytes.fill(0, version === 1 ? 28 : 20, version === 1 ? 36 : 24);
  return box("tkhd", bytes);
}

/** How the samples of a fragment are listed. */
interface RunShape {
  flags: number;
  /** Of each sample: duration, size and offset, as far as they are listed. */
  listed: { durations: boolean; shownAfter: boolean };
  bytes: number;
}

/** Of a `trun`: header, version and flags, count and place. */
const runHeadBytes = 20;
/** `moof`, `mfhd`, `traf`, `tfhd` and `tfdt`. */
const fragmentBoxesBytes = 8 + 16 + 8 + 24 + 20;
const mdatHeadBytes = 8;

function runShape({ kind, samples }: SourceTrack, { first, count }: Fragment): RunShape {
  const duration = decodeDuration(samples, first);
  const listed = { durations: false, shownAfter: false };
  for (let index = first; index < first + count; index += 1) {
    if (decodeDuration(samples, index) !== duration) listed.durations = true;
    if (samples.shownAfter[index] !== 0) listed.shownAfter = true;
  }
  const firstFlags = kind === "video";
  const each = 4 + (listed.durations ? 4 : 0) + (listed.shownAfter ? 4 : 0);
  return {
    flags:
      flags.run |
      (firstFlags ? flags.firstFlags : 0) |
      (listed.durations ? flags.durations : 0) |
      (listed.shownAfter ? flags.shownAfter : 0),
    listed,
    bytes: runHeadBytes + (firstFlags ? 4 : 0) + count * each,
  };
}

/** How long `fragmentHead` is. */
export function fragmentHeadBytes(track: SourceTrack, fragment: Fragment): number {
  return fragmentBoxesBytes + runShape(track, fragment).bytes + mdatHeadBytes;
}

/** What stands before the samples of a fragment: its `moof`, and the head of its `mdat`. */
export function fragmentHead(track: SourceTrack, fragment: Fragment, number: number): Uint8Array {
  const { samples, kind } = track;
  const { first } = fragment;
  const shape = runShape(track, fragment);
  const usual = kind === "audio" ? sampleFlags.sync : sampleFlags.dependent;
  const dataAt = fragmentBoxesBytes + shape.bytes + mdatHeadBytes;
  const head = join([
    box(
      "moof",
      fullBox("mfhd", {}, u32(number)),
      box(
        "traf",
        fullBox(
          "tfhd",
          { flags: flags.fragment },
          u32(trackId, decodeDuration(samples, first), usual),
        ),
        fullBox("tfdt", { version: 1 }, u64(samples.decodeTicks[first] ?? 0)),
        runBox(samples, fragment, { shape, dataAt }),
      ),
    ),
    u32(payloadBytes(samples, fragment) + mdatHeadBytes),
    ascii("mdat"),
  ]);
  assert(head.length === dataAt, "the head of a fragment is as long as was reckoned");
  return head;
}

function runBox(
  samples: Samples,
  { first, count }: Fragment,
  { shape, dataAt }: { shape: RunShape; dataAt: number },
): Uint8Array {
  const { listed } = shape;
  const list: number[] = [count, dataAt];
  if (shape.flags & flags.firstFlags) list.push(sampleFlags.sync);
  for (let index = first; index < first + count; index += 1) {
    if (listed.durations) list.push(decodeDuration(samples, index));
    list.push(samples.sizes[index] ?? 0);
    if (listed.shownAfter) list.push(samples.shownAfter[index] ?? 0);
  }
  return fullBox("trun", { flags: shape.flags }, words(list));
}

export function payloadBytes(samples: Samples, { first, count }: Fragment): number {
  let bytes = 0;
  for (let index = first; index < first + count; index += 1) bytes += samples.sizes[index] ?? 0;
  return bytes;
}

export interface IndexEntry {
  sizeBytes: number;
  durationTicks: number;
}

/** `sidx`: every segment's size and length; they follow it without a gap. */
export function indexBytes(
  timescale: number,
  startTicks: number,
  entries: IndexEntry[],
): Uint8Array {
  const list = entries.flatMap(({ sizeBytes, durationTicks }) => [
    sizeBytes,
    durationTicks,
    startsWithKeyframe,
  ]);
  return fullBox(
    "sidx",
    { version: 1 },
    u32(trackId, timescale),
    u64(startTicks),
    u64(0),
    words([entries.length, ...list]),
  );
}

/** Of an entry: it begins with an access point of type 1, its first sample. */
const startsWithKeyframe = 0x90_00_00_00;

/** A fragment as it stands in a file, read back. */
export interface ReadFragment {
  /** When its first sample is decoded, and when it is shown, in ticks. */
  decodeTicks: number;
  shownTicks: number;
  durationTicks: number;
  samples: number;
  startsWithSync: boolean;
  /** Bytes from the fragment's beginning to its first sample, and of all its samples. */
  dataAt: number;
  dataBytes: number;
  firstBytes: number;
}

/** @param moof the body of one that `fragmentHead` made */
export function readFragment(moof: Uint8Array): ReadFragment {
  const traf = needBody(moof, "traf");
  const decodeTicks = fullBody(needBody(traf, "tfdt")).rest.u64();
  const head = new BodyReader(needBody(traf, "tfhd"), 8);
  const duration = head.u32();
  const usualFlags = head.u32();
  const run = fullBody(needBody(traf, "trun"));
  const { rest } = run;
  const samples = rest.u32();
  const dataAt = rest.i32();
  const first = run.flags & flags.firstFlags ? rest.u32() : usualFlags;
  const found = { durationTicks: 0, dataBytes: 0, firstBytes: 0, shownAfter: 0 };
  for (let index = 0; index < samples; index += 1) {
    found.durationTicks += run.flags & flags.durations ? rest.u32() : duration;
    const size = rest.u32();
    const shownAfter = run.flags & flags.shownAfter ? rest.u32() : 0;
    found.dataBytes += size;
    if (index === 0) Object.assign(found, { firstBytes: size, shownAfter });
  }
  const { shownAfter, ...sums } = found;
  return {
    ...{ decodeTicks, shownTicks: decodeTicks + shownAfter, samples, dataAt },
    ...{ startsWithSync: (first & 0x01_00_00) === 0, ...sums },
  };
}

/** The entries of an index, read back; null when there is none in these bytes. */
export function readIndex(bytes: Uint8Array): IndexEntry[] | null {
  const body = bodyAt(bytes, "sidx");
  if (body === null) return null;
  const { rest } = fullBody(body);
  const count = rest.skip(24).u32() & 0xff_ff;
  return Array.from({ length: count }, () => {
    const entry = { sizeBytes: rest.u32() & 0x7f_ff_ff_ff, durationTicks: rest.u32() };
    rest.u32();
    return entry;
  });
}
