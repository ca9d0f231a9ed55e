import { describe, expect, test } from "bun:test";
import { audio, hdr10Video, media, video } from "../../tests/operations/specimen.ts";
import type { RenderDescription } from "../media/description.ts";
import type { MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { findOperation, parseParams, planFor } from "./index.ts";
import type { PlanContext } from "./operation.ts";

const animate = findOperation("animate");
const context: PlanContext = {
  encoders: new Set(["gif", "libwebp_anim", "apng", "libaom-av1"]),
  filters: new Set(["zscale", "tonemap"]),
};
const short = (about: Partial<MediaInfo> = {}) => media({ durationSeconds: 8, ...about });

function plan(params: unknown, source = short(), able = context) {
  return planFor(animate, parseParams(animate, params), [{ name: "a.mov", media: source }], able);
}

function descriptionOf(params: unknown, source = short()): RenderDescription {
  const work = plan(params, source).steps[0]?.work;
  if (work?.kind !== "render") throw new Error("it renders");
  return work.description;
}

test("a GIF is made in one process: two branches, the palette and what it colours", () => {
  expect(plan({ from: 1, to: 3 })).toMatchSnapshot();
});

test("transparency is asked of the decoder and kept in each format's way", () => {
  const source = short({ video: video({ codec: "vp9", alpha: true, width: 320, height: 240 }) });
  for (const [format, pixels] of [
    ["webp", ["bgra"]],
    ["apng", ["rgba"]],
    ["gif", ["rgba"]],
    ["avif", ["yuva420p", "yuv420p"]],
  ] as const) {
    const { inputs, graph, outputs } = descriptionOf({ format }, source);
    expect(inputs[0]?.keepAlpha).toBe(true);
    const formats = graph
      .flatMap(({ filters }) => filters)
      .flatMap((filter) => (filter.filter === "format" ? filter.pixelFormats : []));
    expect(formats).toEqual([...pixels]);
    const encode = outputs[0]?.video;
    expect(encode?.kind === "animation" && encode.alpha).toEqual(
      format === "avif" ? { pad: "alpha" } : undefined,
    );
  }
  expect(descriptionOf({ format: "apng" }).inputs[0]?.keepAlpha).toBeUndefined();
});

describe("the frame rate", () => {
  const cases: [params: object, source: MediaInfo, rate: string, note: string | null][] = [
    [{}, short(), "15", null],
    [{ frameRate: 60 }, short(), "30", "the source has no more"],
    [{ frameRate: 60 }, short({ video: video({ frameRate: "60/1" }) }), "50", "no faster"],
    [{ frameRate: 29.97 }, short(), "30000/1001", null],
  ];
  for (const [params, source, rate, note] of cases) {
    test(`${JSON.stringify(params)} is ${rate}`, () => {
      const [chain] = descriptionOf(params, source).graph;
      expect(chain?.filters).toContainEqual({ filter: "fps", rate, startSeconds: 0 });
      const { notes } = plan(params, source);
      expect(notes).toHaveLength(note === null ? 0 : 1);
      if (note !== null) expect(notes[0]).toContain(note);
    });
  }
});

describe("the tries for a size", () => {
  const triesOf = (params: object, source = short()) => {
    const work = plan({ maxBytes: 500_000, ...params }, source).steps[0]?.work;
    if (work?.kind !== "search") throw new Error("it searches");
    return work.candidates.map(({ title }) => title);
  };

  test("go from what was asked for to the smallest, eight at most", () => {
    for (const format of ["gif", "webp", "apng", "avif"])
      expect(triesOf({ format })).toMatchSnapshot();
  });

  test("begin at a source that is smaller than asked for, and are all different", () => {
    const small = short({ video: video({ width: 100, height: 60 }) });
    const titles = triesOf({ width: 4000, quality: 5, frameRate: 2 }, small);
    expect(titles[0]).toStartWith("100×60, 2 frames per second");
    expect(new Set(titles).size).toBe(titles.length);
    for (const title of titles) expect(Number.parseInt(title, 10)).toBeGreaterThanOrEqual(64);
  });

  test("may end in any of their sizes", () => {
    const expected = plan({ maxBytes: 500_000 }).steps[0]?.outputs[0]?.expectation.video;
    expect(expected?.otherSizes?.length).toBeGreaterThan(4);
  });
});

describe("refused with a sentence", () => {
  const cases: [params: object, source: MediaInfo, words: string][] = [
    [{}, media({ kind: "image", durationSeconds: null }), "a still picture"],
    [{}, media({ kind: "audio", video: null, audio: [audio()] }), "sound alone"],
    [{ from: 9 }, short(), "ends at 8 s, and from is 9 s"],
    [{}, media({ durationSeconds: 3600 }), "too much for a GIF"],
    [{}, media({ durationSeconds: null }), "does not say how long it is"],
    [{}, short({ container: "webp" }), "An input is an animated WebP"],
  ];
  for (const [params, source, words] of cases) {
    test(words, () => {
      expect(() => plan(params, source)).toThrow(Refusal);
      expect(() => plan(params, source)).toThrow(words);
    });
  }

  test("what this ffmpeg cannot make", () => {
    const without = { ...context, encoders: new Set(["gif"]) };
    expect(() => plan({ format: "webp" }, short(), without)).toThrow("lacks libwebp_anim");
    const old = { ...context, release: { major: 5, minor: 1 } };
    expect(() => plan({ format: "avif" }, short(), old)).toThrow("(5.1) makes no AVIF that loops");
    expect(() => plan({ format: "avif" }, short(), context)).not.toThrow();
    const bare = { ...context, filters: new Set<string>() };
    expect(() => plan({}, short({ video: hdr10Video }), bare)).toThrow("lacks zscale or tonemap");
  });

  test("an end before its beginning, with the field named", () => {
    expect(() => parseParams(animate, { from: 3, to: 2 })).toThrow("to is 2, which is not after");
    expect(() => parseParams(animate, { loop: 1001 })).toThrow("loop is 1001");
  });
});
