/**
 * Times of packets and frames in whole microseconds, in order, as short in JSON as they are even: hours of a
 * film are hundreds of thousands of them.
 */
import { assert } from "../trouble.ts";
import { Column } from "./column.ts";

/** Further back than decoders put pictures in order: from there on all are sorted at once, at the end. */
const farBack = 64;

/** Base64 of the distances, each in as many bytes of seven bits as it needs. */
export type PackedTimes = string;

/** Takes times nearly in order, as packets come. */
export class Times {
  private readonly column = new Column();
  private unsorted = false;

  get length(): number {
    return this.column.length;
  }

  push(time: number): void {
    this.column.push(time);
    const values = this.column.values();
    let at = values.length - 1;
    const least = Math.max(0, at - farBack);
    while (at > least && (values[at - 1] ?? 0) > time) {
      values[at] = values[at - 1] ?? 0;
      at -= 1;
    }
    values[at] = time;
    if (at > 0 && (values[at - 1] ?? 0) > time) this.unsorted = true;
  }

  sorted(): Float64Array {
    const values = this.column.values();
    if (this.unsorted) values.sort();
    this.unsorted = false;
    return values;
  }

  packed(): PackedTimes {
    return packTimes(this.sorted());
  }
}

/** @param times whole numbers, ascending */
export function packTimes(times: Float64Array): PackedTimes {
  const bytes = new Uint8Array(times.length * 8);
  let end = 0;
  let last = 0;
  for (const time of times) {
    // The first may stand before zero; all others are distances.
    let rest = end === 0 ? zigzag(time) : time - last;
    assert(Number.isSafeInteger(rest) && rest >= 0, "times are whole and ascend");
    last = time;
    while (rest >= 128) {
      bytes[end++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    bytes[end++] = rest;
  }
  return Buffer.from(bytes.buffer, 0, end).toString("base64");
}

export function unpackTimes(packed: PackedTimes): Float64Array {
  const bytes = Buffer.from(packed, "base64");
  const times = new Column();
  let last = 0;
  let value = 0;
  let factor = 1;
  for (const byte of bytes) {
    value += (byte % 128) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    last = times.length === 0 ? unzigzag(value) : last + value;
    times.push(last);
    value = 0;
    factor = 1;
  }
  return times.values();
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}
