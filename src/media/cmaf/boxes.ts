/** The boxes of ISO base media files (ISO/IEC 14496-12), read from bytes and written as bytes. Pure. */
import { Failure } from "../../trouble.ts";

export interface Box {
  type: string;
  /** Where the box begins and ends in the bytes that it was read from, header and all. */
  start: number;
  end: number;
  /** What follows the header: a view of the same bytes. */
  body: Uint8Array;
}

/** Type, size, and for large boxes the size again. */
export const largestHeaderBytes = 16;

/** A file of ours that is not as ffmpeg writes them. */
export function malformed(what: string): Failure {
  return new Failure("output_rejected", `A stream cannot be packaged: ${what}.`, {
    hint: "Nothing was published. Run the job again; if it fails again, try another ffmpeg.",
    retryable: true,
  });
}

export interface BoxHead {
  type: string;
  headerBytes: number;
  /** Of the whole box; null for one that reaches to the end of the file. */
  sizeBytes: number | null;
}

/** The header of the box that begins at `at`; `bytes` hold at least its first 8 (or 16) bytes there. */
export function boxHead(bytes: Uint8Array, at = 0): BoxHead {
  const view = viewOf(bytes);
  if (at + 8 > bytes.length) throw malformed("a box is cut off");
  const size = view.getUint32(at);
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  if (size === 0) return { type, headerBytes: 8, sizeBytes: null };
  if (size !== 1) return { type, headerBytes: 8, sizeBytes: size };
  if (at + 16 > bytes.length) throw malformed(`the box ${type} is cut off`);
  return { type, headerBytes: 16, sizeBytes: Number(view.getBigUint64(at + 8)) };
}

/** The boxes that the bytes consist of, in their order. */
export function boxesIn(bytes: Uint8Array): Box[] {
  const boxes: Box[] = [];
  let start = 0;
  while (start < bytes.length) {
    const { type, headerBytes, sizeBytes } = boxHead(bytes, start);
    const end = sizeBytes === null ? bytes.length : start + sizeBytes;
    if (end > bytes.length || end < start + headerBytes) {
      throw malformed(`the box ${type} is longer than what holds it`);
    }
    boxes.push({ type, start, end, body: bytes.subarray(start + headerBytes, end) });
    start = end;
  }
  return boxes;
}

/** The body of the first box of this path, for example `trak`, `mdia`, `mdhd`; null when there is none. */
export function bodyAt(bytes: Uint8Array, ...path: string[]): Uint8Array | null {
  let body: Uint8Array | null = bytes;
  for (const type of path) {
    body = boxesIn(body).find((box) => box.type === type)?.body ?? null;
    if (body === null) return null;
  }
  return body;
}

/** The same for a box without which the file makes no sense. */
export function needBody(bytes: Uint8Array, ...path: string[]): Uint8Array {
  const body = bodyAt(bytes, ...path);
  if (body === null) throw malformed(`it has no box ${path.join("/")}`);
  return body;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Numbers of a box, one after the other. */
export class BodyReader {
  private readonly view: DataView;
  private at: number;

  constructor(body: Uint8Array, at = 0) {
    this.view = viewOf(body);
    this.at = at;
  }

  u8(): number {
    return this.view.getUint8(this.next(1));
  }

  u16(): number {
    return this.view.getUint16(this.next(2));
  }

  u32(): number {
    return this.view.getUint32(this.next(4));
  }

  i32(): number {
    return this.view.getInt32(this.next(4));
  }

  /** Exact up to 2⁵³: sizes and times of media are far below. */
  u64(): number {
    return Number(this.view.getBigUint64(this.next(8)));
  }

  i64(): number {
    return Number(this.view.getBigInt64(this.next(8)));
  }

  skip(count: number): this {
    this.next(count);
    return this;
  }

  private next(count: number): number {
    const { at } = this;
    this.at += count;
    if (this.at > this.view.byteLength) throw malformed("a box holds less than it says");
    return at;
  }
}

/** A box with a version and flags: its version, and a reader of what follows. */
export function fullBody(body: Uint8Array): { version: number; flags: number; rest: BodyReader } {
  const word = new BodyReader(body).u32();
  return { version: word >>> 24, flags: word & 0xff_ff_ff, rest: new BodyReader(body, 4) };
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function box(type: string, ...parts: Uint8Array[]): Uint8Array {
  const body = join(parts);
  return join([u32(body.length + 8), ascii(type), body]);
}

export function fullBox(
  type: string,
  { version = 0, flags = 0 }: { version?: number; flags?: number },
  ...parts: Uint8Array[]
): Uint8Array {
  return box(type, u32(((version << 24) | flags) >>> 0), ...parts);
}

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Whole numbers of 32 bits, without sign. */
export function u32(...values: number[]): Uint8Array {
  return words(values);
}

/** The same for lists of any length. */
export function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = viewOf(bytes);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value);
  return bytes;
}

export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(value));
  return bytes;
}
