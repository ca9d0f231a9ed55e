import { expect, test } from "bun:test";
import { changedLabels, cleanLabel, cleanLabels, LABELS_PER_ASSET_MAX } from "./labels.ts";

test("a label has one form", () => {
  expect(cleanLabel("  second \t half\n")).toBe("second half");
  expect(cleanLabel("e\u0301")).toBe("\u00e9");
  // A mark that turns the direction of text must not reach what stands behind the label.
  expect(cleanLabel("\u202eabc\u202c")).toBe("abc");
  expect(cleanLabel("\u0000")).toBe("");
  expect(cleanLabel('<b hx-get="/x">')).toBe('<b hx-get="/x">');
  expect(cleanLabels(["a", " a", "b"], "add")).toEqual(["a", "b"]);
});

test("what cannot be one is named by its place", () => {
  try {
    cleanLabels(["fine", " ", "x".repeat(65)], "add");
    expect.unreachable();
  } catch (cause) {
    const { errors } = cause as { errors: { path: string }[] };
    expect(errors.map(({ path }) => path)).toEqual(["add.1", "add.2"]);
  }
});

test("labels stay in their order, and there is a limit", () => {
  expect(changedLabels(["a", "b"], { add: ["c", "a"], remove: ["b"] })).toEqual(["a", "c"]);
  const many = Array.from({ length: LABELS_PER_ASSET_MAX }, (_, index) => `l${index}`);
  expect(changedLabels(many, { add: ["l0"], remove: [] })).toEqual(many);
  expect(() => changedLabels(many, { add: ["one more"], remove: [] })).toThrow(/at most 20/);
  expect(changedLabels(many, { add: ["one more"], remove: ["l0"] })).toHaveLength(20);
});
