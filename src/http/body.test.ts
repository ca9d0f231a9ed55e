import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import { openSite, type SiteRig } from "../../tests/http/site.ts";
import { Refusal } from "../trouble.ts";
import { readJson, readQuery } from "./body.ts";

function refusalOf(work: () => unknown): Refusal {
  try {
    work();
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
  throw new Error("nothing was refused");
}

describe("a query", () => {
  const schema = z.strictObject({
    limit: z.int().min(1).max(200).default(50),
    deep: z.boolean().optional(),
    name: z.string().max(5).optional(),
  });
  const read = (query: string) => readQuery(`http://localhost/x${query}`, schema);

  test("gives numbers and booleans from their exact text, and defaults", () => {
    expect(read("")).toEqual({ limit: 50 });
    expect(read("?limit=7&deep=1&name=a%20b")).toEqual({ limit: 7, deep: true, name: "a b" });
  });

  test("takes nothing that only looks like a number", () => {
    for (const text of ["", " 7", "0x7", "7.0", "1e2", "+7", "Infinity", "7".repeat(20)]) {
      const refusal = refusalOf(() => read(`?limit=${encodeURIComponent(text)}`));
      expect(refusal.errors.map(({ path }) => path)).toEqual(["limit"]);
    }
  });

  test("is not fooled by names of object members", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const refusal = refusalOf(() => read(`?${name}=1`));
      expect(refusal.errors.map(({ path }) => path)).toEqual([name]);
    }
  });

  test("names at most 50 faults, each in bounded words", () => {
    const query = Array.from({ length: 300 }, (_, n) => `${"k".repeat(100)}${n}=1`).join("&");
    const { errors } = refusalOf(() => read(`?${query}`));
    expect(errors).toHaveLength(50);
    expect(Math.max(...errors.map(({ path }) => path.length))).toBeLessThanOrEqual(65);
  });
});

describe("a JSON body", () => {
  const request = (
    body: string | Uint8Array<ArrayBuffer> | ReadableStream,
    type = "application/json",
  ) =>
    new Request("http://localhost/", { method: "POST", body, headers: { "content-type": type } });
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => "taken",
      (cause: unknown) => (cause instanceof Refusal ? `${cause.status} ${cause.code}` : "error"),
    );
  const shape = z.strictObject({ a: z.unknown() });

  test("is read whole, in any pieces", async () => {
    const pieces = ['{"a":', '"ü', '😀"', "}"].map((text) => new TextEncoder().encode(text));
    const halves = pieces.flatMap((piece) => [piece.subarray(0, 2), piece.subarray(2)]);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const half of halves) controller.enqueue(half);
        controller.close();
      },
    });
    expect(await readJson(request(body), shape)).toEqual({ a: "ü😀" });
  });

  test("may name its character set, and nothing but JSON", async () => {
    expect(
      await codeOf(readJson(request('{"a":1}', "Application/JSON; charset=utf-8"), shape)),
    ).toBe("taken");
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
      expect(await codeOf(readJson(request('{"a":1}', type), shape))).toBe(
        "415 unsupported_media_type",
      );
    }
  });

  test("that is no UTF-8, no JSON, or too deep is refused", async () => {
    const bytes = new Uint8Array([0x22, 0xff, 0x22]);
    expect(await codeOf(readJson(request(bytes), shape))).toBe("400 bad_request");
    for (const text of ["", "{", "NaN", "{'a':1}", `{"a":${"[".repeat(40)}${"]".repeat(40)}}`]) {
      expect(await codeOf(readJson(request(text), shape))).toBe("400 bad_json");
    }
    expect(await codeOf(readJson(request(`{"a":${"[".repeat(20)}${"]".repeat(20)}}`), shape))).toBe(
      "taken",
    );
  });
});

describe("whatever is sent", () => {
  let site: SiteRig;
  beforeAll(async () => {
    site = await openSite();
  });
  afterAll(() => site.close());

  const id = fc.oneof(
    fc.constantFrom("as_1", `as_${"0".repeat(32)}`, "..", "%00", "%ff", "*", ":id", "%2e%2e%2f"),
    fc.string({ maxLength: 40 }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  const path = fc.oneof(
    fc.constantFrom(
      "/api/v1/assets",
      "/api/v1/jobs",
      "/api/v1/jobs/estimate",
      "/ui/jobs",
      "/login",
    ),
    id.map((text) => `/api/v1/assets/${text}`),
    id.map((text) => `/api/v1/assets/${text}/content`),
    id.map((text) => `/api/v1/jobs/${text}`),
    id.map((text) => `/api/v1/jobs/${text}/cancel`),
    id.map((text) => `/ui/assets/${text}/form?operation=${text}`),
    id.map((text) => `/storage/${text}?signature=${text}&method=GET&expires=9`),
    id.map((text) => `/${text}`),
  );
  const query = fc.oneof(
    fc.constant(""),
    fc
      .tuple(fc.string({ maxLength: 10 }), fc.string({ maxLength: 20 }))
      .map(
        ([name, value]) =>
          `?${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`,
      ),
    fc.constantFrom("?limit=-1", "?after=%00", "?search=%25_%5c", "?q=%00&kind=&after=x", "?%"),
  );
  const job = fc.record(
    {
      operation: fc.oneof(fc.constantFrom("transcode", "thumbnails"), fc.string()),
      inputs: fc.array(fc.oneof(fc.constant(`as_${"0".repeat(32)}`), fc.string())),
      params: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
      priority: fc.oneof(fc.integer(), fc.double(), fc.string()),
      labels: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.jsonValue())),
    },
    { requiredKeys: [] },
  );
  const json = fc.oneof(fc.jsonValue(), job);
  const method = fc.constantFrom("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS");

  test("no answer is an error of ours, and every refusal of the API is a problem", async () => {
    await fc.assert(
      fc.asyncProperty(
        path,
        query,
        method,
        json,
        fc.boolean(),
        async (at, asked, verb, value, page) => {
          const bare = verb === "GET" || verb === "HEAD";
          const response = await site.ask(at.includes("?") ? at : at + asked, {
            method: verb,
            ...(page ? { browser: "ann" as const } : { as: "ann" as const }),
            headers: page ? { accept: "text/html" } : {},
            ...(bare ? {} : { json: value }),
          });
          const text = await response.text();
          expect(
            `${response.status < 500} ${verb} ${at}${asked} ${text.slice(0, 300)}`,
          ).toStartWith("true");
          if (response.status < 400 || !at.startsWith("/api/")) return;
          expect(response.headers.get("content-type")).toBe("application/problem+json");
        },
      ),
      { numRuns: 400 },
    );
  });
});
