/** The media that the engine's tests feed to ffmpeg: tiny, and each with what its name says. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ffmpeg } from "../clips.ts";

/** Where the samples of a file of the muxer MP4 begin, past its headers. */
const SAMPLES_AT = 1000;

/** Writes all of them into a folder. */
export function writeEngineClips(folder: string): void {
  const file = (name: string) => join(folder, name);
  const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"];
  const source = (size: string) => ["-f", "lavfi", "-i", `testsrc2=s=${size}:r=25:d=2`];
  ffmpeg(...source("320x240"), ...h264, "-pix_fmt", "yuv420p", file("in.mp4"));
  ffmpeg(...source("320x240"), ...h264, "-pix_fmt", "yuv422p", file("in422.mp4"));
  const whole = readFileSync(file("in.mp4"));
  writeFileSync(file("cut.mp4"), whole.subarray(0, whole.length / 2));
  writeFileSync(file("damaged.mp4"), damaged(whole));
  for (const size of ["320x240", "256x192"]) {
    ffmpeg(...source(size), ...h264, "-pix_fmt", "yuv420p", file(`${size}.h264`));
  }
  const parts = ["320x240.h264", "256x192.h264"].map((name) => readFileSync(file(name)));
  writeFileSync(file("resized.h264"), Buffer.concat(parts));
}

/** A byte in every so many is another one; the index at the end stays whole. */
function damaged(whole: Buffer): Buffer {
  const copy = Buffer.from(whole);
  const end = whole.lastIndexOf("moov");
  for (let at = SAMPLES_AT; at < end - 16; at += 301) copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}
