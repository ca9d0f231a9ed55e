import { describe, expect, test } from "bun:test";
import {
  everything,
  hdr10Video,
  audio as heard,
  media,
  video,
} from "../../tests/operations/specimen.ts";
import type { RenderDescription } from "../media/description.ts";
import type { MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { cropPath, type Keyframe } from "./crop-path.ts";
import { parseParams, planFor } from "./index.ts";
import type { Plan } from "./operation.ts";
import { reframe } from "./reframe.ts";
import { storedColour } from "./reframe-background.ts";
import { piecesOf, retimedSeconds } from "./reframe-speed.ts";

const plan = (params: unknown, source: MediaInfo = media()): Plan =>
  planFor(
    reframe,
    parseParams(reframe, params),
    [{ name: "match.mp4", media: source }],
    everything,
  );

function descriptionIn({ steps }: Plan): RenderDescription {
  const work = steps.at(-1)?.work;
  if (work?.kind !== "render") throw new Error("it renders");
  return work.description;
}

function frameOf(params: unknown, source?: MediaInfo) {
  const encode = descriptionIn(plan(params, source)).outputs[0]?.video;
  if (encode?.kind !== "encode") throw new Error("it encodes");
  return [encode.width, encode.height];
}

const filtersIn = (made: Plan) => descriptionIn(made).graph.flatMap(({ filters }) => filters);

function refusal(act: () => unknown): Refusal {
  try {
    act();
  } catch (trouble) {
    if (trouble instanceof Refusal) return trouble;
    throw trouble;
  }
  throw new Error("it was not refused");
}

describe("the frame", () => {
  const wide = { background: "blur" };
  const cases: [title: string, params: object, size: [number, number]][] = [
    ["is the largest crop of the shape", {}, [608, 1080]],
    ["has any shape", { aspect: "21:9" }, [1920, 822]],
    ["has the asked height", { height: 720 }, [406, 720]],
    ["has the asked width", { aspect: "1:1", width: 500 }, [500, 500]],
    ["is not enlarged", { height: 1920 }, [608, 1080]],
    ["is enlarged when that is asked for", { height: 1920, upscale: true }, [1080, 1920]],
    [
      "is as large as the widest crop",
      {
        keyframes: [
          { time: 0, zoom: 2 },
          { time: 1, zoom: 3 },
        ],
      },
      [304, 540],
    ],
    ["around the whole picture is as a phone's", wide, [1080, 1920]],
    ["around the whole picture may be larger", { ...wide, height: 3000 }, [1688, 3000]],
    [
      "around the whole picture ends where that is enlarged",
      { ...wide, height: 4000 },
      [1920, 3414],
    ],
  ];
  for (const [title, params, size] of cases) {
    test(title, () => expect(frameOf(params)).toEqual(size));
  }

  test("says why it is smaller than asked", () => {
    expect(plan({ height: 1920 }).notes).toEqual([
      "The source's pixels fill 608×1080, so the result has that size. Set upscale to enlarge it.",
    ]);
  });

  test("counts what is shown: turned, and with square pixels", () => {
    const turned = video({ rotation: 90, displayWidth: 1080, displayHeight: 1920 });
    expect(frameOf({ aspect: "1:1" }, media({ video: turned }))).toEqual([1080, 1080]);
    const dv = video({ width: 720, height: 576, displayWidth: 1024, sampleAspectRatio: "64:45" });
    expect(frameOf({ aspect: "16:9" }, media({ video: dv }))).toEqual([1024, 576]);
  });
});

describe("the crop", () => {
  test("that stands still needs no commands and keeps colours in place", () => {
    const made = plan({ keyframes: [{ time: 3, x: 0.4 }] });
    expect(made.steps).toHaveLength(1);
    expect(filtersIn(made)[0]).toEqual({ filter: "crop", width: 608, height: 1080, x: 464, y: 0 });
  });

  test("that moves is steered by a text that an earlier step writes", () => {
    const made = plan({
      keyframes: [
        { time: 1, x: 0.4, ease: "linear" },
        { time: 3, x: 0.6 },
      ],
    });
    expect(made.steps[0]?.work).toEqual({
      kind: "write",
      file: "commands.txt",
      text:
        "1-3 [expr] crop@window x 'round(min(max(768+384*TI-304,0),1312))';\n" +
        "3 [enter] crop@window x 848;\n",
    });
    expect(descriptionIn(made).reads).toEqual([{ step: "path", file: "commands.txt" }]);
    expect(filtersIn(made).slice(0, 2)).toEqual([
      { filter: "steer", commands: { step: "path", file: "commands.txt" } },
      { filter: "crop", width: 608, height: 1080, x: 464, y: 0, exact: true, name: "window" },
    ]);
  });

  test("that zooms always lies inside the picture and fills the frame", () => {
    const [source, output] = [
      { width: 1918, height: 1078 },
      { width: 606, height: 1078 },
    ];
    for (let index = 0; index < 300; index += 1) {
      const at = (step: number): Keyframe => ({
        ...{ time: step, ease: "linear", zoom: 1 + ((index * 7 + step * 13) % 40) / 5 },
        ...{ x: ((index * 31 + step) % 100) / 99, y: ((index * 17 + step) % 100) / 99 },
      });
      const file = { step: "path", file: "commands.txt" };
      const { filters } = cropPath([at(0), at(1)], { source, output, file });
      const [, window, picture, frame] = filters;
      if (window?.filter !== "crop" || picture?.filter !== "scale" || frame?.filter !== "crop") {
        throw new Error("it crops, scales and crops");
      }
      expect((window.x % 2) + (window.y % 2) + (window.width % 2) + (window.height % 2)).toBe(0);
      expect(window.x + window.width).toBeLessThanOrEqual(source.width);
      expect(window.y + window.height).toBeLessThanOrEqual(source.height);
      expect(frame.x + frame.width).toBeLessThanOrEqual(picture.width);
      expect(frame.y + frame.height).toBeLessThanOrEqual(picture.height);
    }
  });
});

describe("what cannot be meant is refused before anything starts, with its field", () => {
  const two = (a: object, b: object) => ({
    keyframes: [
      { time: 0, ...a },
      { time: 1, ...b },
    ],
  });
  const cases: [path: string, words: string, params: object][] = [
    ["keyframes.1.time", "is not after 2", { keyframes: [{ time: 2 }, { time: 1 }] }],
    ["keyframes.1.time", "is not after 2", { keyframes: [{ time: 2 }, { time: 2 }] }],
    ["keyframes.1.x", "1", two({}, { x: 1.2 })],
    ["keyframes.0.y", "0", two({ y: -0.1 }, {})],
    ["keyframes.1.zoom", "1", two({}, { zoom: 0.5 })],
    ["keyframes.0.blink", "", two({ blink: 1 }, {})],
    ["keyframes", "must be", { keyframes: Array.from({ length: 501 }, (_, time) => ({ time })) }],
    ["keyframes", "shows the whole picture", { keyframes: [{ time: 0 }], background: "blur" }],
    ["aspect", "no shape", { aspect: "wide" }],
    ["aspect", "no shape", { aspect: "1:50" }],
    ["aspect", "no shape", { aspect: "0:1" }],
    ["width", "height", { width: 100, height: 100 }],
    ["colour", "a colour such as", { colour: "red;drawtext" }],
    ["speed.0.to", "not after", { speed: [{ from: 2, to: 1, factor: 2 }] }],
    [
      "speed.1.from",
      "share no time",
      {
        speed: [
          { from: 0, to: 2, factor: 2 },
          { from: 1.5, to: 3, factor: 2 },
        ],
      },
    ],
    ["speed.0.factor", "0.1", { speed: [{ from: 0, to: 1, factor: 0.05 }] }],
  ];
  for (const [path, words, params] of cases) {
    test(`${path}: ${words}`, () => {
      const { errors } = refusal(() => parseParams(reframe, params));
      const told = errors.map((fault) => `${fault.path} ${fault.message}`).join("; ");
      expect(told).toContain(path);
      expect(told).toContain(words);
    });
  }

  test("a stretch past the end", () => {
    const speed = [{ from: 10, to: 90, factor: 2 }];
    expect(refusal(() => plan({ speed })).message).toContain("speed.0.to");
  });

  test("sound alone, and stills", () => {
    expect(refusal(() => plan({}, media({ kind: "audio", video: null }))).message).toContain(
      "sound alone",
    );
    expect(refusal(() => plan({}, media({ kind: "image" }))).message).toContain("still");
  });

  test("a crop that would be a few pixels", () => {
    const tiny = media({ video: video({ width: 64, height: 36 }) });
    const keyframes = [{ time: 0, zoom: 4 }];
    expect(refusal(() => plan({ keyframes }, tiny)).message).toContain("each side needs 16");
  });

  test("a codec that the container cannot hold", () => {
    expect(refusal(() => plan({ container: "webm", codec: "h264" })).message).toContain("WebM");
  });
});

describe("speed", () => {
  test("makes pieces, and knows how long they become", () => {
    const ranges = [
      { from: 10, to: 20, factor: 0.5 },
      { from: 20, to: 70, factor: 4 },
    ];
    const pieces = piecesOf(ranges, 60);
    expect(pieces.map(({ fromSeconds, toSeconds }) => [fromSeconds, toSeconds])).toEqual([
      [0, 10],
      [10, 20],
      [20, 60],
    ]);
    expect(retimedSeconds(pieces)).toBe(10 + 20 + 10);
    expect(retimedSeconds(piecesOf(ranges, null))).toBeNull();
  });

  test("leaves out what has the source's times, and says so", () => {
    const source = media({
      subtitles: [
        { codec: "mov_text", language: null, title: null, default: true, forced: false, index: 2 },
      ],
      chapters: [{ startSeconds: 0, endSeconds: 9, title: "one" }],
    });
    const made = plan({ speed: [{ from: 1, to: 2, factor: 0.5 }] }, source);
    const [output] = descriptionIn(made).outputs;
    expect(output).toMatchObject({ subtitles: [], dropChapters: true, metadataFrom: 0 });
    expect(made.notes.join(" ")).toContain("Chapters are left out");
    expect(descriptionIn(made).expectedSeconds).toBe(61);
  });

  test("keeps as many tracks as a graph holds", () => {
    const audio = Array.from({ length: 6 }, (_, index) => heard({ index: index + 1 }));
    const speed = Array.from({ length: 25 }, (_, index) => ({
      ...{ from: index * 2, to: index * 2 + 1, factor: 2 },
    }));
    const made = plan({ speed }, media({ audio }));
    expect(descriptionIn(made).outputs[0]?.audio).toHaveLength(4);
    expect(made.notes.join(" ")).toContain("the first 4 audio tracks are kept, and 2 left out");
  });
});

describe("colours", () => {
  test("stay HDR in a codec that has it, and become SDR in H.264", () => {
    const hdr = media({ video: hdr10Video });
    expect(filtersIn(plan({ codec: "hevc" }, hdr)).map(({ filter }) => filter)).not.toContain(
      "tonemap",
    );
    const sdr = plan({ background: "colour" }, hdr);
    const names = filtersIn(sdr).map(({ filter }) => filter);
    expect(names.filter((name) => name === "tonemap")).toHaveLength(1);
    expect(sdr.notes.join(" ")).toContain("tone-mapped");
  });

  test("behind a picture are stored by its own matrix", () => {
    const tags = { primaries: null, transfer: null, range: "tv" as const };
    const red = (space: string, pixelFormat: string) =>
      storedColour("#ff0000", { color: { ...tags, space }, pixelFormat });
    expect(red("bt709", "yuv420p")).toEqual({ y: 63, u: 102, v: 240 });
    expect(red("smpte170m", "yuv420p")).toEqual({ y: 81, u: 90, v: 240 });
    expect(red("bt709", "yuv420p10le").v).toBe(960);
  });
});
