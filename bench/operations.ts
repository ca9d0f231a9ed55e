/** Each operation next to the best line of ffmpeg that somebody would write by hand for the same. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Extent, extentOf, type Figure } from "./figure.ts";
import { filmClip, logo } from "./material.ts";
import { byHand, kinomillRun, pairFigure, pairs, ratioOf } from "./pairs.ts";

interface Material {
  film: string;
  other: string;
  image: string;
  /** Seconds of each film. */
  seconds: number;
  captions: { text: string; file: string };
}

interface Case {
  operation: string;
  inputs: string[];
  params: unknown;
  /** A file, or a folder that ends with a slash. */
  output: string;
  /** ffmpeg by hand, one line after the other. */
  lines: string[][];
}

const x264 = ["-c:v", "libx264", "-preset", "medium", "-crf", "22.5", "-pix_fmt", "yuv420p"];
const film264 = [...x264, "-c:a", "copy", "-movflags", "+faststart", "out.mp4"];
const newSound = [...x264, "-c:a", "aac", "-movflags", "+faststart", "out.mp4"];
const like264 = { quality: 65 };

/** One film in, one out, with filters of the picture between. */
function filtered(operation: string, film: string, params: object, filter: string): Case {
  const line = ["-i", film, "-vf", filter, ...film264];
  return { operation, inputs: [film], params, output: "out.mp4", lines: [line] };
}

function films({ film, captions }: Material): Case[] {
  const smaller = { video: { codec: "h264", maxHeight: 540, ...like264 } };
  const burnt = { action: "burn", text: captions.text, ...like264 };
  return [
    filtered("transcode", film, smaller, "scale=-2:540:flags=lanczos"),
    filtered("reframe", film, { aspect: "9:16", ...like264 }, "crop=608:1080"),
    filtered("captions", film, burnt, `subtitles=${captions.file}`),
    filtered("enhance", film, { sharpen: "light", ...like264 }, "unsharp=5:5:0.5:5:5:0"),
  ];
}

function combined({ film, other, image, seconds }: Material): Case[] {
  const output = "out.mp4";
  const end = Math.floor(seconds / 2);
  const joined = "[0:v][0:a][1:v][1:a]concat=n=2:v=1:a=1[v][a]";
  const onColour =
    "[0:v]format=yuva444p,chromakey=0x00b140:0.12:0.08,despill=green[k];[1:v][k]overlay=shortest=1[v]";
  const maps = ["-map", "[v]", "-map", "0:a"];
  return [
    {
      ...{ operation: "clip", inputs: [film], output },
      params: { ranges: [{ from: 1, to: end }], ...like264 },
      lines: [["-ss", "1", "-t", String(end - 1), "-i", film, ...newSound]],
    },
    {
      ...{ operation: "concat", inputs: [film, other], params: like264, output },
      lines: [
        [
          ...["-i", film, "-i", other, "-filter_complex", joined],
          ...["-map", "[v]", "-map", "[a]", ...newSound],
        ],
      ],
    },
    {
      ...{ operation: "overlay", inputs: [film, image], output },
      params: { items: [{ kind: "image", input: 2, position: "top-right" }], ...like264 },
      lines: [
        [
          ...["-i", film, "-i", image, "-filter_complex"],
          ...["[0:v][1:v]overlay=main_w-overlay_w-20:20[v]", ...maps, ...film264],
        ],
      ],
    },
    {
      ...{ operation: "cutout", inputs: [film], output },
      params: {
        key: { colour: "#00b140" },
        output: { kind: "colour", colour: "#203040" },
        ...like264,
      },
      lines: [
        [
          ...["-i", film, "-f", "lavfi", "-i", "color=0x203040:s=1920x1080:r=30"],
          ...["-filter_complex", onColour, ...maps, ...film264],
        ],
      ],
    },
  ];
}

/** What becomes no film. */
function others({ film, other, seconds }: Material): Case[] {
  const end = Math.floor(seconds / 2);
  const gif = "fps=10,scale=480:-2:flags=lanczos,split[a][b];[a]palettegen[p];[b][p]paletteuse";
  const both = "[0:v]split[a][b];[1:v]split[c][d];[a][c]ssim;[b][d]psnr";
  const tiles = "fps=1/2,scale=160:-2:flags=lanczos,tile=10x10";
  const looks = ["-vf", "blackdetect,freezedetect", "-af", "silencedetect,ebur128=peak=true"];
  return [
    {
      ...{ operation: "animate", inputs: [film], output: "out.gif" },
      params: { format: "gif", width: 480, frameRate: 10, from: 0, to: end },
      lines: [["-t", String(end), "-i", film, "-vf", gif, "out.gif"]],
    },
    {
      ...{ operation: "audio", inputs: [film], output: "out.mp3" },
      params: { do: "extract", format: "mp3" },
      lines: [["-i", film, "-vn", "-c:a", "libmp3lame", "-b:a", "192k", "out.mp3"]],
    },
    {
      ...{ operation: "thumbnails", inputs: [film], output: "out/" },
      params: { sprite: { every: 2, width: 160 } },
      lines: [["-i", film, "-vf", tiles, "-frames:v", "1", "sprite.jpg"]],
    },
    {
      ...{ operation: "measure", inputs: [film, other], params: {}, output: "out/" },
      lines: [["-i", film, "-i", other, "-lavfi", both, "-f", "null", "-"]],
    },
    {
      ...{ operation: "check", inputs: [film], params: {}, output: "out/" },
      lines: [["-i", film, ...looks, "-f", "null", "-"]],
    },
  ];
}

async function material(seconds: number): Promise<Material> {
  const text = "1\n00:00:01,000 --> 00:00:04,000\nHello there\n";
  const file = join(tmpdir(), "captions.srt");
  await Bun.write(file, text);
  const [film, other, image] = [await filmClip(seconds), await filmClip(seconds, 2), await logo()];
  return { film, other, image, seconds, captions: { text, file } };
}

export async function operations(extent: Extent): Promise<Figure[]> {
  const { rounds, seconds } = extentOf(extent, { rounds: 4, seconds: 60 });
  const made = await material(seconds);
  const figures: Figure[] = [];
  for (const each of [...films(made), ...combined(made), ...others(made)]) {
    const { operation, inputs, params, output, lines } = each;
    const found = await pairs(
      rounds,
      () => kinomillRun(operation, inputs, params, output),
      () => byHand(lines),
    );
    const what = `${operation} of ${seconds} s 1080p`;
    const compared = { with: "ffmpeg by hand", target: { atMost: 1.05 } };
    console.error(`  ${what}: ${ratioOf(found, "wallSeconds").toFixed(2)} by the clock`);
    figures.push(pairFigure(what, found, "wallSeconds", compared));
    figures.push(pairFigure(what, found, "cpuSeconds", { ...compared, target: null }));
  }
  return figures;
}
