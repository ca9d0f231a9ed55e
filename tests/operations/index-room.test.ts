/** The room that is kept for an index, held against the indexes that ffmpeg makes of packets as awkward as there are. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, readSync } from "node:fs";
import { probe } from "../../src/media/probe.ts";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import { indexRoomBytes } from "../../src/operations/index-room.ts";
import { clip, ffmpeg, ffprobe } from "../clips.ts";
import { everything } from "./specimen.ts";

setDefaultTimeout(60_000);

const picture = ["-f", "lavfi", "-i", "testsrc2=s=64x36:r=50:d=10"];
const sound = (rate: number) => ["-f", "lavfi", "-i", `anoisesrc=r=${rate}:d=10:a=0.1`];

/** Ten seconds that are copied so often. */
function film(name: string, times: number, encode: readonly string[]): string {
  const piece = clip(`piece-${name}.mkv`, (path) =>
    ffmpeg(...picture, ...sound(48_000), ...sound(44_100), ...encode, path),
  );
  return clip(`room-${name}.mkv`, (path) =>
    ffmpeg("-stream_loop", String(times - 1), "-i", piece, "-map", "0", "-c", "copy", path),
  );
}

const x264 = ["-map", "0:v", "-c:v", "libx264", "-preset", "ultrafast"];
const bFrames = [...x264, "-bf", "3", "-g", "6", "-x264-params", "b-adapt=0:open-gop=1"];
const one = ["-map", "1:a", "-c:a"];
const jitter = ["-bsf:v", "setts=pts=PTS+mod(N\\,3):dts=DTS+mod(N\\,3)"];
const jitterOfSound = ["-bsf:a", "setts=ts=TS+mod(N\\,3)"];
const six = ["1:a", "2:a", "1:a", "2:a", "1:a", "2:a"].flatMap((track) => ["-map", track]);

/** The boxes of a file one after the other. */
function boxes(path: string): { type: string; size: number }[] {
  const file = openSync(path, "r");
  const found: { type: string; size: number }[] = [];
  const head = Buffer.alloc(16);
  try {
    for (let at = 0; readSync(file, head, 0, 16, at) >= 8; ) {
      const short = head.readUInt32BE(0);
      const size = short === 1 ? Number(head.readBigUInt64BE(8)) : short;
      found.push({ type: head.toString("latin1", 4, 8), size });
      if (size < 8) break;
      at += size;
    }
  } finally {
    closeSync(file);
  }
  return found;
}

const transcode = findOperation("transcode");

interface Awkward {
  what: string;
  name: string;
  encode: string[];
  /** On the way into the file whose index is looked at. */
  copy?: string[];
}

const awkward: Awkward[] = [
  {
    ...{ what: "B-frames, keyframes close together, two tracks of sound", name: "groups" },
    encode: [...bFrames, "-map", "2:a", ...one, "aac"],
  },
  { what: "nothing but keyframes", name: "intra", encode: [...x264, "-g", "1", ...one, "aac"] },
  {
    ...{ what: "distances that differ from packet to packet", name: "uneven" },
    ...{ encode: [...bFrames, ...one, "aac"], copy: [...jitter, ...jitterOfSound] },
  },
  { what: "six tracks of sound", name: "many", encode: [...x264, ...six, "-c:a", "mp3"] },
  { what: "Opus", name: "opus", encode: [...x264, ...one, "libopus"] },
  { what: "sound as samples", name: "samples", encode: [...x264, ...one, "pcm_s16le"] },
  { what: "FLAC", name: "flac", encode: [...x264, ...one, "flac"] },
];

/** How often the ten seconds are played. */
const times = 40;

test.each(awkward)("is enough for $what", async ({ name, encode, copy = [] }) => {
  const source = film(name, times, encode);
  const container = name === "samples" ? "mov" : "mp4";
  const target = clip(`copied-${name}.${container}`, (path) =>
    ffmpeg("-i", source, "-map", "0", "-c", "copy", ...copy, "-strict", "-2", path),
  );
  const media = await probe(source, { ffprobePath: "ffprobe" });
  const params = parseParams(transcode, { container });
  const work = planFor(transcode, params, [{ name, media }], everything).steps.at(-1)?.work;
  if (work?.kind !== "render") throw new Error("transcode renders");
  const [output] = work.description.outputs;
  if (output?.video?.kind !== "copy") throw new Error("the picture is copied");
  expect(ffprobe(target).streams.length).toBe(ffprobe(source).streams.length);
  const lasts = { seconds: times * 10, bytes: Bun.file(source).size };
  const room = indexRoomBytes(output, work, lasts, [media]);
  const index = boxes(target).find(({ type }) => type === "moov")?.size ?? 0;
  expect(index).toBeGreaterThan(times * 10 * 50 * 4);
  expect(room).toBeGreaterThan(index);
  // Where the index is shorter it is by its chunks and by distances that are all the same.
  expect(room).toBeLessThan(index * 12);
});
