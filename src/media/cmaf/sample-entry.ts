/**
 * What the sample description of a track says of its stream: the codec in the words of RFC 6381, size,
 * brightness range, channels. Everything is read from the bits that decoders get. Pure.
 */
import { BodyReader, boxesIn, fullBody, malformed, needBody, viewOf } from "./boxes.ts";

/** VIDEO-RANGE of HLS. */
export type VideoRange = "SDR" | "PQ" | "HLG";

export interface StreamFacts {
  /** For CODECS: `avc1.640028`, `mp4a.40.2`. */
  codec: string;
  /** Null for sound. */
  picture: { width: number; height: number; range: VideoRange; color: PictureColor | null } | null;
  /** Null for a picture. */
  sound: { channels: number; sampleRate: number } | null;
}

/** Code points of ISO/IEC 23091-2. */
export interface PictureColor {
  primaries: number;
  transfer: number;
  matrix: number;
  fullRange: boolean;
}

/** A visual sample entry has so many bytes before its boxes, one of sound so many. */
const visualBytes = 78;
const soundBytes = 28;

/** @param moov of a file with one track */
export function streamFacts(moov: Uint8Array): StreamFacts {
  const stsd = needBody(moov, "trak", "mdia", "minf", "stbl", "stsd");
  const [entry] = boxesIn(stsd.subarray(8));
  if (entry === undefined) throw malformed("it does not say how it is coded");
  const { type, body } = entry;
  if (type === "mp4a") return soundFacts(body);
  const boxes = boxesIn(body.subarray(visualBytes));
  const bodyOf = (name: string) => boxes.find((box) => box.type === name)?.body ?? null;
  const color = readColor(bodyOf("colr"));
  const codec = pictureCodec(type, bodyOf, color);
  const size = new BodyReader(body, 24);
  const picture = { width: size.u16(), height: size.u16(), range: rangeOf(color), color };
  return { codec, picture, sound: null };
}

function pictureCodec(
  type: string,
  bodyOf: (name: string) => Uint8Array | null,
  color: PictureColor | null,
): string {
  const settings = (name: string) => {
    const body = bodyOf(name);
    if (body === null) throw malformed(`its ${type} has no ${name}`);
    return body;
  };
  switch (type) {
    case "avc1":
    case "avc3":
      return `${type}.${avcWords(settings("avcC"))}`;
    case "hvc1":
    case "hev1":
      return `${type}.${hevcWords(settings("hvcC"))}`;
    case "av01":
      return `av01.${av1Words(settings("av1C"), color)}`;
    default:
      throw malformed(`its codec ${type} is none that is streamed`);
  }
}

/** Level 1b of the High profiles, and the one above it. */
const level1b = 9;
const level11 = 11;

/**
 * Profile, constraints, level. Chromium takes 1b, which very small pictures have, for ambiguous and plays nothing
 * of it; whoever can decode the level above can decode it too.
 */
function avcWords(avcC: Uint8Array): string {
  const [profile = 0, constraints = 0, level = 0] = avcC.subarray(1, 4);
  return hex(Uint8Array.of(profile, constraints, level === level1b ? level11 : level));
}

/** ISO/IEC 14496-15, annex E.3: profile, compatibility backwards, tier and level, constraints. */
function hevcWords(hvcC: Uint8Array): string {
  const view = viewOf(hvcC);
  const first = view.getUint8(1);
  const space = ["", "A", "B", "C"][first >> 6] ?? "";
  const tier = first & 0x20 ? "H" : "L";
  const compatibility = reversedBits(view.getUint32(2)).toString(16).toUpperCase();
  const constraints = Array.from(hvcC.subarray(6, 12));
  while (constraints.at(-1) === 0) constraints.pop();
  const words = [`${space}${first & 0x1f}`, compatibility, `${tier}${view.getUint8(12)}`];
  return [...words, ...constraints.map((byte) => byte.toString(16).toUpperCase())].join(".");
}

function reversedBits(word: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) {
    reversed = ((reversed << 1) | ((word >>> bit) & 1)) >>> 0;
  }
  return reversed;
}

/** AV1 in ISO base media files, section 5. What is left out means 4:2:0 in BT.709. */
function av1Words(av1C: Uint8Array, color: PictureColor | null): string {
  const [, levels = 0, flags = 0] = av1C;
  const [high, twelve] = [flags & 0x40, flags & 0x20];
  const depth = twelve ? 12 : high ? 10 : 8;
  const level = String(levels & 0x1f).padStart(2, "0");
  const short = `${levels >> 5}.${level}${flags & 0x80 ? "H" : "M"}.${two(depth)}`;
  if (color === null || rangeOf(color) === "SDR") return short;
  const chroma = `${(flags >> 3) & 1}${(flags >> 2) & 1}${flags & 3}`;
  const points = [color.primaries, color.transfer, color.matrix].map(two).join(".");
  return `${short}.${(flags >> 4) & 1}.${chroma}.${points}.${color.fullRange ? 1 : 0}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function readColor(colr: Uint8Array | null): PictureColor | null {
  if (colr === null || new TextDecoder("latin1").decode(colr.subarray(0, 4)) !== "nclx")
    return null;
  const reader = new BodyReader(colr, 4);
  const [primaries, transfer, matrix] = [reader.u16(), reader.u16(), reader.u16()];
  return { primaries, transfer, matrix, fullRange: (reader.u8() & 0x80) !== 0 };
}

function rangeOf(color: PictureColor | null): VideoRange {
  if (color?.transfer === 16) return "PQ";
  return color?.transfer === 18 ? "HLG" : "SDR";
}

function soundFacts(body: Uint8Array): StreamFacts {
  const esds = boxesIn(body.subarray(soundBytes)).find(({ type }) => type === "esds");
  if (esds === undefined) throw malformed("its sound does not say how it is coded");
  const entry = new BodyReader(body, 16);
  const channels = entry.u16();
  const sampleRate = entry.skip(6).u16();
  const { objectType, settings } = aacSettings(esds.body);
  const codec = `mp4a.${objectType.toString(16)}.${settings.kind}`;
  // The sample entry of an MP4 may say stereo whatever it is: the decoder's own settings do not.
  return {
    ...{ codec, picture: null },
    sound: { channels: settings.channels ?? channels, sampleRate },
  };
}

/** Descriptors of MPEG-4 systems (ISO/IEC 14496-1) that lie in one another. */
const descriptors = { stream: 0x03, decoder: 0x04, settings: 0x05 };

function aacSettings(esds: Uint8Array) {
  const { rest } = fullBody(esds);
  const begin = (wanted: number) => {
    if (rest.u8() !== wanted) throw malformed("its sound is described in another order");
    let byte = 0x80;
    while (byte & 0x80) byte = rest.u8();
  };
  begin(descriptors.stream);
  const flags = rest.skip(2).u8();
  rest.skip(flags & 0x80 ? 2 : 0).skip(flags & 0x20 ? 2 : 0);
  begin(descriptors.decoder);
  const objectType = rest.u8();
  rest.skip(12);
  begin(descriptors.settings);
  return { objectType, settings: aacWords(rest.u16()) };
}

/** AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): kind, sample rate by number, channels by number. */
function aacWords(bits: number): { kind: number; channels: number | null } {
  const kind = bits >> 11;
  const plain = kind !== 31 && ((bits >> 7) & 0xf) !== 0xf;
  const layout = (bits >> 3) & 0xf;
  const channels = layout === 7 ? 8 : layout;
  return {
    kind: kind === 31 ? 32 + ((bits >> 5) & 0x3f) : kind,
    channels: plain && layout > 0 && layout <= 7 ? channels : null,
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
