import { describe, expect, test } from "bun:test";
import { findOperation, parseParams } from "./index.ts";
import { paramsFromTexts, textsFromParams } from "./parameter-texts.ts";
import { builtInPresets } from "./presets.ts";

describe("every preset that comes with Kinomill", () => {
  for (const { id, name, operation: operationName, params } of builtInPresets) {
    test(`${name} is parameters of its operation, and survives a form`, () => {
      const operation = findOperation(operationName);
      const parsed = parseParams(operation, params);
      const texts = textsFromParams(operation, params);
      expect(parseParams(operation, paramsFromTexts(operation, texts))).toEqual(parsed);
      expect(id).toMatch(/^ps_[a-z0-9-]+$/);
    });
  }

  test("has an id and a name of its own", () => {
    for (const key of ["id", "name"] as const) {
      const all = builtInPresets.map((preset) => preset[key].toLowerCase());
      expect(new Set(all).size).toBe(all.length);
    }
  });
});
