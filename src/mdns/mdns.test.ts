/** The name on the local network: found, shared with nobody, and harmless whatever comes. */
import { afterEach, describe, expect, test } from "bun:test";
import { decode, encode, type Packet } from "dns-packet";
import fc from "fast-check";
import { silentLog } from "../log.ts";
import { answersTo, type Identity } from "./records.ts";
import { MDNS_PORT, Responder, type Wire } from "./responder.ts";
import { openWire } from "./sockets.ts";

const open: Responder[] = [];
afterEach(() => {
  for (const responder of open.splice(0)) responder.close();
});

/** A network in memory: what one sends, all hear, itself too. */
class Air {
  readonly sent: {
    from: string;
    packet: Packet;
    to: { address: string; port: number } | undefined;
  }[] = [];
  private readonly ears = new Set<
    (bytes: Uint8Array, from: { address: string; port: number }) => void
  >();

  wire(...addresses: string[]): Wire {
    let ear: ((bytes: Uint8Array, from: { address: string; port: number }) => void) | null = null;
    return {
      addresses,
      send: (address, bytes, to) => {
        this.sent.push({ from: address, packet: decode(Buffer.from(bytes)), to });
        if (to === undefined) queueMicrotask(() => this.say(bytes, { address, port: MDNS_PORT }));
      },
      listen: (onMessage) => {
        ear = onMessage;
        this.ears.add(onMessage);
      },
      close: () => {
        if (ear !== null) this.ears.delete(ear);
      },
    };
  }

  say(bytes: Uint8Array, from = { address: "192.168.1.77", port: MDNS_PORT }): void {
    for (const ear of [...this.ears]) ear(bytes, from);
  }

  ask(name: string, type: string, from?: { address: string; port: number }): Packet[] {
    this.sent.length = 0;
    this.say(encode({ type: "query", id: 7, questions: [{ name, type: type as never }] }), from);
    return this.sent.map(({ packet }) => packet);
  }
}

function responder(
  air: Air,
  address: string,
  more: { path?: string; tls?: boolean } = {},
): Responder {
  const identity = {
    ...{ name: "kinomill", port: 7600, tls: more.tls ?? false, path: more.path ?? "/" },
    addresses: [address, "fd00::5"],
  };
  const made = new Responder({ identity, wire: air.wire(address), log: silentLog(), probeMs: 5 });
  open.push(made);
  return made;
}

const dataOf = (packets: Packet[], type: string) =>
  packets
    .flatMap(({ answers = [] }) => answers.filter((answer) => answer.type === type))
    .map((answer) => (answer as { data: unknown }).data);

test("its addresses and its service are found, by whoever asks in either way", async () => {
  const air = new Air();
  const found = responder(air, "192.168.1.5", { path: "/kinomill/", tls: true });
  await found.settled;
  expect(found.host).toBe("kinomill.local");
  expect(dataOf(air.ask("KinoMill.local", "A"), "A")).toEqual(["192.168.1.5"]);
  expect(dataOf(air.ask("kinomill.local", "AAAA"), "AAAA")).toEqual(["fd00::5"]);
  const service = air.ask("_http._tcp.local", "PTR");
  expect(dataOf(service, "PTR")).toContain("kinomill._http._tcp.local");
  expect(dataOf(service, "SRV")).toMatchObject([{ port: 7600, target: "kinomill.local" }]);
  expect(String(dataOf(service, "TXT"))).toContain("path=/kinomill/,https=1");
  expect(air.ask("other.local", "A")).toEqual([]);
  const plain = air.ask("kinomill.local", "A", { address: "192.168.1.9", port: 40_000 });
  expect(plain).toMatchObject([{ id: 7, questions: [{ name: "kinomill.local" }] }]);
  expect(air.sent[0]?.to).toEqual({ address: "192.168.1.9", port: 40_000 });
  expect(((plain[0]?.answers?.[0] ?? {}) as { ttl?: number }).ttl).toBeLessThanOrEqual(10);
});

test("who knows the answer already is not told again", async () => {
  const identity: Identity = {
    label: "k",
    port: 1,
    tls: false,
    path: "/",
    addresses: ["10.0.0.1"],
  };
  const question: Packet = { type: "query", questions: [{ name: "k.local", type: "A" }] };
  const known = (ttl: number): Packet => ({
    ...question,
    answers: [{ name: "k.local", type: "A", data: "10.0.0.1", ttl }],
  });
  expect(answersTo(question, identity, "10.0.0.1")).toHaveLength(1);
  expect(answersTo(known(100), identity, "10.0.0.1")).toEqual([]);
  expect(answersTo(known(10), identity, "10.0.0.1")).toHaveLength(1);
});

describe("a name", () => {
  test("that another has is left to it", async () => {
    const air = new Air();
    const first = responder(air, "192.168.1.5");
    await first.settled;
    const second = responder(air, "192.168.1.6");
    await second.settled;
    expect([first.host, second.host]).toEqual(["kinomill.local", "kinomill-2.local"]);
  });

  test("that two want at the same moment goes to one of them", async () => {
    const air = new Air();
    const both = [responder(air, "192.168.1.5"), responder(air, "192.168.1.6")];
    await Promise.all(both.map(({ settled }) => settled));
    expect(both.map(({ host }) => host)).toEqual(["kinomill-2.local", "kinomill.local"]);
  });

  test("that another takes later is given up for the next", async () => {
    const air = new Air();
    const first = responder(air, "192.168.1.5");
    await first.settled;
    const answers = [{ name: "kinomill.local", type: "A" as const, data: "192.168.1.9", ttl: 120 }];
    air.say(encode({ type: "response", answers }));
    expect(first.host).toBe("kinomill-2.local");
    expect(
      dataOf(
        air.sent.map(({ packet }) => packet),
        "A",
      ),
    ).not.toContain("192.168.1.9");
  });

  test("is said to be gone at the end, and its own words are no conflict", async () => {
    const air = new Air();
    const only = responder(air, "192.168.1.5");
    await only.settled;
    await Bun.sleep(0);
    expect(only.host).toBe("kinomill.local");
    air.sent.length = 0;
    only.close();
    const answers = air.sent[0]?.packet.answers ?? [];
    expect(answers.length).toBeGreaterThan(3);
    expect(answers.every((answer) => (answer as { ttl: number }).ttl === 0)).toBe(true);
  });

  test("is not looked for without end where everybody has it", async () => {
    const air = new Air();
    const wire = air.wire("192.168.1.99");
    wire.listen((bytes) => {
      const { type, questions = [] } = decode(Buffer.from(bytes));
      const name = questions[0]?.name;
      if (type !== "query" || name === undefined) return;
      wire.send(
        "192.168.1.99",
        encode({
          type: "response",
          answers: [{ name, type: "A", data: "192.168.1.99", ttl: 120 }],
        }),
      );
    });
    await responder(air, "192.168.1.5").settled;
    expect(dataOf(air.ask("kinomill.local", "PTR"), "A")).not.toContain("192.168.1.5");
    wire.close();
  });
});

describe("whatever comes", () => {
  test("is survived: bytes that are none, and packets of any form", async () => {
    const air = new Air();
    const only = responder(air, "192.168.1.5");
    await only.settled;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => air.say(bytes)),
      { numRuns: 300 },
    );
    const good = encode({ type: "query", questions: [{ name: "kinomill.local", type: "A" }] });
    for (let at = 0; at < good.length; at += 1) {
      const spoiled = Buffer.from(good);
      spoiled[at] = (spoiled[at] ?? 0) ^ 0xff;
      air.say(spoiled);
    }
    air.say(new Uint8Array(100_000));
    expect(dataOf(air.ask("kinomill.local", "A"), "A")).toEqual(["192.168.1.5"]);
  });

  test("is answered no oftener than makes sense", async () => {
    const air = new Air();
    await responder(air, "192.168.1.5").settled;
    const question = encode({ type: "query", questions: [{ name: "kinomill.local", type: "A" }] });
    air.sent.length = 0;
    for (let count = 0; count < 1_000; count += 1) air.say(question);
    expect(air.sent.length).toBeLessThanOrEqual(100);
  });
});

test("over real sockets it is found, and an address without multicast is no trouble", async () => {
  // The loopback takes part in multicast too, and every machine has one.
  const port = 20_000 + (process.pid % 20_000);
  expect(await openWire(["203.0.113.1"], silentLog(), port)).toBeNull();
  expect(await openWire([], silentLog(), port)).toBeNull();
  const wire = await openWire(["203.0.113.1", "127.0.0.1"], silentLog(), port);
  const asker = await openWire(["127.0.0.1"], silentLog(), port);
  expect(wire?.addresses).toEqual(["127.0.0.1"]);
  const identity = {
    name: "kinomill",
    port: 7600,
    tls: false,
    path: "/",
    addresses: ["127.0.0.1"],
  };
  const found = new Responder({ identity, wire: wire as Wire, log: silentLog(), probeMs: 5 });
  open.push(found);
  await found.settled;
  const heard = Promise.withResolvers<Packet>();
  asker?.listen((bytes) => {
    const packet = decode(Buffer.from(bytes));
    if (packet.type === "response" && dataOf([packet], "A").length > 0) heard.resolve(packet);
  });
  asker?.send(
    "127.0.0.1",
    encode({ type: "query", questions: [{ name: "kinomill.local", type: "A" }] }),
  );
  expect(dataOf([await heard.promise], "A")).toEqual(["127.0.0.1"]);
  asker?.close();
});
