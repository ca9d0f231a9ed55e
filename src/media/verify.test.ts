import { afterAll, describe, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg } from "../../tests/clips.ts";
import type { Expectation } from "./expectation.ts";
import { type VerifyTools, verifyOutput } from "./verify.ts";

/** Each check starts ffmpeg several times, and machines that test are busy. */
setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "verify-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tools: VerifyTools = {
  toolchain: { ffmpegPath: "/usr/bin/ffmpeg", ffprobePath: "/usr/bin/ffprobe" },
  signal: new AbortController().signal,
  niceness: 0,
  stallSeconds: 20,
  wallLimitSeconds: 60,
};

const picture = (seconds: number) => ["-f", "lavfi", "-i", `testsrc2=s=64x48:r=25:d=${seconds}`];
const sound = (seconds: number) => ["-f", "lavfi", "-i", `sine=d=${seconds}`];
const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac"];

function make(name: string, ...argv: string[]): string {
  const path = join(folder, name);
  ffmpeg(...argv, path);
  return path;
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const good = make("good.mkv", ...picture(9), ...sound(9), ...codecs, "-pix_fmt", "yuv420p");
const expected: Expectation = {
  file: "output.mkv",
  kind: "video",
  durationSeconds: 9,
  video: { codec: "h264", width: 64, height: 48 },
  audioTracks: 1,
  audioCodecs: ["aac"],
};

async function verdict(
  path: string,
  overrides: Partial<Expectation> = {},
  mode: "quick" | "full" = "quick",
  more: Partial<VerifyTools> = {},
) {
  return await verifyOutput(path, { ...expected, ...overrides }, mode, { ...tools, ...more });
}

async function fault(...args: Parameters<typeof verdict>): Promise<string> {
  const found = await verdict(...args);
  if (found.kind !== "rejected") throw new Error(`it was ${found.kind}, not rejected`);
  expect(found.report.code).toBe("output_rejected");
  expect(found.report.message).not.toContain(folder);
  expect(found.report.log).not.toContain(folder);
  return found.report.message;
}

describe("a good output", () => {
  test("is proven by its first, middle and last seconds", async () => {
    const found = await verdict(good);
    expect(found).toMatchObject({
      kind: "proven",
      sizeBytes: readFileSync(good).length,
      media: { container: "mkv", durationSeconds: 9.023 },
      checks: [
        "Probed output.mkv: mkv, h264 64×48, audio aac, 9.02 s",
        "Decoded the first, middle and last 2 seconds without an error",
      ],
    });
  });

  test("is proven by all of its frames", async () => {
    expect(await verdict(good, {}, "full")).toMatchObject({
      kind: "proven",
      checks: [expect.any(String), "Decoded all 225 frames without an error"],
    });
  });

  test("has the subtitle tracks that it should have, no more and no fewer", async () => {
    const cues = write("cues.srt", "1\n00:00:01,000 --> 00:00:02,000\nGoal!\n");
    const titled = make(
      "titled.mkv",
      "-i",
      good,
      "-i",
      cues,
      "-map",
      "0",
      "-map",
      "1",
      "-c",
      "copy",
    );
    expect((await verdict(titled, { subtitles: { least: 1, most: 1 } })).kind).toBe("proven");
    expect(await fault(titled, { subtitles: { least: 0, most: 0 } })).toContain(
      "the number of its subtitle tracks is 1 instead of 0",
    );
    expect(await fault(good, { subtitles: { least: 1, most: 2 } })).toContain(
      "the number of its subtitle tracks is 0 instead of 1 to 2",
    );
    expect((await verdict(titled)).kind).toBe("proven");
  });

  test("may be sound alone, a still or text", async () => {
    const audio = { kind: "audio", video: null, durationSeconds: 2 } as const;
    const m4a = make("sound.m4a", ...sound(2), "-c:a", "aac");
    expect((await verdict(m4a, audio)).kind).toBe("proven");
    const jpeg = make("still.jpg", ...picture(1), "-frames:v", "1");
    const still: Partial<Expectation> = {
      kind: "image",
      durationSeconds: null,
      video: { codec: "mjpeg", width: 64, height: 48 },
      audioTracks: 0,
      audioCodecs: [],
    };
    expect(await verdict(jpeg, still)).toMatchObject({
      kind: "proven",
      checks: [expect.any(String), "Decoded the picture without an error"],
    });
    const text = write("index.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\na.jpg#xywh=0,0,1,1\n");
    const textual = { kind: "text", durationSeconds: null, video: null, audioTracks: 0 } as const;
    expect(await verdict(text, textual)).toMatchObject({
      kind: "proven",
      media: null,
      checks: ["Read output.mkv: 4 lines of text"],
    });
  });

  test("may have a picture that ends before its sound when the source's does too", async () => {
    const short = make("short.mkv", ...picture(5), ...sound(9), ...codecs);
    for (const mode of ["quick", "full"] as const) {
      const sourcePictureSeconds = async () => 5;
      expect((await verdict(short, {}, mode, { sourcePictureSeconds })).kind).toBe("proven");
    }
  });

  test("may have a track of sound that is over long before the others", async () => {
    const maps = ["-map", "0:a", "-map", "1:a", "-c:a", "aac"];
    const two = make("two.mka", ...sound(2), ...sound(9), ...maps);
    const codecs = { audioTracks: 2, audioCodecs: ["aac", "aac"] };
    const wanted = { kind: "audio" as const, video: null, ...codecs };
    for (const mode of ["quick", "full"] as const) {
      expect((await verdict(two, wanted, mode)).kind).toBe("proven");
    }
  });
});

test("a usual output costs two starts: one that lists, one that decodes", async () => {
  const long = make("long.mp4", ...picture(20), ...sound(20), ...codecs, "-pix_fmt", "yuv420p");
  const short = make("two-seconds.mp4", ...picture(2), ...sound(2), ...codecs);
  const m4a = make("long.m4a", ...sound(20), "-c:a", "aac");
  const spawn = spyOn(Bun, "spawn");
  const starts = async (...asked: Parameters<typeof verdict>) => {
    spawn.mockClear();
    expect((await verdict(...asked)).kind).toBe("proven");
    return spawn.mock.calls.length;
  };
  try {
    const audio = { kind: "audio", video: null } as const;
    const copied = { pictureIsCopied: true };
    expect(await starts(long, { durationSeconds: 20 })).toBe(2);
    expect(await starts(long, { durationSeconds: 20 }, "full")).toBe(2);
    // Of a copy its last packets are read too.
    expect(await starts(long, { durationSeconds: 20 }, "quick", copied)).toBe(3);
    expect(await starts(short, { durationSeconds: 2 })).toBe(2);
    expect(await starts(m4a, { ...audio, durationSeconds: 20 })).toBe(2);
  } finally {
    spawn.mockRestore();
  }
});

test("an output is decoded while it is probed, and anew where it is not what was expected", async () => {
  const both = [...picture(9), ...sound(9), ...codecs, "-pix_fmt", "yuv420p"];
  const usual = make("usual.mp4", ...both);
  const turned = make("turned.mp4", ...both, "-map", "1:a", "-map", "0:v");
  const children: Bun.Subprocess[] = [];
  const { spawn } = Bun;
  const runningAtStart: number[] = [];
  const spy = spyOn(Bun, "spawn").mockImplementation(((...asked: Parameters<typeof spawn>) => {
    runningAtStart.push(children.filter(({ exitCode }) => exitCode === null).length);
    const child = spawn(...asked);
    children.push(child);
    return child;
  }) as typeof spawn);
  try {
    expect((await verdict(usual)).kind).toBe("proven");
    expect(runningAtStart).toEqual([0, 1]);
    children.length = 0;
    expect((await verdict(turned)).kind).toBe("proven");
    expect(children.length).toBe(3);
    children.length = 0;
    expect(await fault(usual, { audioTracks: 2 })).toContain("audio tracks is 1 instead of 2");
    // What was begun is over with the verdict.
    expect(children.filter(({ killed, exitCode }) => !killed && exitCode === null)).toEqual([]);
  } finally {
    spy.mockRestore();
  }
});

describe("an output is rejected", () => {
  test("when it is missing or empty", async () => {
    expect(await fault(join(folder, "absent.mkv"))).toContain("it was not written");
    expect(await fault(write("empty.mkv", ""))).toContain("it is empty (0 bytes)");
  });

  test("when it is no media", async () => {
    expect(await fault(write("text.mkv", "hello\n".repeat(100)))).toContain("rejected");
  });

  test("when it is cut off, though its header promises the whole length", async () => {
    const bytes = readFileSync(good);
    const cut = write("cut.mkv", bytes.subarray(0, bytes.length * 0.6));
    expect(await fault(cut)).toMatch(/there is (nothing|no picture) at its end|cannot be decoded/);
    const mp4 = readFileSync(
      make("fast.mp4", ...picture(9), ...sound(9), ...codecs, "-movflags", "+faststart"),
    );
    const cutMp4 = write("cut.mp4", mp4.subarray(0, mp4.length * 0.6));
    expect(await fault(cutMp4)).not.toBe("");
  });

  test("when its length is wrong by more than half a second and one percent", async () => {
    expect((await verdict(good, { durationSeconds: 9.4 })).kind).toBe("proven");
    expect(await fault(good, { durationSeconds: 9.6 })).toContain(
      "it lasts 9.02 s instead of 9.60 s",
    );
    expect(await fault(good, { durationSeconds: 3 })).toContain("instead of 3.00 s");
  });

  test("when it is shorter than the source, unless all that it is made of ends there", async () => {
    const asked: number[] = [];
    const more = {
      sourceStreamSeconds: (stream: number) => {
        asked.push(stream);
        return Promise.resolve([9, 12, 8, null][stream] ?? null);
      },
    };
    const lasts = async (like: Partial<Expectation>) => {
      const found = await verdict(good, { durationSeconds: 12, ...like }, "quick", more);
      return found.kind === "rejected" ? found.report.message : found.kind;
    };
    expect(await lasts({})).toContain("it lasts 9.02 s instead of 12.00 s");
    expect(asked).toEqual([]);
    expect(await lasts({ lastsLikeStreams: [0] })).toBe("proven");
    expect(await lasts({ lastsLikeStreams: [2, 0] })).toBe("proven");
    expect(await lasts({ lastsLikeStreams: [0, 1] })).toContain("instead of 12.00 s");
    expect(await lasts({ lastsLikeStreams: [2] })).toContain("instead of 8.00 s");
    expect(await lasts({ lastsLikeStreams: [0, 3] })).toContain("instead of 12.00 s");
    // A piece is as long as was asked for at most.
    const piece = (streamFromSeconds: number) =>
      lasts({ lastsLikeStreams: [1], streamFromSeconds });
    expect(await piece(3)).toBe("proven");
    expect(await piece(1)).toContain("instead of 11.00 s");
    expect(await lasts({ lastsLikeStreams: [0], streamFromSeconds: -9 })).toContain("of 12.00 s");
  });

  test("when a track is missing or of another kind", async () => {
    const silent = make("silent.mkv", ...picture(9), ...codecs);
    expect(await fault(silent)).toContain("the number of its audio tracks is 0 instead of 1");
    expect(await fault(good, { audioCodecs: ["opus"] })).toContain("is aac instead of opus");
    expect(await fault(good, { kind: "audio", video: null })).toContain(
      "is video instead of audio",
    );
  });

  test("when the picture has another codec or size", async () => {
    const video = { codec: "hevc", width: 64, height: 64 };
    const message = await fault(good, { video });
    expect(message).toContain("its picture's codec is h264 instead of hevc");
    expect(message).toContain("its picture's size is 64×48 instead of 64×64");
  });

  test("when it is damaged in a place that only a full check reads", async () => {
    const bytes = readFileSync(good);
    const damaged = Buffer.from(bytes);
    // A quarter into the file lies between the windows at the beginning and in the middle.
    for (let at = Math.floor(bytes.length * 0.3); at < bytes.length * 0.32; at++)
      damaged[at] = 0x5a;
    const path = write("damaged.mkv", damaged);
    expect((await verdict(path)).kind).toBe("proven");
    expect(await fault(path, {}, "full")).toMatch(/decoded/);
  });

  test("when it is damaged where it is looked at", async () => {
    const intact = make("intact.mp4", ...picture(9), ...sound(9), ...codecs, "-pix_fmt", "yuv420p");
    const bytes = readFileSync(intact);
    for (const [place, name] of [
      [0.5, "middle"],
      [0.9, "end"],
    ] as const) {
      const damaged = Buffer.from(bytes);
      damaged.fill(
        0x5a,
        Math.floor(bytes.length * place),
        Math.floor(bytes.length * (place + 0.02)),
      );
      const message = await fault(write(`damaged-${name}.mp4`, damaged));
      expect(message).toMatch(new RegExp(`cannot be decoded .*${name}`));
    }
  });

  test("when its picture ends before its sound and the source's does not", async () => {
    const short = make("short2.mkv", ...picture(5), ...sound(9), ...codecs);
    for (const mode of ["quick", "full"] as const) {
      expect(await fault(short, {}, mode)).toContain("there is no picture at its end");
      const sourcePictureSeconds = async () => 9;
      expect(await fault(short, {}, mode, { sourcePictureSeconds })).toContain(
        "it ends at 5.00 s, in the source at 9.00 s",
      );
    }
  });

  test("when the last second of a short picture is missing, and is there in the source", async () => {
    const short = make("short3.mkv", ...picture(3), ...sound(4), ...codecs);
    const sourcePictureSeconds = async () => 4;
    const wanted = { durationSeconds: 4 };
    expect(await fault(short, wanted, "quick", { sourcePictureSeconds })).toContain(
      "it ends at 3.00 s, in the source at 4.00 s",
    );
    const honest = { sourcePictureSeconds: async () => 3 };
    expect((await verdict(short, wanted, "quick", honest)).kind).toBe("proven");
  });

  test("when a text is blank or no text", async () => {
    const text = { kind: "text", durationSeconds: null, video: null, audioTracks: 0 } as const;
    expect(await fault(write("blank.vtt", " \n\n"), text)).toContain("nothing but blanks");
    const binary = write("binary.vtt", Uint8Array.of(0xff, 0xfe, 0x00));
    expect(await fault(binary, text)).toContain("not UTF-8");
  });
});

describe("a picture that was copied", () => {
  const copied = { pictureIsCopied: true };
  const mp4 = make("copied.mp4", ...picture(20), ...sound(20), ...codecs, "-pix_fmt", "yuv420p");
  const wanted = { durationSeconds: 20 };

  test("is proven by its keyframes, all of its frames in a full check", async () => {
    expect(await verdict(mp4, wanted, "quick", copied)).toMatchObject({
      kind: "proven",
      checks: [
        expect.any(String),
        "The picture was copied: decoded keyframes and the sound beside them at its beginning, middle and end without an error",
      ],
    });
    expect(await verdict(mp4, wanted, "full", copied)).toMatchObject({
      checks: [expect.any(String), "Decoded all 500 frames without an error"],
    });
  });

  test("is proven also where no keyframe lies in a window", async () => {
    const far = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "1000", "-c:a", "aac"];
    const rare = make("rare.mkv", ...picture(20), ...sound(20), ...far, "-pix_fmt", "yuv420p");
    expect((await verdict(rare, wanted, "quick", copied)).kind).toBe("proven");
  });

  test("is proven also where the only keyframe is the first of many thousand packets", async () => {
    const once = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "99999", "-c:a", "aac"];
    const screen = make("screen.mp4", ...picture(1200), ...sound(1200), ...once);
    const found = await verdict(screen, { durationSeconds: 1200 }, "quick", copied);
    expect(found.kind).toBe("proven");
  });

  test("is rejected when its headers are not those of its packets", async () => {
    const bytes = Buffer.from(readFileSync(mp4));
    const at = bytes.indexOf("avcC");
    // Profile and level stand first; the set of parameters behind them says what the packets mean.
    bytes.fill(0, at + 12, at + 28);
    const path = write("headers.mp4", bytes);
    expect(await fault(path, wanted, "quick", copied)).toContain("rejected");
  });

  test("is rejected when it is cut off, or ends before its sound and the source's does not", async () => {
    const fast = readFileSync(
      make("fast-copied.mp4", ...picture(20), ...sound(20), ...codecs, "-movflags", "+faststart"),
    );
    const cut = write("cut-copied.mp4", fast.subarray(0, fast.length * 0.6));
    expect(await fault(cut, wanted, "quick", copied)).not.toBe("");
    const short = make("short-copied.mkv", ...picture(15), ...sound(20), ...codecs);
    const sourcePictureSeconds = async () => 20;
    expect(await fault(short, wanted, "quick", { ...copied, sourcePictureSeconds })).toContain(
      "it ends at 15.00 s, in the source at 20.00 s",
    );
    const honest = { ...copied, sourcePictureSeconds: async () => 15 };
    expect((await verdict(short, wanted, "quick", honest)).kind).toBe("proven");
  });
});

test("a check that is cancelled gives no verdict", async () => {
  const signal = AbortSignal.abort();
  expect(await verdict(good, {}, "full", { signal })).toEqual({ kind: "aborted" });
});
