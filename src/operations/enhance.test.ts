import { describe, expect, test } from "bun:test";
import { everything, hdr10Video, media, video } from "../../tests/operations/specimen.ts";
import type { MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { enhance } from "./enhance.ts";
import { parseParams, planFor } from "./index.ts";
import type { Plan } from "./operation.ts";

const plan = (params: unknown, source: MediaInfo = media(), context = everything): Plan =>
  planFor(enhance, parseParams(enhance, params), [{ name: "match.mp4", media: source }], context);

function mainOf({ steps }: Plan) {
  const work = steps.at(-1)?.work;
  if (work?.kind !== "render") throw new Error("it renders");
  return work.description;
}

const filterNames = (made: Plan) =>
  mainOf(made).graph.flatMap(({ filters }) => filters.map(({ filter }) => filter));

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (trouble) {
    if (trouble instanceof Refusal) return `${trouble.status} ${trouble.message}`;
    throw trouble;
  }
  throw new Error("it was not refused");
}

describe("the picture", () => {
  test("is mended in the order in which each helps the next", () => {
    const made = plan(
      {
        ...{ denoise: "medium", stabilise: {}, sharpen: "light", upscale: { height: 2160 } },
        ...{ frameRate: 60, codec: "hevc" },
      },
      media({ video: { ...hdr10Video, interlaced: true } }),
    );
    expect(filterNames(made)).toEqual([
      ...["deinterlace", "denoise", "tonemap", "stabilise", "interpolate", "exactly", "scale"],
      ...["sharpen", "format", "setsar", "tag"],
    ] as never);
    expect(mainOf(made).outputs[0]?.video).toMatchObject({
      ...{ width: 3840, height: 2160, codec: "hevc", pixelFormat: "yuv420p" },
      ...{ gopFrames: 240, variableFrameRate: false },
    });
    expect(made.notes[0]).toContain("works in 8 bits: the picture is tone-mapped to SDR");
  });

  test("stays HDR where nothing works in eight bits", () => {
    const made = plan({ denoise: "strong", codec: "hevc" }, media({ video: hdr10Video }));
    expect(filterNames(made)).toEqual(["denoise", "format", "setsar", "tag"]);
    expect(mainOf(made).outputs[0]?.video).toMatchObject({ pixelFormat: "yuv420p10le" });
  });

  test("is looked at before it is held still, both times as the same frames", () => {
    const made = plan(
      { stabilise: { strength: 10 } },
      media({ video: video({ interlaced: true }) }),
    );
    const [look, main] = made.steps;
    expect(look).toMatchObject({ name: "shakes", makes: ["shakes.trf"], outputs: [] });
    expect(main?.needs).toEqual(["shakes"]);
    expect(mainOf(made).reads).toEqual([{ step: "shakes", file: "shakes.trf" }]);
    if (look?.work.kind !== "render") throw new Error("it renders");
    expect(look.work.description.graph[0]?.filters).toEqual([
      { filter: "deinterlace", frames: "flagged" },
      { filter: "detect-shakes", file: "shakes.trf", shakiness: 10 },
    ]);
    expect(mainOf(made).graph[0]?.filters[1]).toMatchObject({ filter: "stabilise", smoothing: 30 });
  });
});

describe("what cannot be done is refused with its field", () => {
  const without = (...names: string[]) => ({
    ...everything,
    filters: new Set([...everything.filters].filter((name) => !names.includes(name))),
  });
  const cases: [words: string, params: object, source?: MediaInfo, context?: typeof everything][] =
    [
      [
        "422 The ffmpeg of this machine was built without vidstabdetect, which stabilise needs",
        { stabilise: {} },
        media(),
        without("vidstabdetect", "vidstabtransform"),
      ],
      [
        "built without nlmeans, which denoise needs",
        { denoise: "strong" },
        media(),
        without("nlmeans"),
      ],
      ["Nothing is to be done", {}],
      [
        "Nothing is to be done",
        { deinterlace: "off" },
        media({ video: video({ interlaced: true }) }),
      ],
      ["frameRate is 30, and the source has 30 frames", { frameRate: 30 }],
      ["upscale.height is 720, and the source has 1080 lines", { upscale: { height: 720 } }],
      [
        "would have 5760×10236",
        { upscale: { factor: 3 } },
        media({ video: video({ width: 1920, height: 3413 }) }),
      ],
      ["upscale.height cannot stand beside factor", { upscale: { factor: 2, height: 2000 } }],
      ["upscale.factor", { upscale: { factor: 5 } }],
      ["stabilise.strength", { stabilise: { strength: 11 } }],
      ["denoise is", { denoise: "much" }],
      ["still picture", { denoise: "light" }, media({ kind: "image" })],
    ];
  for (const [words, params, source, context] of cases) {
    test(words, () => expect(refusal(() => plan(params, source, context))).toContain(words));
  }
});
