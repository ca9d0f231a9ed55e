/** Pictures that claim to be far larger than their files. */
import { constants, crc32, deflateRawSync } from "node:zlib";

/** Bytes that one block of packed zeros stands for. */
const blockBytes = 1024 ** 2;

/** Deflate's block of zeros, flushed so that it can be repeated. */
const zeros = deflateRawSync(Buffer.alloc(blockBytes), {
  level: 9,
  finishFlush: constants.Z_FULL_FLUSH,
});

/**
 * A PNG of one colour.
 * @param side pixels of each side
 * @param bits per grey pixel; 24 is colour
 * @param share of the rows that are really there, 0–1
 */
export function pngBomb(side: number, bits: 4 | 24, share = 1): Uint8Array<ArrayBuffer> {
  const rowBytes = 1 + Math.ceil((side * bits) / 8);
  const wantedBytes = rowBytes * side * share;
  const blocks = Math.ceil(wantedBytes / blockBytes);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([bits === 24 ? 8 : bits, bits === 24 ? 2 : 0, 0, 0, 0], 8);
  const packed = Buffer.concat([
    Buffer.from([0x78, 0xda]),
    ...Array.from({ length: blocks }, () => zeros),
    Buffer.from([0x03, 0x00]),
    adlerOfZeros(blocks * blockBytes),
  ]);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk("IHDR", header), chunk("IDAT", packed), chunk("IEND", Buffer.alloc(0))];
  return Uint8Array.from(Buffer.concat([signature, ...parts]));
}

function adlerOfZeros(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((((length % 65_521) << 16) | 1) >>> 0);
  return bytes;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(8 + data.length + 4);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), 8 + data.length);
  return framed;
}

/** A GIF whose screen is 65,535 pixels a side, with one pixel in it. */
export function gifBomb(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    Buffer.concat([
      Buffer.from("GIF89a"),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 0x80, 0, 0]),
      Buffer.from([0, 0, 0, 255, 255, 255]),
      Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b]),
    ]),
  );
}
