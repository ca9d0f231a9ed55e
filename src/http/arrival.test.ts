/** Whom the server takes a request to be from: a trusted proxy is believed, everybody else is not. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { arrivals, trustOf } from "./arrival.ts";

const proxies = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];

/** What is made of a request that came from this address with these headers. */
function arrival(
  peer: string,
  headers: Record<string, string>,
  http: { basePath?: string; trustedProxies?: string[] } = {},
) {
  const arrive = arrivals({ basePath: "", trustedProxies: proxies, ...http });
  const request = new Request("http://box:7600/", { headers: { host: "box:7600", ...headers } });
  const { peer: asker, ...rest } = arrive(request, { peer: () => peer, tls: false });
  return { peer: asker(), ...rest };
}

const said = {
  "x-forwarded-for": "203.0.113.9",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "films.example",
  "x-forwarded-prefix": "/kinomill",
};

describe("what a proxy says", () => {
  const believed = { peer: "203.0.113.9", tls: true, host: "films.example", base: "/kinomill" };

  test("is believed of a trusted address", () => {
    for (const peer of ["127.0.0.1", "10.1.2.3", "fd12::1", "::ffff:10.1.2.3"]) {
      expect(arrival(peer, said)).toEqual(believed);
    }
  });

  test("is nothing from anybody else", () => {
    for (const peer of ["127.0.0.2", "11.0.0.1", "fe80::1", "unknown", ""]) {
      const plain = { peer, tls: false, host: "box:7600", base: "" };
      expect(arrival(peer, said)).toEqual(plain);
      expect(arrival(peer, said, { trustedProxies: [] })).toEqual(plain);
    }
  });

  test("may leave anything out", () => {
    const http = { basePath: "/films" };
    const plain = { peer: "10.0.0.1", tls: false, host: "box:7600", base: "/films" };
    expect(arrival("10.0.0.1", {}, http)).toEqual(plain);
  });
});

describe("the chain of X-Forwarded-For", () => {
  const clientOf = (header: string) => arrival("127.0.0.1", { "x-forwarded-for": header }).peer;

  test("ends at the first address from the right that is no proxy of ours", () => {
    expect(clientOf("1.1.1.1, 203.0.113.9, 10.0.0.5, 10.0.0.6")).toBe("203.0.113.9");
    expect(clientOf("203.0.113.9,10.0.0.5")).toBe("203.0.113.9");
    expect(clientOf("2001:db8::7, fd00::1")).toBe("2001:db8::7");
    expect(clientOf("10.0.0.4, 10.0.0.5")).toBe("10.0.0.4");
  });

  test("may name ports and brackets", () => {
    expect(clientOf("203.0.113.9:4711")).toBe("203.0.113.9");
    expect(clientOf("[2001:db8::7]:4711, 10.0.0.5:1")).toBe("2001:db8::7");
    expect(clientOf("::ffff:203.0.113.9")).toBe("203.0.113.9");
  });

  test("that is broken is believed up to there", () => {
    expect(clientOf("203.0.113.9, nonsense, 10.0.0.5")).toBe("10.0.0.5");
    expect(clientOf("nonsense")).toBe("127.0.0.1");
    expect(clientOf("")).toBe("127.0.0.1");
    expect(clientOf("x,".repeat(100_000))).toBe("127.0.0.1");
  });

  test("is an address, whatever is written", () => {
    const header = fc.string({ unit: "grapheme-ascii", maxLength: 200 });
    fc.assert(
      fc.property(header, (text) => {
        const visible = text.replaceAll(/[^\x20-\x7e]/g, "");
        expect(clientOf(visible)).toMatch(/^[0-9a-f.:]+$/);
      }),
    );
  });
});

test("a prefix that is no path, or could lead elsewhere, is none", () => {
  const baseOf = (prefix: string) => arrival("127.0.0.1", { "x-forwarded-prefix": prefix }).base;
  expect(baseOf("/a/b-c_d~e.f")).toBe("/a/b-c_d~e.f");
  expect(baseOf("/kinomill/")).toBe("/kinomill");
  expect(baseOf("/")).toBe("");
  for (const prefix of [
    "kinomill",
    "//evil.example",
    "/\\evil.example",
    "/a//b",
    "/../x",
    '/"onload=x',
    "/a;Domain=x",
    `/${"x".repeat(300)}`,
    "/a".repeat(9),
  ]) {
    expect(baseOf(prefix)).toBe("");
  }
});

test("who is a proxy is told by addresses and ranges of both kinds", () => {
  expect(trustOf([])).toBeNull();
  const trusted = trustOf(["192.168.1.5", "::1", "::ffff:172.16.0.0/108"]);
  for (const address of ["192.168.1.5", "::ffff:192.168.1.5", "::1", "172.16.3.4"]) {
    expect(trusted?.(address)).toBe(true);
  }
  for (const address of ["192.168.1.6", "::2", "172.32.0.1", "x", ""]) {
    expect(trusted?.(address)).toBe(false);
  }
});
