import { expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson } from "./canonical-json.ts";

/** The same value with the keys of each object in another order. */
function shuffled(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(shuffled);
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, part]) => [key, shuffled(part)])
      .reverse(),
  );
}

test("says what JSON says, in one order of the keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(shuffled(value))).toBe(text);
    }),
    { numRuns: 500 },
  );
  expect(canonicalJson({ b: [1, { d: null, c: "é\n" }], a: undefined, A: true })).toBe(
    '{"A":true,"b":[1,{"c":"é\\n","d":null}]}',
  );
});

/** As it was until the texts of this were kept: keys of requests that are repeated over an update must be the same. */
function before(value: unknown): string {
  return JSON.stringify(value, (_key, node: unknown) =>
    typeof node === "object" && node !== null && !Array.isArray(node)
      ? Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)))
      : node,
  );
}

test("says what it always said, of every value", () => {
  const same = (value: unknown) => expect(canonicalJson(value)).toBe(before(value));
  fc.assert(fc.property(fc.jsonValue(), same), { numRuns: 2_000 });
  const part = fc.oneof(fc.jsonValue(), fc.date({ noInvalidDate: true }), fc.constant(undefined));
  const name = fc.oneof(fc.string(), fc.nat().map(String), fc.constantFrom("__proto__", "toJSON"));
  fc.assert(fc.property(fc.array(fc.dictionary(name, part)), same), { numRuns: 2_000 });
});

test("different values have different texts", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      fc.pre(!Bun.deepEquals(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other))));
      expect(canonicalJson(one)).not.toBe(canonicalJson(other));
    }),
    { numRuns: 500 },
  );
});
