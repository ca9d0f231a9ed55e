/** Long encodes in chunks, next to one pass over the same source: frames, times, sound and all that a file says. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuDevice } from "../../src/media/devices.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { testInLongForm } from "../support/long-form.ts";
import { emulatedGpu } from "./emulated.ts";
import { numberedFilm, numbers, numbersIn } from "./numbered.ts";
import { run } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(240_000);

const root = mkdtempSync(join(tmpdir(), "chunks-test-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Two seconds of film in a chunk. */
const inChunks = { seconds: 45, cores: 2, filmSeconds: 2 };
const gop = ["-g", "30", "-keyint_min", "30", "-sc_threshold", "0", "-bf", "2"];
const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", ...gop];

const made = new Map<string, string>();
function film(name: string, argv: readonly string[], rate = "25"): string {
  const known = made.get(name);
  if (known !== undefined) return known;
  const path = numberedFilm(join(root, name), { count: 160, rate, argv });
  made.set(name, path);
  return path;
}

const sources = {
  plain: () => film("plain.mp4", [...h264, "-c:a", "aac"]),
  ntsc: () => film("ntsc.mkv", [...h264, "-c:a", "flac"], "24000/1001"),
  broadcast: () => film("late.ts", [...h264, "-c:a", "mp2", "-output_ts_offset", "10"]),
  uneven: () =>
    film("uneven.mp4", [
      "-vf",
      "select='not(eq(mod(n,7),3)+between(n,60,90))'",
      "-fps_mode",
      "vfr",
      ...h264,
      "-an",
    ]),
  oneKeyframe: () => film("one.mp4", [...h264, "-g", "999", "-keyint_min", "999", "-c:a", "aac"]),
};

function told(path: string): string[] {
  const argv = ["-show_streams", "-show_format", "-show_chapters", "-show_data_hash", "md5"];
  const text = Bun.spawnSync(["ffprobe", "-v", "error", ...argv, "-of", "flat", path]).stdout;
  // Sizes differ by a keyframe here and there; of x265 one pass has in its headers how it was set.
  const other = /filename|bit_rate|\.size=|tags\.DURATION|stream\.0\.extradata_/;
  return text
    .toString()
    .split("\n")
    .filter((line) => !other.test(line));
}

function times(path: string, stream: string): string[] {
  const entries = ["-select_streams", stream, "-show_entries", "packet=pts_time", "-of", "csv=p=0"];
  const text = Bun.spawnSync(["ffprobe", "-v", "error", ...entries, path]).stdout.toString();
  return text
    .split("\n")
    .flatMap((line) => line.split(",")[0] || [])
    .toSorted((a, b) => Number(a) - Number(b));
}

/** Makes it both ways, and holds them against each other. */
async function compare(params: object, source: string, device = cpuDevice(1)) {
  const whole = await work(root, "transcode", params, [source], device);
  const cut = await work(root, "transcode", params, [source], device, inChunks);
  const [one = "", many = ""] = [whole.paths[0], cut.paths[0]];
  const chunks = cut.plan.steps.filter(({ work: { kind } }) => kind === "chunk").length;
  expect(chunks).toBeGreaterThan(2);
  for (const stream of ["v:0", "a:0"]) expect(times(many, stream)).toEqual(times(one, stream));
  expect(told(many)).toEqual(told(one));
  expect(numbersIn(many)).toEqual(numbersIn(one));
  return { ...cut, path: many };
}

const fast = (video: object = {}, more: object = {}) => ({
  ...{ speed: "fast", video: { quality: 70, ...video }, ...more },
});

describe("what is made in chunks is what one pass makes:", () => {
  test("every frame once, the sound to the sample, the same headers", async () => {
    const { path, checks } = await compare(fast({}, { audio: { codec: "opus" } }), sources.plain());
    expect(numbersIn(path)).toEqual(numbers(0, 160));
    expect(checks.join(" ")).toContain("4 parts with 160 frames joined");
  });

  test("of a cut of it, at another rate", async () => {
    await compare(fast({ frameRate: 30 }, { from: 0.51, to: 6.02 }), sources.plain());
  });

  test("of uneven times", async () => {
    await compare(fast({ codec: "hevc" }), sources.uneven());
  });

  test("of a transport stream, whose sound is copied", async () => {
    await compare(fast({}, { container: "mkv", audio: { codec: "copy" } }), sources.broadcast());
  });

  const more: [string, object, () => string][] = [
    ["AV1", fast({ codec: "av1" }), sources.plain],
    ["VP9", fast({ codec: "vp9" }), sources.plain],
    ["23.976 and encoded sound in Matroska", fast({}, { container: "mkv" }), sources.ntsc],
    ["a source with one keyframe", fast(), sources.oneKeyframe],
    ["encoded sound of a transport stream", fast(), sources.broadcast],
    ["a constant rate of uneven times", fast({ frameRate: 24 }), sources.uneven],
  ];
  for (const [name, params, source] of more) {
    testInLongForm(name, async () => {
      await compare(params, source());
    });
  }
});

describe("on an emulated GPU", () => {
  test("chunks are encoded by NVENC; what a CPU made of them is made again, for a film has one encoder", async () => {
    using box = gpuBox({ gpus: "fourL4" });
    using _inside = await enterBox(box);
    const gpu = emulatedGpu(box.uuid(0));
    const source = join(root, "large.mp4");
    run([...["-f", "lavfi", "-i", "testsrc2=s=256x144:r=25:d=6"], ...h264, source]);
    const whole = await work(root, "transcode", fast(), [source], gpu);
    const cut = await work(root, "transcode", fast(), [source], gpu, inChunks);
    expect(cut.encoders.filter((encoder) => encoder === "h264_nvenc")).toHaveLength(3);
    expect(times(cut.paths[0] ?? "", "v:0")).toEqual(times(whole.paths[0] ?? "", "v:0"));
    const devices = (step: string) => (step.endsWith("part-2") ? cpuDevice(1) : gpu);
    const mixed = await work(root, "transcode", fast(), [source], devices, inChunks);
    expect(mixed.checks.join(" ")).toContain("encoded again");
    expect(times(mixed.paths[0] ?? "", "v:0")).toEqual(times(whole.paths[0] ?? "", "v:0"));
  });
});
