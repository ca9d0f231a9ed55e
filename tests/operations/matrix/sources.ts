/** The sources of the matrix: each is the same film with one thing that trips video tools up. */
import { join } from "node:path";
import { ffmpeg } from "../../clips.ts";
import { beeps, flashTimes, ground, picture } from "./film.ts";
import {
  aac,
  atRate,
  beside,
  both,
  centreOf51,
  film,
  lavfi,
  masters,
  plain,
  type Source,
  shape,
  stereo,
  stored,
  turned,
  x264,
} from "./recipes.ts";

export const sources: readonly Source[] = [
  {
    name: "plain",
    title: "H.264 and AAC, 25 frames per second",
    ending: "mp4",
    make: (path) => film(path),
    truth: plain,
  },
  turned(90),
  turned(180),
  turned(270),
  {
    name: "odd",
    title: "odd sizes (193×109)",
    ending: "webm",
    make: (path) =>
      film(path, {
        look: { width: 193, height: 109 },
        video: [
          "-c:v",
          "libvpx-vp9",
          "-crf",
          "12",
          "-b:v",
          "0",
          "-cpu-used",
          "8",
          "-deadline",
          "realtime",
        ],
        audio: [...stereo, "-c:a", "libopus"],
      }),
    truth: { ...plain, aspect: 193 / 109 },
  },
  {
    name: "odd-444",
    title: "odd sizes, colours as fine as the picture (4:4:4)",
    ending: "mkv",
    make: (path) => film(path, { look: { width: 191, height: 107 }, pixels: "yuv444p" }),
    truth: { ...plain, aspect: 191 / 107 },
  },
  {
    name: "variable-rate",
    title: "frames at uneven distances",
    ending: "mp4",
    make: (path) =>
      film(path, {
        // Every frame of a flash stays.
        filters: "select='not(eq(mod(n,7),3)+eq(mod(n,5),2))+between(n,9,13)+between(n,34,38)'",
        video: [...x264, "-fps_mode", "vfr"],
      }),
    truth: { ...plain, uneven: true, wrong: "variable-frame-rate" },
  },
  {
    name: "ten-bit",
    title: "HEVC in 10 bits, BT.2020 without HDR",
    ending: "mkv",
    make: (path) =>
      ffmpeg(
        ...lavfi(`${picture()},${stored("bt2020")},format=yuv420p10le`),
        ...[...lavfi(beeps()), "-c:v", "libx265", "-preset", "ultrafast", "-crf", "8"],
        ...[
          "-x265-params",
          "log-level=none",
          "-color_primaries",
          "bt2020",
          "-color_trc",
          "bt2020-10",
        ],
        ...["-colorspace", "bt2020nc", "-color_range", "tv", ...stereo, ...aac, path],
      ),
    truth: { ...plain, bitDepth: 10 },
  },
  {
    name: "surround",
    title: "5.1 as discs have it (AC-3, side channels)",
    ending: "mkv",
    make: (path) =>
      film(path, {
        audio: [
          "-af",
          `${centreOf51},aformat=channel_layouts=5.1(side)`,
          "-c:a",
          "ac3",
          "-b:a",
          "448k",
        ],
      }),
    truth: { ...plain, sound: [{ hertz: 1000, heard: [2], channels: 6 }] },
  },
  {
    name: "no-sound",
    title: "no sound",
    ending: "mp4",
    make: (path) => film(path, { sound: [], audio: [] }),
    truth: { ...plain, sound: [] },
  },
  {
    name: "languages",
    title: "three languages, captions and chapters",
    ending: "mkv",
    make: (path) => {
      const captions = beside(path, "srt");
      const chapters = beside(path, "txt");
      Bun.spawnSync(["tee", captions], {
        stdin: Buffer.from("1\n00:00:00,500 --> 00:00:01,000\nGoal\n"),
      });
      const chapter = (start: number, end: number, title: string) =>
        `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${end}\ntitle=${title}\n`;
      const all = `${chapter(0, 1000, "one")}${chapter(1000, 2000, "two")}`;
      Bun.spawnSync(["tee", chapters], { stdin: Buffer.from(`;FFMETADATA1\n${all}`) });
      const tracks = [1000, 1500, 2200].flatMap((hertz) => lavfi(beeps({ hertz })));
      const languages = ["eng", "deu", "fra"].flatMap((language, index) => [
        `-metadata:s:a:${index}`,
        `language=${language}`,
      ]);
      film(path, {
        sound: [...tracks, "-i", captions, "-i", chapters],
        audio: [
          ...[
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            "-map",
            "3",
            "-map",
            "4",
            "-map_metadata",
            "5",
          ],
          ...["-map_chapters", "5", ...stereo, ...aac, "-c:s", "subrip", ...languages],
          ...["-disposition:a:0", "default"],
        ],
      });
    },
    truth: {
      ...plain,
      sound: [
        { ...both, language: "eng" },
        { ...both, hertz: 1500, language: "deu" },
        { ...both, hertz: 2200, language: "fra" },
      ],
    },
  },
  {
    name: "interlaced",
    title: "interlaced, MPEG-2 in a transport stream",
    ending: "ts",
    make: (path) =>
      film(path, {
        look: { rate: "50", flashFrames: 4 },
        filters: "interlace=scan=tff:lowpass=off",
        video: [
          ...["-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ildct+ilme", "-top", "1", "-r", "25"],
          ...["-field_order", "tt"],
        ],
        audio: [...stereo, "-c:a", "mp2", "-b:a", "192k"],
      }),
    truth: { ...plain, flashes: flashTimes({ rate: "50" }), interlaced: true },
  },
  {
    name: "anamorphic",
    title: "anamorphic (144×108 shown as 16:9), untagged PAL colours",
    ending: "mkv",
    make: (path) =>
      ffmpeg(
        ...lavfi(`${picture({ width: 144, height: 288 })},${stored("bt601")}`),
        ...[...lavfi(beeps()), "-vf", "format=yuv420p,setsar=32/9", ...x264],
        ...[...stereo, ...aac, path],
      ),
    truth: plain,
  },
  {
    name: "mono",
    title: "mono",
    ending: "mp4",
    make: (path) => film(path, { audio: ["-ac", "1", ...aac] }),
    truth: { ...plain, sound: [{ hertz: 1000, heard: [0], channels: 1 }] },
  },
  {
    name: "dual-mono",
    title: "dual mono: two tracks of one channel, uncompressed",
    ending: "mov",
    make: (path) =>
      film(path, {
        sound: [...lavfi(beeps()), ...lavfi(beeps({ hertz: 1500 }))],
        audio: ["-map", "0", "-map", "1", "-map", "2", "-ac", "1", "-c:a", "pcm_s16le"],
      }),
    truth: {
      ...plain,
      sound: [
        { hertz: 1000, heard: [0], channels: 1 },
        { hertz: 1500, heard: [0], channels: 1 },
      ],
    },
  },
  {
    name: "one-side",
    title: "stereo that is heard on the left alone",
    ending: "mp4",
    make: (path) => film(path, { audio: ["-af", "pan=stereo|c0=c0", ...aac] }),
    truth: { ...plain, wrong: "one-sided", sound: [{ hertz: 1000, heard: [0], channels: 2 }] },
  },
  atRate("rate-23.976", "23.976 frames per second", "24000/1001"),
  atRate("rate-24", "24 frames per second", "24"),
  atRate("rate-59.94", "59.94 frames per second", "60000/1001"),
  {
    name: "edit-list",
    title: "begins in the middle of a group of pictures (edit list)",
    ending: "mp4",
    make: (path) => {
      const whole = beside(path, "whole.mp4");
      film(whole, {
        look: { seconds: 2.4 },
        video: ["-c:v", "libx264", "-preset", "veryfast", "-crf", "8", "-bf", "2", "-g", "60"],
      });
      ffmpeg("-ss", "0.2", "-i", whole, "-c", "copy", path);
    },
    truth: { ...plain, flashes: flashTimes().map((time) => time - 0.2) },
  },
  {
    name: "late-sound",
    title: "sound that begins 0.3 s after the picture",
    ending: "mp4",
    make: (path) => {
      const whole = beside(path, "whole.mkv");
      film(whole);
      ffmpeg(
        ...["-i", whole, "-ss", "0.3", "-i", whole, "-itsoffset", "0.3", "-ss", "0.3", "-i", whole],
        ...["-map", "0:v", "-map", "2:a", "-c", "copy", path],
      );
    },
    truth: plain,
  },
  {
    name: "late-picture",
    title: "a picture that begins 0.3 s after the sound",
    ending: "mkv",
    make: (path) => {
      const whole = beside(path, "whole.mkv");
      film(whole);
      ffmpeg(
        ...["-itsoffset", "0.3", "-i", whole, ...lavfi(`${beeps()},adelay=300:all=1`)],
        ...["-map", "0:v", "-map", "1:a", "-c:v", "copy", ...stereo, ...aac, path],
      );
    },
    truth: { ...plain, flashes: flashTimes().map((time) => time + 0.3) },
  },
  {
    name: "negative-start",
    title: "times that begin below zero",
    ending: "mov",
    make: (path) => {
      const whole = beside(path, "whole.mkv");
      film(whole, { audio: [...stereo, "-c:a", "pcm_s16le"] });
      ffmpeg(
        ...["-i", whole, "-c", "copy", "-output_ts_offset", "-0.2"],
        ...["-avoid_negative_ts", "disabled", path],
      );
    },
    truth: { ...plain, flashes: flashTimes().map((time) => time - 0.2) },
  },
  {
    name: "late-times",
    title: "times that begin at ten hours (transport stream)",
    ending: "ts",
    make: (path) => {
      const whole = beside(path, "whole.mkv");
      film(whole);
      ffmpeg("-i", whole, "-c", "copy", "-output_ts_offset", "36000", path);
    },
    truth: plain,
  },
  {
    name: "hdr10",
    title: "HDR10",
    ending: "mp4",
    make: (path) =>
      ffmpeg(
        ...lavfi(`${picture()},${stored("bt2020")},format=yuv420p10le`),
        ...[...lavfi(beeps()), "-c:v", "libx265", "-preset", "ultrafast", "-crf", "8"],
        ...["-x265-params", `log-level=none:hdr10=1:repeat-headers=1:${masters}`, "-tag:v", "hvc1"],
        ...["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"],
        ...["-color_range", "tv", ...stereo, ...aac, path],
      ),
    // The numbers of the film, read as HDR10, are far brighter.
    truth: { ...plain, bitDepth: 10, hdr: true, groundInSdr: "#0011fe" },
  },
  {
    name: "full-range",
    title: "full-range Motion JPEG in AVI",
    ending: "avi",
    make: (path) =>
      ffmpeg(
        ...lavfi(`${picture()},${stored("bt601", "pc")},format=yuvj420p`),
        ...[...lavfi(beeps()), "-c:v", "mjpeg", "-q:v", "2", ...stereo, "-c:a", "pcm_s16le", path],
      ),
    truth: plain,
  },
  {
    name: "long-sound",
    title: "sound that goes on for a second after the picture",
    ending: "mp4",
    make: (path) => film(path, { sound: lavfi(beeps({ soundSeconds: 3 })) }),
    truth: { ...plain, wrong: "length" },
  },
  {
    name: "short-sound",
    title: "sound that ends a second before the picture",
    ending: "mp4",
    make: (path) => film(path, { sound: lavfi(beeps({ soundSeconds: 1 })) }),
    truth: { ...plain, wrong: "length" },
  },
  {
    name: "very-short",
    title: "three frames",
    ending: "mp4",
    make: (path) => film(path, { look: { seconds: 0.12 } }),
    truth: { ...plain, flashes: [] },
  },
  {
    name: "transparent",
    title: "transparency (ProRes 4444)",
    ending: "mov",
    make: (path) =>
      ffmpeg(
        // ProRes that says nothing of its colours: as small as this, players take BT.601.
        ...lavfi(`${picture()},${stored("bt601")},format=yuva444p10le`),
        ...[...lavfi(beeps()), "-c:v", "prores_ks", "-profile:v", "4444"],
        ...[...stereo, "-c:a", "pcm_s16le", path],
      ),
    truth: { ...plain, bitDepth: 10 },
  },
  {
    name: "still",
    title: "a still picture",
    ending: "png",
    make: (path) => ffmpeg(...lavfi(picture()), "-frames:v", "1", path),
    truth: { kind: "still", flashes: [], aspect: shape, sound: [] },
  },
  {
    name: "cover",
    title: "sound with a cover picture",
    ending: "m4a",
    make: (path) => {
      const cover = beside(path, "png");
      ffmpeg(...lavfi(`color=c=0x${ground.slice(1)}:s=64x64`), "-frames:v", "1", cover);
      ffmpeg(
        ...[...lavfi(beeps()), "-i", cover, "-map", "0", "-map", "1", ...stereo, ...aac],
        ...["-c:v", "copy", "-disposition:v:0", "attached_pic", path],
      );
    },
    truth: { kind: "sound", flashes: flashTimes(), aspect: 1, sound: [both] },
  },
];

/** Makes a source in a folder; returns its path. */
export function makeSource(source: Source, folder: string): string {
  const path = join(folder, `${source.name}.${source.ending}`);
  source.make(path);
  return path;
}
