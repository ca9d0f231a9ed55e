/** Each operation next to the best line of ffmpeg that somebody would write by hand for the same. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Extent, extentOf, type Figure } from "./figure.ts";
import { filmClip, logo, longClip, longSoftClip } from "./material.ts";
import { beyond, byHand, kinomillRun, pairFigure, pairs, ratioOf } from "./pairs.ts";

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

/** What `check` looks for, in the words of whoever looks for the same by hand. */
const looks = [
  ...["-vf", "freezedetect=n=-38dB:d=2,freezedetect=n=-60dB:d=0.2,blackdetect=d=0,idet"],
  "-af",
  "silencedetect=mono=1,aphasemeter=video=0:phasing=1,ebur128=peak=true,astats=metadata=1:reset=1",
];

/** What becomes no film. By hand it takes a second or so where the film is short, so those are long. */
function others({ long, other, sound, end }: LongMaterial): Case[] {
  const gif = "fps=10,scale=480:-2:flags=lanczos,split[a][b];[a]palettegen[p];[b][p]paletteuse";
  const both = "[1:v]split[a][b];[0:v][a]ssim[likened];[likened][b]psnr[v]";
  const tiles = "fps=1/2,scale=160:-2:flags=lanczos,tile=10x10";
  const noPictures = { metric: "ssim", worst: { frames: 0 } };
  return [
    {
      ...{ operation: "animate", inputs: [long], output: "out.gif" },
      params: { format: "gif", width: 480, frameRate: 10, from: 0, to: end },
      lines: [["-t", String(end), "-i", long, "-vf", gif, "out.gif"]],
    },
    {
      ...{ operation: "audio", inputs: [sound], output: "out.mp3" },
      params: { do: "extract", format: "mp3" },
      lines: [["-i", sound, "-vn", "-c:a", "libmp3lame", "-b:a", "192k", "out.mp3"]],
    },
    {
      ...{ operation: "thumbnails", inputs: [long], output: "out/" },
      params: { sprite: { every: 2, width: 160 } },
      lines: [["-i", long, "-vf", tiles, "-frames:v", "1", "sprite.jpg"]],
    },
    {
      ...{ operation: "measure", inputs: [long, other], params: noPictures, output: "out/" },
      lines: [["-i", long, "-i", other, "-lavfi", both, "-map", "[v]", "-f", "null", "-"]],
    },
    {
      ...{ operation: "check", inputs: [long], params: {}, output: "out/" },
      lines: [["-i", long, ...looks, "-f", "null", "-"]],
    },
  ];
}

interface LongMaterial {
  long: string;
  other: string;
  sound: string;
  /** Seconds of an animation. */
  end: number;
}

/** Minutes of film, and of a sound that is much sooner done. */
const longMinutes = { film: 3, sound: 40 };

async function longMaterial({ quick }: Extent): Promise<LongMaterial> {
  const minutes = quick ? { film: 1, sound: 1 } : longMinutes;
  const { film, sound } = minutes;
  const [long, other] = [await longClip(film), await longClip(film, 2)];
  return { long, other, sound: await longSoftClip(sound), end: quick ? 2 : 60 };
}

async function material(seconds: number): Promise<Material> {
  const text = "1\n00:00:01,000 --> 00:00:04,000\nHello there\n";
  const file = join(tmpdir(), "captions.srt");
  await Bun.write(file, text);
  const [film, other, image] = [await filmClip(seconds), await filmClip(seconds, 2), await logo()];
  return { film, other, image, seconds, captions: { text, file } };
}

/** What writes fewer or smaller pictures is done sooner, and has longer films: each works for half a minute or so. */
const light = new Set(["transcode", "reframe", "clip"]);
const LIGHT_TIMES = 3;

export async function operations(extent: Extent): Promise<Figure[]> {
  const { rounds, seconds } = extentOf(extent, { rounds: 4, seconds: 60 });
  const made = await material(seconds);
  const figures: Figure[] = [];
  const compare = async (cases: Case[], of: (operation: string) => string) => {
    for (const each of cases) {
      const found = await pairsOf(each, rounds);
      const what = `${each.operation} of ${of(each.operation)}`;
      const compared = { with: "ffmpeg by hand", target: { atMost: 1.05 } };
      console.error(`  ${what}: ${ratioOf(found, "wallSeconds").toFixed(2)} by the clock`);
      figures.push(pairFigure(what, found, "wallSeconds", compared));
      figures.push(pairFigure(what, found, "cpuSeconds", { ...compared, target: null }));
    }
  };
  const longer = await material(seconds * LIGHT_TIMES);
  const isLight = (operation: string) => light.has(operation);
  const lighter = [...films(longer), ...combined(longer)].filter((each) => isLight(each.operation));
  const heavier = [...films(made), ...combined(made)].filter((each) => !isLight(each.operation));
  await compare([...lighter, ...heavier], (operation) =>
    isLight(operation) ? `${longer.seconds} s 1080p` : `${seconds} s 1080p`,
  );
  const long = await longMaterial(extent);
  const lengths: Record<string, string> = {
    animate: `${long.end} s 1080p`,
    audio: `${extent.quick ? 1 : longMinutes.sound} min`,
  };
  const usual = `${extent.quick ? 1 : longMinutes.film} min 1080p`;
  await compare(others(long), (operation) => lengths[operation] ?? usual);
  return [...figures, ...(await fixedCosts(rounds, long))];
}

function pairsOf({ operation, inputs, params, output, lines }: Case, rounds: number) {
  return pairs(
    rounds,
    () => kinomillRun(operation, inputs, params, output),
    () => byHand(lines),
  );
}

/** What is the same for every length, told by work that ffmpeg has done at once: in seconds, not as a ratio. */
async function fixedCosts(rounds: number, long: LongMaterial): Promise<Figure[]> {
  const short = await filmClip(20);
  const audio = others({ ...long, sound: short }).find(({ operation }) => operation === "audio");
  if (audio === undefined) throw new Error("audio is among the operations");
  const found = await pairsOf(audio, rounds);
  return (["wallSeconds", "cpuSeconds"] as const).map((side) => {
    const value = beyond(found, side);
    const by = side === "wallSeconds" ? "the clock" : "CPU time";
    const what = `a run beyond its ffmpeg, whatever the length, by ${by}`;
    return { what, ours: `${value.toFixed(2)} s`, other: null, value, target: null };
  });
}
