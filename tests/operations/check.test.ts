/** `check` with the real ffmpeg: each defect that was planted is found where it was planted, and no other. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { type CheckReport, checkReportShape } from "../../src/media/reports/check/report.ts";
import { everything } from "../support/long-form.ts";
import { damaged, packetAt } from "./damage.ts";
import { Rehearsal, sine, x264 } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(120_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const wish = { black: { seconds: 0.8 }, frozen: { seconds: 0.8 }, silent: { seconds: 0.8 } };
const aac = ["-c:a", "aac", "-ac", "2"];
/** Without losses, which would still change a picture that stands still. */
const exact = [...x264, "-qp", "0"];
/** Moves all over, so that nothing of it looks frozen or interlaced. */
const scene = (seconds: number, rate = 25) => [
  ...["-f", "lavfi", "-i", `testsrc2=size=160x120:rate=${rate}:duration=${seconds}`],
];

async function check(source: string, params: Record<string, unknown> = wish) {
  const { paths, plan, checks } = await work(stage.folder, "check", params, [source]);
  const [json = "", markdown = ""] = paths;
  const report = checkReportShape.parse(JSON.parse(readFileSync(json, "utf8")));
  return { report, plan, checks, markdown: readFileSync(markdown, "utf8") };
}

const kinds = ({ findings }: CheckReport) => [...new Set(findings.map(({ kind }) => kind))].sort();
const of = ({ findings }: CheckReport, kind: string) =>
  findings.filter((finding) => finding.kind === kind);

/** Findings of a kind, each within a frame or a packet of where it should be. */
function expectSpans(report: CheckReport, kind: string, ...spans: [number, number | null][]) {
  const found = of(report, kind).map(({ fromSeconds, toSeconds }) => [fromSeconds, toSeconds]);
  expect({ kind, found }).toEqual({ kind, found: spans.map(() => expect.any(Array)) });
  for (const [at, [from, to]] of spans.entries()) {
    expect(Math.abs((found[at]?.[0] ?? -9) - from)).toBeLessThan(0.07);
    if (to !== null) expect(Math.abs((found[at]?.[1] ?? -9) - to)).toBeLessThan(0.07);
  }
}

const clean = (name: string, ...encode: string[]) =>
  stage.make(name, ...scene(3), ...sine(3), "-shortest", ...encode);

describe("in a clean file nothing is found", () => {
  const sources: Record<string, string[]> = {
    "clean.mp4": [...x264, "-bf", "2", "-g", "25", ...aac],
    "clean.mkv": [
      "-c:v",
      "libx265",
      "-preset",
      "ultrafast",
      "-x265-params",
      "log-level=0",
      "-c:a",
      "libopus",
    ],
    "clean.ts": [...x264, "-bf", "2", "-g", "25", "-c:a", "mp2"],
    "clean.avi": ["-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3"],
  };
  /** The others are looked at when there is time for all. */
  const more: Record<string, string[]> = {
    "clean.webm": [
      ...["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"],
    ],
    "clean.mpg": ["-c:v", "mpeg2video", "-bf", "2", "-g", "12", "-c:a", "ac3"],
    "clean.mov": ["-c:v", "prores_ks", "-c:a", "pcm_s24le"],
    "open.mp4": [...x264, "-x264-params", "open-gop=1:bframes=3:keyint=25", "-c:a", "libmp3lame"],
    "deep.mkv": ["-c:v", "ffv1", "-pix_fmt", "yuv422p10le", "-c:a", "flac"],
    "field.ts": [
      "-c:v",
      "mpeg2video",
      "-flags",
      "+ilme+ildct",
      "-vf",
      "setfield=tff",
      "-c:a",
      "mp2",
    ],
  };
  const all = everything ? { ...sources, ...more } : sources;
  for (const [name, encode] of Object.entries(all)) {
    test(name, async () => {
      const { report, markdown, checks } = await check(clean(name, ...encode));
      expect(report.findings).toEqual([]);
      expect(report.verdict).toBe("clean");
      expect(markdown).toContain("Nothing is wrong with it");
      expect(checks.join(" ")).toContain(
        "Nothing is wrong with it: 75 frames, 1 track of sound, 3.",
      );
      expect([report.picture?.frames, report.picture?.errors]).toEqual([75, 0]);
      expect(report.picture?.frameRate.measured).toBeCloseTo(25, 1);
      // ffmpeg's sine is at an eighth of full scale.
      expect(report.sound[0]?.loudness?.integratedLufs).toBeCloseTo(-21.8, 0);
    });
  }

  test("that starts late on its clock, or is sound alone", async () => {
    const late = ["-output_ts_offset", "1000"];
    const source = clean("late.ts", ...late, ...x264, "-c:a", "mp2");
    expect((await check(source)).report.findings).toEqual([]);
    const { report, checks } = await check(stage.make("sound.flac", ...sine(3)));
    expect([report.findings, report.picture]).toEqual([[], null]);
    expect(checks).toContain("Nothing is wrong with it: 1 track of sound, 3.00 s.");
  });

  test("that has uneven frames: to know, and no fault", async () => {
    const uneven = ["-vf", "select='not(not(mod(n,3)))+gt(mod(n,11),6)'", "-fps_mode", "vfr"];
    const { report, checks } = await check(clean("uneven.mp4", ...uneven, ...x264, ...aac));
    expect([report.verdict, kinds(report)]).toEqual(["clean", ["variable-frame-rate"]]);
    expect(report.findings[0]?.message).toMatch(
      /^The frame rate varies: 1\d\.\d+ frames per second on average, between 12\.5 and 25$/,
    );
    expect(checks.join(" ")).toContain("The frame rate varies");
  });

  test("that is a quiet shot of a camera: its noise moves", async () => {
    const still = "loop=75:1:0,setpts=N/25/TB,noise=alls=8:allf=t";
    const source = stage.make(
      "quiet.mp4",
      ...scene(0.04),
      "-vf",
      still,
      "-t",
      "3",
      ...x264,
      "-crf",
      "24",
      "-g",
      "25",
    );
    expect((await check(source)).report.findings).toEqual([]);
  });
});

describe("what was planted is found", () => {
  test("black, frozen and silent stretches, also at the very end", async () => {
    const black = "drawbox=c=black:t=fill:enable='between(t,1,1.99)'";
    const frozen = "loop=25:1:75,setpts=N/25/TB";
    const source = stage.make(
      "stretches.mp4",
      ...[...scene(5), ...sine(6), "-vf", `${black},${frozen},fade=out:st=5:d=0.04`],
      ...["-af", "volume=0:enable='between(t,2,3.5)+gt(t,5)'", ...exact, ...aac],
    );
    const { report, markdown, checks } = await check(source);
    expectSpans(report, "black", [1, 2], [5, 6]);
    expectSpans(report, "silent", [2, 3.5], [5, 6]);
    expectSpans(report, "frozen", [3, 4.04]);
    expect(kinds(report)).toEqual(["black", "frozen", "silent"]);
    expect(markdown).toContain(
      "| 0:00:01.000 | 0:00:02.000 | 0 | The picture is black for 1.00 s |",
    );
    expect(checks).toContain("5 things are wrong with it: black, silent, frozen.");
    expect(checks).toContain("From 0:00:01.000 to 0:00:02.000: The picture is black for 1.00 s.");
    const none = { black: "off", frozen: "off", silent: "off" };
    expect((await check(source, none)).report.findings).toEqual([]);
  });

  test("a freeze that its encoder draws anew at every keyframe, from its first frame to its end", async () => {
    const source = stage.make(
      "frozen.ts",
      ...[...scene(3), "-vf", "noise=alls=6:allf=t,loop=62:1:25,setpts=N/25/TB"],
      ...["-c:v", "mpeg2video", "-b:v", "1M", "-g", "12"],
    );
    const { report } = await check(source, { ...wish, frozen: { seconds: 2 } });
    expectSpans(report, "frozen", [1, 3.5]);
    expect(kinds(report)).toEqual(["frozen"]);
    expect((await check(source, { ...wish, frozen: { seconds: 3 } })).report.verdict).toBe("clean");
  });

  test("packets that cannot be decoded, with their times, and damage that the decoder covers up", async () => {
    const source = clean("whole.mp4", ...x264, "-g", "25", ...aac);
    const places = ["0", "1"].map((stream) => packetAt(source, stream, 1.4));
    const broken = damaged(source, places);
    const { report } = await check(broken);
    expect(kinds(report)).toEqual(["undecodable"]);
    for (const [at, { seconds }] of places.entries()) {
      const [found, ...others] = report.findings.filter(({ stream }) => stream === at);
      expect(others).toEqual([]);
      expect(found?.fromSeconds).toBeLessThanOrEqual(seconds + 0.001);
      expect(found?.toSeconds).toBeGreaterThan(seconds);
      expect(found?.message).toContain("cannot be decoded: 1 packet");
    }
    const [picture] = places;
    const wounded = damaged(
      source,
      picture ? [{ ...picture, pos: picture.pos + 200, size: 8 }] : [],
    );
    const covered = await check(wounded);
    expect(kinds(covered.report)).toEqual(["damaged"]);
    const [finding, ...others] = covered.report.findings;
    expect([others, finding?.stream]).toEqual([[], 0]);
    // From the frame before until the next keyframe.
    expect(finding?.fromSeconds).toBeLessThan(1.44);
    expect(finding?.fromSeconds).toBeGreaterThan(0.9);
    expect(finding?.toSeconds).toBeCloseTo(2, 1);
  });

  test("a picture of which nothing can be decoded", async () => {
    const source = clean("dark.mkv", ...x264, "-bsf:v", "noise=amount=2", "-c:a", "pcm_s16le");
    const { report, checks } = await check(source);
    expect(report.verdict).toBe("faulty");
    expect(kinds(report)).toContain("undecodable");
    expect(checks.join(" ")).toContain("wrong with it");
  });

  test("a hole in the times of picture and sound", async () => {
    const source = clean("even.mkv", ...x264, "-bf", "0", "-g", "25", "-c:a", "pcm_s16le");
    const shifted = "setts=ts='TS+gte(TS*TB\\,1.5)*0.8/TB'";
    const holes = stage.make("holes.mkv", "-i", source, "-c", "copy", "-bsf", shifted);
    const { report } = await check(holes);
    expect(kinds(report)).toEqual(["gap"]);
    expectSpans(report, "gap", [1.5, 2.3], [1.5, 2.3]);
    expect(report.findings.map(({ stream }) => stream).sort()).toEqual([0, 1]);
    expect((await check(holes, { gapSeconds: 1 })).report.verdict).toBe("clean");
  });

  test("times that go back, and packets over each other", async () => {
    const source = clean("forth.ts", ...x264, "-bf", "0", "-c:a", "mp2");
    const twice = `${stage.folder}/back.ts`;
    writeFileSync(twice, Buffer.concat([readFileSync(source), readFileSync(source)]));
    const found = (await check(twice)).report;
    expect(kinds(found)).toContain("backwards");
    expect(of(found, "backwards")[0]?.fromSeconds).toBeLessThan(0.2);
    const early = ["-bsf:a", "setts=ts='TS-gte(TS*TB\\,1.5)*0.06/TB'", "-c", "copy"];
    const flac = stage.make("sounds.mkv", ...sine(3), "-c:a", "flac", "-frame_size", "4608");
    const { report } = await check(stage.make("early.mkv", "-i", flac, ...early));
    expect(kinds(report)).toEqual(["overlap"]);
    expectSpans(report, "overlap", [1.5, null]);
  });

  test("files that were cut off, however their container counts", async () => {
    const whole = [...scene(6), ...sine(6), ...x264, "-g", "25"];
    const flat = ["-movflags", "+faststart", ...aac];
    for (const source of [
      stage.make("long.mkv", ...whole, "-c:a", "aac"),
      stage.make("long.mp4", ...whole, ...flat),
    ]) {
      const bytes = readFileSync(source);
      const cut = source.replace("long", "cut");
      writeFileSync(cut, bytes.subarray(0, bytes.length / 2));
      const [finding] = of((await check(cut)).report, "cut-off");
      expect(finding?.fromSeconds).toBeGreaterThan(2);
      expect(finding?.fromSeconds).toBeLessThan(4);
      expect(finding?.toSeconds).toBeCloseTo(6, 0);
    }
  });

  test("sound that is shorter than the picture, and sound that begins late, by the track", async () => {
    const source = stage.make(
      "short.mkv",
      ...[
        ...scene(3),
        ...sine(2),
        ...["-itsoffset", "0.9"],
        ...sine(2.1),
        "-map",
        "0:v",
        "-map",
        "1:a",
      ],
      ...["-map", "2:a", ...x264, "-c:a", "aac", "-metadata:s:a:1", "language=deu"],
    );
    const { report } = await check(source);
    expect(kinds(report)).toEqual(["length"]);
    expectSpans(report, "length", [0, 0.9], [2, 3]);
    expect(report.findings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Sound 2 \(deu\) begins 0\.\d\d s after the picture$/),
      expect.stringMatching(/^Sound 1 ends (0\.9\d|1\.0\d) s before the picture$/),
    ]);
  });

  test("another frame rate than the file says", async () => {
    const plain = stage.make("plain.mkv", ...scene(3), ...x264, "-bf", "0");
    const slow = ["-bsf:v", "setts=ts=TS*25/20", "-c", "copy"];
    const { report } = await check(stage.make("slow.mkv", "-i", plain, ...slow));
    expect(of(report, "frame-rate")[0]?.message).toBe(
      "The file says 25 frames per second, and 20 come",
    );
  });

  test("a change of the format in the middle, of picture and sound", async () => {
    const pieces = ["160x120", "320x240"].map((size, at) => {
      const input = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25:duration=2`];
      const encode = [
        ...x264,
        "-c:a",
        "mp2",
        "-ac",
        String(at + 1),
        "-output_ts_offset",
        String(2 * at),
      ];
      return readFileSync(stage.make(`piece-${at}.ts`, ...input, ...sine(2), ...encode));
    });
    const changing = `${stage.folder}/changing.ts`;
    writeFileSync(changing, Buffer.concat(pieces));
    const changed = (await check(changing)).report;
    expectSpans(changed, "format-change", [2, null], [2, null]);
    expect(
      of(changed, "format-change")
        .map(({ stream }) => stream)
        .sort(),
    ).toEqual([0, 1]);
    expect(changed.picture?.frames).toBe(100);
  });

  test("fields in frames that say they are whole", async () => {
    const fields = ["-vf", "interlace=scan=tff,setfield=prog"];
    const panning = "testsrc2=size=640x480:rate=50:duration=3,scroll=horizontal=0.01";
    const source = stage.make("fields.mp4", "-f", "lavfi", "-i", panning, ...fields, ...x264);
    expect(kinds((await check(source)).report)).toEqual(["interlacing"]);
  });

  test("clipped sound, and none that is as loud as can be", async () => {
    const loud = "aevalsrc='if(between(t,1,1.5),3,0.2)*sin(2*PI*300*t)':d=3:s=48000";
    const clipped = await check(stage.make("loud.wav", "-f", "lavfi", "-i", loud));
    expect(kinds(clipped.report)).toEqual(["clipped"]);
    expectSpans(clipped.report, "clipped", [1, 1.5]);
    const near = "aevalsrc='0.999*sin(2*PI*300*t)':d=3:s=48000";
    expect(
      (await check(stage.make("near.wav", "-f", "lavfi", "-i", near))).report.findings,
    ).toEqual([]);
  });

  test("a dead channel, and one that is upside down", async () => {
    const left = stage.make("left.wav", ...sine(3), "-af", "pan=stereo|c0=c0");
    const { report } = await check(left);
    expect(kinds(report)).toEqual(["one-sided"]);
    expect(report.findings[0]?.message).toBe("The sound has nothing on its right channel");
    const upside = stage.make("upside.wav", ...sine(5), "-af", "pan=stereo|c0=c0|c1=-1*c0");
    expect(kinds((await check(upside)).report)).toEqual(["out-of-phase"]);
  });

  test("what is asked for besides: a loudness, and the levels of video", async () => {
    const bright = ["-vf", "lutyuv=y=255:enable='between(t,1,1.99)'"];
    const source = stage.make(
      "bright.mkv",
      ...scene(3),
      ...sine(3),
      ...bright,
      "-c:v",
      "ffv1",
      "-c:a",
      "flac",
    );
    expect((await check(source)).report.findings).toEqual([]);
    const asked = { ...wish, frozen: "off", loudness: {}, levels: { percent: 50, seconds: 0.5 } };
    const { report } = await check(source, asked);
    expectSpans(report, "levels", [1, 2]);
    expect(of(report, "loudness")[0]?.message).toBe(
      "The sound has -21.8 LUFS: 1.2 LU louder than the -23 that were asked for",
    );
    expect(of(report, "true-peak")).toEqual([]);
    const quiet = { ...wish, frozen: "off", loudness: { lufs: -22, truePeakDbtp: -19 } };
    expect(kinds((await check(source, quiet)).report)).toEqual(["true-peak"]);
  });
});

test("keyframes alone are decoded when that is asked for, and the report says so", async () => {
  const source = stage.make(
    "keys.mp4",
    ...[...scene(4), "-vf", "drawbox=c=black:t=fill:enable='gte(t,2)'", ...x264, "-g", "10"],
  );
  const { report, checks } = await check(source, { ...wish, decode: "keyframes", frozen: "off" });
  expect(report.picture?.frames).toBe(10);
  expect(report.remarks[0]).toContain("Only keyframes were decoded");
  expectSpans(report, "black", [2, 4]);
  expect(checks).toContain("1 thing is wrong with it: black.");
});

test("a still picture is refused, with what to choose", async () => {
  const still = ["-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1", "-update", "1"];
  const source = stage.make("still.png", ...still);
  expect(check(source)).rejects.toThrow("still picture");
});
