import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import { Refusal } from "../trouble.ts";
import { holds } from "./conditions.ts";
import { findOperation, operations, parseParams } from "./index.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { paramsFromTexts, textsFromParams } from "./parameter-texts.ts";
import { operationJsonSchema, type ParameterField, parameterFields } from "./parameters.ts";

const transcode = findOperation("transcode");
const thumbnails = findOperation("thumbnails");

/** What of the example must be given: an operation may need to know what to do. */
function neededOf(operation: Operation): Record<string, unknown> {
  const required = operationJsonSchema(operation).required ?? [];
  const example = operation.example as Record<string, unknown>;
  return Object.fromEntries(required.map((key) => [key, example[key]]));
}

/** Every field, those of rows too. */
function withRows(fields: readonly ParameterField[]): ParameterField[] {
  return fields.flatMap((field) => [field, ...withRows(field.row)]);
}

/** What stands in the field at first; a switch that is off is nothing. */
function standingIn({ path, groupPath, default: value }: ParameterField): string {
  return value === null || (value === false && path === groupPath) ? "" : String(value);
}

function faults(operation: string, value: unknown): string[] {
  try {
    parseParams(findOperation(operation), value);
    return [];
  } catch (trouble) {
    if (!(trouble instanceof Refusal)) throw trouble;
    expect([trouble.status, trouble.code]).toEqual([422, "invalid_params"]);
    return trouble.errors.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe("texts become parameters", () => {
  const cases: [texts: [string, string][], params: unknown][] = [
    [[["video.codec", "hevc"]], { video: { codec: "hevc" } }],
    [
      [
        ["video.quality", " 70 "],
        ["audio.channels", "2"],
      ],
      { video: { quality: 70 }, audio: { channels: 2 } },
    ],
    [[["from", "1:30.5"]], { from: 90.5 }],
    [[["to", "1:02:03"]], { to: 3723 }],
    [[["video.bitRate", "2.5M"]], { video: { bitRate: 2_500_000 } }],
    [[["maxBytes", "25 MB"]], { maxBytes: 25_000_000 }],
    [[["maxBytes", "1.5GiB"]], { maxBytes: 1_610_612_736 }],
    [[["audio.bitRate", "128k"]], { audio: { bitRate: 128_000 } }],
    [[["video.maxHeight", ""]], {}],
    [[["video.quality", "much"]], { video: { quality: "much" } }],
    [[["video", '{"codec":"av1"}']], { video: { codec: "av1" } }],
    [[["nonsense.deep", "1"]], { nonsense: { deep: "1" } }],
    [
      [
        ["speed", "fast"],
        ["speed", "best"],
      ],
      { speed: "best" },
    ],
  ];
  for (const [texts, params] of cases) {
    test(`${texts.map((text) => text.join("=")).join(" ")} → ${JSON.stringify(params)}`, () => {
      expect(paramsFromTexts(transcode, texts)).toEqual(params as Record<string, unknown>);
    });
  }

  test("a switch makes its object, or drops all that was filled in under it", () => {
    const form = (sprite: string) =>
      paramsFromTexts(thumbnails, [
        ["sprite", "false"],
        ["sprite", sprite],
        ["sprite.every", "5"],
        ["poster.at", "best"],
      ]);
    expect(form("true")).toEqual({ sprite: { every: 5 }, poster: { at: "best" } });
    expect(form("false")).toEqual({ poster: { at: "best" } });
    expect(paramsFromTexts(thumbnails, [["sprite", "on"]])).toEqual({ sprite: {} });
    expect(paramsFromTexts(thumbnails, [["poster.at", "12.5"]])).toEqual({ poster: { at: 12.5 } });
  });

  test("lists are read with commas or as JSON", () => {
    const listing = defineOperation({
      ...transcode,
      schema: z.strictObject({ heights: z.array(z.int()), flag: z.boolean().optional() }),
      example: { heights: [1] },
    });
    const read = (text: string) => paramsFromTexts(listing, [["heights", text]]);
    expect(read("720, 480")).toEqual({ heights: [720, 480] });
    expect(read("[720]")).toEqual({ heights: [720] });
    expect(paramsFromTexts(listing, [["flag", "no"]])).toEqual({ flag: false });
  });

  for (const path of [
    "__proto__.polluted",
    "video..codec",
    ".",
    "constructor.prototype.polluted",
  ]) {
    test(`${path} is refused and touches no prototype`, () => {
      expect(() => parseParams(transcode, paramsFromTexts(transcode, [[path, "1"]]))).toThrow(
        Refusal,
      );
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    });
  }

  test("a value and parameters of its own under one name are refused", () => {
    const texts: [string, string][] = [
      ["speed", "fast"],
      ["speed.much", "1"],
    ];
    expect(() => paramsFromTexts(transcode, texts)).toThrow("given twice");
  });

  test("anything at all is read or refused, never a crash", () => {
    const path = fc.oneof(
      fc.constantFrom(...parameterFields(transcode).map((field) => field.path)),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(path, fc.string({ unit: "binary" })), { maxLength: 6 }),
        (texts) => {
          try {
            parseParams(transcode, paramsFromTexts(transcode, texts));
          } catch (trouble) {
            expect(trouble).toBeInstanceOf(Refusal);
          }
        },
      ),
    );
  });
});

describe("fields", () => {
  for (const operation of operations) {
    test(`of ${operation.name} have words for a person, and a text of each default is that default`, () => {
      const fields = parameterFields(operation);
      expect(fields.length).toBeGreaterThan(2);
      for (const field of withRows(fields)) {
        const { path, kind, description, label, options } = field;
        expect({ path, description }).toEqual({
          path,
          description: expect.stringMatching(/^\S.*\.$/s),
        });
        expect({ path, label }).toEqual({ path, label: expect.stringMatching(/^[A-Z]/) });
        if (kind === "select") {
          expect(options.length).toBeGreaterThan(0);
          for (const option of options) expect(option.label).toMatch(/^[A-Z0-9]/);
        }
        if (kind === "number") expect([path, field.min, field.max]).not.toContain(null);
      }
      const needed = neededOf(operation);
      const texts = textsFromParams(operation, needed);
      const standing = new Map(fields.map((field) => [field.path, standingIn(field)]));
      const always = fields.filter(({ when }) =>
        when.every((each) => holds(each, standing.get(each.path) ?? "")),
      );
      const filled = always.flatMap(({ path, default: value }): [string, string][] =>
        value === null ? [] : [[path, String(value)]],
      );
      const switches = always.filter(({ kind }) => kind === "boolean").map(({ path }) => path);
      const read = (more: [string, string][]) =>
        parseParams(operation, paramsFromTexts(operation, [...more, ...texts]));
      const params = read(filled);
      const bare = switches.map((path): [string, string] => [path, "true"]);
      const on = filled.filter(([path]) => switches.includes(path));
      expect(params).toEqual(read(on.length > 0 ? on : bare));
    });

    test(`of ${operation.name} are bounded in the JSON Schema, which refuses unknown keys`, () => {
      const check = (node: ReturnType<typeof operationJsonSchema>) => {
        if (node.properties !== undefined) expect(node.additionalProperties).toBe(false);
        if ((node.type === "number" || node.type === "integer") && node.enum === undefined) {
          expect(typeof node.minimum).toBe("number");
          expect(typeof node.maximum).toBe("number");
        }
        for (const child of Object.values(node.properties ?? {})) check(child);
        for (const child of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) check(child);
        if (node.items) check(node.items);
      };
      check(operationJsonSchema(operation));
    });

    test(`of ${operation.name}: the example is right, and parsing twice changes nothing`, () => {
      const once = parseParams(operation, operation.example);
      expect(parseParams(operation, JSON.parse(JSON.stringify(once)))).toEqual(once);
      const empty = parseParams(operation, neededOf(operation));
      expect(parseParams(operation, JSON.parse(JSON.stringify(empty)))).toEqual(empty);
    });
  }
});

describe("faults say field, value and what is allowed", () => {
  test("all of them at once", () => {
    const value = { video: { quality: 140, codec: "divx", maxHeight: "tall" }, nonsense: 1 };
    expect(faults("transcode", value)).toEqual([
      'video.codec: is "divx": must be one of auto, h264, hevc, av1, vp9, prores, copy, none',
      "video.quality: is 140: must be a whole number from 0 to 100",
      'video.maxHeight: is "tall": must be a whole number from 16 to 8192 px',
      "nonsense: is not a parameter; there are: container, speed, video, audio, from, to, maxBytes, hdr, deinterlace, tracks, metadata",
    ]);
  });

  const cases: [operation: string, value: unknown, fault: string][] = [
    [
      "transcode",
      { video: { quality: 60, bitRate: 100_000 } },
      "video.bitRate: cannot stand beside",
    ],
    [
      "transcode",
      { video: { fit: "crop", maxWidth: 100 } },
      "video.fit: is crop, which needs both",
    ],
    ["transcode", { from: 5, to: 5 }, "to: is 5, which is not after from (5)"],
    ["transcode", { from: -1 }, "from: is -1: must be a number from 0 to 604800 s"],
    ["transcode", { from: Number.POSITIVE_INFINITY }, "from: is null: must be a number"],
    ["transcode", { video: { codec: "none" }, audio: { codec: "none" } }, "nothing would be left"],
    ["transcode", { audio: { channels: 3 } }, "audio.channels: is 3: must be one of 1, 2, 6, 8"],
    ["transcode", [], ": is []: must be an object with named parameters"],
    ["thumbnails", { poster: { at: "now" } }, 'poster.at: is "now": must be a number from 0'],
    ["thumbnails", { sprite: { every: 0.1 } }, "sprite.every: is 0.1: must be a number from 0.5"],
  ];
  for (const [operation, value, fault] of cases) {
    test(`${operation} ${JSON.stringify(value)}`, () => {
      expect(faults(operation, value).join("\n")).toContain(fault);
    });
  }

  test("and a long value is cut", () => {
    const [fault = ""] = faults("transcode", { speed: "x".repeat(10_000) });
    expect(fault.length).toBeLessThan(120);
  });
});
