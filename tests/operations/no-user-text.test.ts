/**
 * No text of a person's or of a file's ever stands in an argv or in a filter graph: of every operation, of every
 * field that takes a text, of names, titles, languages and tags that files bring along.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { RenderDescription, StepWork } from "../../src/media/description.ts";
import { cpuDevice, type Toolchain } from "../../src/media/devices.ts";
import type { MediaInfo } from "../../src/media/media.ts";
import { renderArgv } from "../../src/media/render.ts";
import { operations, parseParams, planFor } from "../../src/operations/index.ts";
import type { Operation } from "../../src/operations/operation.ts";
import { allFields } from "../../src/operations/parameter-words.ts";
import { parameterFields } from "../../src/operations/parameters.ts";
import { Failure, Refusal } from "../../src/trouble.ts";
import { everything, exampleOf, specimens } from "./example-plan.ts";
import { variants } from "./plan-cases.ts";

const device = cpuDevice(4);
const toolchain: Toolchain = {
  ...{ ffmpegPath: "/usr/bin/ffmpeg", ffprobePath: "/usr/bin/ffprobe", version: "5.1" },
  ...{ release: { major: 5, minor: 1 }, hwaccels: new Set<string>() },
  ...{ encoders: everything.encoders, filters: everything.filters, decoders: everything.filters },
};

/** Where a text may stand: parameters that work, and the path in them; empty where the files alone say it. */
interface Slot {
  operation: Operation;
  params: Record<string, unknown>;
  path: string[];
  inputs: readonly MediaInfo[];
}

interface Base {
  params: Record<string, unknown>;
  inputs: readonly MediaInfo[];
}

/** What the variants of the plans' snapshots do not set. */
const more: Record<string, Base[]> = {
  thumbnails: [{ params: { sheet: { header: "title" } }, inputs: [specimens.film] }],
  captions: [{ params: { style: { background: {} } }, inputs: [specimens.film] }],
  clip: [{ params: { ranges: [{ from: 1, to: 2 }] }, inputs: [specimens.film] }],
  cutout: [{ params: { output: { kind: "colour" } }, inputs: [specimens.film] }],
};

function basesOf(operation: Operation): Base[] {
  const example = exampleOf(operation);
  const shown: Base[] = (variants[operation.name] ?? []).map(({ params, inputs }) => ({
    ...{ params: params as Record<string, unknown>, inputs },
  }));
  const own: Base = {
    params: operation.example as Record<string, unknown>,
    inputs: (example?.inputs ?? ["film" as const]).map((kind) => specimens[kind]),
  };
  return [own, ...shown, ...(more[operation.name] ?? [])];
}

/** Paths of a field in parameters: one for each row that there is of its lists. */
function pathsIn(params: unknown, keys: readonly string[]): string[][] {
  const [key, ...rest] = keys;
  if (key === undefined) return [[]];
  if (key === "+") {
    const rows = Array.isArray(params) ? params : [];
    return rows.flatMap((row, index) => pathsIn(row, rest).map((path) => [String(index), ...path]));
  }
  const inner = (params as Record<string, unknown> | undefined)?.[key];
  return pathsIn(inner, rest).map((path) => [key, ...path]);
}

function textFields(operation: Operation): string[] {
  const fields = allFields(parameterFields(operation));
  const texts = fields.filter(({ freeText, kind }) => freeText || kind === "words");
  return [...new Set(texts.map(({ path }) => path))];
}

const slots: Slot[] = operations.flatMap((operation) =>
  basesOf(operation).flatMap(({ params, inputs }) => {
    const paths = textFields(operation).flatMap((field) => pathsIn(params, field.split(".")));
    return [[], ...paths].map((path) => ({ operation, params, path, inputs }));
  }),
);

function withText(value: unknown, path: readonly string[], text: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return text;
  if (Array.isArray(value)) {
    return value.map((each, index) => (String(index) === key ? withText(each, rest, text) : each));
  }
  const object = (value ?? {}) as Record<string, unknown>;
  return { ...object, [key]: withText(object[key], rest, text) };
}

/** A file that says the text of itself wherever a file can. */
function saying(media: MediaInfo, text: string): MediaInfo {
  const { video } = media;
  return {
    ...media,
    video:
      video === null
        ? null
        : { ...video, profile: text, colorPrimaries: text, colorTransfer: text, colorSpace: text },
    audio: media.audio.map((track) => ({
      ...track,
      language: text,
      title: text,
      channelLayout: text,
      profile: text,
    })),
    subtitles: media.subtitles.map((track) => ({ ...track, language: text, title: text })),
    chapters: [{ startSeconds: 0, endSeconds: 1, title: text }],
  };
}

function descriptionsOf(work: StepWork): RenderDescription[] {
  switch (work.kind) {
    case "search":
      return work.candidates.map(({ description }) => description);
    case "target":
      return [work.description, work.compare];
    case "render":
    case "analyse":
    case "cut":
    case "chunk":
    case "join":
      return [work.description];
    default:
      return [];
  }
}

const measured = { integratedLufs: -27.4, truePeakDbtp: -3, rangeLu: 8 };

/** As runners put in what an earlier step measured. */
function withFigures(description: RenderDescription): RenderDescription {
  const sound = description.sound?.map((chain) => ({
    ...chain,
    filters: chain.filters.map((filter) =>
      filter.filter === "normalise"
        ? { ...filter, source: measured, ...(filter.tried ? { tried: measured } : {}) }
        : filter,
    ),
  }));
  const inputs = description.inputs.map(({ seekFrom: _, ...input }) => input);
  return { ...description, inputs, ...(sound ? { sound } : {}) };
}

/** Every word of every run; null when the text is refused. */
function argvOf({ operation, params, path, inputs }: Slot, text: string): string | null {
  const isWords = path.at(-1) === "tags";
  const asked = path.length === 0 ? params : withText(params, path, isWords ? [text] : text);
  try {
    const given = inputs.map((media) => ({ name: text, media: saying(media, text) }));
    const plan = planFor(operation, parseParams(operation, asked), given, everything);
    const files = { resolve: (ref: object) => Object.values(ref).join("/"), outputFolder: "/out" };
    return plan.steps
      .flatMap(({ work }) => descriptionsOf(work))
      .flatMap((each) => renderArgv(withFigures(each), { device, toolchain }, files).argv)
      .join("\n");
  } catch (trouble) {
    if (trouble instanceof Refusal || trouble instanceof Failure) return null;
    throw trouble;
  }
}

/** Texts that would show: they have a sign that no argv of ours begins a word with. */
const signs = [
  "'",
  '"',
  "\\",
  ":",
  ",",
  ";",
  "[",
  "]",
  "%",
  "{",
  "}",
  "\n",
  "😀",
  "‮",
  "=",
  "-i",
  "$(",
  "`",
];
const evil = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 3, maxLength: 60 }),
    fc.array(fc.constantFrom(...signs), { minLength: 2, maxLength: 12 }).map((all) => all.join("")),
  )
  .map((text) => `~${text}`);

const RUNS = 10_000;

test("10,000 texts, in all fields of all operations and in what files say of themselves", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.constantFrom(...slots), evil, (slot, text) => {
      const argv = argvOf(slot, text);
      if (argv === null) return;
      accepted += 1;
      if (argv.includes(text)) throw new Error(`${slot.operation.name} ${slot.path.join(".")}`);
    }),
    { numRuns: RUNS },
  );
  // Many are refused, for a colour is no text; the rest would show.
  expect(accepted).toBeGreaterThan(RUNS / 20);
}, 180_000);

describe("nothing is left out:", () => {
  const cue = "1\n00:00:01,000 --> 00:00:02,000\n~Hello\n";
  for (const [name, field, text] of [
    ["thumbnails", "sheet.title", "~Hello"],
    ["overlay", "items.+.text", "~Hello"],
    ["captions", "text", cue],
    ["clip", "ranges.+.name", "~Hello"],
    ["clip", "ranges.+.notes", "~Hello"],
    ["clip", "ranges.+.tags", "~Hello"],
  ] as const) {
    test(`${field} of ${name} takes a text, and it stands in no argv`, () => {
      const own = slots.filter(
        ({ operation, path }) =>
          operation.name === name &&
          path.map((key) => (/^\d+$/.test(key) ? "+" : key)).join(".") === field,
      );
      const taken = own.map((slot) => argvOf(slot, text)).filter((argv) => argv !== null);
      expect(taken.length).toBeGreaterThan(0);
      for (const argv of taken) expect(argv).not.toContain("Hello");
    });
  }

  test("every field that takes a text has its place", () => {
    for (const operation of operations) {
      const placed = new Set(
        slots
          .filter((slot) => slot.operation === operation)
          .map(({ path }) => path.map((key) => (/^\d+$/.test(key) ? "+" : key)).join(".")),
      );
      expect([operation.name, textFields(operation).filter((field) => !placed.has(field))]).toEqual(
        [operation.name, []],
      );
    }
  });
});
