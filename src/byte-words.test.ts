import { expect, test } from "bun:test";
import fc from "fast-check";
import { bytesInWords, bytesOf } from "./byte-words.ts";

test.each([
  ["500M", 500e6],
  ["1.5 GiB", 1.5 * 1024 ** 3],
  ["2TiB", 2 * 1024 ** 4],
  ["0", 0],
  [" 4096 ", 4096],
  ["100 gb", 100e9],
])("%s is understood", (text, bytes) => {
  expect(bytesOf(text)).toBe(bytes);
});

test.each(["", "GB", "-1", "1e9", "5 apples", "1 PB", "99999999999999999", "9007199254740993"])(
  "%s is no amount",
  (text) => {
    expect(bytesOf(text)).toBeNull();
  },
);

test("every amount is written so that it is understood as itself", () => {
  const amount = fc.oneof(
    fc.nat(Number.MAX_SAFE_INTEGER),
    fc.tuple(fc.nat(4000), fc.constantFrom(1e3, 1e6, 1e9, 1024, 1024 ** 3)).map(([n, u]) => n * u),
  );
  fc.assert(
    fc.property(amount, (bytes) => {
      expect(bytesOf(bytesInWords(bytes))).toBe(bytes);
    }),
  );
});
