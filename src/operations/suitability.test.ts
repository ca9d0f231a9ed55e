/** What the page greys out is what a plan refuses, and the other way round. */
import { describe, expect, test } from "bun:test";
import { exampleOf, specimens } from "../../tests/operations/example-plan.ts";
import { Refusal } from "../trouble.ts";
import { findOperation, operations, parseParams, planFor } from "./index.ts";
import { type ChosenFile, suitability } from "./suitability.ts";

const film: ChosenFile = { kind: "video", container: "mov" };
const sound: ChosenFile = { kind: "audio", container: "wav" };
const image: ChosenFile = { kind: "image", container: "png" };
const text: ChosenFile = { kind: "text", container: null };
const webp: ChosenFile = { kind: "video", container: "webp" };
const chosen = { film, image, sound };

const anything = { has: () => true, values: () => [].values() };
const everything = {
  encoders: anything as unknown as ReadonlySet<string>,
  filters: anything as unknown as ReadonlySet<string>,
};

describe("a kind that an operation is said not to take, its plan refuses", () => {
  for (const operation of operations) {
    test(operation.name, () => {
      const { min } = operation.inputs;
      const params = parseParams(operation, operation.example);
      for (const kind of ["film", "image", "sound"] as const) {
        const files = Array.from({ length: Math.max(1, min) }, () => chosen[kind]);
        if (suitability(operation, files).unfit === null) continue;
        const inputs = files.map(() => ({ name: kind, media: specimens[kind] }));
        expect(() => planFor(operation, params, inputs, everything)).toThrow(Refusal);
      }
      const example = exampleOf(operation)?.inputs ?? [];
      const given = example.map((kind) => (kind === "subtitles" ? text : chosen[kind]));
      expect(suitability(operation, given)).toMatchObject({ unfit: null });
    });
  }
});

describe("several files", () => {
  const of = (name: string, files: ChosenFile[]) => suitability(findOperation(name), files);

  test("are a job for each where one file is enough, and one job where several are needed", () => {
    const three = [film, film, film];
    expect(of("transcode", three)).toEqual({ each: true, together: false, unfit: null });
    expect(of("concat", three)).toEqual({ each: false, together: true, unfit: null });
    expect(of("overlay", three)).toEqual({ each: true, together: true, unfit: null });
    expect(of("measure", three).unfit).toEqual({ why: "many", max: 2 });
  });

  test("one file alone is offered to what needs two: the second is chosen in the form", () => {
    expect(of("concat", [film])).toEqual({ each: false, together: true, unfit: null });
  });

  test("of other kinds are counted", () => {
    const unfit = { why: "kind", count: 2, of: 3, kinds: ["video"] };
    expect(of("reframe", [film, image, sound]).unfit).toEqual(unfit as never);
    expect(of("transcode", [film, text]).unfit).toEqual({ why: "text", count: 1 });
    expect(of("transcode", [webp]).unfit).toEqual({ why: "unreadable", count: 1 });
  });

  test("may be of other kinds behind the first where one job takes them all", () => {
    expect(of("overlay", [film, image])).toEqual({ each: false, together: true, unfit: null });
    expect(of("captions", [film, text])).toEqual({ each: false, together: true, unfit: null });
    expect(of("overlay", [image, film]).unfit).toMatchObject({ why: "kind", count: 1 });
  });
});
