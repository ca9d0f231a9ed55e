/**
 * Links to where only this server can reach. A canary listens on the machine's own loopback addresses and counts:
 * whatever is said of a link, nothing of it may knock there.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { filmBytes, ImportRig } from "../../tests/ingest/import-rig.ts";
import { type Answerer, LinkServer, redirects, serves } from "../../tests/ingest/link-server.ts";
import { Refusal } from "../trouble.ts";
import { allowedFrom, judgeAddress } from "./addresses.ts";
import { type Address, Gate, type Resolve } from "./gate.ts";
import { openSource } from "./http-source.ts";
import { parseLink } from "./link.ts";
import { LinkTrouble } from "./link-trouble.ts";

let canary: LinkServer;
let canary6: LinkServer;

/** One port on both: should somebody have taken it on the other, another is tried. */
beforeAll(async () => {
  for (let tries = 1; ; tries += 1) {
    canary = await LinkServer.start(serves(filmBytes(100)));
    try {
      canary6 = await LinkServer.start(serves(filmBytes(100)), "::1", canary.port);
      return;
    } catch (cause) {
      await canary.close();
      if (tries === 20) throw cause;
    }
  }
});

afterAll(async () => {
  await canary.close();
  await canary6.close();
});

const hits = () => canary.asked.length + canary6.asked.length;

/** Names that somebody has put into a name server. */
const zone: Record<string, Address[]> = {
  "inside.test": [{ address: "127.0.0.1", family: 4 }],
  "inside6.test": [{ address: "::1", family: 6 }],
  "mapped.test": [{ address: "::ffff:127.0.0.1", family: 6 }],
  "both.test": [
    { address: "93.184.215.14", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ],
  "any.test": [{ address: "0.0.0.0", family: 4 }],
  "metadata.test": [{ address: "169.254.169.254", family: 4 }],
  localhost: [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ],
};

const resolve: Resolve = async (host) => {
  const found = zone[host.replace(/\.$/, "")];
  if (found === undefined) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
  return found;
};

/** "fetched", or the code of the refusal. */
async function outcomeOf(text: string, gate: Gate): Promise<string> {
  try {
    const signal = AbortSignal.timeout(20_000);
    const source = await openSource(parseLink(text), { gate, signal });
    source.close();
    return "fetched";
  } catch (cause) {
    if (cause instanceof Refusal) return cause.code;
    if (cause instanceof LinkTrouble) return cause.fault.code;
    throw cause;
  }
}

const closed = () => new Gate({ allowed: allowedFrom([]), resolve });

/** P stands for the canary's port. Every form that people have used to come past a check like this one. */
const forms = [
  // Loopback, by every spelling of a number.
  "http://127.0.0.1:P/",
  "http://127.0.0.2:P/",
  "http://127.255.255.254:P/",
  "http://127.1:P/",
  "http://127.0.1:P/",
  "http://0x7f.0.0.1:P/",
  "http://0x7f.1:P/",
  "http://0x7f000001:P/",
  "http://0177.0.0.1:P/",
  "http://0177.1:P/",
  "http://017700000001:P/",
  "http://2130706433:P/",
  "http://127.0.0.1.:P/",
  "http://0000177.0.0.1:P/",
  "http://%31%32%37.0.0.1:P/",
  "http://127%2e0%2e0%2e1:P/",
  "http://①②⑦.⓪.⓪.①:P/",
  "http://127。0。0。1:P/",
  "http://127．0．0．1:P/",
  // All addresses of the machine.
  "http://0.0.0.0:P/",
  "http://0:P/",
  "http://0x0:P/",
  "http://[::]:P/",
  "http://[0:0:0:0:0:0:0:0]:P/",
  // Loopback of IPv6, and IPv4 in its clothes.
  "http://[::1]:P/",
  "http://[0:0:0:0:0:0:0:1]:P/",
  "http://[0000::0001]:P/",
  "http://[::ffff:127.0.0.1]:P/",
  "http://[::ffff:7f00:1]:P/",
  "http://[0:0:0:0:0:ffff:127.0.0.1]:P/",
  "http://[::127.0.0.1]:P/",
  "http://[::7f00:1]:P/",
  "http://[64:ff9b::127.0.0.1]:P/",
  "http://[64:ff9b::7f00:1]:P/",
  "http://[64:ff9b:1::7f00:1]:P/",
  "http://[2002:7f00:1::]:P/",
  "http://[2001:0:7f00:1::]:P/",
  "http://[::ffff:0:127.0.0.1]:P/",
  // Names.
  "http://localhost:P/",
  "http://LOCALHOST:P/",
  "http://localhost.:P/",
  "http://ｌｏｃａｌｈｏｓｔ:P/",
  "http://inside.test:P/",
  "http://inside.test.:P/",
  "http://inside6.test:P/",
  "http://mapped.test:P/",
  "http://both.test:P/",
  "http://any.test:P/",
  "http://metadata.test:P/",
  // What a parser may take for another host.
  "http://public.test@127.0.0.1:P/",
  "http://public.test:80@127.0.0.1:P/",
  "http://127.0.0.1:P#@public.test/",
  "http://127.0.0.1:P?@public.test/",
  "http://127.0.0.1:P\\@public.test/",
  "http:\\\\127.0.0.1:P\\",
  "http:127.0.0.1:P/",
  "http:/127.0.0.1:P/",
  "http:///127.0.0.1:P/",
  " http://127.0.0.1:P/ ",
  "ht\ntp://127.0.0.1:P/",
  "http://127.0.0.1:P/\r\nHost: public.test",
  "HTTP://127.0.0.1:P/",
  "https://127.0.0.1:P/",
  // Private, link-local, metadata, multicast, shared, reserved.
  "http://10.0.0.1/",
  "http://172.16.0.1/",
  "http://172.31.255.255/",
  "http://192.168.0.1/",
  "http://169.254.169.254/latest/meta-data/",
  "http://0xA9FEA9FE/",
  "http://[fe80::1]/",
  "http://[fd00:ec2::254]/",
  "http://[fec0::1]/",
  "http://100.64.0.1/",
  "http://100.100.100.200/",
  "http://168.63.129.16/",
  "http://192.0.0.192/",
  "http://198.18.0.1/",
  "http://224.0.0.1/",
  "http://239.255.255.250/",
  "http://240.0.0.1/",
  "http://255.255.255.255/",
  "http://192.88.99.1/",
  "http://[ff02::1]/",
  "http://[2001:db8::1]/",
  "http://[100::1]/",
  // Other schemes, some of which Bun's fetch would read.
  "file:///etc/passwd",
  "file://127.0.0.1/etc/passwd",
  "s3://bucket/key",
  "data:text/plain,FILM",
  "blob:http://127.0.0.1:P/1",
  "ftp://127.0.0.1:P/",
  "gopher://127.0.0.1:P/",
  "ws://127.0.0.1:P/",
  "unix:/run/docker.sock",
  "javascript:1",
  "//127.0.0.1:P/",
  "127.0.0.1:P",
  "/etc/passwd",
  "",
];

describe("a link to the inside", () => {
  test("there are more than sixty of them, all different", () => {
    expect(new Set(forms).size).toBe(forms.length);
    expect(forms.length).toBeGreaterThan(60);
  });

  test("is refused, in whatever form, and nothing knocks", async () => {
    const outcomes = new Map<string, string>();
    for (const form of forms) {
      const link = form.replace("P", String(canary.port));
      outcomes.set(form, await outcomeOf(link, closed()));
    }
    const others = [...outcomes].filter(
      ([, code]) => code !== "link_refused" && code !== "bad_link",
    );
    expect(others).toEqual([]);
    expect(hits()).toBe(0);
  });

  test("is let through by the admin's list: so the canary hears who comes", async () => {
    const open = new Gate({
      allowed: allowedFrom(["127.0.0.0/8", "::1", "0.0.0.0/8"]),
      resolve,
    });
    const loopback = ["http://127.0.0.1:P/", "http://2130706433:P/", "http://0x7f.1:P/"];
    const more = ["http://[::1]:P/", "http://localhost:P/", "http://inside.test:P/"];
    const links = [...loopback, ...more, "http://[::ffff:127.0.0.1]:P/"];
    for (const [index, form] of links.entries()) {
      expect([form, await outcomeOf(form.replace("P", String(canary.port)), open)]).toEqual([
        form,
        "fetched",
      ]);
      expect(hits()).toBe(index + 1);
    }
    // By name, and no other name.
    const byName = new Gate({ allowed: allowedFrom(["inside.test"]), resolve });
    expect(await outcomeOf(`http://INSIDE.test.:${canary.port}/`, byName)).toBe("fetched");
    expect(await outcomeOf(`http://inside6.test:${canary.port}/`, byName)).toBe("link_refused");
    expect(await outcomeOf(`http://127.0.0.1:${canary.port}/`, byName)).toBe("link_refused");
    const below = new Gate({ allowed: allowedFrom(["*.test"]), resolve });
    expect(await outcomeOf(`http://inside.test:${canary.port}/`, below)).toBe("fetched");
    canary.asked.length = 0;
    canary6.asked.length = 0;
  });

  test("is refused when the system's resolver finds it, too", async () => {
    const gate = new Gate({ allowed: allowedFrom([]) });
    expect(await outcomeOf(`http://localhost:${canary.port}/`, gate)).toBe("link_refused");
    // Past the look at the text alone.
    const listed = new Gate({ allowed: allowedFrom(["10.0.0.0/8"]) });
    expect(await outcomeOf(`http://localhost:${canary.port}/`, listed)).toBe("link_refused");
    expect(hits()).toBe(0);
  });

  test("by the machine's own public address is refused", async () => {
    const gate = new Gate({
      allowed: allowedFrom([]),
      resolve: async () => [{ address: "93.184.215.14", family: 4 }],
      ownAddresses: () => new Set(["93.184.215.14"]),
    });
    expect(await outcomeOf("http://me.test/", gate)).toBe("link_refused");
  });

  test("to a port of other services is refused before anything connects", async () => {
    const gate = new Gate({
      allowed: allowedFrom([]),
      resolve: async () => [{ address: "93.184.215.14", family: 4 }],
    });
    for (const port of [21, 22, 25, 53, 110, 445, 3306, 5432, 6379, 6667, 11211, 27017]) {
      expect([port, await outcomeOf(`http://public.test:${port}/`, gate)]).toEqual([
        port,
        "link_refused",
      ]);
    }
  });
});

test("what some read as a password is the name of another server, and that one is asked for", async () => {
  const link = `http://public.test\\@127.0.0.1:${canary.port}/`;
  expect(parseLink(link).hostname).toBe("public.test");
  expect(await outcomeOf(link, closed())).toBe("link_unreachable");
  expect(hits()).toBe(0);
});

describe("a name that changes its mind", () => {
  test("is asked for once: the connection goes to the address that was checked", async () => {
    // The outside of this test: another server on the same port, and the only place that is open.
    const outside = await LinkServer.start(serves(filmBytes(100)), "127.0.0.2", canary.port);
    let asked = 0;
    const rebinding: Resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? "127.0.0.2" : "127.0.0.1", family: 4 }];
    };
    const gate = new Gate({ allowed: allowedFrom(["127.0.0.2"]), resolve: rebinding });
    const link = `http://rebind.test:${canary.port}/`;
    expect(await outcomeOf(link, gate)).toBe("fetched");
    expect([asked, outside.asked.length, hits()]).toEqual([1, 1, 0]);
    expect(outside.asked[0]?.headers["host"]).toBe(`rebind.test:${canary.port}`);
    expect(await outcomeOf(link, gate)).toBe("link_refused");
    expect([asked, outside.asked.length, hits()]).toEqual([2, 1, 0]);
    await outside.close();
  });

  test("between two hops of redirects is checked at each", async () => {
    const outside = await LinkServer.start(redirects("/again"), "127.0.0.2", canary.port);
    let asked = 0;
    const rebinding: Resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? "127.0.0.2" : "127.0.0.1", family: 4 }];
    };
    const gate = new Gate({ allowed: allowedFrom(["127.0.0.2"]), resolve: rebinding });
    expect(await outcomeOf(`http://rebind.test:${canary.port}/`, gate)).toBe("link_refused");
    expect([asked, outside.asked.length, hits()]).toEqual([2, 1, 0]);
    await outside.close();
  });
});

describe("a redirect", () => {
  const places = [
    "http://127.0.0.1:P/",
    "http://[::1]:P/",
    "//127.0.0.1:P/",
    "http://inside.test:P/",
    "http://2130706433:P/",
    "https://169.254.169.254/",
    "file:///etc/passwd",
    "data:text/plain,FILM",
    "s3://bucket/key",
    "ftp://127.0.0.1:P/",
    "http://",
    "http://[::1",
  ];

  test("to the inside or to another scheme is not followed", async () => {
    let to = "";
    // The first server is open to imports, by its port: the same machine, and yet another place.
    const answer: Answerer = (asked, socket, count) => redirects(to)(asked, socket, count);
    const server = await LinkServer.start(answer, "127.0.0.1");
    const gate = new Gate({
      allowed: allowedFrom(["start.test"]),
      resolve: async (host) =>
        host === "start.test" ? [{ address: "127.0.0.1", family: 4 }] : await resolve(host),
    });
    for (const place of places) {
      to = place.replace("P", String(canary.port));
      const outcome = await outcomeOf(server.url("/", "start.test"), gate);
      expect([place, outcome]).toEqual([place, "link_refused"]);
    }
    expect(server.asked).toHaveLength(places.length);
    expect(hits()).toBe(0);
    await server.close();
  });
});

describe("the whole importer", () => {
  test("refuses at once what can be seen in the link, all of a list or none", async () => {
    const rig = await ImportRig.open({ allow: [], gate: { resolve } });
    const bad = `http://127.0.0.1:${canary.port}/`;
    const add = (urls: string[]) =>
      rig.importer.add(
        rig.ownerId,
        urls.map((url) => ({ url, name: null })),
        "keep",
      );
    await expect(add([bad])).rejects.toMatchObject({ status: 422, code: "link_refused" });
    await expect(add(["http://public.test/", bad, "file:///etc/passwd"])).rejects.toMatchObject({
      errors: [{ path: "urls.1" }, { path: "urls.2" }],
    });
    expect(rig.importer.list(rig.ownerId, 10, null)).toEqual([]);
    const fault = await rig.fault(`http://inside.test:${canary.port}/`);
    expect(fault).toMatchObject({ code: "link_refused", retryable: false });
    expect(fault.message).not.toContain("127.0.0.1");
    expect(fault.hint).toContain("imports.allowPrivate");
    expect(hits()).toBe(0);
    await rig.close();
  });

  test("goes through no proxy of the environment", async () => {
    const proxy = await LinkServer.start(serves(filmBytes(10)));
    const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = proxy.url("");
    try {
      const gate = new Gate({ allowed: allowedFrom(["127.0.0.1"]), resolve });
      expect(await outcomeOf(`http://inside.test:${canary.port}/`, gate)).toBe("fetched");
    } finally {
      for (const [index, name] of names.entries()) {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    expect([proxy.asked.length, hits()]).toEqual([0, 1]);
    await proxy.close();
  });
});

test("addresses that anybody can reach are public", () => {
  const none = allowedFrom([]);
  const reachable = ["1.1.1.1", "93.184.215.14", "172.15.0.1", "172.32.0.1", "100.128.0.1"];
  const reachable6 = ["2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "2620:fe::fe"];
  for (const address of [...reachable, ...reachable6]) {
    expect([address, judgeAddress(address, none)]).toEqual([address, "public"]);
  }
});
