/**
 * Measures what work costs the processor: `bun bench/work-costs.ts FILE`. CPU time of ffmpeg, user and
 * system, per million pixels: each encoder at each speed, decoders, filters; and per second of sound. CPU time
 * is far steadier than the clock on a shared machine. The figures stand in `src/media/work-costs.ts` as the
 * first guess of estimates; `docs/estimates.md` tells of which machine they are.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Speed, VideoCodec, VideoEncode } from "../src/media/description.ts";
import { type PictureEncoder, videoEncoderOptions, videoEncoders } from "../src/media/encoders.ts";
import { renderFilter } from "../src/media/filter-syntax.ts";
import { nativePicture, type VideoFilter } from "../src/media/filters-picture.ts";

const [file] = Bun.argv.slice(2);
if (file === undefined) throw new Error("say a file: bun bench/work-costs.ts FILE");

const SIZE = { width: 1280, height: 720 };
const FRAMES = 96;
const MEGAPIXELS = (SIZE.width * SIZE.height * FRAMES) / 1e6;
const speeds: Speed[] = ["fast", "balanced", "best"];
const folder = mkdtempSync(join(tmpdir(), "costs-"));

/** CPU seconds of one ffmpeg, by its own count. */
function cpuOf(argv: string[]): number {
  const command = ["ffmpeg", "-nostdin", "-hide_banner", "-benchmark", "-y", ...argv];
  const done = Bun.spawnSync(["nice", "-n", "5", ...command], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 580_000,
  });
  const said = done.stderr.toString();
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(said) ?? [];
  if (done.exitCode !== 0 || user === undefined) throw new Error(`${command.join(" ")}\n${said}`);
  return Number(user) + Number(system);
}

/** The middle of three. */
function steady(argv: string[]): number {
  const three = [cpuOf(argv), cpuOf(argv), cpuOf(argv)];
  return three.toSorted((a, b) => a - b)[1] ?? 0;
}

function show(what: string, seconds: number, per: number, unit: string): void {
  console.log(
    `${what.padEnd(34)} ${((1000 * seconds) / per).toFixed(2).padStart(9)} ms per ${unit}`,
  );
}

function main(source: string): void {
  // Raw: reading it costs next to nothing, and that is subtracted.
  const raw = join(folder, "source.y4m");
  const scaled = `scale=${SIZE.width}:${SIZE.height}:flags=bicubic,format=yuv420p`;
  cpuOf(["-ss", "2", "-i", source, "-an", "-vf", scaled, "-frames:v", String(FRAMES), raw]);
  const reading = steady(["-i", raw, "-f", "null", "-"]);
  show("reading raw video", reading, MEGAPIXELS, "megapixel");
  for (const [filter, chain] of Object.entries(filters())) {
    const share = slowFilters.has(filter) ? 1 / 12 : 1;
    const frames = ["-frames:v", String(FRAMES * share)];
    const seconds = steady(["-i", raw, "-vf", chain, ...frames, "-f", "null", "-"]);
    show(`filter ${filter}`, seconds - reading * share, MEGAPIXELS * share, "megapixel");
  }
  const all = Object.entries(videoEncoders) as [VideoCodec, readonly PictureEncoder[]][];
  for (const [codec, encoders] of all) {
    for (const encoder of encoders) encodes(raw, codec, encoder, reading);
  }
  sounds();
}

function encodes(raw: string, codec: VideoCodec, encoder: PictureEncoder, reading: number): void {
  const made = join(folder, `${encoder}.mkv`);
  for (const speed of encoder === "prores_ks" ? (["balanced"] as const) : speeds) {
    const pixelFormat = encoder === "prores_ks" ? "yuv422p10le" : "yuv420p";
    const encode: VideoEncode = {
      kind: "encode",
      source: { input: 0, stream: 0 },
      codec,
      rate: { quality: 65 },
      speed,
      pixelFormat,
      gopFrames: 250,
      color: { primaries: null, transfer: null, space: null, range: null },
    };
    const options = videoEncoderOptions(encoder, encode);
    const argv = ["-i", raw, "-pix_fmt", pixelFormat, "-c:v", encoder, ...options, made];
    const slow = encoder === "libaom-av1" || encoder === "libvpx-vp9";
    const seconds = (slow ? cpuOf(argv) : steady(argv)) - reading;
    show(`encode ${encoder} ${speed}`, seconds, MEGAPIXELS, "megapixel");
  }
  show(`decode ${codec}`, steady(["-i", made, "-f", "null", "-"]), MEGAPIXELS, "megapixel");
}

/** A second a frame, and more. */
const slowFilters = new Set(["denoise-patches", "interpolate"]);

function filters(): Record<string, string> {
  const { width, height } = SIZE;
  const words = (list: VideoFilter[]) => list.flatMap(nativePicture).map(renderFilter).join(",");
  return {
    "scale to a half": words([{ filter: "scale", width: width / 2, height: height / 2 }]),
    "scale to twice": words([{ filter: "scale", width: width * 2, height: height * 2 }]),
    deinterlace: words([{ filter: "deinterlace" }]),
    crop: words([{ filter: "crop", width: 640, height: 640, x: 10, y: 10 }]),
    pad: words([{ filter: "pad", width, height: height + 200, x: 0, y: 100, color: "black" }]),
    fps: words([{ filter: "fps", rate: "25" }]),
    tonemap: words([
      { filter: "tonemap", from: "hdr10" },
      { filter: "format", pixelFormats: ["yuv420p"] },
    ]),
    "blur 20": words([{ filter: "blur", sigma: 20 }]),
    denoise: words([{ filter: "denoise", luma: 4, chroma: 3, lumaTime: 6, chromaTime: 4.5 }]),
    "denoise-patches": words([{ filter: "denoise-patches", strength: 4 }]),
    sharpen: words([{ filter: "sharpen", amount: 0.5 }]),
    "detect-shakes": `vidstabdetect=result=${join(folder, "shakes.trf")}:shakiness=5`,
    stabilise: `vidstabtransform=input=${join(folder, "shakes.trf")}:smoothing=15:interpol=bicubic`,
    interpolate: words([{ filter: "interpolate", rate: "48" }]),
    overlay:
      "split[a][b];[b]scale=640:360,format=yuva420p[c];[a][c]overlay=x=10:y=10:format=yuv420",
    crossfade: "split[a][b];[a][b]xfade=transition=fade:duration=3:offset=0",
    keyColor: `format=yuva420p,${words([{ filter: "keyColor", color: "#00b140", matrix: "bt709", similarity: 0.1, blend: 0.05 }])}`,
    despill: words([{ filter: "despill", screen: "green", strength: 0.5 }]),
    "to rgba": "format=rgba",
    "palette, and colours of it": "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=sierra2_4a",
    opacity: words([{ filter: "opacity", factor: 0.5 }]),
    "still jpeg": words([{ filter: "still", codec: "jpeg" }]),
    fade: words([{ filter: "fade", direction: "in", startSeconds: 0, seconds: 3, to: "black" }]),
    "encode jpeg": "format=yuvj420p",
  };
}

function sounds(): void {
  const source = ["-f", "lavfi", "-i", "anoisesrc=r=48000:d=120,aformat=channel_layouts=stereo"];
  const wave = join(folder, "sound.wav");
  cpuOf([...source, wave]);
  const base = steady(["-i", wave, "-f", "null", "-"]);
  for (const [encoder, ending] of [
    ["aac", "m4a"],
    ["libopus", "ogg"],
    ["libmp3lame", "mp3"],
    ["flac", "flac"],
  ] as const) {
    const made = join(folder, `sound.${ending}`);
    show(
      `encode ${encoder}, stereo`,
      steady(["-i", wave, "-c:a", encoder, made]) - base,
      120,
      "second",
    );
    show(`decode ${encoder}, stereo`, steady(["-i", made, "-f", "null", "-"]), 120, "second");
  }
  const loud = steady(["-i", wave, "-af", "ebur128", "-f", "null", "-"]) - base;
  show("loudness, stereo", loud, 120, "second");
  const norm = steady(["-i", wave, "-af", "loudnorm", "-f", "null", "-"]) - base;
  show("loudnorm, stereo", norm, 120, "second");
}

try {
  main(file);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
