/** `check` with the real ffmpeg: each defect that was planted is found where it was planted, and no other. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { type CheckReport, checkReportShape } from "../../src/media/reports/check.ts";
import { Rehearsal, sine, x264 } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const wish = { blackSeconds: 0.8, frozenSeconds: 0.8, silentSeconds: 0.8 };
const aac = ["-c:a", "aac", "-ac", "2"];
/** Without losses, which would still change a picture that stands still. */
const exact = [...x264, "-qp", "0"];
/** Moves all over, so that nothing of it looks frozen or interlaced. */
const scene = (seconds: number, rate = 25) => [
  ...["-f", "lavfi", "-i", `testsrc2=size=160x120:rate=${rate}:duration=${seconds}`],
];

async function check(source: string, params: Record<string, unknown> = wish) {
  const { paths, plan } = await work(stage.folder, "check", params, [source]);
  const [json = "", markdown = ""] = paths;
  const report = checkReportShape.parse(JSON.parse(readFileSync(json, "utf8")));
  return { report, plan, markdown: readFileSync(markdown, "utf8") };
}

const kinds = ({ findings }: CheckReport) => [...new Set(findings.map(({ kind }) => kind))];

/** The only finding of a kind, within a frame or a packet of where it should be. */
function expectOne(report: CheckReport, kind: string, from: number, to: number | null) {
  const found = report.findings.filter((finding) => finding.kind === kind);
  expect(found).toHaveLength(1);
  expect(Math.abs((found[0]?.fromSeconds ?? -9) - from)).toBeLessThan(0.06);
  if (to !== null) expect(Math.abs((found[0]?.toSeconds ?? -9) - to)).toBeLessThan(0.06);
}

const clean = (name: string, ...encode: string[]) =>
  stage.make(name, ...scene(3), ...sine(3), "-shortest", ...encode);

describe("in a clean file nothing is found", () => {
  const sources: Record<string, string[]> = {
    "clean.mp4": [...x264, "-bf", "2", "-g", "25", ...aac],
    "clean.mkv": [...x264, "-bf", "2", "-c:a", "libopus"],
    "clean.ts": [...x264, "-bf", "2", "-g", "25", "-c:a", "mp2"],
    "clean.webm": [
      "-c:v",
      "libvpx",
      "-deadline",
      "realtime",
      "-cpu-used",
      "8",
      "-c:a",
      "libvorbis",
    ],
    "clean.avi": ["-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3"],
    "open.mp4": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=0", ...aac],
  };
  for (const [name, encode] of Object.entries(sources)) {
    test(name, async () => {
      const { report, markdown } = await check(clean(name, ...encode));
      expect(report.findings).toEqual([]);
      expect(report.verdict).toBe("clean");
      expect(markdown).toContain("Nothing is wrong with it.");
      expect(report.picture?.frames).toBe(75);
      expect(report.picture?.errors).toBe(0);
      // ffmpeg's sine is at an eighth of full scale.
      expect(report.sound[0]?.loudness?.integratedLufs).toBeCloseTo(-21.8, 0);
    });
  }

  test("that starts late on its clock, has uneven frames, or is sound alone", async () => {
    const late = ["-output_ts_offset", "1000"];
    const uneven = ["-vf", "select='not(not(mod(n,3)))+gt(mod(n,11),6)'", "-fps_mode", "vfr"];
    for (const source of [
      clean("late.ts", ...late, ...x264, "-c:a", "mp2"),
      clean("uneven.mp4", ...uneven, ...x264, ...aac),
      stage.make("sound.flac", ...sine(3)),
    ]) {
      const { report } = await check(source);
      expect([source.split("/").at(-1), ...kinds(report)]).toHaveLength(1);
    }
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
    const { report, markdown } = await check(source);
    const of = (kind: string) => report.findings.filter((finding) => finding.kind === kind);
    expect(of("black").map(({ fromSeconds }) => Math.round(fromSeconds ?? -1))).toEqual([1, 5]);
    expect(of("silent").map(({ fromSeconds }) => Math.round(fromSeconds ?? -1))).toEqual([2, 5]);
    expect(of("silent").map(({ toSeconds }) => Math.round((toSeconds ?? -1) * 2) / 2)).toEqual([
      3.5, 6,
    ]);
    expect(of("frozen").some(({ fromSeconds }) => Math.abs((fromSeconds ?? 0) - 3) < 0.1)).toBe(
      true,
    );
    expect(kinds(report).toSorted()).toEqual(["black", "frozen", "silent"]);
    expect(markdown).toContain("| 0:00:01.000 | 0:00:02.000 | The picture is black for 1.00 s |");
  });

  test("a freeze alone, from its first frame to its end", async () => {
    const source = stage.make(
      "frozen.mp4",
      ...scene(3),
      "-vf",
      "loop=25:1:25,setpts=N/25/TB",
      ...exact,
    );
    const { report } = await check(source);
    expectOne(report, "frozen", 1, 2.04);
    expect(kinds(report)).toEqual(["frozen"]);
    expect((await check(source, { frozenSeconds: 2 })).report.verdict).toBe("clean");
  });

  test("packets that cannot be decoded, with their times", async () => {
    const source = clean("whole.mp4", ...x264, "-g", "25", ...aac);
    const places = ["0", "1"].map((stream) => packetAt(source, stream, 1.4));
    const bytes = readFileSync(source);
    for (const { pos, size } of places) bytes.fill(0xa5, pos, pos + size);
    const broken = `${stage.folder}/broken.mp4`;
    writeFileSync(broken, bytes);
    const { report } = await check(broken);
    expect(kinds(report)).toEqual(["undecodable"]);
    for (const [at, { seconds }] of places.entries()) {
      const timed = report.findings.filter(
        ({ stream, fromSeconds }) => stream === at && fromSeconds !== null,
      );
      const covered = timed.some(
        ({ fromSeconds, toSeconds }) =>
          (fromSeconds ?? 9) <= seconds + 0.001 && (toSeconds ?? 0) > seconds,
      );
      expect(covered).toBe(true);
    }
    expect(report.picture?.errors).toBeGreaterThan(0);
    expect(report.sound[0]?.errors).toBeGreaterThan(0);
  });

  test("a hole in the times of picture and sound", async () => {
    const source = clean("even.mkv", ...x264, "-bf", "0", "-g", "25", "-c:a", "pcm_s16le");
    const shifted = "setts=ts='TS+gte(TS*TB\\,1.5)*0.8/TB'";
    const holes = stage.make("holes.mkv", "-i", source, "-c", "copy", "-bsf", shifted);
    const { report } = await check(holes);
    expect(kinds(report)).toEqual(["gap"]);
    for (const stream of [0, 1]) {
      const [gap, ...more] = report.findings.filter((finding) => finding.stream === stream);
      expect(more).toEqual([]);
      expect(Math.abs((gap?.fromSeconds ?? 0) - 1.5)).toBeLessThan(0.06);
      expect(Math.abs((gap?.toSeconds ?? 0) - 2.3)).toBeLessThan(0.06);
    }
    expect((await check(holes, { gapSeconds: 1 })).report.verdict).toBe("clean");
  });

  test("times that go back, and a file that was cut off", async () => {
    const source = clean("forth.ts", ...x264, "-bf", "0", "-c:a", "mp2");
    const twice = `${stage.folder}/back.ts`;
    writeFileSync(twice, Buffer.concat([readFileSync(source), readFileSync(source)]));
    expect(kinds((await check(twice)).report)).toContain("backwards");
    const whole = stage.make("long.mkv", ...scene(6), ...x264, "-g", "25");
    const cut = `${stage.folder}/cut.mkv`;
    const bytes = readFileSync(whole);
    writeFileSync(cut, bytes.subarray(0, bytes.length / 2));
    expect(kinds((await check(cut)).report)).toContain("cut-off");
  });

  test("fields in frames that say they are whole", async () => {
    const fields = ["-vf", "interlace=scan=tff,setfield=prog"];
    const panning = "testsrc2=size=640x480:rate=50:duration=3,scroll=horizontal=0.01";
    const source = stage.make("fields.mp4", "-f", "lavfi", "-i", panning, ...fields, ...x264);
    expect(kinds((await check(source)).report)).toEqual(["interlacing"]);
  });
});

test("keyframes alone are decoded when that is asked for, and the report says so", async () => {
  const source = stage.make(
    "keys.mp4",
    ...[...scene(4), "-vf", "drawbox=c=black:t=fill:enable='gte(t,2)'", ...x264, "-g", "10"],
  );
  const { report } = await check(source, { ...wish, decode: "keyframes", frozenSeconds: 3 });
  expect(report.picture?.frames).toBe(10);
  expect(report.remarks[0]).toContain("Only keyframes were decoded");
  expectOne(report, "black", 2, 4);
});

test("a still picture is refused, with what to choose", async () => {
  const still = ["-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1", "-update", "1"];
  const source = stage.make("still.png", ...still);
  expect(check(source)).rejects.toThrow("still picture");
});

/** Where a packet lies in its file. */
function packetAt(path: string, stream: string, from: number) {
  const entries = ["-show_entries", "packet=pts_time,size,pos", "-of", "json"];
  const argv = ["-v", "error", "-select_streams", stream, ...entries, path];
  const { packets } = JSON.parse(Bun.spawnSync(["ffprobe", ...argv]).stdout.toString()) as {
    packets: Record<"pts_time" | "size" | "pos", string>[];
  };
  const packet = packets.find(({ pts_time }) => Number(pts_time) >= from);
  if (packet === undefined) throw new Error("there is a packet");
  const { pts_time, size, pos } = packet;
  return { seconds: Number(pts_time), size: Number(size), pos: Number(pos) };
}
