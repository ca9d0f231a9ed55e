import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { audio, everything, hdr10Video, media, video } from "../../tests/operations/specimen.ts";
import type { MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { parseParams, planFor } from "./index.ts";
import { ladder } from "./ladder.ts";
import { ladderStem } from "./ladder-files.ts";
import { timingOf } from "./ladder-rate.ts";

const plan = (params: unknown, about: MediaInfo = media(), name = "match.mp4") =>
  planFor(ladder, parseParams(ladder, params), [{ name, media: about }], everything);

function encodes(params: unknown, about?: MediaInfo) {
  const step = plan(params, about).steps.find(({ name }) => name === "encode");
  if (step?.work.kind !== "render") throw new Error("it encodes");
  return step.work.description;
}

function sizes(params: unknown, about?: MediaInfo): string[] {
  return encodes(params, about).outputs.flatMap(({ video: encode }) =>
    encode?.kind === "encode" ? [`${encode.width}×${encode.height}`] : [],
  );
}

function refusalOf(run: () => unknown): Refusal {
  try {
    run();
  } catch (trouble) {
    if (trouble instanceof Refusal) return trouble;
    throw trouble;
  }
  throw new Error("it was not refused");
}

const sized = (width: number, height: number) => media({ video: video({ width, height }) });

describe("rungs by themselves", () => {
  const cases: [what: string, about: MediaInfo, rungs: string[]][] = [
    ["1080p", sized(1920, 1080), ["1920×1080", "1280×720", "854×480", "640×360", "426×240"]],
    ["upright", sized(1080, 1920), ["1080×1920", "720×1280", "480×854", "360×640", "240×426"]],
    ["wide", sized(1920, 804), ["1920×804", "1280×536", "854×358", "640×268", "426×178"]],
    ["4:3", sized(1440, 1080), ["1440×1080", "960×720", "640×480", "480×360", "320×240"]],
    ["between two", sized(1280, 800), ["1280×800", "768×480", "576×360", "384×240"]],
    ["small", sized(200, 112), ["200×112"]],
    ["beyond 2160", sized(7680, 4320), []],
  ];
  for (const [what, about, rungs] of cases) {
    test(`of a picture that is ${what} none is larger than it, nor hardly smaller than another`, () => {
      const found = sizes({}, about);
      if (rungs.length > 0) expect(found).toEqual(rungs);
      expect(found[0]).toBe(what === "beyond 2160" ? "3840×2160" : (rungs[0] ?? ""));
    });
  }

  test("never hold more pixels than the source, whatever its size", () => {
    const side = fc.integer({ min: 16, max: 8192 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const found = sizes({}, sized(width, height)).map((size) => size.split("×").map(Number));
        expect(found.length).toBeGreaterThan(0);
        for (const [wide = 0, tall = 0] of found) {
          expect(wide <= width && tall <= height && wide % 2 === 0 && tall % 2 === 0).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("a list of rungs", () => {
  test("is refused where one is above the source, and its field is named", () => {
    const rungs = [{ height: 720 }, { height: 1080 }, { height: 1440 }];
    const refusal = refusalOf(() => plan({ rungs }, sized(1280, 720)));
    expect([refusal.status, refusal.errors.map(({ path }) => path)]).toEqual([
      422,
      ["rungs.1.height", "rungs.2.height"],
    ]);
  });

  test("goes from large to small, and two of one size have names of their own", () => {
    const rungs = [{ height: 360 }, { height: 720, bitRate: 1e6 }, { height: 720, bitRate: 2e6 }];
    const names = plan({ rungs })
      .steps.at(-1)
      ?.outputs.map(({ name }) => name);
    expect(names?.filter((name) => name.endsWith("p.mp4") || name.endsWith("-2.mp4"))).toEqual([
      "match-720p.mp4",
      "match-720p-2.mp4",
      "match-360p.mp4",
    ]);
  });

  const faults: [params: unknown, path: string][] = [
    [{ rungs: [{ height: 720, bitRate: 1e6, quality: 50 }] }, "rungs.0.quality"],
    [{ rungs: [] }, "rungs"],
    [{ rungs: [{ height: 720, name: '"\n' }] }, "rungs.0.name"],
    [{ format: "both", encryption: "aes-128" }, "encryption"],
    [{ keyUri: "https://example.org/key" }, "keyUri"],
    [{ encryption: "aes-128", keyUri: 'https://e.org/"' }, "keyUri"],
    [{ encryption: "aes-128", keyUri: "http://e.org/key" }, "keyUri"],
  ];
  for (const [params, path] of faults) {
    test(`${JSON.stringify(params)} is refused, and ${path} named`, () => {
      const refusal = refusalOf(() => plan(params));
      expect(refusal.errors.map((error) => error.path)).toContain(path);
    });
  }

  const unsuitable: [what: string, params: unknown, about: MediaInfo, path: string][] = [
    ["of sound", { rungs: [{ height: 720 }] }, media({ kind: "audio", video: null }), "rungs"],
    ["without the language", { audio: { languages: ["en"] } }, media(), "audio.languages.0"],
    [
      "of more segments than can be counted",
      { segmentSeconds: 1 },
      media({ durationSeconds: 70_000 }),
      "segmentSeconds",
    ],
  ];
  for (const [what, params, about, path] of unsuitable) {
    test(`a ladder ${what} is refused, and ${path} named`, () => {
      const refusal = refusalOf(() => plan(params, about));
      expect(refusal.errors.map((error) => error.path)).toEqual([path]);
    });
  }
});

describe("keyframes and segments", () => {
  const rates: [rate: string, limits: number[], segment: number][] = [
    ["25/1", [60, 30], 4],
    ["30000/1001", [60, 30], 4.004],
    ["24000/1001", [60], 4.004],
    ["60000/1001", [60, 30], 4.004],
    ["50/1", [50, 25, 12.5], 4],
    ["144/1", [60, 30], 4],
    ["1/1", [60], 4],
    ["1/10", [60], 20],
  ];
  for (const [rate, limits, segment] of rates) {
    test(`at ${rate}, limits ${limits}, fall on whole frames of every rung`, () => {
      const timing = timingOf(video({ frameRate: rate }), limits, 4);
      expect(timing.segmentSeconds).toBeCloseTo(segment, 6);
      for (const divisor of timing.divisors) expect(timing.keyframeFrames % divisor).toBe(0);
      for (const [index, divisor] of timing.divisors.entries()) {
        const perSecond = timing.rate.over / timing.rate.under / divisor;
        expect(perSecond).toBeLessThanOrEqual((limits[index] ?? 0) * 1.001);
      }
    });
  }

  test("any rate, any limits, any wish: the same times in all rungs", () => {
    const rate = fc.tuple(fc.integer({ min: 1, max: 240_000 }), fc.constantFrom(1, 1000, 1001));
    const limits = fc.array(fc.double({ min: 1, max: 240, noNaN: true }), {
      ...{ minLength: 1, maxLength: 10 },
    });
    fc.assert(
      fc.property(rate, limits, fc.double({ min: 1, max: 10, noNaN: true }), (over, most, wish) => {
        const timing = timingOf(video({ frameRate: over.join("/") }), most, wish);
        const longest = Math.max(wish * 2, (12 * timing.rate.under) / timing.rate.over);
        expect(timing.segmentSeconds).toBeGreaterThan(0);
        expect(timing.segmentSeconds).toBeLessThanOrEqual(longest);
        for (const divisor of timing.divisors) expect(timing.keyframeFrames % divisor).toBe(0);
        expect(timing.keyframeFrames % timing.commonDivisor).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the graph", () => {
  test("decodes once, and scales each rung from the one above it", () => {
    const { graph, inputs } = encodes({}, media({ video: video({ frameRate: "60/1" }) }));
    expect(inputs).toHaveLength(1);
    const [base, ...rungs] = graph;
    expect(base?.from).toEqual({ input: 0, stream: 0 });
    expect(rungs.map(({ from, to }) => [from, to])).toEqual([
      [{ pad: "to_1" }, "rung_1"],
      [{ pad: "to_2" }, ["rung_2", "to_3"]],
      [{ pad: "to_3" }, ["rung_3", "to_4"]],
      [{ pad: "to_4" }, ["rung_4", "to_5"]],
      [{ pad: "to_5" }, "rung_5"],
    ]);
    const rates = rungs.map(({ filters }) => filters.find(({ filter }) => filter === "fps"));
    expect(rates.map((each) => (each?.filter === "fps" ? each.rate : null))).toEqual([
      ...[null, null, null],
      ...["30", null],
    ]);
  });

  test("makes HDR what it was asked to be, once, at the largest size", () => {
    const tonemaps = (params: unknown) =>
      encodes(params, media({ video: hdr10Video })).graph.map(
        ({ filters }) => filters.filter(({ filter }) => filter === "tonemap").length,
      );
    expect(tonemaps({})).toEqual([1, 0, 0, 0, 0, 0]);
    expect(tonemaps({ codec: "hevc" })).toEqual([0, 0, 0, 0, 0, 0]);
    expect(tonemaps({ codec: "hevc", hdr: "sdr" })[0]).toBe(1);
  });
});

describe("names", () => {
  const stems: [name: string, stem: string][] = [
    ["match.final.mov", "match-final"],
    ["Fête 2024 (été).mp4", "fete-2024-ete"],
    ["動画.mov", "video"],
    ["../../etc/passwd", "etc-passwd"],
    [`${"very ".repeat(20)}long.mp4`, "very-very-very-very-very-very"],
  ];
  for (const [name, stem] of stems) {
    test(`of ${JSON.stringify(name)} begin with ${stem}`, () => {
      expect(ladderStem(name)).toBe(stem);
    });
  }

  test("of sounds come from titles and languages, and no two are the same", () => {
    const tracks = [
      audio({ language: "eng" }),
      audio({ language: "eng", index: 2, default: false }),
      audio({ language: null, index: 3, default: false, title: 'A "b"\n#EXT-X-KEY:' }),
      audio({ language: "qqq", index: 4, default: false }),
    ];
    const step = plan({}, media({ audio: tracks })).steps.at(-1);
    if (step?.work.kind !== "package") throw new Error("it is packaged");
    expect(step.work.ladder.sounds.map(({ name, language }) => [name, language])).toEqual([
      ["English", "en"],
      ["English 2", "en"],
      ["A b #EXT-X-KEY:", null],
      ["qqq", "qqq"],
    ]);
  });

  test("that anybody gives to files and tracks never break a playlist, a manifest or a file system", () => {
    const text = fc.string({ unit: "binary", maxLength: 80 });
    fc.assert(
      fc.property(text, text, (name, title) => {
        const steps = plan(
          { format: "both" },
          media({ audio: [audio({ title })] }),
          `${name}.mp4`,
        ).steps;
        const made = steps.at(-1);
        if (made?.work.kind !== "package") throw new Error("it is packaged");
        for (const sound of made.work.ladder.sounds) expect(sound.name).not.toMatch(/["\p{C}]/u);
        for (const output of made.outputs) expect(output.name).toMatch(/^[a-z0-9-]+\.[a-z0-9]+$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
