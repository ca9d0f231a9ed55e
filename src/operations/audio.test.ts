import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { audio as audioTrack, everything, media, video } from "../../tests/operations/specimen.ts";
import { descriptionOf } from "../media/description.ts";
import { cpuDevice, type Toolchain } from "../media/devices.ts";
import type { MediaInfo } from "../media/media.ts";
import { renderArgv } from "../media/render.ts";
import { Refusal } from "../trouble.ts";
import { audio } from "./audio.ts";
import { parseParams, planFor } from "./index.ts";
import { parameterFields } from "./parameters.ts";

const song: MediaInfo = media({
  container: "wav",
  kind: "audio",
  video: null,
  audio: [audioTrack({ codec: "pcm_s16le", index: 0, sampleRate: 44_100 })],
});
const talk = media({
  audio: [
    audioTrack({ index: 1, language: "eng" }),
    audioTrack({ index: 2, language: "deu", default: false }),
  ],
});

function planned(params: unknown, ...sources: MediaInfo[]) {
  const inputs = sources.map((source, index) => ({
    name: `source ${index + 1}.mp4`,
    media: source,
  }));
  return planFor(audio, parseParams(audio, params), inputs, everything);
}

function refusal(act: () => unknown): Refusal {
  try {
    act();
  } catch (trouble) {
    if (trouble instanceof Refusal) return trouble;
    throw trouble;
  }
  throw new Error("it was not refused");
}

describe("parameters", () => {
  const faults: [params: unknown, path: string][] = [
    [{ mix: {} }, "mix"],
    [{ do: "mix", replace: {} }, "replace"],
    [{ do: "extract", waveform: {} }, "waveform"],
    [{ do: "waveform", loudness: {} }, "loudness"],
    [{ do: "waveform", format: "mp3" }, "format"],
    [{ format: "flac", bitRate: 128_000 }, "bitRate"],
    [{ do: "mix", mix: { from: 3, to: 3 } }, "mix.to"],
    [{ do: "loudness", loudness: { lufs: -4 } }, "loudness.lufs"],
    [{ do: "mix", mix: { ducking: { amountDb: 40 } } }, "mix.ducking.amountDb"],
    [{ do: "waveform", waveform: { colour: "red;[0:a]" } }, "waveform.colour"],
    [{ track: "english" }, "track"],
    [{ volume: 3 }, "volume"],
  ];
  for (const [params, path] of faults) {
    test(`${JSON.stringify(params)} names ${path}`, () => {
      const { status, errors } = refusal(() => parseParams(audio, params));
      expect(status).toBe(422);
      expect(errors.map((fault) => fault.path)).toContain(path);
    });
  }

  test("a form can show all of them", () => {
    const fields = parameterFields(audio).map(({ path }) => path);
    expect(fields).toContain("mix.ducking.amountDb");
    for (const { label, description } of parameterFields(audio)) {
      expect(label).not.toBe("");
      expect(description).toEndWith(".");
    }
  });
});

describe("what media cannot give is refused with words", () => {
  const silent = media({ audio: [] });
  const still = media({ container: "png", kind: "image", durationSeconds: null, audio: [] });
  const unknown = media({ durationSeconds: null });
  const cases: [words: string, params: unknown, ...sources: MediaInfo[]][] = [
    ["has no sound", {}, silent],
    ["has no sound", { do: "loudness" }, silent],
    ["has no sound", { do: "waveform" }, silent],
    ["The second file has no sound", { do: "replace" }, talk, silent],
    ["has no sound", { do: "mix" }, silent, song],
    ["two files", { do: "mix" }, talk],
    ["one file", { do: "extract" }, talk, song],
    ["still picture", {}, still],
    ["no picture", { do: "replace" }, song, song],
    ["1 (eng), 2 (deu)", { track: 3 }, talk],
    ["1 (eng), 2 (deu)", { track: "fra" }, talk],
    ["MP4 cannot hold", { do: "loudness", format: "wav" }, talk],
    ["sampleRate of 44100", { format: "opus", sampleRate: 44_100 }, talk],
    ["ends at 60 s", { do: "mix", mix: { from: 60 } }, talk, song],
    ["ends at 60 s", { do: "replace", replace: { offset: 61 } }, talk, song],
    ["leaves out 60 s", { do: "replace", replace: { offset: -60 } }, talk, song],
    ["at most 600 s", { do: "mix", mix: { loop: true } }, talk, media({ durationSeconds: 601 })],
    ["how long", { do: "waveform" }, unknown],
    [
      "pointsPerSecond",
      { do: "waveform", waveform: { pointsPerSecond: 1000 } },
      media({ durationSeconds: 7200 }),
    ],
    ["12 channels", {}, media({ audio: [audioTrack({ channels: 12, codec: "pcm_s16le" })] })],
  ];
  for (const [words, params, ...sources] of cases) {
    test(`${words}: ${JSON.stringify(params)}`, () => {
      const { status, code, message } = refusal(() => planned(params, ...sources));
      expect([status, code]).toEqual([422, "unsuitable_input"]);
      expect(message).toContain(words);
    });
  }
});

describe("plans", () => {
  const steps = (params: unknown, ...sources: MediaInfo[]) =>
    planned(params, ...sources).steps.map(({ name, work, needs }) => [
      name,
      work.kind,
      needs.length,
    ]);

  test("a loudness is measured and tried before it is rendered, for each track", () => {
    expect(steps({ do: "loudness" }, talk)).toEqual([
      ["measure", "analyse", 0],
      ["try", "analyse", 1],
      ["measure-2", "analyse", 0],
      ["try-2", "analyse", 1],
      ["sound", "render", 4],
    ]);
    expect(steps({ loudness: {}, format: "mp3" }, talk)).toHaveLength(3);
    expect(steps({ do: "loudness", track: "deu" }, talk)).toHaveLength(3);
    expect(steps({ do: "mix" }, talk, song)).toEqual([["sound", "render", 0]]);
  });

  test("no picture is decoded for sound", () => {
    for (const step of planned({ do: "loudness" }, talk).steps) {
      expect(descriptionOf(step.work)?.inputs.some(({ picture }) => picture)).toBe(false);
    }
  });

  test("formats have their names, and auto the codec of the source", () => {
    const named = (params: unknown, source: MediaInfo) => {
      const [output] = planned(params, source).steps.at(-1)?.outputs ?? [];
      return [output?.file, output?.mimeType, output?.expectation.audioCodecs[0]];
    };
    const of = (codec: string) => media({ audio: [audioTrack({ codec })] });
    expect(named({}, of("aac"))).toEqual(["output.m4a", "audio/mp4", "aac"]);
    expect(named({}, of("vorbis"))).toEqual(["output.m4a", "audio/mp4", "aac"]);
    expect(named({}, of("opus"))).toEqual(["output.opus", "audio/ogg", "opus"]);
    expect(named({}, of("truehd"))).toEqual(["output.flac", "audio/flac", "flac"]);
    expect(named({}, of("pcm_s24be"))).toEqual(["output.wav", "audio/wav", "pcm_s24le"]);
    expect(named({ format: "mp3" }, of("aac"))).toEqual(["output.mp3", "audio/mpeg", "mp3"]);
  });

  test("a container that is not written becomes Matroska; its picture is copied where that can be", () => {
    const broadcast = planned({ do: "loudness" }, media({ container: "mpegts" }));
    expect(broadcast.notes[0]).toContain("Matroska");
    const described = (source: MediaInfo) => {
      const work = planned({ do: "loudness" }, source).steps.at(-1)?.work;
      return work?.kind === "render" ? work.description.outputs[0] : null;
    };
    expect(described(media({ container: "mpegts" }))).toMatchObject({
      ...{ container: "mkv", video: { kind: "copy" } },
    });
    const avi = media({ container: "avi", video: video({ codec: "mpeg4" }) });
    expect(described(avi)).toMatchObject({ container: "mkv", video: { kind: "encode" } });
    expect(described(media({ container: "webm", video: video({ codec: "vp9" }) }))).toMatchObject({
      ...{ container: "webm", video: { kind: "copy" }, audio: [{ codec: "opus" }] },
    });
  });
});

test("no text of the asker or of a file stands in what ffmpeg is told", () => {
  const evil = fc.string({ unit: "binary", minLength: 4 }).map((text) => `#${text}`);
  const files = { resolve: () => "/in", outputFolder: "/out" };
  const toolchain: Toolchain = {
    ...{ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe", version: "5.1", filters: new Set() },
    release: { major: 5, minor: 1 },
    encoders: new Set([...everything.encoders, "flac", "pcm_s16le"]),
    ...{ decoders: new Set(), hwaccels: new Set() },
  };
  const wishes = [
    { format: "mp3" },
    { do: "mix", mix: { loop: true, fadeOut: 1, ducking: {} } },
    { do: "replace", replace: { offset: -1 } },
    { do: "waveform" },
  ];
  fc.assert(
    fc.property(evil, fc.constantFrom(...wishes), (text, wish) => {
      const tracks = [
        audioTrack({ language: text, title: text, codec: text, channelLayout: text }),
      ];
      const source = media({ audio: tracks });
      const count = "mix" in wish || "replace" in wish ? 2 : 1;
      const inputs = Array.from({ length: count }, () => ({ name: text, media: source }));
      const { steps } = planFor(audio, parseParams(audio, wish), inputs, everything);
      for (const { work } of steps) {
        const description = descriptionOf(work);
        if (description === null) continue;
        const { argv } = renderArgv(description, { device: cpuDevice(1), toolchain }, files);
        expect(argv.join("\n")).not.toContain(text);
      }
    }),
  );
});
