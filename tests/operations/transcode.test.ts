/** `transcode` with the real ffmpeg: what goes in odd comes out right, proven by decoding all of it. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Refusal } from "../../src/trouble.ts";
import { turnedCopy } from "../clips.ts";
import { frameTimes, picture, pixelAt, Rehearsal, sine, x264 } from "./rehearsal.ts";

// Each makes a source, encodes it and decodes all of the result, on a machine that others use too.
setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const plain = stage.make("plain.mp4", ...picture("320x180"), ...sine(), ...x264, "-c:a", "aac");
const fast = { speed: "fast" };
/** A quality makes it encode even where a copy would do. */
const quality = 40;

/** Red on the left half, blue on the right. */
const halves = (size: string, seconds = 1) => {
  const [width = 0, height = 0] = size.split("x").map(Number);
  const red = `color=red:size=${width / 2}x${height}:rate=25:duration=${seconds}`;
  const blue = red.replace("red", "blue");
  return ["-f", "lavfi", "-i", `${red}[a];${blue}[b];[a][b]hstack`];
};
const isRed = ([red, green, blue]: number[]) =>
  (red ?? 0) > 180 && (green ?? 255) < 80 && (blue ?? 255) < 80;
const isBlue = ([red, green, blue]: number[]) =>
  (blue ?? 0) > 180 && (green ?? 255) < 80 && (red ?? 255) < 80;

describe("codecs", () => {
  const pairs = [
    ["h264", "mp4", "aac"],
    ["h264", "mov", "mp3"],
    ["h264", "mkv", "opus"],
    ["hevc", "mp4", "mp3"],
    ["hevc", "mkv", "aac"],
    ["av1", "mp4", "opus"],
    ["av1", "webm", "opus"],
    ["vp9", "webm", "opus"],
    ["vp9", "mp4", "aac"],
  ] as const;
  for (const [codec, container, sound] of pairs) {
    test(`${codec} with ${sound} in ${container}`, async () => {
      const wish = { container, video: { codec, quality }, audio: { codec: sound }, ...fast };
      const { media, path, stderr } = await stage.transcode(wish, plain);
      expect(media.video?.codec).toBe(codec);
      expect(media.video?.pixelFormat).toBe("yuv420p");
      expect(media.container).toBe(container);
      expect(media.audio.map((track) => track.codec)).toEqual([sound]);
      expect(frameTimes(path)).toHaveLength(25);
      expect(stderr.replaceAll(/^Svt.*\n/gm, "")).toBe("");
    });
  }

  test("a bit rate is kept to, not a quality", async () => {
    const noise = "testsrc2=size=320x180:rate=25:duration=4,noise=alls=30:allf=t";
    const source = stage.make("noise.mkv", "-f", "lavfi", "-i", noise, ...x264);
    const { media } = await stage.transcode({ video: { bitRate: 300_000 }, ...fast }, source);
    expect(media.bitRate ?? 0).toBeGreaterThan(200_000);
    expect(media.bitRate ?? 0).toBeLessThan(450_000);
  });

  test("HEVC in MP4 has the tag that Apple's players need, copied too", async () => {
    const first = await stage.transcode({ video: { codec: "hevc", quality }, ...fast }, plain);
    const mkv = await stage.transcode({ container: "mkv", video: { codec: "copy" } }, first.path);
    const again = await stage.transcode({ container: "mov", video: { codec: "copy" } }, mkv.path);
    for (const { path } of [first, again]) {
      const argv = ["-v", "error", "-show_entries", "stream=codec_tag_string", "-of", "csv=p=0"];
      const tags = Bun.spawnSync(["ffprobe", ...argv, path]).stdout.toString();
      expect(tags).toContain("hvc1");
    }
  });
});

describe("size", () => {
  test("odd sides become even by losing a line, not by scaling", async () => {
    const source = stage.make(
      "odd.mkv",
      ...picture("321x181"),
      ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p"],
    );
    const { media, argv } = await stage.transcode(fast, source);
    expect([media.video?.width, media.video?.height]).toEqual([320, 180]);
    expect(argv.join(" ")).not.toContain("scale=");
  });

  test("a phone's rotated video is turned upright, and its height is the shown one", async () => {
    const flat = stage.make("flat.mp4", ...halves("320x180"), ...x264);
    const source = stage.make("phone.mp4", ...turnedCopy(flat, 270));
    const { media, path } = await stage.transcode({ video: { maxHeight: 160 }, ...fast }, source);
    expect([media.video?.width, media.video?.height]).toEqual([90, 160]);
    expect(media.video?.rotation).toBe(0);
    // Turned clockwise the left half is on top.
    expect(pixelAt(path, 45, 20)).toSatisfy(isRed);
    expect(isBlue(pixelAt(path, 45, 140))).toBe(true);

    const copied = await stage.transcode({}, source);
    expect(copied.media.video?.rotation).toBe(90);
    expect(copied.plan.notes[0]).toContain("already conforms");
    const matroska = await stage.transcode({ container: "mkv", ...fast }, source);
    expect([matroska.media.video?.displayWidth, matroska.media.video?.rotation]).toEqual([180, 0]);
  });

  test("anamorphic video gets square pixels", async () => {
    const squeezed = ["-vf", "setsar=64/45", ...x264];
    const source = stage.make("dv.mp4", ...picture("180x144"), ...squeezed);
    const { media } = await stage.transcode(fast, source);
    expect([media.video?.width, media.video?.height]).toEqual([256, 144]);
    expect(media.video?.sampleAspectRatio).toBe("1:1");
  });

  test("a smaller source is never made larger", async () => {
    const wish = { video: { maxHeight: 1080, maxWidth: 4000, quality }, ...fast };
    const { media } = await stage.transcode(wish, plain);
    expect([media.video?.width, media.video?.height]).toEqual([320, 180]);
  });

  test("pad and crop give exactly the box", async () => {
    const source = stage.make("halves.mp4", ...halves("320x180"), ...x264);
    const box = { maxWidth: 120, maxHeight: 120, quality: 80 };
    const pad = await stage.transcode({ video: { ...box, fit: "pad" }, ...fast }, source);
    expect([pad.media.video?.width, pad.media.video?.height]).toEqual([120, 120]);
    expect(Math.max(...pixelAt(pad.path, 60, 5))).toBeLessThan(20);
    expect(isRed(pixelAt(pad.path, 5, 60))).toBe(true);
    const crop = await stage.transcode({ video: { ...box, fit: "crop" }, ...fast }, source);
    expect([crop.media.video?.width, crop.media.video?.height]).toEqual([120, 120]);
    expect(isRed(pixelAt(crop.path, 10, 5))).toBe(true);
    expect(isBlue(pixelAt(crop.path, 110, 115))).toBe(true);
  });

  test("a tiny picture becomes AV1 all the same", async () => {
    const source = stage.make("tiny.mkv", ...picture("40x30", 0.4), ...x264);
    const { media } = await stage.transcode({ video: { codec: "av1" }, ...fast }, source);
    expect([media.video?.codec, media.video?.width, media.video?.height]).toEqual(["av1", 40, 30]);
  });
});

describe("time", () => {
  const uneven = [
    "-vf",
    "select='not(mod(n,3))+lt(n,10)',settb=1/1000",
    "-fps_mode",
    "passthrough",
  ];

  for (const codec of ["h264", "hevc", "av1", "vp9"] as const) {
    test(`a variable frame rate keeps its times in ${codec}`, async () => {
      const source = stage.make(
        `vfr-${codec}.mkv`,
        ...[...picture("160x120", 2, "30"), ...uneven, ...x264],
      );
      const { media, path } = await stage.transcode({ video: { codec, quality }, ...fast }, source);
      const before = frameTimes(source);
      const after = frameTimes(path);
      expect(after).toHaveLength(before.length);
      for (const [index, time] of before.entries()) {
        expect(Math.abs((after[index] ?? -1) - (after[0] ?? 0) - time)).toBeLessThan(0.002);
      }
      expect(media.video?.variableFrameRate).toBe(true);
    });
  }

  test("a frame rate makes it constant", async () => {
    const source = stage.make("vfr.mkv", ...picture("160x120", 2, "30"), ...uneven, ...x264);
    const wish = { video: { frameRate: 29.97, quality }, ...fast };
    const { media, path } = await stage.transcode(wish, source);
    expect(media.video?.frameRate).toBe("30000/1001");
    expect(media.video?.variableFrameRate).toBe(false);
    const times = frameTimes(path);
    for (const [index, time] of times.entries()) {
      expect(Math.abs(time - (index * 1001) / 30_000)).toBeLessThan(0.001);
    }
  });

  test("a cut begins and ends at exactly the frames asked for, with its sound", async () => {
    // The level of green counts frames, in steps that an encoder keeps apart.
    const counter = "nullsrc=size=64x64:rate=25:duration=4,format=gbrp,geq=r=0:b=0:g='8*mod(N,31)'";
    const tick = "aevalsrc='if(lt(mod(t,1),0.02),sin(2*PI*1000*t),0)':s=48000:d=4";
    const source = stage.make(
      "counter.mkv",
      ...["-f", "lavfi", "-i", counter, "-f", "lavfi", "-i", tick],
      ...["-c:v", "libx264", "-qp", "4", "-g", "60", "-pix_fmt", "yuv444p", "-c:a", "flac"],
    );
    const wish = { from: 1.4, to: 2.6, video: { quality: 100 }, ...fast };
    const { media, path } = await stage.transcode(wish, source);
    const times = frameTimes(path);
    expect(times).toHaveLength(30);
    expect(times[0]).toBe(0);
    const green = (seconds: number) => pixelAt(path, 32, 32, seconds)[1];
    const expected = (frame: number) => pixelAt(source, 32, 32, frame / 25)[1];
    expect(Math.abs(green(0) - expected(35))).toBeLessThan(4);
    expect(Math.abs(green(29 / 25) - expected(64))).toBeLessThan(4);
    expect(Math.abs((media.durationSeconds ?? 0) - 1.2)).toBeLessThan(0.03);
    // The tick of second 2 is heard 0.6 s into the cut.
    const silence = Bun.spawnSync([
      ...["ffmpeg", "-i", path, "-af", "silencedetect=noise=-40dB:d=0.3", "-f", "null", "-"],
    ]).stderr.toString();
    const heard = Number(/silence_end: ([\d.]+)/.exec(silence)?.[1]);
    expect(Math.abs(heard - 0.6)).toBeLessThan(0.03);
  });

  const tooLate = [
    [{ from: 9 }, "ends at 1 s, and from is 9 s"],
    [{ to: 9 }, "ends at 1 s, and to is 9 s"],
    [{ from: 0.5, to: 0.55 }, "too little"],
  ] as const;
  for (const [wish, words] of tooLate) {
    test(`${JSON.stringify(wish)} of a second is refused`, async () => {
      const refused = stage.transcode(wish, plain);
      expect(refused).rejects.toBeInstanceOf(Refusal);
      expect(refused).rejects.toThrow(words);
    });
  }

  test("chapters move along with a cut and end with it", async () => {
    const chapters = [0, 1, 2].map(
      (at) => `[CHAPTER]\nTIMEBASE=1/1\nSTART=${at}\nEND=${at + 1}\ntitle=Part ${at}\n`,
    );
    const list = `${stage.folder}/chapters.txt`;
    await Bun.write(list, `;FFMETADATA1\ntitle=A film\n${chapters.join("")}`);
    const source = stage.make(
      "chapters.mkv",
      ...[...picture("160x120", 3), "-i", list, "-map", "0", "-map_metadata", "1", ...x264],
    );
    const cut = await stage.transcode({ from: 1.1, to: 1.9, ...fast }, source);
    expect(cut.media.chapters.map(({ title }) => title)).toEqual(["Part 1"]);
    expect(Math.abs((cut.media.durationSeconds ?? 0) - 0.8)).toBeLessThan(0.05);
    const bare = await stage.transcode({ metadata: "strip", ...fast }, source);
    expect(bare.media.chapters).toEqual([]);
    const entries = ["-v", "error", "-show_entries", "format_tags=title", "-of", "csv=p=0"];
    const title = (path: string) =>
      Bun.spawnSync(["ffprobe", ...entries, path])
        .stdout.toString()
        .trim();
    expect([title(cut.path), title(bare.path)]).toEqual(["A film", ""]);
  });
});
