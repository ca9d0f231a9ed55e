import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { packTimes, Times, unpackTimes } from "./times.ts";

describe("times", () => {
  test("that come in any order are in order, and the same after they were packed", () => {
    const time = fc.integer({ min: -(2 ** 40), max: 2 ** 45 });
    fc.assert(
      fc.property(fc.array(time, { maxLength: 300 }), (given) => {
        const times = new Times();
        for (const each of given) times.push(each);
        const expected = Float64Array.from(given).sort();
        expect(times.sorted()).toEqual(expected);
        expect(unpackTimes(times.packed())).toEqual(expected);
      }),
    );
  });

  test("of an hour of film take less than half a megabyte", () => {
    const times = Float64Array.from({ length: 90_000 }, (_, frame) => frame * 40_000);
    expect(packTimes(times).length).toBeLessThan(400_000);
  });
});
