/**
 * Where the picture of a film is cut into chunks that are encoded apart and joined: at exact frames, by the
 * times of its packets, so that nothing is missing, doubled or moved. Pure. Times count in ticks of the
 * stream's clock, on the timeline that one pass over the whole source would have; slots are ticks of the
 * output's clock.
 */
import type { InputRef } from "./description.ts";
import { firstFrom, noFrames, type PictureTimes, type Shown, Timeline } from "./timeline.ts";

/** What is to be cut, and how. */
export interface SeamWish {
  from: InputRef;
  /** The picture, by its index among all streams of the file. */
  stream: number;
  /** Streams that one pass would read: transport streams count their times from the first of these. */
  uses: number[];
  /** As the whole is read: a seek, and a length that counts from the first frame. */
  seekSeconds?: number;
  durationSeconds?: number;
  /** Frames from this time on, counted from the seek, are not shown. */
  endSeconds?: number;
  /** A transport stream: no index, times that may jump, and a start that depends on what is read. */
  broadcast: boolean;
  /** Every frame stands alone, whatever the container says. */
  intra: boolean;
  /** Seconds of a tick of the output's clock, as a fraction: "1001/24000". */
  clock: string;
  /** The graph makes a constant rate: every slot is filled. */
  constantRate: boolean;
  /** With a constant rate: slots are filled from zero on, also before the first frame. */
  fromZero?: true;
  /** With slots from zero on: cuts lie at multiples of so many alone, where segments begin. Absent: at any frame. */
  everySlots?: number;
  chunks: number;
  /** Frames that filters must see before the first of a chunk, and behind its last one. */
  neighbours: number;
  /** Slots that are encoded behind the end of a chunk and thrown away, for what the encoder looks ahead. */
  leadOut: number;
}

/** How the source is read. */
export interface Reading {
  /** Where from; null: from the beginning of the file. */
  seekSeconds: number | null;
  /** Ticks by which such a seek moves the times of one pass. */
  addTicks: number;
}

/** Where a chunk begins, and with which of the frames that are shown: in a filled clock that may be an earlier one's. */
export interface Cut {
  frame: number;
  slot: number;
}

/** One chunk. */
export interface Seam extends Reading {
  /** Frames of the source that are shown in it; 0: there is nothing to do. */
  frames: number;
  /** Frames that are filtered, from this tick until before that one; null: no bound. */
  fromTick: number | null;
  untilTick: number | null;
  /** What is kept of them, until before `endSlot`; null: to the end. */
  firstSlot: number;
  endSlot: number | null;
  /** Until before this slot frames are encoded; null: to the end. */
  leadSlot: number | null;
}

export interface Seams {
  clock: string;
  /** Seconds of a tick of the source's clock, likewise. */
  timeBase: string;
  chunks: Seam[];
  /** How the source is read from where the whole begins: the long way to every chunk. */
  beginning: Reading;
  /** Why there are fewer chunks with frames than were asked for, a sentence; null when there are not. */
  because: string | null;
}

/** Keyframes of the source are taken for a cut within this share of a chunk. */
const nearShare = 0.2;

/** Chunks that may lie between a keyframe and the cut behind it: all of that is decoded once more. */
const mostLeadChunks = 8;

/** ffmpeg takes a leap of more for a new beginning (`dts_delta_threshold`). */
const leapSeconds = 10;

/**
 * The chunks, as many as were asked for; those that cannot be made are empty. Broken invariants: packets
 * without any.
 */
export function seamsOf(times: PictureTimes, wish: SeamWish): Seams {
  const obstacle = whyNotCut(times, wish);
  const timeline = new Timeline(times, wish);
  const { num, den } = times.timeBase;
  const clocks = { clock: wish.clock, timeBase: `${num}/${den}` };
  const common = { ...clocks, beginning: timeline.beginning() };
  if (obstacle !== null) {
    return { ...common, chunks: filled([timeline.whole()], wish), because: obstacle };
  }
  const shown = timeline.shown();
  const cuts = cutsOf(shown, timeline, wish);
  const chunks = [null, ...cuts].map((from, index) =>
    timeline.seam(shown, from, cuts[index] ?? null),
  );
  const because =
    chunks.length === wish.chunks
      ? null
      : "The source has too few keyframes, or frames, to be cut as often as was planned.";
  return { ...common, chunks: filled(chunks, wish), because };
}

function filled(chunks: Seam[], { chunks: count }: SeamWish): Seam[] {
  return Array.from({ length: count }, (_, index) => chunks[index] ?? noFrames);
}

/** As a sentence. Then all of it is the first chunk. */
function whyNotCut(times: PictureTimes, { broadcast }: SeamWish): string | null {
  const { pts, dts, hidden, timeBase } = times;
  if (pts.some((tick, index) => tick === null && hidden[index] !== true)) {
    return "The source does not say when each of its frames is shown, so it is encoded in one piece.";
  }
  const most = leapSeconds * (timeBase.den / timeBase.num);
  let before: number | null = null;
  for (const tick of dts) {
    if (tick === null) continue;
    if (before !== null && (tick < before || (broadcast && tick - before > most))) {
      return "The times of the source jump, so it is encoded in one piece.";
    }
    before = tick;
  }
  return null;
}

/** Where the second and every further chunk begin. */
function cutsOf(shown: readonly Shown[], timeline: Timeline, wish: SeamWish): Cut[] {
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return [];
  const mostLead = ((mostLeadChunks + 0.5) * (last.tick - first.tick)) / wish.chunks;
  const places = placesOf(shown, wish);
  const each = ((places.at(-1) ?? 0) + 1) / wish.chunks;
  const cuts: Cut[] = [];
  for (let chunk = 1; chunk < wish.chunks; chunk += 1) {
    const asked = { target: chunk * each, within: each * nearShare, before: cuts.at(-1) ?? null };
    const cut = cutAt(shown, places, asked, wish);
    const frame = shown[cut?.frame ?? -1];
    if (cut === null || frame === undefined) continue;
    if (timeline.leadTicks(frame.tick) <= mostLead) cuts.push(cut);
  }
  return cuts;
}

/** By what the chunks are made as long as each other: slots that are filled, or else frames. */
function placesOf(shown: readonly Shown[], { constantRate, fromZero }: SeamWish): number[] {
  const begin = fromZero ? 0 : (shown[0]?.slot ?? 0);
  return shown.map(({ slot }, index) => (constantRate ? slot - begin : index));
}

interface AskedCut {
  target: number;
  within: number;
  before: Cut | null;
}

function cutAt(
  shown: readonly Shown[],
  places: readonly number[],
  { target, within, before }: AskedCut,
  { everySlots }: SeamWish,
): Cut | null {
  if (everySlots !== undefined) {
    const slot = everySlots * Math.round(target / everySlots);
    // A chunk begins with a frame that was shown by then, and has some left.
    const least = Math.max(before?.slot ?? 0, shown[0]?.slot ?? 0);
    if (slot <= least || slot > (shown.at(-1)?.slot ?? 0)) return null;
    return { frame: firstFrom(places, slot + 1) - 1, slot };
  }
  const least = (before?.frame ?? 0) + 1;
  const at = nearestCut(shown, places, { target, within, least });
  const frame = shown[at ?? -1];
  return at === null || frame === undefined ? null : { frame: at, slot: frame.slot };
}

/** A keyframe near the place, or else the frame at it; null when none is left. */
function nearestCut(
  shown: readonly Shown[],
  places: readonly number[],
  { target, within, least }: { target: number; within: number; least: number },
): number | null {
  const distance = (index: number) => Math.abs((places[index] ?? 0) - target);
  const from = firstFrom(places, target - within);
  let [frame, keyframe]: [number | null, number | null] = [null, null];
  for (let index = Math.max(least, from); index < shown.length; index += 1) {
    if (frame !== null && (places[index] ?? 0) > target + within) break;
    if (!beginsSlot(shown, index)) continue;
    if (frame === null || distance(index) < distance(frame)) frame = index;
    const key = shown[index]?.key === true;
    if (key && (keyframe === null || distance(index) < distance(keyframe))) keyframe = index;
  }
  return keyframe ?? frame;
}

/** It comes into a slot of its own, with nothing of what was before: alone it would come into the same. */
function beginsSlot(shown: readonly Shown[], index: number): boolean {
  const [before, frame] = [shown[index - 1], shown[index]];
  if (before === undefined || frame === undefined) return false;
  return frame.slot === frame.nearest && frame.slot > before.slot;
}
