/**
 * Measures what a CRF or CQ is worth in each encoder: `bun bench/quality.ts [FILE] [SPEED]`. Encodes a few
 * seconds at several of them, with NVENC too where an NVIDIA GPU is, compares them with the source by SSIM
 * (luma, in dB: 10·log10(1/(1−SSIM))), and prints for each anchor of the quality scale the number at which
 * an encoder reaches the SSIM of x264, and what the table of `src/media/quality.ts` gives instead:
 * `docs/quality.md` has the figures.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Speed, VideoCodec, VideoEncode } from "../src/media/description.ts";
import { type Device, detectToolchain } from "../src/media/devices.ts";
import { dialectOf } from "../src/media/dialect.ts";
import { videoEncoderOptions, videoEncoders } from "../src/media/encoders.ts";
import { nvencOf, nvencOptions } from "../src/media/nvenc.ts";
import { takeInventory } from "../src/media/nvidia-smi.ts";
import {
  type CpuEncoder,
  crfAtAnchors,
  type NvencEncoder,
  qualityAnchors,
  type RatedEncoder,
} from "../src/media/quality.ts";

/** Pieces of the source, at 360 lines, so that more than one kind of picture counts and it ends soon. */
const pieces = { startSeconds: [2, 9, 17, 24], eachSeconds: 1 };

interface Point {
  crf: number;
  ssimDb: number;
  psnrDb: number;
  kilobitsPerSecond: number;
}

/** An encoder that works here, and its options for an encode. */
interface Subject {
  encoder: RatedEncoder;
  codec: VideoCodec;
  optionsOf(encode: VideoEncode): string[];
}

const [file, speed = "balanced"] = Bun.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "quality-"));
try {
  const subjects = [...cpuSubjects(), ...(await gpuSubjects())];
  main(prepare(file), speed as Speed, subjects);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function cpuSubjects(): Subject[] {
  const all = Object.entries(videoEncoders) as [VideoCodec, readonly CpuEncoder[]][];
  return all.flatMap(([codec, encoders]) =>
    encoders.map((encoder) => ({
      ...{ encoder, codec },
      optionsOf: (encode: VideoEncode) => videoEncoderOptions(encoder, encode),
    })),
  );
}

/** NVENC on the first GPU, with what it really encodes; none without a GPU. */
async function gpuSubjects(): Promise<Subject[]> {
  const inventory = await takeInventory();
  const [gpu] = inventory?.kind === "gpus" ? inventory.gpus : [];
  if (gpu === undefined) return [];
  const { release } = await detectToolchain({ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" });
  const { uuid, computeCapability } = gpu;
  const traits = { uuid, computeCapability, memoryTotalBytes: null, skills: [] };
  const device: Pick<Device, "title" | "traits"> = { title: gpu.name ?? uuid, traits };
  console.log(`NVENC on ${device.title}, driver ${gpu.driver}`);
  const codecs = (["h264", "hevc", "av1"] as const).filter((codec) => encodes(nvencOf(codec)));
  return codecs.map((codec) => ({
    ...{ encoder: nvencOf(codec), codec },
    optionsOf: (encode) => nvencOptions(codec, encode, { device, dialect: dialectOf(release) }),
  }));
}

function encodes(encoder: NvencEncoder): boolean {
  try {
    ffmpeg([
      ...["-f", "lavfi", "-i", "color=s=256x256", "-frames:v", "3", "-pix_fmt", "yuv420p"],
      ...["-c:v", encoder, "-f", "null", "-"],
    ]);
    return true;
  } catch {
    return false;
  }
}

function main(source: string, chosen: Speed, subjects: Subject[]): void {
  const curves = new Map<RatedEncoder, Point[]>();
  for (const subject of subjects) {
    const { encoder } = subject;
    // The table's own numbers, the lowest first.
    const points = crfAtAnchors[encoder]
      .toReversed()
      .map((crf) => measure(source, subject, crf, chosen));
    curves.set(encoder, points);
    for (const { crf, ssimDb, psnrDb, kilobitsPerSecond } of points) {
      console.log(
        `${encoder.padEnd(12)} crf ${String(crf).padStart(4)}  SSIM ${ssimDb.toFixed(2)} dB  PSNR ${psnrDb.toFixed(2)} dB  ${Math.round(kilobitsPerSecond)} kbit/s`,
      );
    }
  }
  const reference = curves.get("libx264") ?? [];
  console.log(
    `\nquality        ${qualityAnchors.map((value) => String(value).padStart(6)).join("")}`,
  );
  for (const [encoder, points] of curves) {
    const matched = crfAtAnchors.libx264.map((crf) => crfAt(points, ssimAt(reference, crf)));
    console.log(
      `${encoder.padEnd(12)} → ${matched.map((crf) => crf.toFixed(1).padStart(6)).join("")}`,
    );
    const table = crfAtAnchors[encoder].map((crf) => ssimAt(points, crf));
    console.log(`  table gives  ${table.map((db) => db.toFixed(1).padStart(6)).join("")} dB`);
  }
}

/** The pieces one after another, lossless, as the source of every encode. */
function prepare(path: string | undefined): string {
  const target = join(folder, "source.mkv");
  const lossless = ["-an", "-pix_fmt", "yuv420p", "-c:v", "ffv1", target];
  if (path === undefined) {
    const made = "mandelbrot=size=640x360:rate=25,noise=alls=6:allf=t";
    ffmpeg(["-f", "lavfi", "-i", made, "-t", "6", ...lossless]);
    return target;
  }
  const inputs = pieces.startSeconds.flatMap((start) => [
    ...["-ss", String(start), "-t", String(pieces.eachSeconds), "-i", path],
  ]);
  const graph = `concat=n=${pieces.startSeconds.length}:v=1:a=0,scale=-2:360:flags=lanczos`;
  ffmpeg([...inputs, "-filter_complex", graph, ...lossless]);
  return target;
}

function measure(source: string, subject: Subject, crf: number, chosen: Speed): Point {
  const { encoder, codec } = subject;
  const encode: VideoEncode = {
    kind: "encode",
    source: { input: 0, stream: 0 },
    codec,
    rate: { quality: 50 },
    speed: chosen,
    pixelFormat: "yuv420p",
    gopFrames: 100,
    color: { primaries: null, transfer: null, space: null, range: null },
  };
  const options = subject.optionsOf(encode);
  const rate = options.findIndex((option) => option === "-crf" || option === "-cq");
  options[rate + 1] = String(crf);
  const target = join(folder, "encoded.mkv");
  ffmpeg(["-i", source, "-c:v", encoder, ...options, "-pix_fmt", "yuv420p", target]);
  const compare = "[0:v]split[a][b];[1:v]split[c][d];[a][c]ssim;[b][d]psnr";
  const told = ffmpeg(["-i", target, "-i", source, "-lavfi", compare, "-f", "null", "-"]);
  const ssim = Number(/SSIM Y:([\d.]+)/.exec(told)?.[1]);
  const psnrDb = Number(/PSNR y:([\d.]+)/.exec(told)?.[1]);
  // The last line of progress has the whole length.
  const [, minutes, rest] = [...told.matchAll(/time=\d+:(\d+):([\d.]+)/g)].at(-1) ?? [];
  const seconds = Number(minutes) * 60 + Number(rest);
  const kilobitsPerSecond = (statSync(target).size * 8) / 1000 / seconds;
  return { crf, ssimDb: 10 * Math.log10(1 / (1 - ssim)), psnrDb, kilobitsPerSecond };
}

function ssimAt(points: Point[], crf: number): number {
  return line(
    points.map((point) => [point.crf, point.ssimDb]),
    crf,
  );
}

function crfAt(points: Point[], ssimDb: number): number {
  return line(points.map((point) => [point.ssimDb, point.crf]).toReversed(), ssimDb);
}

/** Straight lines between neighbours, the outer ones prolonged. `points` rise in their first number. */
function line(points: (number | undefined)[][], x: number): number {
  const right = Math.max(
    1,
    points.findIndex(([at = 0]) => at >= x),
  );
  const index = points.every(([at = 0]) => at < x) ? points.length - 1 : right;
  const [x0 = 0, y0 = 0] = points[index - 1] ?? [];
  const [x1 = 1, y1 = 0] = points[index] ?? [];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

function ffmpeg(argv: string[]): string {
  const command = ["ffmpeg", "-nostdin", "-hide_banner", "-y", ...argv];
  const done = Bun.spawnSync(command, { stdio: ["ignore", "ignore", "pipe"], timeout: 300_000 });
  const told = done.stderr.toString();
  if (done.exitCode !== 0) throw new Error(`${command.join(" ")}\n${told}`);
  return told;
}
