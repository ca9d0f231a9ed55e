/** Writes Matroska files element by element, so that tests can make those that no muxer would. */

export interface Track {
  kind: "video" | "audio" | "subtitles";
  /** Matroska's own name: `V_MJPEG`, `A_PCM/INT/LIT`, `S_TEXT/ASS`. */
  codec: string;
  width?: number;
  height?: number;
  /** What the header says of the distance between frames; it need not be true. */
  frameMs?: number;
  /** What the decoder is told first: the head of an ASS file. */
  codecPrivate?: Uint8Array;
}

export interface Packet {
  /** Position in `tracks`. */
  track: number;
  timeMs: number;
  /** For subtitles, which say when they end. */
  lastsMs?: number;
  data: Uint8Array;
}

export interface Attachment {
  /** As it stands in the file; nothing is cleaned. */
  name: string;
  mimeType: string;
  data: Uint8Array;
}

export interface Matroska {
  tracks: Track[];
  packets: Packet[];
  attachments?: Attachment[];
  /** What the header says; absent leaves it unsaid. */
  durationMs?: number;
}

type Content = Uint8Array | string | number | Content[];

/** The bytes of a Matroska file. Each packet gets a cluster of its own: times are then free. */
export function matroska(file: Matroska): Uint8Array<ArrayBuffer> {
  const info: Content[] = [element(0x2ad7b1, 1_000_000)];
  if (file.durationMs !== undefined) info.push(element(0x4489, float(file.durationMs)));
  const attachments = file.attachments ?? [];
  const parts = [
    element(0x1a45dfa3, [element(0x4282, "matroska"), element(0x4287, 4), element(0x4285, 2)]),
    element(0x18538067, [
      element(0x1549a966, info),
      element(0x1654ae6b, file.tracks.map(trackEntry)),
      ...(attachments.length === 0 ? [] : [element(0x1941a469, attachments.map(attachedFile))]),
      ...file.packets.map(cluster),
    ]),
  ];
  return Uint8Array.from(Buffer.concat(parts));
}

const trackTypes = { video: 1, audio: 2, subtitles: 17 };

function trackEntry(track: Track, index: number): Uint8Array {
  const { width = 64, height = 48 } = track;
  const picture = element(0xe0, [element(0xb0, width), element(0xba, height)]);
  const sound = element(0xe1, [element(0xb5, float(8000)), element(0x9f, 1), element(0x6264, 16)]);
  return element(0xae, [
    element(0xd7, index + 1),
    element(0x73c5, index + 1),
    element(0x83, trackTypes[track.kind]),
    element(0x86, track.codec),
    ...(track.frameMs === undefined ? [] : [element(0x23e383, track.frameMs * 1_000_000)]),
    ...(track.codecPrivate === undefined ? [] : [element(0x63a2, track.codecPrivate)]),
    ...(track.kind === "video" ? [picture] : []),
    ...(track.kind === "audio" ? [sound] : []),
  ]);
}

function attachedFile({ name, mimeType, data }: Attachment, index: number): Uint8Array {
  return element(0x61a7, [
    element(0x466e, name),
    element(0x4660, mimeType),
    element(0x465c, data),
    element(0x46ae, index + 1),
  ]);
}

function cluster({ track, timeMs, lastsMs, data }: Packet): Uint8Array {
  const head = (flags: number) => Uint8Array.from([0x80 | (track + 1), 0, 0, flags]);
  const number = track + 1;
  // Numbers past 126 take two bytes.
  const wide = Uint8Array.from([0x40 | (number >> 8), number & 0xff, 0, 0, 0x80]);
  const block = number <= 126 ? head(0x80) : wide;
  const body =
    lastsMs === undefined
      ? element(0xa3, Buffer.concat([block, data]))
      : element(0xa0, [element(0xa1, Buffer.concat([head(0), data])), element(0x9b, lastsMs)]);
  return element(0x1f43b675, [element(0xe7, timeMs), body]);
}

/** An element with its number, the length of its content in eight bytes and the content. */
function element(id: number, content: Content): Uint8Array {
  const body = bytesOf(content);
  const name = Buffer.from(id.toString(16).padStart(2, "0"), "hex");
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE((1n << 56n) | BigInt(body.length));
  return Buffer.concat([name, length, body]);
}

function bytesOf(content: Content): Uint8Array {
  if (Array.isArray(content)) return Buffer.concat(content.map(bytesOf));
  if (typeof content === "string") return Buffer.from(content);
  if (typeof content !== "number") return content;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(content));
  return bytes;
}

function float(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
