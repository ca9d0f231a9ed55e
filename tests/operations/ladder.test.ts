/** What `ladder` makes: held against the rules of HLS and DASH, and looked at frame by frame. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffprobe, turnedCopy } from "../clips.ts";
import { unquoted } from "../streaming/playlist.ts";
import { testInLongForm } from "../support/long-form.ts";
import { numberedFilm, numbers, numbersIn } from "./numbered.ts";
import { type PublishedLadder, publishLadder } from "./published-ladder.ts";
import { frameTimes, picture, run, sine, x264 } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(120_000);

const root = mkdtempSync(join(tmpdir(), "ladder-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function source(name: string, ...argv: string[]): string {
  const path = join(root, name);
  run([...argv, path]);
  return path;
}

/** Made, and with nothing against it in the rules. */
async function ladder(params: Record<string, unknown>, path: string): Promise<PublishedLadder> {
  return publishLadder(await work(root, "ladder", params, [path]), root);
}

/** What each variant says of itself, the best first. */
function said({ variants }: PublishedLadder, ...names: string[]): (string | undefined)[][] {
  return variants
    .map(({ attributes }) => names.map((name) => unquoted(attributes.get(name))))
    .toSorted((a, b) => Number(b[0]?.split("x")[1]) - Number(a[0]?.split("x")[1]));
}

/** The first frames of each segment, in seconds. */
function keyframesOf(path: string): number[] {
  const entries = [
    "-select_streams",
    "v:0",
    "-show_entries",
    "packet=pts_time,flags",
    "-of",
    "csv=p=0",
  ];
  const text = Bun.spawnSync(["ffprobe", "-v", "error", ...entries, path]).stdout.toString();
  return text
    .split("\n")
    .filter((line) => line.includes(",K"))
    .map((line) => Number.parseFloat(line));
}

describe("a film in two languages", () => {
  const film = () =>
    source(
      "Fête (final).mkv",
      ...[...picture("320x180", 5, "25"), ...sine(5), ...sine(5), ...sine(5)],
      ...["-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:a", ...x264, "-c:a", "aac"],
      ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger"],
      ...["-metadata:s:a:2", "language=eng", "-metadata:s:a:2", 'title=Say "hi", you'],
    );
  let made: PublishedLadder;

  test("is a ladder by the rules of HLS and of DASH", async () => {
    made = await ladder(
      {
        format: "both",
        segmentSeconds: 2,
        rungs: [{ height: 90, bitRate: 60_000 }, { height: 180 }],
        thumbnails: { every: 1, width: 64 },
      },
      film(),
    );
    expect(said(made, "RESOLUTION", "FRAME-RATE", "VIDEO-RANGE", "CODECS")).toEqual([
      ["320x180", "25.000", "SDR", "avc1.64000c,mp4a.40.2"],
      ["160x90", "25.000", "SDR", "avc1.64000b,mp4a.40.2"],
    ]);
    expect(made.keyframes).toHaveLength(2);
    expect(made.names.slice(0, 4)).toEqual([
      "fete-final.m3u8",
      "fete-final.mpd",
      "fete-final-180p.mp4",
      "fete-final-90p.mp4",
    ]);
  });

  test("says profile and level as decoders find them", () => {
    for (const { attributes, uri } of made.variants) {
      const path = join(made.folder, uri.replace("m3u8", "mp4"));
      const [stream] = ffprobe(path).streams;
      const level = Number(stream?.["level"]).toString(16).padStart(2, "0");
      expect(stream?.["profile"]).toBe("High");
      expect(attributes.get("CODECS")).toContain(`avc1.6400${level},`);
    }
  });

  test("has each sound once, in one group, named for people and for players", () => {
    const facts = made.sounds.map((sound) =>
      ["NAME", "LANGUAGE", "DEFAULT", "AUTOSELECT", "CHANNELS", "URI"].map((name) =>
        unquoted(sound.get(name)),
      ),
    );
    expect(facts).toEqual([
      ["English", "en", "YES", "YES", "1", "fete-final-audio-en.m3u8"],
      ["German", "de", "NO", "YES", "1", "fete-final-audio-de.m3u8"],
      ["Say hi , you", "en", "NO", "NO", "1", "fete-final-audio-en-3.m3u8"],
    ]);
  });

  test("cuts sound where the picture is cut, to half a frame, and loses none of it", () => {
    const cuts = made.streams.get("fete-final-180p.m3u8")?.starts ?? [];
    for (const sound of made.sounds) {
      const stream = made.streams.get(unquoted(sound.get("URI")) ?? "");
      expect(stream?.starts).toHaveLength(cuts.length);
      for (const [index, start] of (stream?.starts ?? []).entries()) {
        expect(Math.abs(start - (cuts[index] ?? 0))).toBeLessThan(1024 / 48_000 / 2 + 1e-6);
      }
      expect(stream?.endSeconds).toBeCloseTo(5, 1);
    }
  });

  test("has thumbnails for its seek bar, by WebVTT and as tiles of DASH", () => {
    const text = (name: string) => readFileSync(join(made.folder, `fete-final${name}`), "utf8");
    expect(made.names).toContain("fete-final-thumbnails-1.jpg");
    expect(text("-thumbnails.vtt")).toContain("fete-final-thumbnails-1.jpg#xywh=64,0,64,36");
    expect(text(".mpd")).toContain('media="fete-final-thumbnails-$Number$.jpg"');
    expect(text(".mpd")).toContain('value="5x1"');
  });

  test("tells on the job what was checked", () => {
    expect(made.made.checks).toContain(
      "The 3 segments begin with a keyframe at the same time in all 2 rungs",
    );
    expect(made.made.checks.join("\n")).toContain("every playlist ends with EXT-X-ENDLIST");
  });
});

test("no frame is lost or moved, and an encrypted ladder is one by the rules too", async () => {
  const count = 80;
  const film = numberedFilm(join(root, "numbered.mp4"), {
    ...{ count, rate: "24000/1001" },
    argv: [...x264, "-bf", "2", "-c:a", "aac"],
  });
  const made = await ladder({ segmentSeconds: 1, rungs: [{ height: 144 }, { height: 72 }] }, film);
  const path = join(made.folder, "numbered-144p.mp4");
  expect(numbersIn(path)).toEqual(numbers(0, count));
  const apart = frameTimes(path).map((time, index) => time - (index * 1001) / 24_000);
  expect(Math.max(...apart.map(Math.abs))).toBeLessThan(0.001);
  // Whole frames: 24 of them are a second and a thousandth.
  expect(made.streams.get("numbered-72p.m3u8")?.starts.map((start) => start.toFixed(3))).toEqual([
    ...["0.000", "1.001", "2.002", "3.003"],
  ]);
  const locked = await ladder(
    { segmentSeconds: 1, encryption: "aes-128", rungs: [{ height: 72 }] },
    film,
  );
  const segments = locked.streams.get("numbered-72p.m3u8")?.playlist.segments ?? [];
  expect(new Set(segments.map(({ key }) => key?.iv)).size).toBe(4);
  const bytes = readFileSync(join(locked.folder, "numbered-72p.mp4"));
  expect(bytes.includes("moof")).toBe(false);
  expect(locked.made.checks.join("\n")).toContain("decrypts with the key to what was encoded");
});

/** Sources that are not as simple as they look. */
describe("of a source that is", () => {
  test("odd, of uneven times, and silent, rungs are even, steady and silent", async () => {
    const uneven = "select='not(mod(n,7))+not(mod(n,3))'";
    const path = source(
      "odd.mkv",
      ...[...picture("321x181", 3, "50"), "-vf", uneven, "-fps_mode", "vfr"],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p"],
    );
    const made = await ladder({ segmentSeconds: 1 }, path);
    expect(said(made, "RESOLUTION", "FRAME-RATE", "AUDIO")).toEqual([
      ["320x180", "25.000", undefined],
    ]);
    expect(made.made.plan.notes).toContain(
      "The source's frames come at uneven times: they are brought to an even 50 per second first.",
    );
    const times = frameTimes(join(made.folder, "odd-180p.mp4"));
    expect(times.every((time, index) => Math.abs(time - index / 25) < 0.001)).toBe(true);
  });

  test("interlaced, anamorphic and with sound that begins late, all begin together in square pixels", async () => {
    const path = source(
      "pal.ts",
      ...[...picture("360x288", 3, "25"), "-itsoffset", "0.4", ...sine(2)],
      ...["-vf", "setsar=32/22,interlace=lowpass=0", "-r", "25", "-c:v", "mpeg2video"],
      ...["-flags", "+ilme+ildct", "-q:v", "4", "-c:a", "mp2"],
    );
    const rungs = [{ height: 288 }, { height: 96 }];
    const made = await ladder({ segmentSeconds: 1, rungs }, path);
    expect(said(made, "RESOLUTION")).toEqual([["512x288"], ["170x96"]]);
    expect(keyframesOf(join(made.folder, "pal-288p.mp4")).slice(0, 2)).toEqual([0, 1]);
    const heard = firstHeardSeconds(join(made.folder, "pal-audio-1.mp4"));
    expect(Math.abs(heard - 0.4)).toBeLessThan(0.04);
  });

  test("turned, at 59.94 and shorter than a segment, it is upright, and low rungs have half the frames", async () => {
    const flat = source(
      "flat.mp4",
      ...[...picture("320x180", 1.2, "60000/1001"), ...sine(1.2), ...x264, "-c:a", "aac"],
    );
    const path = source("phone.mp4", ...turnedCopy(flat, 90));
    const rungs = [{ height: 180, frameRate: 60 }, { height: 90 }];
    const made = await ladder({ segmentSeconds: 4, rungs }, path);
    expect(said(made, "RESOLUTION", "FRAME-RATE")).toEqual([
      ["180x320", "59.940"],
      ["90x160", "29.970"],
    ]);
    expect(made.streams.get("phone-90p.m3u8")?.starts).toEqual([0]);
  });

  test("sound alone, each language is a stream, and the first is the variant", async () => {
    const path = source(
      "talk.mka",
      ...[...sine(5), ...sine(5), "-map", "0", "-map", "1", "-c:a", "aac"],
      ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fre"],
    );
    const audio = { languages: ["fr", "eng"] };
    const made = await ladder({ format: "both", segmentSeconds: 2, audio }, path);
    expect(made.variants.map(({ uri }) => uri)).toEqual(["talk-audio-fr.m3u8"]);
    expect(said(made, "CODECS", "RESOLUTION")).toEqual([["mp4a.40.2", undefined]]);
    expect(made.sounds.map((sound) => sound.get("LANGUAGE"))).toEqual(['"fr"', '"en"']);
    // The first lies in the variant: named there once more it would be two sounds to ffmpeg's players.
    const uris = made.sounds.map((sound) => sound.get("URI"));
    expect(uris).toEqual([undefined, '"talk-audio-en.m3u8"']);
    const { streams } = ffprobe(join(made.folder, "talk.m3u8"));
    expect(streams.map(({ codec_type }) => codec_type)).toEqual(["audio", "audio"]);
  });
});

/** When a sound begins to be heard. */
function firstHeardSeconds(path: string): number {
  const argv = ["-v", "error", "-i", path, "-ac", "1", "-ar", "48000", "-f", "s16le", "-"];
  const bytes = Bun.spawnSync(["ffmpeg", ...argv]).stdout;
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 2));
  return samples.findIndex((sample) => Math.abs(sample) > 1000) / 48_000;
}

describe("in other codecs", () => {
  for (const [codec, words, range] of [
    ["hevc", /^hvc1\.2\.4\.L\d+\.90/, "PQ"],
    ["av1", /^av01\.0\.\d\dM\.10\.0\.11\d\.09\.16\.09\.0/, "PQ"],
    ["h264", /^avc1\.6400/, "SDR"],
  ] as const) {
    testInLongForm(`${codec} of HDR says what it is`, async () => {
      const path = source(
        `hdr-${codec}.mkv`,
        ...[...picture("320x180", 2, "25"), "-pix_fmt", "yuv420p10le", "-c:v", "libx265"],
        ...["-preset", "ultrafast", "-x265-params", "log-level=none:hdr10=1"],
        ...["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"],
      );
      const rungs = [{ height: 180 }, { height: 90 }];
      const made = await ladder({ codec, format: "both", segmentSeconds: 1, rungs }, path);
      for (const [codecs = "", said_] of said(made, "CODECS", "VIDEO-RANGE")) {
        expect(codecs).toMatch(words);
        expect(said_).toBe(range);
      }
    });
  }
});
