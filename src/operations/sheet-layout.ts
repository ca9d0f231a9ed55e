/** Geometry and words of a contact sheet. Pure. */
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { type AssEvent, type AssStyle, assFile, assText, decimal } from "./ass.ts";
import { codecTitle } from "./containers.ts";
import { type Frame, rateNumber, shownFrame } from "./picture.ts";
import { maxSheetPixels, maxSide } from "./still-picture.ts";

export interface SheetWish {
  columns: number;
  rows: number;
  width: number;
  gap: number;
  header: "none" | "title" | "facts";
}

export interface SheetLayout {
  /** Of one picture. */
  tile: Frame;
  /** Above the pictures; 0 without a header. */
  headerPixels: number;
  /** Of all. */
  sheet: Frame;
}

/** Narrower pictures show nothing, and their times cannot be read. */
const leastTileWidth = 64;

/** Of the sheet's width: 29 pixels on the usual 1600. */
const titleShare = 0.018;
/** On the smallest sheets a title of that share could not be read. */
const leastTitlePixels = 14;
/** The facts, of the title's size. */
const factsShare = 0.7;
/** What a line takes of the height of its letters, with the room around it. */
const lineHeight = 1.5;

/** @throws Refusal 422 `unsuitable_input` when pictures would be too small or the sheet too large */
export function layoutSheet(video: VideoStream, wish: SheetWish): SheetLayout {
  const { columns, rows, gap } = wish;
  const shown = shownFrame(video);
  const width = Math.floor((wish.width - gap * (columns + 1)) / columns / 2) * 2;
  if (width < leastTileWidth) {
    const needed = columns * leastTileWidth + gap * (columns + 1);
    throw unsuitable(
      `${columns} pictures side by side on ${wish.width} px would be less than ${leastTileWidth} px wide each. Set sheet.width to ${needed} or more, or take fewer sheet.columns.`,
    );
  }
  const tile = {
    width,
    height: Math.max(2, 2 * Math.round((width * shown.height) / shown.width / 2)),
  };
  const headerPixels = headerHeight(wish);
  const sheet = {
    width: columns * tile.width + gap * (columns + 1),
    height: headerPixels + rows * tile.height + gap * (rows + 1),
  };
  if (
    Math.max(sheet.width, sheet.height) > maxSide ||
    sheet.width * sheet.height > maxSheetPixels
  ) {
    throw unsuitable(
      `The sheet would be ${sheet.width}×${sheet.height} px, more than browsers on phones show. Take a smaller sheet.width or fewer sheet.rows.`,
    );
  }
  return { tile, headerPixels, sheet };
}

function unsuitable(sentence: string): Refusal {
  return new Refusal(422, "unsuitable_input", sentence);
}

function titlePixels({ width }: Pick<SheetWish, "width">): number {
  return Math.max(leastTitlePixels, Math.round(width * titleShare));
}

function headerHeight({ header, ...wish }: SheetWish): number {
  const title = titlePixels(wish);
  const sizes = { none: 0, title, facts: title * (1 + factsShare) }[header];
  return 2 * Math.round((sizes * lineHeight) / 2);
}

/** The header as an ASS file over the whole sheet: the one way in which a text comes into a picture. */
export function headerFile(
  wish: SheetWish & { background: string },
  { sheet, headerPixels }: SheetLayout,
  lines: { title: string; facts: string },
): string {
  const left = Math.max(wish.gap, Math.round(leastTitlePixels / 2));
  const title = titlePixels(wish);
  const facts = Math.round(title * factsShare);
  const top = (headerPixels - (wish.header === "facts" ? title + facts : title) * 1.2) / 2;
  const titles = wish.gap / 2 + Math.max(0, top);
  const line = (style: string, y: number, text: string): AssEvent => ({
    ...{ layer: 0, fromSeconds: 0, toSeconds: foreverSeconds, style },
    // Held at its top left, in one line that ends where the sheet does.
    tags: `\\an7\\q2\\pos(${left},${decimal(y)})\\clip(0,0,${sheet.width - left},${headerPixels + wish.gap})`,
    text: assText(text.replace(/\s+/g, " ")),
  });
  const events = [line("title", titles, lines.title)];
  if (wish.header === "facts") events.push(line("facts", titles + title * 1.25, lines.facts));
  const color = isDark(wish.background) ? "#ffffff" : "#101216";
  return assFile(
    sheet,
    [textStyle("title", title, color), textStyle("facts", facts, color)],
    events,
  );
}

/** The sheet is one frame, at whatever time its first picture was. */
const foreverSeconds = 3_600_000;

function textStyle(name: string, sizePixels: number, color: string): AssStyle {
  return {
    ...{ name, font: "sans", sizePixels, color, outlinePixels: 0, outlineColor: color, box: null },
    marginPixels: { side: 0, vertical: 0 },
  };
}

/** By the luma that BT.709 gives it: on what is darker than the middle white is read better. */
function isDark(color: string): boolean {
  const part = (at: number) => Number.parseInt(color.slice(at, at + 2), 16);
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) < 128;
}

/** "1:32:10 · 1920×1080 · 29.97 fps · H.264 · AAC" */
export function factsLine(media: MediaInfo, video: VideoStream, seconds: number): string {
  const { displayWidth, displayHeight, hdr } = video;
  const rate = rateNumber(video.frameRate);
  const parts = [
    lengthText(seconds),
    `${displayWidth}×${displayHeight}`,
    ...(rate === null ? [] : [`${Math.round(rate * 100) / 100} fps`]),
    `${codecTitle(video.codec)}${hdr === null ? "" : " HDR"}`,
    ...new Set(media.audio.map(({ codec }) => codecTitle(codec))),
  ];
  return parts.join(" · ");
}

function lengthText(seconds: number): string {
  const whole = Math.round(seconds);
  const part = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${part(Math.floor(whole / 60) % 60)}:${part(whole % 60)}`;
}
