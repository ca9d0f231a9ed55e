/** A packaged track on the disk: written segment by segment, encrypted where that is asked for, and read back. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { boxHead, largestHeaderBytes, malformed } from "./boxes.ts";
import { fragmentHead, type ReadFragment, readFragment } from "./fragments.ts";
import {
  type ByteSpan,
  cipherBlockBytes,
  fragmentNumbers,
  payloadSpans,
  type TrackLayout,
} from "./layout.ts";
import type { Segment } from "./segments.ts";
import { readSourceTrack, type SourceTrack } from "./source-track.ts";

/** AES-128 in CBC, as HLS has it (RFC 8216, 4.3.2.4). */
const cipherName = "aes-128-cbc";

/** Read and written at once: what is in memory of a film of any length. */
const BLOCK_BYTES = 1024 ** 2;

/** An index of a film of two days is smaller. */
const MOOV_BYTES_MAX = 1024 ** 3;

/** The track of an MP4. @throws Failure `output_rejected` for a file that is not one with one track */
export async function openTrack(path: string): Promise<SourceTrack> {
  await using file = await open(path);
  const { size } = await file.stat();
  let at = 0;
  while (at < size) {
    const head = boxHead(
      await readAt(file, { at, bytes: Math.min(largestHeaderBytes, size - at) }),
    );
    const bytes = head.sizeBytes ?? size - at;
    if (bytes < head.headerBytes || at + bytes > size) throw malformed("it is cut off");
    if (head.type === "moov") {
      if (bytes > MOOV_BYTES_MAX) throw malformed("its index is too large");
      const span = { at: at + head.headerBytes, bytes: bytes - head.headerBytes };
      return await readSourceTrack(await readAt(file, span));
    }
    at += bytes;
  }
  throw malformed("it has no index");
}

export interface TrackWrite {
  /** Absolute paths: of the MP4, and of what is made. */
  from: string;
  to: string;
  track: SourceTrack;
  segments: readonly Segment[];
  layout: TrackLayout;
  /** Of 16 bytes; null leaves the segments readable. */
  key: Uint8Array | null;
  signal: AbortSignal;
  /** Called after each segment with what was written of it. */
  onBytes(bytes: number): void;
}

/**
 * Writes the file, durably. Each segment is encrypted by itself; its initialisation vector is the block that
 * stands before it in the file, so that a keyframe can be fetched and decrypted alone (RFC 8216, 6.3.6).
 * @returns these vectors in hexadecimal, one for each segment; empty when nothing is encrypted
 */
export async function writeTrack(write: TrackWrite): Promise<string[]> {
  const { track, segments, layout, signal } = write;
  await using source = await open(write.from);
  await using target = await open(write.to, "wx", 0o600);
  const out = new Writer(target);
  await out.write(layout.front);
  const numbers = fragmentNumbers(segments);
  const ivs: string[] = [];
  for (const segment of segments) {
    signal.throwIfAborted();
    const before = out.written;
    if (write.key !== null) ivs.push(out.encrypt(write.key));
    for (const fragment of segment.fragments) {
      await out.write(fragmentHead(track, fragment, numbers.get(fragment) ?? 0));
      for (const span of payloadSpans(track.samples, fragment)) await out.copy(source, span);
    }
    await out.endSegment();
    write.onBytes(out.written - before);
  }
  if (out.written !== layout.sizeBytes) throw malformed("it has another size than was reckoned");
  await target.sync();
  return ivs;
}

class Writer {
  written = 0;
  private readonly file: FileHandle;
  private readonly block = new Uint8Array(BLOCK_BYTES);
  /** The last bytes that were written. */
  private tail = new Uint8Array(cipherBlockBytes);
  private cipher: ReturnType<typeof createCipheriv> | null = null;

  constructor(file: FileHandle) {
    this.file = file;
  }

  /** From here on until the segment ends; returns the initialisation vector. */
  encrypt(key: Uint8Array): string {
    this.cipher = createCipheriv(cipherName, key, this.tail);
    return Buffer.from(this.tail).toString("hex");
  }

  async endSegment(): Promise<void> {
    const last = this.cipher?.final();
    this.cipher = null;
    if (last !== undefined) await this.put(last);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.put(this.cipher === null ? bytes : this.cipher.update(bytes));
  }

  async copy(source: FileHandle, { at, bytes }: ByteSpan): Promise<void> {
    for (let done = 0; done < bytes; ) {
      const wanted = Math.min(this.block.length, bytes - done);
      const { bytesRead } = await source.read(this.block, 0, wanted, at + done);
      if (bytesRead === 0) throw malformed("a sample lies behind its end");
      await this.write(this.block.subarray(0, bytesRead));
      done += bytesRead;
    }
  }

  private async put(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.file.write(bytes, done);
      done += bytesWritten;
    }
    this.written += bytes.length;
    const seen = Buffer.concat([this.tail, bytes.subarray(-cipherBlockBytes)]);
    this.tail = new Uint8Array(seen.subarray(-cipherBlockBytes));
  }
}

/** A segment as it was found in its file. */
export interface FoundSegment {
  fragments: ReadFragment[];
}

/** Fragments have some kilobytes before their samples: what is read at once. */
const HEAD_BYTES = 16 * 1024;

/**
 * Reads the segments of a file back, as a player would find them by their byte ranges.
 * @throws Failure `output_rejected` when a range does not hold whole fragments
 */
export async function readSegments(
  path: string,
  spans: readonly ByteSpan[],
  { key, signal }: { key: Uint8Array | null; signal: AbortSignal },
): Promise<FoundSegment[]> {
  await using file = await open(path);
  const found: FoundSegment[] = [];
  for (const span of spans) {
    signal.throwIfAborted();
    found.push(await readSegment(file, span, key));
  }
  return found;
}

async function readSegment(
  file: FileHandle,
  span: ByteSpan,
  key: Uint8Array | null,
): Promise<FoundSegment> {
  const read = (piece: ByteSpan) =>
    key === null ? readAt(file, piece) : readPlain(file, piece, key);
  const end = span.at + span.bytes - (key === null ? 0 : await paddingBytes(file, span, key));
  const fragments: ReadFragment[] = [];
  let at = span.at;
  while (at < end) {
    let head = await read({ at, bytes: Math.min(HEAD_BYTES, end - at) });
    const moof = boxHead(head);
    const size = moof.sizeBytes ?? 0;
    if (moof.type !== "moof" || at + size + 8 > end) {
      throw malformed(`the ${span.bytes} bytes at ${span.at} hold no whole fragments`);
    }
    if (size + 8 > head.length) head = await read({ at, bytes: size + 8 });
    const fragment = readFragment(head.subarray(moof.headerBytes, size));
    const mdat = boxHead(head, size);
    const whole = size + (mdat.sizeBytes ?? 0);
    if (mdat.type !== "mdat" || fragment.dataAt + fragment.dataBytes !== whole) {
      throw malformed("a fragment does not hold the samples that it lists");
    }
    fragments.push(fragment);
    at += whole;
  }
  if (at !== end) throw malformed("a segment ends within a fragment");
  return { fragments };
}

/**
 * A piece of an encrypted file as RFC 8216 (6.3.6) has players read keyframes: from whole block to whole
 * block, and the block before as the initialisation vector.
 */
async function readPlain(
  file: FileHandle,
  { at, bytes }: ByteSpan,
  key: Uint8Array,
): Promise<Uint8Array> {
  const from = at - (at % cipherBlockBytes);
  const to = Math.ceil((at + bytes) / cipherBlockBytes) * cipherBlockBytes;
  const read = await readAt(file, {
    at: from - cipherBlockBytes,
    bytes: to - from + cipherBlockBytes,
  });
  const decipher = createDecipheriv(cipherName, key, read.subarray(0, cipherBlockBytes));
  decipher.setAutoPadding(false);
  const plain = decipher.update(read.subarray(cipherBlockBytes));
  return plain.subarray(at - from, at - from + bytes);
}

async function paddingBytes(file: FileHandle, span: ByteSpan, key: Uint8Array): Promise<number> {
  const last = { at: span.at + span.bytes - cipherBlockBytes, bytes: cipherBlockBytes };
  const block = await readPlain(file, last, key);
  const count = block.at(-1) ?? 0;
  const padding = block.subarray(-count);
  if (count < 1 || count > cipherBlockBytes || padding.some((byte) => byte !== count)) {
    throw malformed("an encrypted segment does not end as it should");
  }
  return count;
}

async function readAt(file: FileHandle, { at, bytes }: ByteSpan): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes);
  for (let done = 0; done < bytes; ) {
    const { bytesRead } = await file.read(buffer, done, bytes - done, at + done);
    if (bytesRead === 0) throw malformed("it is cut off");
    done += bytesRead;
  }
  return buffer;
}
