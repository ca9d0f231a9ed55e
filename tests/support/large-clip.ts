/** A video of any size that takes no time to make, and in which no two places look alike. */
import { closeSync, copyFileSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { clip, plainClip } from "../clips.ts";

/** A piece that is lost, doubled or moved by so much or more hits at least one mark. */
const MARK_EVERY_BYTES = 1024 ** 2;
const MARK_BYTES = 4096;

export interface LargeClip {
  path: string;
  sizeBytes: number;
  sha256: string;
}

/** A playable MP4 with a box behind it that players skip: holes with random marks between them. */
export async function largeClip(sizeBytes: number): Promise<LargeClip> {
  const path = clip(`large-${sizeBytes}.mp4`, (target) => pad(target, sizeBytes));
  return { path, sizeBytes, sha256: await sha256Of(path) };
}

function pad(path: string, sizeBytes: number): void {
  copyFileSync(plainClip(), path);
  const start = statSync(path).size;
  const header = Buffer.alloc(16);
  header.writeUInt32BE(1, 0);
  header.write("free", 4, "latin1");
  header.writeBigUInt64BE(BigInt(sizeBytes - start), 8);
  const file = openSync(path, "r+");
  writeSync(file, header, 0, header.length, start);
  ftruncateSync(file, sizeBytes);
  const mark = new Uint8Array(MARK_BYTES);
  for (let at = start + 16; at + MARK_BYTES <= sizeBytes; at += MARK_EVERY_BYTES) {
    writeSync(file, crypto.getRandomValues(mark), 0, MARK_BYTES, at);
  }
  closeSync(file);
}

export async function sha256Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}
