/**
 * A crop that follows keyframes: the filters, and the text that steers them. Pure.
 *
 * ffmpeg's `sendcmd` evaluates an expression of each frame's own time, so frames may come at any distance,
 * and one line per pair of keyframes is enough. Where the zoom changes, or the picture is enlarged, a
 * whole pixel of the source is several of the result: there the crop takes a little more than is wanted,
 * all is scaled, and a second crop finds the place to a pixel of the result.
 */
import { decimal } from "../media/filter-syntax.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { Ease } from "./easing.ts";
import type { Frame } from "./picture.ts";

export interface Keyframe {
  /** Seconds of the source. */
  time: number;
  /** Centre of the crop, 0–1 of the shown picture. It is kept inside the picture by half a crop. */
  x: number;
  y: number;
  /** 1 is the largest crop of its shape. */
  zoom: number;
  /** How it goes on to the next keyframe. */
  ease: Ease;
}

export interface CropPath {
  /** The first is `steer` where the crop moves. */
  filters: VideoFilter[];
  /** What `steer` reads; null when nothing moves. */
  commands: string | null;
}

/** Where the commands will lie. */
export interface CommandFile {
  step: string;
  file: string;
}

/** The crop of zoom 1: the largest of that shape, in pixels of the source, not rounded. */
export function largestCrop(source: Frame, shape: Frame): Frame {
  const ratio = shape.width / shape.height;
  return {
    width: Math.min(source.width, source.height * ratio),
    height: Math.min(source.height, source.width / ratio),
  };
}

/** The same values from end to end. */
export const stillKeyframe: Keyframe = { time: 0, x: 0.5, y: 0.5, zoom: 1, ease: "hold" };

/**
 * @param keyframes in order of time; none means the middle
 * @param source the picture as it comes to the filters: upright, square pixels, even sides
 * @param output the frame that is wanted; even sides
 */
export function cropPath(
  keyframes: readonly Keyframe[],
  { source, output, file }: { source: Frame; output: Frame; file: CommandFile },
): CropPath {
  const [first = stillKeyframe, ...rest] = keyframes;
  const base = largestCrop(source, output);
  const across: Axis = { position: "x", source: source.width, base: base.width, out: output.width };
  const down: Axis = {
    position: "y",
    source: source.height,
    base: base.height,
    out: output.height,
  };
  const zooms = rest.some(({ zoom }) => zoom !== first.zoom);
  const enlarges = output.width > base.width / first.zoom + 1;
  const plan = { keyframes: [first, ...rest], across, down, file };
  return zooms || enlarges ? scaledPath(plan, zooms) : directPath(plan);
}

/** One direction of the picture, in pixels. */
interface Axis {
  position: "x" | "y";
  source: number;
  /** Of the crop at zoom 1, not rounded. */
  base: number;
  /** Of the result. */
  out: number;
}

interface PathPlan {
  keyframes: readonly Keyframe[];
  across: Axis;
  down: Axis;
  file: CommandFile;
}

/** Names by which the commands find the filters. */
const names = { window: "window", picture: "picture", frame: "frame" };

/** One size for all of it, and a pixel of the source is at most one of the result. */
function directPath({ keyframes, across, down, file }: PathPlan): CropPath {
  const first = keyframes[0] ?? stillKeyframe;
  const direct = (axis: Axis) => {
    const size = evenUpTo(axis.base / first.zoom, axis.source);
    const start = (keyframe: Keyframe) =>
      clamp(middleOf(axis, keyframe) - size / 2, 0, axis.source - size);
    return { ...axis, size, start, moves: keyframes.some((at) => start(at) !== start(first)) };
  };
  const axes = [direct(across), direct(down)] as const;
  const [{ size: width, start: startX }, { size: height, start: startY }] = axes;
  const moves = axes.some((axis) => axis.moves);
  // Even where it stands still: colours are stored for two pixels at a time.
  const place = (start: number) => (moves ? Math.round(start) : 2 * Math.round(start / 2));
  const crop: VideoFilter = {
    ...{ filter: "crop", width, height, x: place(startX(first)), y: place(startY(first)) },
    ...(moves ? { exact: true, name: names.window } : {}),
  };
  const whole = width === across.source && height === down.source;
  const same = width === across.out && height === down.out;
  const scale: VideoFilter = { filter: "scale", width: across.out, height: down.out };
  const filters = [...(whole ? [] : [crop]), ...(same ? [] : [scale])];
  if (!moves) return { filters, commands: null };
  const commands = intervals(keyframes, (from, to) =>
    axes.flatMap((axis) => {
      if (!axis.moves) return [];
      const { position, start, size, source } = axis;
      if (to === null) {
        return [`[enter] crop@${names.window} ${position} ${Math.round(start(from))}`];
      }
      const centre = mixed(from[position] * source, to[position] * source, from.ease);
      const value = `round(min(max(${centre}-${decimal(size / 2)},0),${source - size}))`;
      return [`[expr] crop@${names.window} ${position} '${value}'`];
    }),
  );
  return { filters: [{ filter: "steer", commands: file }, ...filters], commands };
}

/** Cropped with a little around it, scaled, and cropped again. */
function scaledPath({ keyframes, across, down, file }: PathPlan, zooms: boolean): CropPath {
  const first = keyframes[0] ?? stillKeyframe;
  const x = scaledPlace(across, first);
  const y = scaledPlace(down, first);
  const moves = keyframes.some(
    (at) => at.zoom !== first.zoom || at.x !== first.x || at.y !== first.y,
  );
  const named = (name: string) => (moves ? { name } : {});
  const filters: VideoFilter[] = [
    {
      ...{ filter: "crop", width: x.size, height: y.size, x: x.start, y: y.start },
      ...named(names.window),
    },
    { filter: "scale", width: x.scaled, height: y.scaled, ...named(names.picture) },
    {
      ...{ filter: "crop", width: across.out, height: down.out, x: x.inner, y: y.inner },
      ...{ exact: true, ...named(names.frame) },
    },
  ];
  if (!moves) return { filters, commands: null };
  const commands = intervals(keyframes, (from, to) => {
    const [steerX, steerY] = [across, down].map((axis) =>
      to === null ? fixedSteps(axis, from) : movingSteps(axis, from, to),
    );
    if (steerX === undefined || steerY === undefined) return [];
    // Sizes first: a place counts in them.
    const sizes = [steerX.size, steerY.size, steerX.scaled, steerY.scaled];
    return [...(zooms ? sizes : []), steerX.start, steerY.start, steerX.inner, steerY.inner];
  });
  return { filters: [{ filter: "steer", commands: file }, ...filters], commands };
}

/** What one direction of the three filters is told. */
type Steps = Record<"size" | "start" | "scaled" | "inner", string>;

function stepsOf(axis: Axis, write: (what: keyof Steps) => [flag: string, value: string]): Steps {
  const side = axis.position === "x" ? "w" : "h";
  const line = (target: string, option: string, what: keyof Steps) => {
    const [flag, value] = write(what);
    return `[${flag}] ${target} ${option} ${value}`;
  };
  return {
    size: line(`crop@${names.window}`, side, "size"),
    start: line(`crop@${names.window}`, axis.position, "start"),
    scaled: line(`scale@${names.picture}`, side, "scaled"),
    inner: line(`crop@${names.frame}`, axis.position, "inner"),
  };
}

function fixedSteps(axis: Axis, keyframe: Keyframe): Steps {
  const place = scaledPlace(axis, keyframe);
  return stepsOf(axis, (what) => ["enter", String(place[what])]);
}

/** `scaledPlace` in ffmpeg's words; what it computes first is kept in its numbered variables. */
function movingSteps(axis: Axis, from: Keyframe, to: Keyframe): Steps {
  const { position, source, base, out } = axis;
  const zoom = mixed(from.zoom, to.zoom, from.ease);
  const centre = mixed(from[position] * source, to[position] * source, from.ease);
  const wide = `st(1,${decimal(base)}/(${zoom}))`;
  const middle = `st(2,min(max(${centre},ld(1)/2),${source}-ld(1)/2))`;
  const size = `st(3,min(${source},2*ceil(ld(1)/2)+2))`;
  const start = `st(4,min(max(2*floor((ld(2)-ld(1)/2)/2),0),${source}-ld(3)))`;
  const scaled = `st(5,max(${out},2*round(${out}*ld(3)/ld(1)/2)))`;
  const inner = `min(max(round(ld(5)/ld(3)*(ld(2)-ld(4))-${out / 2}),0),ld(5)-${out})`;
  const ways: Steps = {
    size: [wide, size].join(";"),
    start: [wide, middle, size, start].join(";"),
    scaled: [wide, size, scaled].join(";"),
    inner: [wide, middle, size, start, scaled, inner].join(";"),
  };
  return stepsOf(axis, (what) => ["expr", `'${ways[what]}'`]);
}

/** Where the crops lie in one direction for a keyframe's values, in pixels. */
export function scaledPlace(axis: Axis, keyframe: Keyframe): Record<keyof Steps, number> {
  const { source, out } = axis;
  const wide = axis.base / keyframe.zoom;
  const middle = clamp(middleOf(axis, keyframe), wide / 2, source - wide / 2);
  const size = Math.min(source, 2 * Math.ceil(wide / 2) + 2);
  const start = clamp(2 * Math.floor((middle - wide / 2) / 2), 0, source - size);
  const scaled = Math.max(out, 2 * Math.round((out * size) / wide / 2));
  const inner = clamp(Math.round((scaled / size) * (middle - start) - out / 2), 0, scaled - out);
  return { size, start, scaled, inner };
}

function middleOf(axis: Axis, keyframe: Keyframe): number {
  return keyframe[axis.position] * axis.source;
}

/** One line for each stretch of time; before the first keyframe the filters' own values hold. */
function intervals(
  keyframes: readonly Keyframe[],
  commandsOf: (from: Keyframe, to: Keyframe | null) => string[],
): string {
  const lines = keyframes.map((from, index) => {
    const next = keyframes[index + 1];
    const to = next === undefined || from.ease === "hold" ? null : next;
    const end = next === undefined ? "" : `-${decimal(next.time)}`;
    return `${decimal(from.time)}${end} ${commandsOf(from, to).join(", ")};\n`;
  });
  return lines.join("");
}

/** A value on its way, as an expression of `TI`: the part of the stretch that has passed. */
function mixed(from: number, to: number, ease: Ease): string {
  if (from === to) return decimal(from);
  return `${decimal(from)}+${bracketed(to - from)}*${curves[ease]}`;
}

function bracketed(value: number): string {
  return value < 0 ? `(${decimal(value)})` : decimal(value);
}

/** `eased` in ffmpeg's words. */
const curves: Record<Ease, string> = {
  linear: "TI",
  in: "TI*TI",
  out: "TI*(2-TI)",
  "in-out": "TI*TI*(3-2*TI)",
  hold: "0",
};

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}

/** The nearest even number up to a limit that is even. */
function evenUpTo(value: number, limit: number): number {
  return Math.min(limit, Math.max(2, 2 * Math.round(value / 2)));
}
