import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { media, video } from "../../tests/operations/specimen.ts";
import { cpuDevice } from "../media/devices.ts";
import type { MediaInfo } from "../media/media.ts";
import { renderArgv } from "../media/render.ts";
import { Refusal } from "../trouble.ts";
import { findOperation, parseParams, planFor } from "./index.ts";
import type { PlanContext } from "./operation.ts";

const cutout = findOperation("cutout");
const context: PlanContext = {
  encoders: new Set(["libwebp_anim", "libvpx-vp9", "prores_ks", "libx264", "aac", "libopus"]),
  filters: new Set(),
};
const still = media({ kind: "image", container: "png", durationSeconds: null, audio: [] });

function plan(params: unknown, ...sources: MediaInfo[]) {
  const given = sources.length === 0 ? [media()] : sources;
  const inputs = given.map((source) => ({ name: "match.mov", media: source }));
  return planFor(cutout, parseParams(cutout, params), inputs, context);
}

function render(params: unknown, ...sources: MediaInfo[]) {
  const work = plan(params, ...sources).steps[0]?.work;
  if (work?.kind !== "render") throw new Error("it renders");
  return work.description;
}

test("the whole plan of an ordinary wish", () => {
  expect(plan({})).toMatchSnapshot();
});

describe("every format has its codec, pixels and name", () => {
  const cases: [params: object, codec: string, pixels: string | null, name: string][] = [
    [{}, "vp9", "yuva420p", "match cutout.webm"],
    [{ format: "mov" }, "prores", "yuva444p10le", "match cutout.mov"],
    [{ format: "webp" }, "webp", null, "match cutout.webp"],
    [{ output: { kind: "blur" } }, "h264", "yuv420p", "match cutout.mp4"],
    [{ output: { kind: "colour" }, format: "webm" }, "vp9", "yuv420p", "match cutout.webm"],
    [{ output: { kind: "colour" }, format: "mov" }, "prores", "yuv422p10le", "match cutout.mov"],
  ];
  for (const [params, codec, pixels, name] of cases) {
    test(JSON.stringify(params), () => {
      const [output] = plan(params).steps[0]?.outputs ?? [];
      expect([output?.name, output?.expectation.video?.codec]).toEqual([name, codec]);
      expect(output?.expectation.video?.alpha ?? false).toBe(pixels?.startsWith("yuva") ?? false);
      const encode = render(params).outputs[0]?.video;
      expect(encode?.kind === "encode" ? encode.pixelFormat : null).toBe(pixels);
    });
  }
});

test("spill is taken out of green and blue screens, and of no others", () => {
  const spillOf = (key: object) => {
    const filters = render({ key }).graph.flatMap((chain) => chain.filters);
    const found = filters.find(({ filter }) => filter === "despill");
    return found?.filter === "despill" ? [found.screen, found.strength] : null;
  };
  expect(spillOf({ colour: "#00B140" })).toEqual(["green", 0.5]);
  expect(spillOf({ colour: "#0047bb", spill: 1 })).toEqual(["blue", 1]);
  expect(spillOf({ spill: 0 })).toBeNull();
  expect(spillOf({ colour: "#e02020" })).toBeNull();
  expect(() => parseParams(cutout, { key: { colour: "#e02020", spill: 0.5 } })).toThrow(
    "key.spill works for green and blue screens alone",
  );
});

describe("refused with a sentence", () => {
  const cases: [params: object, sources: MediaInfo[], words: string][] = [
    [{}, [still], "no moving picture"],
    [{}, [media({ kind: "audio", video: null })], "no moving picture"],
    [{}, [media(), still], "output.kind is alpha"],
    [{ output: { kind: "image" } }, [media()], "give that picture as the second input"],
    [{ output: { kind: "image" } }, [media(), media()], "is no still picture"],
  ];
  for (const [params, sources, words] of cases) {
    test(words, () => {
      expect(() => plan(params, ...sources)).toThrow(Refusal);
      expect(() => plan(params, ...sources)).toThrow(words);
    });
  }

  test("transparency in MP4, with the field named", () => {
    expect(() => parseParams(cutout, { format: "mp4" })).toThrow("format is mp4, which cannot be");
  });
});

test("a picture behind that is transparent itself gets black under it", () => {
  const clear = media({
    ...still,
    video: video({ alpha: true, pixelFormat: "rgba", codec: "png" }),
  });
  const { inputs, graph } = render({ output: { kind: "image" } }, media(), clear);
  expect(inputs[1]).toMatchObject({ from: { asset: 1 }, still: "png" });
  const filters = graph.flatMap((chain) => chain.filters);
  expect(filters).toContainEqual({ filter: "flat", y: 16, u: 128, v: 128 });
  expect(filters).toContainEqual({ filter: "format", pixelFormats: ["yuva420p"] });
});

test("only six digits of a colour ever come near a graph", () => {
  const toolchain = {
    ...{ ffmpegPath: "/ffmpeg", ffprobePath: "/ffprobe", version: "5.1", ...context },
    ...{
      release: { major: 5, minor: 1 },
      decoders: new Set<string>(),
      hwaccels: new Set<string>(),
    },
  };
  const files = { resolve: () => "/data/a", outputFolder: "/jobs/1" };
  const levels = fc.integer({ min: 0, max: 0xff_ff_ff });
  const right = levels.map((rgb) => `#${rgb.toString(16).padStart(6, "0")}`);
  const more = fc.tuple(right, fc.string({ unit: "binary" })).map((parts) => parts.join(""));
  const text = fc.oneof(fc.string(), right, more);
  fc.assert(
    fc.property(text, (colour) => {
      const params = { key: { colour }, output: { kind: "colour", colour } };
      const parsed = cutout.schema.safeParse(params);
      if (!parsed.success) return;
      expect(colour).toMatch(/^#[0-9a-fA-F]{6}$/);
      const { argv } = renderArgv(render(params), { device: cpuDevice(1), toolchain }, files);
      expect(argv.join("\n")).not.toContain(colour);
    }),
  );
});
