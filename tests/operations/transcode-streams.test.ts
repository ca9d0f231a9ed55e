/** `transcode` and what a stream is made of: colour, sound, copies, fields, stills. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { frameTimes, packetHashes, picture, pixelAt, Rehearsal, sine, x264 } from "./rehearsal.ts";

// Each makes a source, encodes it and decodes all of the result, on a machine that others use too.
setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const plain = stage.make("plain.mp4", ...picture("320x180"), ...sine(), ...x264, "-c:a", "aac");
const fast = { speed: "fast" };
/** A quality makes it encode even where a copy would do. */
const quality = 40;

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
