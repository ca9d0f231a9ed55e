import { describe, expect, test } from "bun:test";
import { audio, everything, hdr10Video, media, video } from "../../tests/operations/specimen.ts";
import type { MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { findOperation, parseParams, planFor } from "./index.ts";
import type { Plan } from "./operation.ts";

const transcode = findOperation("transcode");

function plan(params: unknown, source: MediaInfo = media(), name = "match.mov"): Plan {
  return planFor(transcode, parseParams(transcode, params), [{ name, media: source }], everything);
}

function outputOf(made: Plan) {
  const [step] = made.steps;
  if (step?.work.kind !== "render") throw new Error("transcode renders");
  const [output] = step.work.description.outputs;
  const [declared] = step.outputs;
  if (output === undefined || declared === undefined) throw new Error("transcode has one output");
  return { ...output, declared, description: step.work.description };
}

test("the whole plan of an ordinary wish", () => {
  const wish = { video: { maxHeight: 720, quality: 70 }, from: 10, to: 25.5 };
  const source = media({ audio: [audio({ codec: "ac3", channels: 6, language: "eng" })] });
  expect(plan(wish, source)).toMatchSnapshot();
});

describe("what conforms is copied, and everything else is encoded", () => {
  const h264 = media();
  const cases: [why: string, params: unknown, source: MediaInfo, copied: boolean][] = [
    ["the same codec", {}, h264, true],
    ["another container", { container: "mkv" }, h264, true],
    ["a height that is not reached", { video: { maxHeight: 1080 } }, h264, true],
    ["the rate that it has", { video: { frameRate: 30 } }, h264, true],
    ["a named codec that it has", { video: { codec: "h264" } }, h264, true],
    ["full range", {}, media({ video: video({ pixelFormat: "yuvj420p" }) }), true],
    ["a smaller height", { video: { maxHeight: 720 } }, h264, false],
    ["another rate", { video: { frameRate: 25 } }, h264, false],
    ["a quality", { video: { quality: 65 } }, h264, false],
    ["a bit rate", { video: { bitRate: 1_000_000 } }, h264, false],
    ["a cut", { from: 1 }, h264, false],
    ["another codec", { video: { codec: "hevc" } }, h264, false],
    ["WebM", { container: "webm" }, h264, false],
    ["4:4:4", {}, media({ video: video({ pixelFormat: "yuv444p" }) }), false],
    ["10 bits", {}, media({ video: video({ pixelFormat: "yuv420p10le", bitDepth: 10 }) }), false],
    ["fields", {}, media({ video: video({ interlaced: true }) }), false],
    [
      "fields left alone",
      { deinterlace: "off" },
      media({ video: video({ interlaced: true }) }),
      true,
    ],
    ["oblong pixels", {}, media({ video: video({ sampleAspectRatio: "4:3" }) }), false],
    ["AVI's missing times", {}, media({ container: "avi" }), false],
    ["rotation in MP4", {}, media({ video: video({ rotation: 90 }) }), true],
    [
      "rotation in Matroska",
      { container: "mkv" },
      media({ video: video({ rotation: 90 }) }),
      false,
    ],
    ["HDR kept", { video: { codec: "hevc" } }, media({ video: hdr10Video }), true],
    ["HDR unwanted", { video: { codec: "hevc" }, hdr: "sdr" }, media({ video: hdr10Video }), false],
    [
      "an uneven rate made even",
      { video: { frameRate: 30 } },
      media({ video: video({ variableFrameRate: true }) }),
      false,
    ],
  ];
  for (const [why, params, source, copied] of cases) {
    test(`${why}: ${copied ? "copied" : "encoded"}`, () => {
      const made = plan(params, source);
      expect(outputOf(made).video?.kind).toBe(copied ? "copy" : "encode");
      expect(made.notes.some((note) => note.startsWith("The source already conforms"))).toBe(
        copied && outputOf(made).audio.every(({ kind }) => kind === "copy"),
      );
    });
  }
});

describe("sound", () => {
  const with_ = (about: Parameters<typeof audio>[0]) => media({ audio: [audio(about)] });
  const cases: [why: string, params: unknown, source: MediaInfo, expected: object][] = [
    ["AAC stays", {}, with_({}), { kind: "copy" }],
    ["AAC is encoded anew for a cut", { from: 1 }, with_({}), { kind: "encode", codec: "aac" }],
    [
      "a bit rate is a wish to encode",
      { audio: { bitRate: 96_000 } },
      with_({}),
      { kind: "encode" },
    ],
    ["fewer channels", { audio: { channels: 1 } }, with_({}), { channels: 1, bitRate: 96_000 }],
    ["never more channels", { audio: { codec: "mp3", channels: 8 } }, with_({}), { channels: 2 }],
    [
      "odd rates become 48 kHz",
      {},
      with_({ codec: "dts", sampleRate: 96_000 }),
      { sampleRate: 48_000 },
    ],
    ["CD's rate stays", {}, with_({ codec: "flac", sampleRate: 44_100 }), { sampleRate: 44_100 }],
    [
      "Opus is 48 kHz",
      { audio: { codec: "opus" } },
      with_({ sampleRate: 44_100 }),
      { sampleRate: 48_000 },
    ],
    [
      "no more bits than MP3 has",
      { audio: { codec: "mp3", bitRate: 2_000_000 } },
      with_({}),
      { bitRate: 320_000 },
    ],
  ];
  for (const [why, params, source, expected] of cases) {
    test(why, () => expect(outputOf(plan(params, source)).audio[0]).toMatchObject(expected));
  }

  test("the first track is the one that players start with", () => {
    const tracks = [audio({ default: false, index: 1 }), audio({ default: true, index: 2 })];
    const made = outputOf(plan({ tracks: "first" }, media({ audio: tracks })));
    expect(made.audio.map(({ source }) => source)).toEqual([{ input: 0, stream: 2 }]);
    expect(made.declared.expectation.audioTracks).toBe(1);
  });
});

describe("refused with a sentence", () => {
  const cases: [params: unknown, source: MediaInfo, words: string][] = [
    [{ container: "webm", video: { codec: "h264" } }, media(), "WebM cannot hold H.264 video"],
    [{ container: "mov", video: { codec: "vp9" } }, media(), "MOV cannot hold VP9 video"],
    [{ container: "webm", audio: { codec: "aac" } }, media(), "WebM cannot hold AAC sound"],
    [{ container: "mov", audio: { codec: "opus" } }, media(), "MOV cannot hold Opus sound"],
    [{ container: "webm", video: { codec: "copy" } }, media(), "H.264 video cannot be copied"],
    [{ from: 1, video: { codec: "copy" } }, media(), "only be cut at keyframes"],
    [
      { audio: { codec: "copy" } },
      media({ audio: [audio({ codec: "vorbis" })] }),
      "Vorbis sound cannot be copied into MP4",
    ],
    [{}, media({ audio: [audio({ codec: "pcm_s16le", channels: 16 })] }), "16 channels"],
    [{ from: 60 }, media(), "ends at 60 s, and from is 60 s"],
    [{ to: 61.5 }, media(), "ends at 60 s, and to is 61.5 s"],
    [{ from: 59.95 }, media(), "too little for a video"],
    [
      {},
      media({ video: video({ codec: "hevc", hdr: "dolby-vision", colorTransfer: null }) }),
      "would give wrong colours",
    ],
    [{}, media({ kind: "image", durationSeconds: null }), "still picture"],
    [{ video: { codec: "none" } }, media({ audio: [] }), "The source has no sound"],
    [
      { audio: { codec: "none" } },
      media({ kind: "audio", video: null }),
      "The source has no picture",
    ],
  ];
  for (const [params, source, words] of cases) {
    test(`${JSON.stringify(params)}: ${words}`, () => {
      const refused = () => plan(params, source);
      expect(refused).toThrow(Refusal);
      expect(refused).toThrow(words);
    });
  }

  test("HDR for H.264 on an ffmpeg without tone-mapping", () => {
    const params = parseParams(transcode, {});
    const bare = { ...everything, filters: new Set<string>() };
    const inputs = [{ name: "a.mkv", media: media({ video: hdr10Video }) }];
    expect(() => planFor(transcode, params, inputs, bare)).toThrow("lacks zscale or tonemap");
  });

  test("a wrong number of inputs", () => {
    const params = parseParams(transcode, {});
    expect(() => planFor(transcode, params, [], everything)).toThrow("works on 1 file, and 0");
  });
});

test("an end that a player rounded up is the end of the source", () => {
  const made = outputOf(plan({ from: 50, to: 60.4 }));
  expect(made.declared.expectation.durationSeconds).toBe(10);
  // What is read ends there; what is written may end with a frame that was moved onto its beat.
  expect(plan({ from: 50, to: 60.4 }).steps[0]?.work).toMatchObject({
    description: { inputs: [{ seekSeconds: 50, durationSeconds: 10 }] },
  });
  expect(made.limitSeconds).toBeCloseTo(10, 1);
});

test("a source of unknown length is capped at a day, and its length is not expected", () => {
  const made = outputOf(plan({ video: { quality: 50 } }, media({ durationSeconds: null })));
  expect([made.limitSeconds, made.declared.expectation.durationSeconds]).toEqual([86_400, null]);
});

test("outputs are named after what they are", () => {
  expect(outputOf(plan({ video: { maxHeight: 720 } })).declared.name).toBe("match 720p.mp4");
  expect(outputOf(plan({})).declared.name).toBe("match.mp4");
  expect(outputOf(plan({ container: "mov" })).declared.name).toBe("match copy.mov");
  expect(outputOf(plan({ video: { codec: "none" } })).declared.name).toBe("match.m4a");
});

test("what a copy ignores is said", () => {
  const made = plan({ container: "mkv", video: { codec: "copy", maxHeight: 720, quality: 3 } });
  expect(made.notes.join()).toContain("so video.quality, video.maxHeight has no effect");
  const turned = media({ video: video({ rotation: 90 }) });
  const note = plan({ container: "mkv", video: { codec: "copy" } }, turned).notes.join();
  expect(note).toContain("turned by 90°");
});
