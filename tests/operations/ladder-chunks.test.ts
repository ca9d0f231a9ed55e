/** A long ladder in chunks, next to one pass over the same source: frames, times, segments, sound and playlists. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuDevice, type Device } from "../../src/media/devices.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { testInLongForm } from "../support/long-form.ts";
import { emulatedGpu } from "./emulated.ts";
import { errors, joinsOf, pictureBytes, psnrDb } from "./joins.ts";
import { numberedFilm, numbers, numbersIn } from "./numbered.ts";
import { type PublishedLadder, publishLadder } from "./published-ladder.ts";
import { picture, run, sine, x264 } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(240_000);

const root = mkdtempSync(join(tmpdir(), "ladder-chunks-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Keyframes of the source never lie where a segment of a whole second begins; grain that costs bits. */
const h264 = [
  ...["-vf", "noise=alls=10:allf=t:all_seed=5"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-bf", "2"],
  ...["-g", "37", "-keyint_min", "37", "-sc_threshold", "0"],
];

/** Of a stream: when its packets are shown and decoded, how long they last, and which are keyframes. */
function packets(path: string): string[] {
  const entries = "packet=pts_time,dts_time,duration_time,flags";
  const argv = ["-v", "error", "-show_entries", entries, "-of", "csv=p=0", path];
  return Bun.spawnSync(["ffprobe", ...argv])
    .stdout.toString()
    .split("\n");
}

/** What a playlist says besides how large segments are, where they lie, and how they are locked. */
function playlist(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => !/^#EXT-X-(BYTERANGE|BITRATE|MAP|KEY)/.test(line));
}

const isRung = (name: string) => /-\d+p\.mp4$/.test(name);

/** How much worse a half second around a join may be, and how much larger the picture. */
const mostDb = 0.5;
const mostBytes = 1.02;
/** SVT-AV1 pays more for chunks of two seconds; of 4 and 8 s it made 0.6 % less and 0.4 % more. */
const mostBytesOfAv1 = 1.03;
/** What x264 writes of itself into the first frame of each chunk, which such small pictures show. */
const headerBytes = 750;

interface Compared {
  one: PublishedLadder;
  many: PublishedLadder;
  /** Slots of the fastest rung with which chunks begin. */
  joins: number[];
}

interface Way {
  filmSeconds?: number;
  device?: Device;
}

/** Makes it both ways and holds them against each other. */
async function compare(params: object, source: string, way: Way = {}): Promise<Compared> {
  const { filmSeconds = 2, device = cpuDevice(1) } = way;
  const chunks = { seconds: 45, cores: 2, filmSeconds };
  const one = publishLadder(await work(root, "ladder", params, [source], device), root);
  const many = publishLadder(await work(root, "ladder", params, [source], device, chunks), root);
  expect(many.names).toEqual(one.names);
  const joins = joinsOf(many.made);
  expect(joins.length).toBeGreaterThan(1);
  const { encryption, codec } = params as { encryption?: string; codec?: string };
  for (const name of one.names) {
    const [ours, theirs] = [join(many.folder, name), join(one.folder, name)];
    if (name.endsWith(".m3u8") && name !== one.names[0]) {
      expect(playlist(ours), name).toEqual(playlist(theirs));
    } else if (encryption === undefined && isRung(name)) {
      expect(packets(ours), name).toEqual(packets(theirs));
      const share = codec === "av1" ? mostBytesOfAv1 : mostBytes;
      const most = share * pictureBytes(theirs) + headerBytes * joins.length;
      expect(pictureBytes(ours), name).toBeLessThan(most);
    } else if (encryption === undefined && name.endsWith(".mp4")) {
      expect(readFileSync(ours).equals(readFileSync(theirs)), `${name}, byte for byte`).toBe(true);
    }
  }
  const said = ({ variants }: PublishedLadder) =>
    variants.map(({ attributes }) => told(attributes));
  expect(said(many)).toEqual(said(one));
  return { one, many, joins };
}

/** What a variant says besides how many bits it takes, which `checkHls` holds against its segments. */
function told(attributes: ReadonlyMap<string, string>): [string, string][] {
  return [...attributes].filter(([name]) => !name.endsWith("BANDWIDTH"));
}

/** Around each join as sharp as in one pass, against the source. */
function expectAsSharp({ one, many, joins }: Compared, name: string, source: string): void {
  const [ours = [], theirs = []] = [many, one].map(({ folder }) =>
    errors(join(folder, name), source),
  );
  expect(ours).toHaveLength(theirs.length);
  const half = 12;
  for (const at of joins) {
    for (const from of [at - half, at]) {
      const db = (of: readonly number[]) => psnrDb(of.slice(from, from + half));
      expect(db(theirs) - db(ours), `${name}, frames from ${from}`).toBeLessThan(mostDb);
    }
  }
}

describe("a ladder in chunks is what one pass makes:", () => {
  test("50 frames a second above 25, cut between the keyframes of the source", async () => {
    const count = 231;
    const source = numberedFilm(join(root, "fast.mp4"), {
      ...{ count, rate: "50" },
      argv: [...h264, "-c:a", "aac"],
    });
    const rungs = [
      { height: 144, frameRate: 50 },
      { height: 72, frameRate: 25 },
    ];
    const params = { format: "both", segmentSeconds: 1, rungs };
    const compared = await compare(params, source, { filmSeconds: 1.7 });
    const { many, joins } = compared;
    expect(joins).toEqual([100, 150]);
    expect(numbersIn(join(many.folder, "fast-144p.mp4"))).toEqual(numbers(0, count));
    expectAsSharp(compared, "fast-144p.mp4", source);
    expect(many.made.checks.join("\n")).toContain(
      "The 5 segments begin with a keyframe at the same time in all 2 rungs",
    );
  });

  test("29.97 frames a second, whose segments last no whole second", async () => {
    const count = 137;
    const source = numberedFilm(join(root, "ntsc.mkv"), {
      ...{ count, rate: "30000/1001" },
      argv: [...h264, "-c:a", "flac"],
    });
    const params = { segmentSeconds: 1, rungs: [{ height: 144 }], audio: { loudness: -20 } };
    const compared = await compare(params, source, { filmSeconds: 1.7 });
    expect(compared.joins).toEqual([60, 90]);
    expect(numbersIn(join(compared.many.folder, "ntsc-144p.mp4"))).toEqual(numbers(0, count));
    expectAsSharp(compared, "ntsc-144p.mp4", source);
  });

  const uneven = "select='not(eq(mod(n,7),3)+between(n,60,110))',noise=alls=10:allf=t:all_seed=5";
  const slow = { rungs: [{ height: 144 }, { height: 72, frameRate: 15 }] };
  const films: [string, string, object, string, string[]][] = [
    ["uneven times", "uneven.mkv", slow, "30", [...h264, "-vf", uneven, "-fps_mode", "vfr"]],
    ["HEVC", "hevc.mp4", { ...slow, codec: "hevc" }, "30", [...h264, "-c:a", "aac"]],
    ["AV1", "av1.mp4", { ...slow, codec: "av1" }, "30", [...h264, "-c:a", "aac"]],
    ["what is encrypted", "locked.mp4", { encryption: "aes-128" }, "25", [...h264, "-an"]],
    [
      "interlaced pictures of a transport stream",
      "pal.ts",
      { rungs: [{ height: 144 }, { height: 72 }] },
      "25",
      [
        ...["-vf", "noise=alls=10:allf=t:all_seed=5,interlace=lowpass=0", "-r", "25"],
        ...["-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-q:v", "3", "-g", "11"],
        ...["-c:a", "mp2", "-output_ts_offset", "10"],
      ],
    ],
  ];
  for (const [name, file, params, rate, argv] of films) {
    testInLongForm(name, async () => {
      const source = numberedFilm(join(root, file), { count: 170, rate, argv });
      await compare({ segmentSeconds: 1, ...params }, source, { filmSeconds: 1.7 });
    });
  }
});

testInLongForm("on a GPU chunks are encoded by NVENC, and fit together in every rung", async () => {
  using box = gpuBox({ gpus: "twoL4" });
  using _inside = await enterBox(box);
  const source = join(root, "large.mp4");
  run([...picture("480x270", 5, "50"), ...sine(5), ...x264, "-bf", "2", "-c:a", "aac", source]);
  const rungs = [{ height: 270 }, { height: 180 }, { height: 120, frameRate: 25 }];
  const device = emulatedGpu(box.uuid(0));
  const way = { filmSeconds: 1.7, device };
  const { many } = await compare({ segmentSeconds: 1, rungs }, source, way);
  expect(many.made.encoders.filter((encoder) => encoder === "h264_nvenc")).toHaveLength(3);
});
