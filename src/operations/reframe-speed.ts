/** Stretches of a film that run slower or faster: its picture, its sound and its length. Pure. */
import type { RetimedPiece } from "../media/filters-refining.ts";
import type { AudioFilter, SoundChain, VideoFilter } from "../media/graph.ts";
import type { AudioStream } from "../media/media.ts";

export interface SpeedRange {
  from: number;
  to: number;
  factor: number;
}

export interface Piece extends RetimedPiece {
  /** Null when it lasts as long as the source does. */
  toSeconds: number | null;
}

/** All of the source in pieces of one speed each. @param wholeSeconds null when unknown */
export function piecesOf(ranges: readonly SpeedRange[], wholeSeconds: number | null): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const add = (toSeconds: number | null, factor: number) => {
    if (toSeconds !== null && toSeconds <= at) return;
    pieces.push({ fromSeconds: at, toSeconds, factor });
    at = toSeconds ?? at;
  };
  for (const { from, to, factor } of ranges) {
    add(within(from, wholeSeconds), 1);
    add(within(to, wholeSeconds), factor);
  }
  add(wholeSeconds, 1);
  return pieces;
}

function within(seconds: number, wholeSeconds: number | null): number {
  return wholeSeconds === null ? seconds : Math.min(seconds, wholeSeconds);
}

/** How long a piece is in the result; null when unknown. */
function resultSeconds({ fromSeconds, toSeconds, factor }: Piece): number | null {
  return toSeconds === null ? null : (toSeconds - fromSeconds) / factor;
}

/** How long the result is; null when unknown. */
export function retimedSeconds(pieces: readonly Piece[]): number | null {
  const each = pieces.map(resultSeconds);
  return each.includes(null) ? null : each.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}

/**
 * The picture at a constant rate: what is slow repeats frames, what is fast leaves some out.
 * @param rate as text and as number: "30000/1001"
 */
export function retimedPicture(
  pieces: readonly Piece[],
  rate: { text: string; perSecond: number },
): VideoFilter[] {
  const seconds = retimedSeconds(pieces);
  const filters: VideoFilter[] = [
    { filter: "retime", pieces },
    { filter: "fps", rate: rate.text, startSeconds: 0 },
  ];
  // The last frame is shown as long as its stretch asks; the filters before end with its beginning.
  if (seconds === null) return filters;
  const frames = Math.max(1, Math.round(seconds * rate.perSecond));
  return [...filters, { filter: "exactly", frames }];
}

/** Chains that one track needs. */
export function chainsPerTrack(pieces: readonly Piece[]): number {
  return pieces.length + 2;
}

/**
 * The chains that bring a track to the new times, to the sample; the last makes pad `to`.
 * @param finely whether the ffmpeg has `rubberband`
 */
export function retimedSound(
  track: AudioStream,
  pieces: readonly Piece[],
  { to, finely }: { to: string; finely: boolean },
): SoundChain[] {
  const parts = pieces.map((_, index) => `${to}_${index}`);
  const wholeSeconds = pieces.at(-1)?.toSeconds ?? null;
  const cut = (index: number) => `${to}_${index}c`;
  return [
    {
      from: { input: 0, stream: track.index },
      filters: [
        { filter: "resample" },
        // So that no piece is empty where the sound ends before the picture.
        ...(wholeSeconds === null ? [] : [{ filter: "pad" as const, toSeconds: wholeSeconds }]),
        { filter: "split", count: pieces.length },
      ],
      to: pieces.map((_, index) => cut(index)),
    },
    ...pieces.map((piece, index) => ({
      from: { pad: cut(index) },
      filters: pieceFilters(piece, finely),
      to: parts[index] ?? "",
    })),
    {
      from: parts.map((pad) => ({ pad })),
      filters: [{ filter: "concat", count: parts.length }],
      to,
    },
  ];
}

/** Stretching is exact to some milliseconds; what is missing or too much would add up over the pieces. */
function pieceFilters(piece: Piece, finely: boolean): AudioFilter[] {
  const { fromSeconds, toSeconds, factor } = piece;
  const seconds = resultSeconds(piece);
  const cut: AudioFilter = {
    filter: "trim",
    startSeconds: fromSeconds,
    ...(toSeconds === null ? {} : { endSeconds: toSeconds }),
  };
  if (factor === 1) return [cut];
  const tempo: AudioFilter = { filter: "tempo", factor, finely };
  if (seconds === null) return [cut, tempo];
  return [
    cut,
    tempo,
    { filter: "pad", toSeconds: seconds },
    { filter: "trim", endSeconds: seconds },
  ];
}
