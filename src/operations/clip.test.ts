import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { audio, everything, media, video } from "../../tests/operations/specimen.ts";
import { descriptionOf } from "../media/description.ts";
import { cpuDevice } from "../media/devices.ts";
import { renderArgv } from "../media/render.ts";
import { Refusal } from "../trouble.ts";
import { csvField } from "./annotations.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { parseParams, planFor } from "./index.ts";

const match = { name: "match.mp4", media: media() };
const plan = (params: unknown, about = match.media) =>
  planFor(clip, parseParams(clip, params), [{ ...match, media: about }], everything);

function refusalOf(run: () => unknown): Refusal {
  try {
    run();
  } catch (trouble) {
    if (trouble instanceof Refusal) return trouble;
    throw trouble;
  }
  throw new Error("it was not refused");
}

describe("a plan of clips", () => {
  test("has a run for each range, two hundred of them, and the annotations twice", () => {
    const ranges = Array.from({ length: 200 }, (_, index) => ({
      from: index / 5,
      to: index / 5 + 1,
    }));
    const { steps } = plan({ ranges });
    expect(steps).toHaveLength(202);
    expect(steps[6]?.outputs[0]).toMatchObject({ file: "clip-007.mp4", name: "match 007.mp4" });
    const roles = steps.slice(-2).map(({ outputs }) => [outputs[0]?.role, outputs[0]?.name]);
    expect(roles).toEqual([
      ["annotations", "match annotations.json"],
      ["annotations", "match annotations.csv"],
    ]);
  });

  test("makes one file when joined, whose annotations say where each range begins in it", () => {
    const ranges = [
      { from: 5, to: 7.5, name: "a" },
      { from: 1, to: 2, name: "b" },
    ];
    const { steps } = plan({ ranges, join: true });
    expect(steps.map(({ name }) => name)).toEqual(["join", "annotations-json", "annotations-csv"]);
    const written = steps[1]?.work;
    if (written?.kind !== "write") throw new Error("it is written");
    expect(JSON.parse(written.text).ranges).toMatchObject([
      { name: "a", startsAt: 0, from: 5, to: 7.5, duration: 2.5, file: "match clips.mp4" },
      { name: "b", startsAt: 2.5 },
    ]);
  });

  const faults: [what: string, range: { from: number; to: number }, path: string][] = [
    ["the wrong way round", { from: 5, to: 4 }, "ranges.3.to"],
    ["of nothing", { from: 5, to: 5 }, "ranges.3.to"],
    ["past the end", { from: 50, to: 70 }, "ranges.3.to"],
    ["behind the end", { from: 60, to: 61 }, "ranges.3.from"],
    ["shorter than a frame", { from: 5, to: 5.01 }, "ranges.3.to"],
  ];
  for (const [what, range, path] of faults) {
    test(`with a range ${what} is refused, and the field named`, () => {
      const fine = { from: 1, to: 3 };
      const refusal = refusalOf(() => plan({ ranges: [fine, fine, fine, range] }));
      expect([refusal.status, refusal.errors.map((error) => error.path)]).toEqual([422, [path]]);
    });
  }

  const uncopied: [why: string, about: Parameters<typeof video>[0], words: string][] = [
    ["VP9", { codec: "vp9" }, "VP9 cannot be cut so"],
    ["a turned picture", { rotation: 90 }, "turned"],
    ["an interlaced one", { interlaced: true }, "interlaced"],
    ["4:2:2", { pixelFormat: "yuv422p" }, "pixel format"],
    ["full range", { colorRange: "pc" }, "pixel format"],
  ];
  for (const [why, about, words] of uncopied) {
    test(`copies nothing of ${why}, and says so`, () => {
      const source = media({ video: video(about), audio: [audio()] });
      const { notes, steps } = plan({ ranges: [{ from: 1, to: 3 }], cut: "fast" }, source);
      expect(notes[0]).toContain(words);
      expect(steps[0]?.work.kind).toBe("render");
    });
  }
});

describe("a field of the table", () => {
  const cases: [value: string, field: string][] = [
    ["plain", "plain"],
    ['say "hi", you', '"say ""hi"", you"'],
    ["two\r\nlines", '"two\r\nlines"'],
    ["=1+1", "'=1+1"],
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["-2", "'-2"],
    [" =1", "' =1"],
    ["＝1", "'＝1"],
    ["\t=1", "'\t=1"],
  ];
  for (const [value, field] of cases) {
    test(`${JSON.stringify(value)} is written as ${JSON.stringify(field)}`, () => {
      expect(csvField(value)).toBe(field);
    });
  }

  test("is never a formula, and comes back out of a table as it went in", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (value) => {
        const field = csvField(value);
        const inner = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
        expect(inner).not.toMatch(/^\s*[=+\-@]/u);
        expect(inner.replace(/^'/, "")).toBe(
          value.toWellFormed().replaceAll("\0", "").replace(/^'/, ""),
        );
        if (!field.startsWith('"')) expect(field).not.toMatch(/[",\r\n]/);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("no text of the user's stands in an argv", () => {
  const text = fc.string({ unit: "binary", minLength: 3, maxLength: 60 });
  fc.assert(
    fc.property(text, fc.boolean(), (said, join) => {
      const marked = `§${said}`;
      const range = { from: 1, to: 3, name: marked, tags: [marked], notes: marked };
      const { steps } = plan({ ranges: [range, range], join });
      for (const { work } of steps) {
        const description = descriptionOf(work);
        if (description === null) continue;
        const { argv } = renderArgv(
          description,
          {
            device: cpuDevice(1),
            toolchain: { ...everything, version: "5.1", release: { major: 5, minor: 1 } } as never,
          },
          { resolve: () => "/in", outputFolder: "/out" },
        );
        expect(argv.join(" ")).not.toContain("§");
      }
    }),
    { numRuns: 300 },
  );
});

describe("a plan of joined files", () => {
  const joined = (params: unknown, about: ReturnType<typeof media>[]) => {
    const inputs = about.map((each, index) => ({ name: `${index}.mp4`, media: each }));
    return planFor(concat, parseParams(concat, params), inputs, everything);
  };

  test("lasts as long as its inputs, less the crossfades", () => {
    const seconds = (params: unknown) =>
      joined(params, [media(), media(), media()]).steps[0]?.outputs[0]?.expectation.durationSeconds;
    expect(seconds({})).toBeCloseTo(180, 6);
    expect(seconds({ transition: "crossfade", seconds: 2 })).toBeCloseTo(176, 6);
  });

  test("is refused for no input, one, stills, and sound beside pictures", () => {
    expect(refusalOf(() => joined({}, [])).message).toContain("2 to 50 files");
    expect(refusalOf(() => joined({}, [media()])).message).toContain("2 to 50 files");
    const still = media({ kind: "image", durationSeconds: null });
    expect(refusalOf(() => joined({}, [media(), still])).errors[0]?.path).toBe("inputs.1");
    const sound = media({ kind: "audio", video: null });
    expect(refusalOf(() => joined({}, [sound, media()])).errors[0]?.path).toBe("inputs.0");
  });

  test("takes no length for a cut", () => {
    const refusal = refusalOf(() => joined({ seconds: 1 }, [media(), media()]));
    expect(refusal.errors[0]?.path).toBe("seconds");
  });
});
