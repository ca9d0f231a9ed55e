/** `transcode` with the real ffmpeg: what goes in odd comes out right, proven by decoding all of it. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Refusal } from "../../src/trouble.ts";
import { frameTimes, packetHashes, pixelAt, Rehearsal } from "./rehearsal.ts";

// Each makes a source, encodes it and decodes all of the result, on a machine that others use too.
setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const picture = (size: string, seconds = 1, rate = "25") => [
  ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
];
const sine = (seconds = 1) => [
  ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
];
const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

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
    // The muxer counts counter-clockwise: 270 is what a phone held upright writes.
    const turned = ["-i", flat, "-c", "copy", "-metadata:s:v", "rotate=270"];
    const source = stage.make("phone.mp4", ...turned);
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
  const uneven = ["-vf", "select='not(mod(n,3))+lt(n,10)',settb=1/1000", "-vsync", "passthrough"];

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

describe("colour", () => {
  const tenBits = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"];
  const hdr10 =
    "log-level=0:hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:" +
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400";
  const hdrSource = () =>
    stage.make("hdr.mkv", ...picture("160x120", 0.4), ...tenBits, "-x265-params", hdr10);
  const deep = () =>
    stage.make("deep.mkv", ...picture("160x120", 0.4), ...tenBits, "-x265-params", "log-level=0");

  for (const codec of ["hevc", "av1", "vp9"] as const) {
    test(`10 bits stay 10 bits in ${codec}`, async () => {
      const { media } = await stage.transcode({ video: { codec, quality }, ...fast }, deep());
      expect(media.video?.pixelFormat).toBe("yuv420p10le");
    });

    test(`HDR10 keeps its tags in ${codec}`, async () => {
      const { media } = await stage.transcode({ video: { codec, quality }, ...fast }, hdrSource());
      const { hdr, colorPrimaries, colorTransfer, colorSpace, colorRange } = media.video ?? {};
      expect({ hdr, colorPrimaries, colorTransfer, colorSpace, colorRange }).toEqual({
        hdr: "hdr10",
        colorPrimaries: "bt2020",
        colorTransfer: "smpte2084",
        colorSpace: "bt2020nc",
        colorRange: "tv",
      });
    });
  }

  test("HEVC keeps how the picture was mastered", async () => {
    const wish = { video: { codec: "hevc", quality }, ...fast };
    const { media } = await stage.transcode(wish, hdrSource());
    expect(media.video?.hdrMetadata?.mastering?.maxNits).toBe(1000);
    expect(media.video?.hdrMetadata?.mastering?.red[0]).toBeCloseTo(0.68, 3);
    expect(media.video?.hdrMetadata?.light).toEqual({ maxContentNits: 1000, maxAverageNits: 400 });
  });

  test("8 bits come out of 10 for H.264", async () => {
    const { media } = await stage.transcode(fast, deep());
    expect([media.video?.codec, media.video?.pixelFormat]).toEqual(["h264", "yuv420p"]);
  });

  test("HDR becomes SDR for H.264, with a note, and by wish for HEVC", async () => {
    const h264 = await stage.transcode(fast, hdrSource());
    expect(h264.plan.notes[0]).toContain("tone-mapped");
    expect([h264.media.video?.hdr, h264.media.video?.colorTransfer]).toEqual([null, "bt709"]);
    const wish = { video: { codec: "hevc", quality }, hdr: "sdr", ...fast };
    const hevc = await stage.transcode(wish, hdrSource());
    expect([hevc.media.video?.hdr, hevc.media.video?.pixelFormat]).toEqual([null, "yuv420p"]);
    expect(hevc.plan.notes.join()).not.toContain("tone-mapped");
  });

  test("HD made SD keeps its colours, because the output says which matrix it has", async () => {
    const green = ["-f", "lavfi", "-i", "color=0x20c040:size=1280x720:rate=25:duration=0.2"];
    const bt709 = ["-vf", "scale=out_color_matrix=bt709:out_range=tv", ...x264];
    const source = stage.make("hd.mp4", ...green, ...bt709, "-bsf:v", "h264_metadata");
    const { media, path } = await stage.transcode(
      { video: { maxHeight: 240, quality: 90 }, ...fast },
      source,
    );
    expect(media.video?.colorSpace).toBe("bt709");
    const [red, greenLevel, blue] = pixelAt(path, 100, 100);
    expect(Math.abs(red - 0x20)).toBeLessThan(10);
    expect(Math.abs(greenLevel - 0xc0)).toBeLessThan(10);
    expect(Math.abs(blue - 0x40)).toBeLessThan(10);
  });

  const levels = [
    ["yuvj420p", "mjpeg"],
    ["bgr0", "ffv1"],
    ["gray", "ffv1"],
  ] as const;
  for (const [pixels, encoder] of levels) {
    test(`${pixels} comes out in limited range with the same picture`, async () => {
      const grey = ["-f", "lavfi", "-i", "color=0xd0d0d0:size=161x121:rate=25:duration=0.2"];
      const source = stage.make(`${pixels}.mkv`, ...grey, "-pix_fmt", pixels, "-c:v", encoder);
      const wish = { video: { maxWidth: 400, maxHeight: 200, fit: "pad", quality: 90 }, ...fast };
      const { media, path } = await stage.transcode(wish, source);
      expect([media.video?.pixelFormat, media.video?.colorRange]).toEqual(["yuv420p", "tv"]);
      expect(Math.abs(pixelAt(path, 200, 100)[0] - 0xd0)).toBeLessThan(5);
      expect(pixelAt(path, 5, 5)[0]).toBeLessThan(4);
    });
  }
});

describe("sound", () => {
  const surround = () =>
    stage.make(
      "surround.mkv",
      ...[...picture("160x120"), "-f", "lavfi", "-i", "anoisesrc=d=1:a=0.1:r=48000"],
      ...["-af", "aformat=channel_layouts=5.1(side)", ...x264, "-c:a", "ac3"],
    );

  for (const [codec, container] of [
    ["opus", "webm"],
    ["opus", "mp4"],
    ["aac", "mp4"],
  ] as const) {
    test(`5.1 stays 5.1 in ${codec} in ${container}`, async () => {
      const wish = { container, audio: { codec }, ...fast };
      const { media } = await stage.transcode(wish, surround());
      expect(media.audio[0]?.channels).toBe(6);
      expect(media.audio[0]?.channelLayout).toBe("5.1");
    });
  }

  test("5.1 becomes stereo by wish and in MP3, and mono stays mono", async () => {
    const wish = { audio: { codec: "aac", channels: 2 }, ...fast };
    expect((await stage.transcode(wish, surround())).media.audio[0]?.channels).toBe(2);
    const mp3 = await stage.transcode({ audio: { codec: "mp3" }, ...fast }, surround());
    expect(mp3.media.audio[0]?.channels).toBe(2);
    const mono = await stage.transcode({ audio: { codec: "opus", channels: 6 }, ...fast }, plain);
    expect(mono.media.audio[0]?.channels).toBe(1);
  });

  test("no sound is fine, and sound alone becomes a file of sound", async () => {
    const silent = stage.make("silent.mkv", ...picture("160x120", 0.4), ...x264);
    expect((await stage.transcode(fast, silent)).media.audio).toEqual([]);
    const voice = stage.make("voice.flac", ...sine());
    const { media, declared, plan } = await stage.transcode({}, voice);
    expect([media.kind, media.audio[0]?.codec]).toEqual(["audio", "aac"]);
    expect([declared.name, declared.mimeType]).toEqual(["voice.m4a", "audio/mp4"]);
    expect(plan.notes.join()).toContain("no picture");
    for (const container of ["mkv", "webm", "mov"]) {
      expect((await stage.transcode({ container }, voice)).media.kind).toBe("audio");
    }
  });

  test("codec none drops the picture or the sound", async () => {
    const sound = await stage.transcode({ video: { codec: "none" } }, plain);
    expect([sound.media.kind, sound.declared.name]).toEqual(["audio", "plain.m4a"]);
    const silent = await stage.transcode({ audio: { codec: "none" } }, plain);
    expect([silent.media.audio.length, silent.media.video?.codec]).toEqual([0, "h264"]);
  });

  test("all tracks are kept with their languages, or the first", async () => {
    const languages = ["-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=fra"];
    const source = stage.make(
      "tracks.mkv",
      ...[...picture("160x120", 0.4), ...sine(0.4), ...sine(0.4)],
      ...["-map", "0", "-map", "1", "-map", "2", ...languages, ...x264, "-c:a", "flac"],
    );
    const all = await stage.transcode(fast, source);
    expect(all.media.audio.map(({ language }) => language)).toEqual(["deu", "fra"]);
    const bare = await stage.transcode({ metadata: "strip", ...fast }, source);
    expect(bare.media.audio.map(({ language }) => language)).toEqual(["deu", "fra"]);
    const first = await stage.transcode({ tracks: "first", ...fast }, source);
    expect(first.media.audio.map(({ language }) => language)).toEqual(["deu"]);
  });

  test("a hole in the sound becomes silence, so that the rest stays with the picture", async () => {
    const holed = stage.make(
      "hole.mkv",
      ...[...picture("160x120", 3), ...sine(2), ...x264, "-c:a", "pcm_s16le"],
      ...["-af", "asetpts='if(gte(T,1),PTS+1/TB,PTS)'"],
    );
    const { path } = await stage.transcode({ audio: { codec: "aac" }, ...fast }, holed);
    const found = Bun.spawnSync([
      ...["ffmpeg", "-i", path, "-af", "silencedetect=noise=-50dB:d=0.5", "-f", "null", "-"],
    ]).stderr.toString();
    expect(Number(/silence_start: ([\d.]+)/.exec(found)?.[1])).toBeCloseTo(1, 1);
    expect(Number(/silence_end: ([\d.]+)/.exec(found)?.[1])).toBeCloseTo(2, 1);
  });
});

describe("what conforms is copied", () => {
  test("picture and sound, packet for packet", async () => {
    const source = stage.make("copy.mkv", "-i", plain, "-c", "copy");
    const { path, plan, declared } = await stage.transcode({ video: { maxHeight: 720 } }, source);
    expect(plan.notes).toEqual([
      "The source already conforms: streams are copied, not re-encoded.",
    ]);
    expect(declared.name).toBe("copy.mp4");
    for (const stream of ["0:a"]) {
      expect(packetHashes(path, stream)).toBe(packetHashes(plain, stream));
    }
    expect(packetHashes(path, "0:v")).toContain("SHA256=");
    expect(packetHashes(path, "0:v")).toBe(packetHashes(plain, "0:v"));
  });

  test("the sound alone, where only the picture must change", async () => {
    const { path, plan } = await stage.transcode({ video: { maxHeight: 90 }, ...fast }, plain);
    expect(plan.notes).toEqual(["The sound already conforms: it is copied, not re-encoded."]);
    expect(packetHashes(path, "0:a")).toBe(packetHashes(plain, "0:a"));
    expect(packetHashes(path, "0:v")).not.toBe(packetHashes(plain, "0:v"));
  });

  test("an MP4 can be played before it is there as a whole", async () => {
    const { path } = await stage.transcode({}, plain);
    const text = await Bun.file(path).text();
    expect(text.indexOf("moov")).toBeGreaterThan(0);
    expect(text.indexOf("moov")).toBeLessThan(text.indexOf("mdat"));
  });

  test("subtitles go along into Matroska and are left out of MP4 with a note", async () => {
    const words = `${stage.folder}/words.srt`;
    await Bun.write(words, "1\n00:00:00,100 --> 00:00:00,900\nHello\n");
    const source = stage.make("words.mkv", "-i", plain, "-i", words, "-c", "copy");
    const matroska = await stage.transcode({ container: "mkv" }, source);
    expect(matroska.media.subtitles.map(({ codec }) => codec)).toEqual(["subrip"]);
    const mp4 = await stage.transcode({}, source);
    expect(mp4.media.subtitles).toEqual([]);
    expect(mp4.plan.notes.join()).toContain("1 subtitle track is left out");
  });
});

test("interlaced video is deinterlaced when it says so", async () => {
  const fields = ["-vf", "interlace=scan=tff", ...x264, "-flags", "+ilme+ildct"];
  const source = stage.make("fields.mkv", ...picture("160x120", 1, "50"), ...fields);
  const { media, argv, path } = await stage.transcode(fast, source);
  expect(argv.join(" ")).toContain("bwdif");
  expect(media.video?.interlaced).toBe(false);
  expect(frameTimes(path)).toHaveLength(25);
  const off = await stage.transcode({ deinterlace: "off", video: { quality }, ...fast }, source);
  expect(off.argv.join(" ")).not.toContain("bwdif");
});

test("an animated GIF becomes a video", async () => {
  const source = stage.make("moving.gif", ...picture("101x75", 0.5, "10"));
  const { media } = await stage.transcode(fast, source);
  expect([media.video?.codec, media.video?.width, media.video?.height]).toEqual(["h264", 100, 74]);
});

test("a still picture is refused, with what to use instead", async () => {
  const source = stage.make("still.png", ...picture("64x64"), "-frames:v", "1", "-update", "1");
  expect(stage.transcode({}, source)).rejects.toThrow("Use thumbnails");
});
