import { expect, test } from "bun:test";
import { sectionsOf, withSections } from "./results.ts";

test("a benchmark that is run again takes the place of its section, and the others stay", () => {
  const first = withSections(
    "",
    new Map([...Object.entries({ start: "a", queue: "b\n\nc" })]),
    "x",
  );
  const second = withSections(first, new Map(Object.entries({ queue: "d", remux: "e" })), "y");
  expect([...sectionsOf(second)]).toEqual(Object.entries({ start: "a", queue: "d", remux: "e" }));
  expect(second).toContain("on y.");
});
