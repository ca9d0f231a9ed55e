import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { everything, media, video } from "../../tests/operations/specimen.ts";
import { cpuPictures, renderGraph } from "../media/graph.ts";
import { Refusal } from "../trouble.ts";
import { assText } from "./ass.ts";
import { findOperation, parseParams, planFor } from "./index.ts";
import type { PlanInput } from "./operation.ts";

const operation = findOperation("overlay");
const main: PlanInput = { name: "match.mov", media: media() };
const image: PlanInput = {
  name: "logo.png",
  media: media({
    ...{ container: "png", kind: "image", durationSeconds: null, audio: [] },
    video: video({ codec: "png", pixelFormat: "rgba", width: 200, height: 100, alpha: true }),
  }),
};

const planned = (items: unknown[], inputs = [main], more: object = {}) =>
  planFor(operation, parseParams(operation, { items, ...more }), inputs, everything);

function graphOf(items: unknown[], inputs = [main]): string {
  const work = planned(items, inputs).steps.at(-1)?.work;
  if (work?.kind !== "render") throw new Error("it renders");
  const { graph, sound = [] } = work.description;
  return renderGraph(graph, sound, cpuPictures);
}

function refusal(make: () => unknown): Refusal {
  try {
    make();
  } catch (trouble) {
    if (trouble instanceof Refusal) return trouble;
    throw trouble;
  }
  throw new Error("it was not refused");
}

describe("overlay's plan", () => {
  test("draws neighbours from one file, and lays pictures over in the order of the items", () => {
    const items = [
      { kind: "text", text: "a" },
      { kind: "highlight", keyframes: [{ time: 0, x: 0, y: 0, radiusX: 0.1, radiusY: 0.1 }] },
      { kind: "image", input: 2 },
      { kind: "text", text: "b" },
    ];
    const { steps } = planned(items, [main, image]);
    expect(steps.map(({ name }) => name)).toEqual(["texts", "texts-2", "overlay"]);
    expect(graphOf(items, [main, image])).toBe(
      "[1:0]scale=w=384:h=192:flags=lanczos+accurate_rnd+full_chroma_int:out_color_matrix=bt709:out_range=tv," +
        "format=pix_fmts=yuva420p[over_1];" +
        "[0:0]format=pix_fmts=yuv420p,setsar=sar=1,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv," +
        "ass=filename=../texts/overlay.ass:shaping=complex[under_1];" +
        "[under_1][over_1]overlay=x=1493:y=43:eof_action=repeat:format=yuv420," +
        "ass=filename=../texts-2/overlay.ass:shaping=complex[picture]",
    );
  });

  test("says what makes no sense, with the field", () => {
    const cases: [object, string][] = [
      [{ kind: "text", text: "x", from: 3, to: 2 }, "items.0.to"],
      [{ kind: "text", text: "x", from: 1, to: 2, fade: 0.6 }, "items.0.fade"],
      [{ kind: "text", text: "" }, "items.0.text"],
      [{ kind: "text", text: "x".repeat(10_001) }, "items.0.text"],
      [{ kind: "text", text: "x", color: "red" }, "items.0.color"],
      [{ kind: "text", text: "x", align: "left" }, "items.0.align"],
      [{ kind: "image", input: 1 }, "items.0.input"],
      [{ kind: "timecode", start: "1:00" }, "items.0.start"],
      [{ kind: "image", input: 2, position: { x: 2, y: 0 } }, "items.0.position"],
    ];
    for (const [item, path] of cases) {
      const { errors, code } = refusal(() => planned([item]));
      expect(code).toBe("invalid_params");
      expect(errors.map((error) => error.path).join()).toStartWith(path);
    }
    const key = { time: 1, x: 0.5, y: 0.5, radiusX: 0.1, radiusY: 0.1 };
    const swapped = { kind: "highlight", keyframes: [key, { ...key, time: 0.5 }] };
    expect(refusal(() => planned([swapped])).errors[0]?.path).toBe("items.0.keyframes.1.time");
    const outside = { kind: "highlight", keyframes: [{ ...key, x: 1.2 }] };
    expect(refusal(() => planned([outside])).errors[0]?.path).toBe("items.0.keyframes.0.x");
  });

  test("says what does not fit the media", () => {
    const late = refusal(() => planned([{ kind: "text", text: "x", from: 60 }]));
    expect(late.message).toContain("ends at 60 s");
    const missing = refusal(() => planned([{ kind: "image", input: 3 }], [main, image]));
    expect(missing.message).toContain("input 3");
    const noImage = refusal(() => planned([{ kind: "image", input: 2 }], [main, main]));
    expect(noImage.message).toContain("match.mov is a video");
    const noVideo = refusal(() => planned([{ kind: "video", input: 2 }], [main, image]));
    expect(noVideo.message).toContain("logo.png is an image");
    const still = refusal(() => planned([{ kind: "text", text: "x" }], [image]));
    expect(still.message).toContain("a still picture");
    const frame = refusal(() => planned([{ kind: "timecode", start: "00:00:00:30" }]));
    expect(frame.message).toContain("30 frames a second");
    const drop = refusal(() => planned([{ kind: "timecode", start: "00:00:00;00" }]));
    expect(drop.message).toContain("29.97");
  });

  test("evens out frames for a timecode, and says so", () => {
    const uneven = media({ video: video({ variableFrameRate: true, frameRate: "2937/100" }) });
    const { notes, steps } = planned([{ kind: "timecode" }], [{ name: "x.mp4", media: uneven }]);
    expect(notes.join()).toContain("brought to 29 a second");
    expect(JSON.stringify(steps.at(-1)?.work)).toContain('{"filter":"fps","rate":"29"}');
  });
});

test("no text is part of a graph: it is the same for 10,000 texts", () => {
  const of = (text: string) => graphOf([{ kind: "text", text, from: 1, to: 2 }]);
  const always = of("x");
  const texts = fc.string({ unit: "binary", minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(texts, (text) => of(text) === always),
    { numRuns: 10_000 },
  );
}, 60_000);

test("a text is one line of the file, and none of its signs is a tag", () => {
  const signs = fc.constantFrom("\\", "{", "}", "N", "\n", "\r", "\0", "\u2028", ",", "a", "😀");
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(signs).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const written = assText(text);
      expect(written).not.toMatch(/[\n\r\0\u2028\u2029]/);
      // What libass reads as an end of line goes; what it reads as a brace of text goes; the rest has no sign.
      const rest = written.replace(/\\\u2060/g, "").replace(/\\[N{}]/g, "");
      expect(rest).not.toMatch(/[\\{}]/);
    }),
    { numRuns: 10_000 },
  );
});
