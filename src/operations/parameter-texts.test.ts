/** Lists, unions and deep values as texts and as fields, on a schema that has one of each. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import { Refusal } from "../trouble.ts";
import { findOperation, operations, parseParams } from "./index.ts";
import { defineOperation } from "./operation.ts";
import { paramsFromTexts, textsFromParams } from "./parameter-texts.ts";
import { type ParameterField, parameterFields } from "./parameters.ts";

const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/);
const seconds = z.number().min(0).max(1e6).meta({ unit: "s" });
const point = z.strictObject({ time: seconds, x: z.number().min(0).max(1) });
const image = z.strictObject({
  type: z.literal("image"),
  input: z.int().min(0).max(9),
  keyframes: z.array(point).max(9).optional(),
});
const text = z.strictObject({
  type: z.literal("text"),
  text: z.string().max(5000),
  colour: colour.optional(),
  input: z.string().max(9).optional(),
});

const rich = defineOperation({
  ...findOperation("thumbnails"),
  name: "rich",
  schema: z.strictObject({
    ranges: z
      .array(
        z.strictObject({
          from: seconds,
          to: seconds.optional(),
          tags: z.array(z.string().min(1).max(50)).max(9).optional(),
          fade: z.strictObject({ seconds: seconds.default(1) }).optional(),
        }),
      )
      .min(1)
      .max(20)
      .optional(),
    items: z
      .array(z.discriminatedUnion("type", [image, text]))
      .max(9)
      .default([]),
    loop: z.union([z.literal("auto"), z.int().min(0).max(99)]).default("auto"),
    rungs: z.union([z.literal("auto"), z.array(z.strictObject({ height: z.int() }))]).optional(),
    place: z
      .union([z.enum(["left", "right"]), z.strictObject({ x: z.number(), y: z.number() })])
      .default("left"),
    back: colour.default("#000000"),
    curve: z.array(z.tuple([z.number(), z.number()])).optional(),
    heights: z.array(z.int().min(1).max(5000)).optional(),
  }),
  example: { ranges: [{ from: 1, to: 2 }], curve: [[0, 1]] },
});

const read = (...texts: [string, string][]) => paramsFromTexts(rich, texts);

describe("texts become lists and unions", () => {
  const cases: [name: string, texts: [string, string][], params: unknown][] = [
    [
      "numbers in a path are places in a list",
      [
        ["ranges.0.from", "1:30"],
        ["ranges.0.to", "100"],
        ["ranges.1.from", "5"],
      ],
      { ranges: [{ from: 90, to: 100 }, { from: 5 }] },
    ],
    [
      "they give the order, and gaps close",
      [
        ["ranges.10.from", "3"],
        ["ranges.9.from", "2"],
        ["ranges.2.from", "1"],
      ],
      { ranges: [{ from: 1 }, { from: 2 }, { from: 3 }] },
    ],
    [
      "a row that stands in a form is there though nothing was filled in",
      [
        ["ranges.0", "true"],
        ["ranges.0.from", ""],
        ["ranges.1", "true"],
        ["ranges.1.from", "4"],
      ],
      { ranges: [{}, { from: 4 }] },
    ],
    [
      "the constant says how the rest is read",
      [
        ["items.0.input", "1"],
        ["items.0.type", "image"],
        ["items.0.keyframes.0.x", "0.5"],
        ["items.1.type", "text"],
        ["items.1.input", "1"],
      ],
      {
        items: [
          { input: 1, type: "image", keyframes: [{ x: 0.5 }] },
          { type: "text", input: "1" },
        ],
      },
    ],
    ["a list as JSON", [["ranges", '[{"from":1}]']], { ranges: [{ from: 1 }] }],
    ["a word or a number", [["loop", "0"]], { loop: 0 }],
    ["the word", [["loop", " auto "]], { loop: "auto" }],
    ["a word or a list", [["rungs", "auto"]], { rungs: "auto" }],
    [
      "the list of that, beside an empty choice",
      [
        ["rungs", ""],
        ["rungs.0.height", "720"],
      ],
      { rungs: [{ height: 720 }] },
    ],
    [
      "an object instead of a word",
      [
        ["place", "true"],
        ["place.x", "1"],
        ["place.y", "2"],
      ],
      { place: { x: 1, y: 2 } },
    ],
    ["lists of lists are JSON", [["curve", "[[0, 1]]"]], { curve: [[0, 1]] }],
    [
      "a list of one word that is a no elsewhere",
      [["ranges.0.tags", "0"]],
      { ranges: [{ tags: ["0"] }] },
    ],
    ["and numbers with commas", [["heights", "720, 480"]], { heights: [720, 480] }],
  ];
  for (const [name, texts, params] of cases) {
    test(name, () => expect(read(...texts)).toEqual(params as Record<string, unknown>));
  }

  test("JSON that is none names its field", () => {
    expect(() => read(["curve", "[[0, 1"])).toThrow("The parameter curve is not valid JSON.");
  });

  test("a list and its rows under one name are refused", () => {
    expect(() => read(["ranges", "[]"], ["ranges.0.from", "1"])).toThrow("given twice");
  });

  test("a fault inside a list names row and field, and says what is allowed", () => {
    const params = read(["ranges.0.from", "1"], ["ranges.1.from", "soon"], ["items.0.type", "x"]);
    try {
      parseParams(rich, params);
      throw new Error("not refused");
    } catch (trouble) {
      expect((trouble as Refusal).errors).toEqual([
        { path: "ranges.1.from", message: 'is "soon": must be a number from 0 to 1000000 s' },
        { path: "items.0.type", message: 'is "x": must be one of image, text' },
      ]);
    }
  });

  test("a fault deep in a union names the field of the shape that was meant", () => {
    const faultsOf = (value: unknown) => {
      try {
        parseParams(rich, value);
        return [];
      } catch (trouble) {
        return (trouble as Refusal).errors.map(({ path, message }) => `${path} ${message}`);
      }
    };
    expect(faultsOf({ rungs: [{ height: 720 }, { height: "x" }] })).toEqual([
      expect.stringContaining('rungs.1.height is "x": must be a whole number'),
    ]);
    expect(faultsOf({ place: { x: 1, z: 1 } })).toEqual([
      "place.y is missing: must be a number",
      "place.z is not a parameter; there are: x, y",
    ]);
    expect(faultsOf({ place: 7 })).toEqual([
      "place is 7: must be one of left, right, or an object with named parameters",
    ]);
    expect(faultsOf({ items: [{ type: "text", txt: "" }] })).toEqual([
      "items.0.text is missing: must be a text",
      "items.0.txt is not a parameter; there are: type, text, colour, input",
    ]);
  });
});

const number = fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0);
const words = fc.string({ minLength: 1, maxLength: 9 }).filter((word) => word.trim() !== "");
const tag = fc.string({ minLength: 1, maxLength: 9 });
const hexColour = fc
  .integer({ min: 0, max: 0xffffff })
  .map((value) => `#${value.toString(16).padStart(6, "0")}`);
const keyframe = fc.record({ time: number, x: fc.double({ min: 0, max: 1, noNaN: true }) });
const richParams = fc.record(
  {
    ranges: fc.array(
      fc.record(
        {
          from: number,
          to: number,
          tags: fc.array(tag, { maxLength: 4 }),
          fade: fc.record({ seconds: number }, { requiredKeys: [] }),
        },
        { requiredKeys: ["from"] },
      ),
      { minLength: 1, maxLength: 12 },
    ),
    items: fc.array(
      fc.oneof(
        fc.record(
          {
            type: fc.constant("image"),
            input: fc.nat(9),
            keyframes: fc.array(keyframe, { maxLength: 3 }),
          },
          { requiredKeys: ["type", "input"] },
        ),
        fc.record(
          { type: fc.constant("text"), text: words, colour: hexColour },
          { requiredKeys: ["type", "text"] },
        ),
      ),
      { maxLength: 4 },
    ),
    loop: fc.oneof(fc.constant("auto"), fc.nat(99)),
    rungs: fc.oneof(fc.constant("auto"), fc.array(fc.record({ height: fc.nat() }))),
    place: fc.oneof(fc.constant("right"), fc.record({ x: number, y: number })),
    back: hexColour,
    curve: fc.array(fc.tuple(number, number)),
    heights: fc.array(fc.integer({ min: 1, max: 5000 })),
  },
  { requiredKeys: [] },
);

describe("parameters as texts", () => {
  test("are read back as they were, whatever they are", () => {
    fc.assert(
      fc.property(richParams, (params) => {
        parseParams(rich, params);
        expect(paramsFromTexts(rich, textsFromParams(rich, params))).toEqual(params);
      }),
      { numRuns: 300 },
    );
  });

  for (const operation of operations) {
    test(`so is the example of ${operation.name}, and what it becomes with its defaults`, () => {
      const example = operation.example as Record<string, unknown>;
      expect(paramsFromTexts(operation, textsFromParams(operation, example))).toEqual(example);
      const whole = JSON.parse(JSON.stringify(parseParams(operation, example)));
      const again = paramsFromTexts(operation, textsFromParams(operation, whole));
      expect(parseParams(operation, again)).toEqual(parseParams(operation, example));
    });
  }
});

describe("fields", () => {
  const fields = parameterFields(rich);
  const field = (path: string, among: readonly ParameterField[] = fields): ParameterField => {
    const found = among
      .flatMap((each) => [each, ...each.row, ...each.row.flatMap(({ row }) => row)])
      .find((each) => each.path === path);
    if (found === undefined) throw new Error(`no field ${path}`);
    return found;
  };

  test("of a list are the fields of a row, within its limits", () => {
    expect(field("ranges")).toMatchObject({ kind: "list", rows: { min: 1, max: 20 } });
    expect(field("ranges").row.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      "ranges.+.from number",
      "ranges.+.to number",
      "ranges.+.tags words",
      "ranges.+.fade boolean",
      "ranges.+.fade.seconds number",
    ]);
    expect(field("ranges.+.from")).toMatchObject({ required: true, unit: "s" });
  });

  test("of a union are shown for the constant that they belong to", () => {
    const type = field("items.+.type");
    expect(type.kind).toBe("select");
    expect(type.options.map(({ value }) => value)).toEqual(["image", "text"]);
    expect(field("items.+.input").when).toEqual([]);
    expect(field("items.+.text").when).toEqual([{ path: "items.+.type", values: ["text"] }]);
    expect(field("items.+.keyframes.+.x").kind).toBe("number");
  });

  test("have the kind that a person expects", () => {
    const kinds = ["items.+.text", "items.+.colour", "back", "loop", "heights", "curve"];
    expect(kinds.map((path) => field(path).kind)).toEqual([
      "longtext",
      "colour",
      "colour",
      "text",
      "words",
      "json",
    ]);
    expect(field("loop").options).toEqual([{ value: "auto", label: "Auto" }]);
    expect(field("curve").example).toBe("[[0,1]]");
  });

  test("of a word or a list are a choice, and the list for when it says none of the words", () => {
    const [choice, list] = fields.filter(({ path }) => path === "rungs");
    expect(choice?.options.map(({ value }) => value)).toEqual(["auto", ""]);
    expect(list).toMatchObject({ kind: "list", when: [{ path: "rungs", values: [""] }] });
    expect(field("place").options.map(({ value }) => value)).toEqual(["left", "right", "true"]);
    expect(field("place.x").when).toEqual([{ path: "place", values: ["true"] }]);
  });

  test("texts of any kind under their paths are read or refused, never a crash", () => {
    const paths = fields.flatMap((each) => [each, ...each.row]).map(({ path }) => path);
    const path = fc.constantFrom(...paths).map((each) => each.replaceAll("+", "0"));
    const texts = fc.array(fc.tuple(path, fc.oneof(fc.string(), fc.json())), { maxLength: 8 });
    fc.assert(
      fc.property(texts, (given) => {
        try {
          parseParams(rich, paramsFromTexts(rich, given));
        } catch (trouble) {
          expect(trouble).toBeInstanceOf(Refusal);
        }
      }),
    );
  });
});
