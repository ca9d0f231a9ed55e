import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { disposition, select } from "./content.ts";

const film = { sizeBytes: 1000, etag: '"abc"', modifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) };
const modified = "Fri, 02 Jan 2026 03:04:05 GMT";

function selected(headers: Record<string, string>) {
  return select(new Headers(headers), film);
}

describe("a range of an object", () => {
  const cases: [string, ReturnType<typeof select>][] = [
    ["bytes=0-0", { kind: "part", range: { start: 0, end: 1 } }],
    ["bytes=10-19", { kind: "part", range: { start: 10, end: 20 } }],
    ["bytes=990-", { kind: "part", range: { start: 990, end: 1000 } }],
    ["bytes=990-5000", { kind: "part", range: { start: 990, end: 1000 } }],
    ["bytes=-5", { kind: "part", range: { start: 995, end: 1000 } }],
    ["bytes=-5000", { kind: "part", range: { start: 0, end: 1000 } }],
    ["BYTES= 1 - 2", { kind: "part", range: { start: 1, end: 3 } }],
    ["bytes=1000-", { kind: "unsatisfiable" }],
    ["bytes=-0", { kind: "unsatisfiable" }],
    // Not a range, or more than one: the whole is a correct answer, a wrong part is not.
    ["bytes=5-4", { kind: "whole" }],
    ["bytes=-", { kind: "whole" }],
    ["bytes=0-1,5-6", { kind: "whole" }],
    ["bytes=a-b", { kind: "whole" }],
    ["items=0-1", { kind: "whole" }],
    ["bytes=99999999999999999999-", { kind: "whole" }],
  ];
  for (const [range, expected] of cases) {
    test(`${range} is ${expected.kind}`, () => {
      expect(selected({ range })).toEqual(expected);
    });
  }

  test("always lies within the object, whatever was asked", () => {
    const number = fc.oneof(fc.constant(""), fc.nat({ max: 3000 }).map(String));
    fc.assert(
      fc.property(number, number, fc.nat({ max: 2000 }), (first, last, sizeBytes) => {
        const headers = new Headers({ range: `bytes=${first}-${last}` });
        const found = select(headers, { sizeBytes, etag: null, modifiedMs: null });
        if (found.kind !== "part") return;
        const { start, end } = found.range;
        expect(0 <= start && start < end && end <= sizeBytes).toBe(true);
      }),
    );
  });
});

describe("conditions", () => {
  test("If-Range with the present tag or date lets the range through", () => {
    expect(selected({ range: "bytes=0-1", "if-range": '"abc"' }).kind).toBe("part");
    expect(selected({ range: "bytes=0-1", "if-range": modified }).kind).toBe("part");
  });

  test("If-Range with another tag, a weak tag or another date gives the whole", () => {
    for (const condition of ['"abd"', 'W/"abc"', "Fri, 02 Jan 2026 03:04:06 GMT", "nonsense"]) {
      expect(selected({ range: "bytes=0-1", "if-range": condition }).kind).toBe("whole");
    }
  });

  test("If-None-Match compares weakly, in lists, and goes before If-Modified-Since", () => {
    for (const known of ['"abc"', 'W/"abc"', '"x", "abc"', "*"]) {
      expect(selected({ "if-none-match": known }).kind).toBe("unchanged");
    }
    expect(selected({ "if-none-match": '"x"', "if-modified-since": modified }).kind).toBe("whole");
  });

  test("If-Modified-Since counts whole seconds", () => {
    expect(selected({ "if-modified-since": modified }).kind).toBe("unchanged");
    expect(selected({ "if-modified-since": "Fri, 02 Jan 2026 03:04:04 GMT" }).kind).toBe("whole");
  });
});

describe("a file name in Content-Disposition", () => {
  test("keeps plain names and encodes the rest twice, for old and new readers", () => {
    expect(disposition("inline", "match.mov")).toBe(
      `inline; filename="match.mov"; filename*=UTF-8''match.mov`,
    );
    expect(disposition("attachment", `Süße "Ente"\\%41.mp4`)).toBe(
      `attachment; filename="S__e _Ente___41.mp4"; filename*=UTF-8''S%C3%BC%C3%9Fe%20%22Ente%22%5C%2541.mp4`,
    );
  });

  test("is one valid header value for every name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const value = disposition("inline", name);
        expect(value).toMatch(/^[\x20-\x7e]*$/);
        expect(value.split('"')).toHaveLength(3);
        const encoded = value.slice(value.indexOf("''") + 2);
        expect(decodeURIComponent(encoded)).toBe(name.toWellFormed());
      }),
    );
  });
});
