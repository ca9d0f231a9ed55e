/** Geometry and index of sprite sheets. Pure. */
import type { VideoStream } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { keyframesAreEnough } from "./evenly.ts";
import { shownFrame } from "./picture.ts";
import { maxSheetPixels, maxSide } from "./still-picture.ts";

export interface SpriteWish {
  every?: number | undefined;
  width: number;
  columns: number;
}

export interface SpriteLayout {
  /** Seconds that each picture stands for. */
  every: number;
  /** The same as ffmpeg's frame rate: pictures per second as a fraction. */
  rate: string;
  /** Pictures altogether. */
  count: number;
  tile: { width: number; height: number };
  columns: number;
  rows: number;
  /** Size of every sheet: all have the same, the last may end in black. */
  sheet: { width: number; height: number };
  /** Pictures on each sheet. */
  sheets: number[];
  /** Decode keyframes only: many times faster, where each slot surely has one. */
  keyframesOnly: boolean;
}

/** A day at one picture every 30 s. More is a mistake in `every`. */
const maxPictures = 3_000;
/** Files that one sprite may become. */
const maxSheets = 100;
/** A shorter rest is sound that outlasts the picture or a rounding; the last picture stands for it too. */
const restSeconds = 0.1;
/** When nobody says how often. */
const usualPictures = 100;
/** @throws Refusal 422 `unsuitable_input` when it would be too many pictures or too many sheets. */
export function layoutSprite(video: VideoStream, seconds: number, wish: SpriteWish): SpriteLayout {
  const every = roundMs(wish.every ?? usualEvery(seconds));
  const count = Math.max(1, Math.ceil((seconds - restSeconds) / every));
  const shown = shownFrame(video);
  const tile = {
    width: even(wish.width),
    height: Math.min(maxSide - 1, even((wish.width * shown.height) / shown.width)),
  };
  const tilesBySize = Math.floor(maxSheetPixels / (tile.width * tile.height));
  const columns = Math.min(wish.columns, count, Math.floor(maxSide / tile.width), tilesBySize);
  const rowsBySize = Math.min(Math.floor(maxSide / tile.height), Math.floor(tilesBySize / columns));
  const rows = Math.min(wish.columns, rowsBySize, Math.ceil(count / columns));
  const perSheet = columns * rows;
  const sheets = Array.from({ length: Math.ceil(count / perSheet) }, (_, index) =>
    Math.min(perSheet, count - index * perSheet),
  );
  if (count > maxPictures || sheets.length > maxSheets) throw tooMany(count, seconds);
  return {
    every,
    rate: `1000/${Math.round(every * 1000)}`,
    count,
    tile,
    columns,
    rows,
    sheet: { width: columns * tile.width, height: rows * tile.height },
    sheets,
    keyframesOnly: keyframesAreEnough(video, every),
  };
}

function tooMany(count: number, seconds: number): Refusal {
  const enough = Math.ceil(seconds / (maxPictures / 2));
  return new Refusal(
    422,
    "unsuitable_input",
    `The sprite would have ${count} pictures or more sheets than are kept. Set sprite.every to ${enough} s or more, or the pictures smaller.`,
  );
}

/** About a hundred pictures, at whole seconds from one second on. */
function usualEvery(seconds: number): number {
  const every = seconds / usualPictures;
  return every <= 1 ? 1 : Math.ceil(every);
}

/**
 * The WebVTT index: one cue per picture with the place of its tile on its sheet, as players read it
 * (W3C Media Fragments, `#xywh=`).
 * @param names the sheets' names for the person, beside which the index lies
 */
export function spriteIndex(layout: SpriteLayout, seconds: number, names: string[]): string {
  const { columns, rows, tile, every, count } = layout;
  const cues = Array.from({ length: count }, (_, index) => {
    const place = index % (columns * rows);
    const name = names[Math.floor(index / (columns * rows))] ?? "";
    const x = (place % columns) * tile.width;
    const y = Math.floor(place / columns) * tile.height;
    const start = clock(index * every);
    const end = clock(index === count - 1 ? seconds : (index + 1) * every);
    return `${start} --> ${end}\n${encodeURIComponent(name)}#xywh=${x},${y},${tile.width},${tile.height}\n`;
  });
  return `WEBVTT\n\n${cues.join("\n")}`;
}

/** "HH:MM:SS.mmm" */
function clock(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const part = (value: number, digits: number) => String(value).padStart(digits, "0");
  const [h, m, s] = [
    Math.floor(ms / 3_600_000),
    Math.floor(ms / 60_000) % 60,
    Math.floor(ms / 1000) % 60,
  ];
  return `${part(h, 2)}:${part(m, 2)}:${part(s, 2)}.${part(ms % 1000, 3)}`;
}

function even(value: number): number {
  return Math.max(2, Math.round(value / 2) * 2);
}

function roundMs(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
