/** Sounds with known content, and what is heard in a file: samples, levels, onsets, loudness. */

import { join } from "node:path";
import { run } from "./rehearsal.ts";

/** Samples per second of all of them. */
export const rate = 48_000;

/** Inputs and an encoder for sources. */
export const sound = (graph: string) => ["-f", "lavfi", "-i", graph];
export const picture = (seconds: number) =>
  sound(`testsrc2=size=128x72:rate=25:duration=${seconds}`);
export const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

/** Bursts of a voice's pitch, 0.5 s of every second from 0.5 on, with nothing between. */
export const bursts = (seconds: number) =>
  `aevalsrc='0.3*sin(2*PI*220*t)*(0.7+0.3*sin(2*PI*5*t))*gte(mod(t,1),0.5)':s=${rate}:d=${seconds}`;
/** A click of a tone at whole seconds, 50 ms each. */
export const beeps = (seconds: number) =>
  `aevalsrc='0.8*sin(2*PI*1000*t)*lt(mod(t,1),0.05)':s=${rate}:d=${seconds}`;
/** Noise with peaks far above the rest. */
export const peaky = (seconds: number) =>
  `anoisesrc=d=${seconds}:a=0.25:c=pink:r=${rate}:seed=3,tremolo=f=3:d=0.7,volume='if(lt(mod(t,1),0.03),2.2,0.5)':eval=frame`;

/** Samples of a track, channels interleaved, as ffmpeg decodes them by itself. */
export function samples(
  path: string,
  { stream = "a:0", channels = 1, more = [] as string[] } = {},
) {
  const argv = ["-v", "error", "-i", path, "-map", `0:${stream}`, ...more];
  const layout = ["-ac", String(channels), "-ar", String(rate), "-f", "s16le", "-"];
  const { stdout } = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv, ...layout]);
  return new Int16Array(stdout.buffer, stdout.byteOffset, Math.floor(stdout.byteLength / 2));
}

/** Samples as they are, in the track's own channels and rate, 32 bits. */
export function exact(path: string, stream = "a:0"): Uint8Array {
  const argv = ["-v", "error", "-i", path, "-map", `0:${stream}`, "-f", "s32le", "-"];
  return Bun.spawnSync(["ffmpeg", "-nostdin", ...argv]).stdout;
}

/** Root mean square of a piece, in dB of full scale. */
export function levelDb(all: Int16Array, from: number, to: number): number {
  const piece = all.subarray(Math.round(from * rate), Math.round(to * rate));
  const sum = piece.reduce((total, sample) => total + (sample / 32_768) ** 2, 0);
  return 10 * Math.log10(sum / piece.length + 1e-12);
}

/** Times at which it becomes loud after silence. */
export function onsets(all: Int16Array, threshold = 3000): number[] {
  const found: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [index, sample] of all.entries()) {
    if (Math.abs(sample) < threshold) continue;
    if (index - last > rate / 10) found.push(index / rate);
    last = index;
  }
  return found;
}

/** What an independent meter says of a file. */
export function meter(path: string, stream = "a:0"): { lufs: number; peak: number } {
  const argv = ["-hide_banner", "-i", path, "-map", `0:${stream}`, "-af", "ebur128=peak=true"];
  const { stderr } = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv, "-f", "null", "-"]);
  const text = stderr.toString();
  const figure = (name: string) =>
    Number([...text.matchAll(new RegExp(`^\\s+${name}:\\s+(-?[\\d.]+) `, "gm"))].at(-1)?.[1]);
  return { lufs: figure("I"), peak: figure("Peak") };
}

/** Of the packets of the picture as they are: equal when it was copied. */
export function pictureHash(path: string): string {
  const argv = ["-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "md5", "-"];
  return Bun.spawnSync(["ffmpeg", "-nostdin", ...argv]).stdout.toString();
}

/** What makes sources in a folder, with ffmpeg; each answers with the path. */
export function soundShop(folder: string) {
  const make = (name: string, ...argv: string[]): string => {
    const path = join(folder, name);
    run([...argv, path]);
    return path;
  };
  const speech = () => make("speech.wav", ...sound(bursts(4)), "-ac", "2");
  return {
    make,
    speech,
    music: () => make("music.wav", ...sound(`sine=f=1500:r=${rate}:d=6,volume=4dB`), "-ac", "2"),
    /** Four seconds; speech in English, beeps in German. */
    film: () =>
      make(
        "film.mp4",
        ...[...picture(4), "-i", speech(), ...sound(beeps(4))],
        ...["-map", "0:v", "-map", "1:a", "-map", "2:a", ...x264, "-c:a", "aac", "-b:a", "128k"],
        ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"],
      ),
  };
}
