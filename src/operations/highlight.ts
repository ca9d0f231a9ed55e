/**
 * The highlight of `overlay`: the picture is dimmed outside a soft ellipse that follows keyframes. It is a
 * drawing of libass's: a dark sheet with a hole, which `\move` and `\t` carry along straight lines. Each
 * motion is cut into as many straight lines as it takes to stay within a fraction of a pixel. Pure.
 */
import { type AssEvent, assAlpha, decimal, tagColor } from "./ass.ts";
import { fadeTags, type Slot } from "./ass-slot.ts";
import { eased } from "./easing.ts";
import type { HighlightKeyframe, ItemOf } from "./overlay-schema.ts";
import type { Frame } from "./picture.ts";

/** In pixels. */
interface Ellipse {
  x: number;
  y: number;
  radiusX: number;
  radiusY: number;
}

/** How far a straight line may be from the eased motion, in pixels: less than anybody sees. */
const mostDeviation = 0.25;
/** The sheet must cover the picture while it grows and shrinks: beyond this it would be needlessly large. */
const mostGrowth = 1.25;
/** And while it moves: so much of the picture at once. */
const mostTravel = 0.25;

/** The ellipse at a time: before the first keyframe as at it, after the last as there. */
export function ellipseAt(
  keyframes: readonly HighlightKeyframe[],
  frame: Frame,
  seconds: number,
): Ellipse {
  const next = keyframes.findIndex(({ time }) => time > seconds);
  const to = keyframes[next === -1 ? keyframes.length - 1 : next];
  const from = next === 0 ? to : (keyframes[next === -1 ? keyframes.length - 1 : next - 1] ?? to);
  if (from === undefined || to === undefined) throw new Error("a highlight has a keyframe");
  const part = from === to ? 0 : eased(from.ease, (seconds - from.time) / (to.time - from.time));
  const between = (key: "x" | "y" | "radiusX" | "radiusY", size: number) =>
    (from[key] + (to[key] - from[key]) * part) * size;
  return {
    x: between("x", frame.width),
    y: between("y", frame.height),
    radiusX: between("radiusX", frame.width),
    radiusY: between("radiusY", frame.height),
  };
}

/** From one time until before another it goes in a straight line. In hundredths of a second. */
interface Piece {
  from: number;
  to: number;
  start: Ellipse;
  end: Ellipse;
}

export function drawHighlight(item: ItemOf<"highlight">, frame: Frame, slot: Slot): AssEvent[] {
  const pieces = piecesOf(item, frame, slot);
  const ringPixels = (item.ring / 100) * frame.height;
  return pieces.flatMap((piece) => {
    const fade = fadeTags(item.fade, slot, piece.from / 100);
    const base = {
      ...{ style: slot.style, fromSeconds: piece.from / 100, toSeconds: piece.to / 100 },
    };
    const way = `\\an7${moveTags(piece)}${fade}`;
    const dim = {
      ...{ ...base, layer: slot.layer },
      ...sheet(item, frame, piece, way),
    };
    const ring = { ...base, layer: slot.layer + 1, ...ringDrawing(item, ringPixels, piece, way) };
    return [...(item.dim > 0 ? [dim] : []), ...(ringPixels > 0 ? [ring] : [])];
  });
}

function piecesOf(item: ItemOf<"highlight">, frame: Frame, slot: Slot): Piece[] {
  const { keyframes } = item;
  const first = Math.round(slot.fromSeconds * 100);
  const last = Math.round(slot.toSeconds * 100);
  const at = (hundredths: number) => ellipseAt(keyframes, frame, hundredths / 100);
  // Both sides of a keyframe: the bend, or the jump of `hold`, lies between two hundredths.
  const borders = keyframes.flatMap(({ time }) => {
    const before = Math.floor(time * 100);
    return [before, Math.ceil(time * 100)];
  });
  const inside = borders.filter((border) => border > first && border < last);
  const times = [...new Set([first, ...inside, last])].toSorted((a, b) => a - b);
  return times.slice(1).flatMap((to, index) => {
    const from = times[index] ?? first;
    const jumps = keyframes.some(
      ({ time }, key) => keyframes[key - 1]?.ease === "hold" && Math.ceil(time * 100) === to,
    );
    // What jumps at the end of a piece is still where it was until then.
    const rests = jumps ? at(from) : null;
    return rests === null
      ? cut({ from, to, start: at(from), end: at(to) }, frame, at)
      : [{ from, to, start: rests, end: rests }];
  });
}

function cut(piece: Piece, frame: Frame, at: (hundredths: number) => Ellipse): Piece[] {
  const { from, to } = piece;
  if (to - from <= 1 || isStraight(piece, frame, at)) return [piece];
  const middle = (from + to) >> 1;
  const bend = at(middle);
  return [
    ...cut({ ...piece, to: middle, end: bend }, frame, at),
    ...cut({ ...piece, from: middle, start: bend }, frame, at),
  ];
}

function isStraight(
  { from, to, start, end }: Piece,
  frame: Frame,
  at: (hundredths: number) => Ellipse,
): boolean {
  const keys = ["x", "y", "radiusX", "radiusY"] as const;
  const deviates = [0.25, 0.5, 0.75].some((part) => {
    const real = at(from + (to - from) * part);
    return keys.some((key) => {
      const straight = start[key] + (end[key] - start[key]) * part;
      return Math.abs(straight - real[key]) > mostDeviation;
    });
  });
  const growth = (a: number, b: number) => Math.max(a / b, b / a) > mostGrowth;
  const grows = growth(start.radiusX, end.radiusX) || growth(start.radiusY, end.radiusY);
  const travels =
    Math.abs(start.x - end.x) > frame.width * mostTravel ||
    Math.abs(start.y - end.y) > frame.height * mostTravel;
  return !deviates && !grows && !travels;
}

function moveTags({ start, end }: Piece): string {
  const moves = start.x !== end.x || start.y !== end.y;
  const point = ({ x, y }: Ellipse) => `${decimal(x)},${decimal(y)}`;
  const place = moves ? `\\move(${point(start)},${point(end)})` : `\\pos(${point(start)})`;
  const wide = (end.radiusX / start.radiusX) * 100;
  const high = (end.radiusY / start.radiusY) * 100;
  if (wide === 100 && high === 100) return place;
  return `${place}\\t(\\fscx${decimal(wide)}\\fscy${decimal(high)})`;
}

/** The most that libass blurs. */
const mostBlur = 100;

/** The whole picture in black with a hole, around the middle of the hole. */
function sheet(item: ItemOf<"highlight">, frame: Frame, piece: Piece, way: string) {
  const blur = Math.min(mostBlur, (item.softness / 100) * frame.height);
  const { start, end } = piece;
  const over = blur * 4 + 4;
  const scaleX = end.radiusX / start.radiusX;
  const scaleY = end.radiusY / start.radiusY;
  const left = Math.min(-over - start.x, (-over - end.x) / scaleX);
  const top = Math.min(-over - start.y, (-over - end.y) / scaleY);
  const right = Math.max(frame.width + over - start.x, (frame.width + over - end.x) / scaleX);
  const bottom = Math.max(frame.height + over - start.y, (frame.height + over - end.y) / scaleY);
  const path = `${rectanglePath(left, top, right, bottom)} ${ellipsePath(start.radiusX, start.radiusY, -1)}`;
  const look = `\\1c${tagColor("#000000")}\\1a&H${assAlpha(item.dim * item.opacity)}&`;
  return { tags: `${way}\\blur${decimal(blur)}\\bord0\\shad0${look}\\p4`, text: path };
}

function ringDrawing(item: ItemOf<"highlight">, width: number, piece: Piece, way: string) {
  const { radiusX, radiusY } = piece.start;
  const outer = ellipsePath(radiusX + width / 2, radiusY + width / 2, 1);
  const inner = ellipsePath(Math.max(0, radiusX - width / 2), Math.max(0, radiusY - width / 2), -1);
  const look = `\\1c${tagColor(item.color)}\\1a&H${assAlpha(item.opacity)}&`;
  return { tags: `${way}\\bord0\\shad0${look}\\p4`, text: `${outer} ${inner}` };
}

/** `\p4` counts eighths of a pixel. */
function eighths(pixels: number): number {
  return Math.round(pixels * 8);
}

function rectanglePath(left: number, top: number, right: number, bottom: number): string {
  const [l, t, r, b] = [left, top, right, bottom].map(eighths);
  return `m ${l} ${t} l ${r} ${t} ${r} ${b} ${l} ${b}`;
}

/** How far a quarter of a circle of radius 1 bends: the common approximation, off by 0.03 %. */
const bend = 0.5523;

/** Around the origin. Turned the other way (−1) it is a hole in what is around it. */
function ellipsePath(radiusX: number, radiusY: number, turn: 1 | -1): string {
  const at = (x: number, y: number) => `${eighths(x * radiusX * turn)} ${eighths(y * radiusY)}`;
  return [
    `m ${at(0, -1)}`,
    `b ${at(bend, -1)} ${at(1, -bend)} ${at(1, 0)}`,
    `b ${at(1, bend)} ${at(bend, 1)} ${at(0, 1)}`,
    `b ${at(-bend, 1)} ${at(-1, bend)} ${at(-1, 0)}`,
    `b ${at(-1, -bend)} ${at(-bend, -1)} ${at(0, -1)}`,
  ].join(" ");
}
