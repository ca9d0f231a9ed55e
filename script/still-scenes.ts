/** What the pictures of the operations show, and how they are laid out: 960 pixels wide. */

export interface Scene {
  /** What is said under the picture. */
  caption: string;
  /** Arguments of ffmpeg that make the source of the film, but for its name. */
  source(film: string): string[];
  ending?: string;
  /** Files that are given after it. */
  others?: { file: string; argv(film: string): string[] }[];
  /** Parameters of each job. */
  runs: unknown[];
  /** Inputs of ffmpeg, and a graph whose last pad is the picture. */
  layout(files: Files): { inputs: string[]; graph: string };
}

export interface Files {
  source: string;
  /** What the jobs made, in order. */
  made: string[];
}

const encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "14", "-c:a", "aac"];
/** The bird dances. */
const bird = (film: string, ...more: string[]) => [
  "-ss",
  "16",
  "-t",
  "4",
  "-i",
  film,
  ...more,
  ...encode,
];
const at = (seconds: number, file: string) => ["-ss", String(seconds), "-i", file];
const font = "font=DejaVu Sans:fontcolor=white:box=1:boxcolor=black@0.55:boxborderw=6";
const label = (text: string) => `drawtext=${font}:fontsize=18:x=10:y=h-th-12:text='${text}'`;
const input = (index: number, more: string, pad: string) => `[${index}:v]${more}[${pad}]`;

const caption =
  "1\n00:00:00,000 --> 00:00:04,000\nEverybody wants to fly.\nSome of us just dance.\n";

export const scenes: Readonly<Record<string, Scene>> = {
  transcode: {
    caption: "The same moment at quality 80, 45 and 10, with the size of four seconds.",
    source: bird,
    runs: [80, 45, 10].map((quality) => ({ video: { codec: "h264", quality } })),
    layout: ({ made }) => ({
      inputs: made.flatMap((file) => at(1.5, file)),
      graph: [
        ...[80, 45, 10].map((quality, index) =>
          input(index, `crop=320:360:270:90,${label(`quality ${quality}`)}`, `q${index}`),
        ),
        "[q0][q1][q2]hstack=3",
      ].join(";"),
    }),
  },
  thumbnails: {
    caption: "A contact sheet of half a minute.",
    source: (film) => ["-i", film, "-c", "copy"],
    runs: [{ sheet: { columns: 4, rows: 3, width: 960 } }],
    layout: ({ made }) => ({
      inputs: ["-f", "jpeg_pipe", "-i", made[0] ?? ""],
      graph: "[0:v]scale=960:-2",
    }),
  },
  overlay: {
    caption: "A highlight that follows the dancer, a text and a timecode.",
    source: bird,
    runs: [
      {
        items: [
          {
            kind: "highlight",
            keyframes: [{ time: 0, x: 0.5, y: 0.5, radiusX: 0.2, radiusY: 0.42 }],
            dim: 0.55,
          },
          {
            kind: "text",
            text: "Look at him go!",
            position: "bottom-right",
            size: 8,
            color: "#ffd400",
          },
          { kind: "timecode", position: "bottom-left", start: "10:00:00:00" },
        ],
        quality: 85,
      },
    ],
    layout: ({ made }) => ({
      inputs: at(1.5, made[0] ?? ""),
      graph: "[0:v]scale=960:-2",
    }),
  },
  captions: {
    caption: "Captions in two lines, drawn on a box.",
    source: bird,
    runs: [{ action: "burn", text: caption, style: { background: {} }, quality: 85 }],
    layout: ({ made }) => ({
      inputs: at(1.5, made[0] ?? ""),
      graph: "[0:v]scale=960:-2",
    }),
  },
  reframe: {
    caption:
      "The source, a 9:16 crop that follows the dancer, and a square on its own blurred copy.",
    source: bird,
    runs: [
      { aspect: "9:16", keyframes: [{ time: 0, x: 0.5, zoom: 1.1 }] },
      { aspect: "1:1", background: "blur" },
    ],
    layout: ({ source, made }) => ({
      inputs: [source, ...made].flatMap((file) => at(1.5, file)),
      graph: [
        input(0, "scale=-2:260", "a"),
        input(1, "scale=-2:260", "b"),
        input(2, "scale=-2:260", "c"),
        "[a]pad=iw+10:ih:0:0:white[pa]",
        "[b]pad=iw+10:ih:0:0:white[pb]",
        "[pa][pb][c]hstack=3",
      ].join(";"),
    }),
  },
  audio: {
    caption: "The sound as a waveform.",
    source: (film) => ["-i", film, "-c", "copy"],
    runs: [{ do: "waveform", waveform: { output: "png", width: 960, height: 200 } }],
    layout: ({ made }) => ({
      inputs: ["-f", "png_pipe", "-i", made[0] ?? ""],
      graph: "color=white:s=960x200[w];[w][0:v]overlay",
    }),
  },
  clip: {
    caption: "The first frames of three clips out of one job.",
    source: (film) => ["-i", film, "-c", "copy"],
    runs: [
      {
        ranges: [
          { from: 8, to: 9, name: "Meadow" },
          { from: 13.5, to: 14.5, name: "Brook" },
          { from: 17, to: 18, name: "Dance" },
        ],
      },
    ],
    layout: ({ made }) => ({
      inputs: made.slice(0, 3).flatMap((file) => at(0, file)),
      graph: [
        ...["Meadow", "Brook", "Dance"].map((name, index) =>
          input(index, `scale=320:180,${label(`0${index + 1} ${name}`)}`, `c${index}`),
        ),
        "[c0][c1][c2]hstack=3",
      ].join(";"),
    }),
  },
  concat: {
    caption: "In the middle of a crossfade from one film to the next.",
    source: (film) => ["-ss", "10", "-t", "2", "-i", film, ...encode],
    others: [{ file: "second.mp4", argv: (film) => bird(film) }],
    runs: [{ transition: "crossfade", seconds: 1 }],
    layout: ({ made }) => ({
      inputs: [0.9, 1.5, 2.1].flatMap((time) => at(time, made[0] ?? "")),
      graph: [
        ...[0, 1, 2].map((index) => input(index, "scale=320:180", `f${index}`)),
        "[f0][f1][f2]hstack=3",
      ].join(";"),
    }),
  },
  animate: {
    caption: "Four moments of a GIF of 320 pixels with 256 colours.",
    source: bird,
    runs: [{ format: "gif", width: 320, frameRate: 12, from: 0, to: 3 }],
    layout: ({ made }) => ({
      inputs: ["-i", made[0] ?? ""],
      graph: "[0:v]select='eq(mod(n,9),2)',scale=240:-2,tile=4x1",
    }),
  },
  cutout: {
    caption: "A green screen, and the subject before another picture.",
    source: (film) => [
      ...[
        "-ss",
        "16",
        "-t",
        "1",
        "-i",
        film,
        "-f",
        "lavfi",
        "-i",
        "color=0x00b140:s=854x480:r=24:d=1",
      ],
      "-filter_complex",
      // An ellipse around the bird, with a soft edge.
      "[0:v]format=yuva444p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='255*clip((1-hypot((X-435)/150,(Y-250)/205))*18,0,1)'[cut];[1:v]format=yuv444p[g];[g][cut]overlay=format=yuv444,format=yuv420p",
      ...encode,
    ],
    others: [{ file: "back.png", argv: (film) => ["-ss", "10", "-i", film, "-frames:v", "1"] }],
    runs: [{ key: { colour: "#00b140" }, output: { kind: "image" }, quality: 85 }],
    layout: ({ source, made }) => ({
      inputs: [source, ...made].flatMap((file) => at(0.5, file)),
      graph: [input(0, "scale=480:-2", "a"), input(1, "scale=480:-2", "b"), "[a][b]hstack"].join(
        ";",
      ),
    }),
  },
  enhance: {
    caption: "A noisy source, and the same with its noise taken away.",
    source: (film) => [
      ...["-ss", "17.2", "-t", "0.6", "-i", film, "-vf", "noise=alls=16:allf=t"],
      ...encode,
    ],
    runs: [{ denoise: "strong", quality: 85 }],
    layout: ({ source, made }) => ({
      inputs: [source, ...made].flatMap((file) => at(0.3, file)),
      graph: [
        input(0, "crop=480:400:200:60", "a"),
        input(1, "crop=480:400:200:60", "b"),
        "[a][b]hstack",
      ].join(";"),
    }),
  },
  ladder: {
    caption: "The rungs of a ladder in their own sizes, the largest behind.",
    source: bird,
    runs: [{ format: "hls" }],
    layout: ({ made }) => ({
      inputs: rungs(made).flatMap((file) => at(1.5, file)),
      graph:
        "[0:v]scale=854:480[a];[1:v]pad=iw+6:ih+6:3:3:white[b];[2:v]pad=iw+6:ih+6:3:3:white[c];[a][b]overlay=W-w:H-h[ab];[ab][c]overlay=W-w:H-h",
    }),
  },
  measure: {
    caption:
      "The worst frame of an encode at the lowest quality: the reference on the left, the encode on the right.",
    source: bird,
    others: [
      {
        file: "poor.mp4",
        argv: (film) => [
          "-ss",
          "16",
          "-t",
          "4",
          "-i",
          film,
          "-c:v",
          "libx264",
          "-crf",
          "44",
          "-an",
        ],
      },
    ],
    runs: [{ worst: { frames: 1 }, metric: "ssim" }],
    layout: ({ made }) => ({
      inputs: ["-f", "png_pipe", "-i", made.find((file) => file.endsWith(".image")) ?? ""],
      graph: "[0:v]scale=960:-2",
    }),
  },
  check: {
    caption: "The report on a film with a black stretch, for people.",
    source: (film) =>
      bird(
        film,
        "-vf",
        "drawbox=c=black:t=fill:enable='between(t,1,2.5)'",
        "-af",
        "volume=0:enable='between(t,1,2.5)'",
      ),
    runs: [{ black: { seconds: 1 }, silent: { seconds: 1 } }],
    layout: ({ made }) => ({
      inputs: ["-f", "lavfi", "-i", "color=white:s=960x250"],
      graph: `[0:v]drawtext=font=DejaVu Sans Mono:fontsize=11:line_spacing=4:x=16:y=16:expansion=none:textfile=${made.find((file) => file.endsWith(".md"))}`,
    }),
  },
};

function rungs(made: readonly string[]): string[] {
  return made.filter((file) => /-\d+p\.mp4$/.test(file)).slice(0, 3);
}
