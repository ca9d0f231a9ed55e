import { afterEach, describe, expect, test } from "bun:test";
import { eventually } from "../../tests/appliance.ts";
import { importGround, MIB, sha256 } from "../../tests/ingest/import-ground.ts";
import { filmBytes } from "../../tests/ingest/import-rig.ts";
import { head, redirects, serves } from "../../tests/ingest/link-server.ts";

const { openRig, openServer, closeAll } = importGround();
afterEach(closeAll);

describe("an import", () => {
  test("becomes an asset with the id that was promised, the bytes, their hash and where they came from", async () => {
    const bytes = filmBytes(3 * MIB + 17);
    const server = await openServer(serves(bytes));
    const rig = await openRig();
    const link = server.url("/a/The%20Film.mp4?token=hush").replace("http://", "http://ann:pw@");
    const id = await rig.add(link);
    const asset = await rig.ready(id);
    expect(asset).toMatchObject({
      id,
      name: "The Film.mp4",
      state: "ready",
      sizeBytes: bytes.byteLength,
      sha256: sha256(bytes),
      origin: { kind: "import", url: `${server.url("/a/The%20Film.mp4")}?…` },
    });
    expect(await rig.bytes(id)).toEqual(bytes);
    await eventually("the part is gone", 10_000, async () => rig.parts().length === 0);
    expect(rig.view(id)).toBeNull();
    expect(JSON.stringify(asset)).not.toMatch(/hush|pw@/);
    expect(server.asked[0]?.headers).toMatchObject({
      authorization: `Basic ${btoa("ann:pw")}`,
      "accept-encoding": "identity",
    });
    expect(server.asked).toHaveLength(1);
  });

  test("has the name of its server's Content-Disposition, unless a person gave one", async () => {
    const disposition = `attachment; filename="plain.mp4"; filename*=UTF-8''%D1%84%D0%B8%D0%BB%D1%8C%D0%BC.mp4`;
    const server = await openServer((_asked, socket) => {
      socket.write(head("200 OK", { "content-length": 4, "content-disposition": disposition }));
      socket.end("FILM");
    });
    const rig = await openRig();
    expect((await rig.ready(await rig.add(server.url()))).name).toBe("фильм.mp4");
    expect((await rig.ready(await rig.add(server.url(), "mine.mp4"))).name).toBe("mine.mp4");
  });

  test("without a declared length, in chunks, arrives whole; one that is cut does not pass for whole", async () => {
    const server = await openServer((asked, socket) => {
      socket.write(head("200 OK", { "transfer-encoding": "chunked" }));
      socket.write("8\r\nFILM1234\r\n");
      socket.end(asked.path === "/whole" ? "0\r\n\r\n" : "");
    });
    const rig = await openRig();
    expect((await rig.ready(await rig.add(server.url("/whole")))).sizeBytes).toBe(8);
    expect((await rig.fault(server.url("/cut"))).code).toBe("link_cut");
  });

  test("that is no media fails and says so, and leaves nothing", async () => {
    const server = await openServer(serves(new TextEncoder().encode("GARBAGE")));
    const rig = await openRig();
    const fault = await rig.fault(server.url());
    expect(fault).toMatchObject({ code: "not_media", retryable: false });
    expect(fault.message).toContain("not a media file");
    await eventually("the part is gone", 10_000, async () => rig.parts().length === 0);
    expect(rig.library.records.usage().assetCount).toBe(0);
  });

  test.each([
    ["404 Not Found", "link_not_found", 1],
    ["403 Forbidden", "link_denied", 1],
    ["500 Oops", "link_failed", 8],
  ])("of a server that answers %s fails with %s after %i requests", async (status, code, times) => {
    const server = await openServer((_asked, socket) => {
      socket.end(head(status, { "content-length": 0 }));
    });
    const rig = await openRig();
    expect((await rig.fault(server.url())).code).toBe(code as "link_failed");
    expect(server.asked).toHaveLength(times);
  });

  test("of a page or of something packed fails before its bytes come", async () => {
    const server = await openServer((asked, socket) => {
      const odd: Record<string, string> =
        asked.path === "/page" ? { "content-type": "text/html" } : { "content-encoding": "gzip" };
      socket.write(head("200 OK", { "content-length": 1_000_000, ...odd }));
    });
    const rig = await openRig();
    expect(await rig.fault(server.url("/page"))).toMatchObject({
      code: "link_not_a_file",
      message: "The link leads to a web page, not to a file.",
    });
    expect((await rig.fault(server.url("/packed"))).code).toBe("link_not_a_file");
  });

  test("that a server refuses for a moment goes through", async () => {
    const bytes = filmBytes(1000);
    const server = await openServer((asked, socket, count) => {
      if (count <= 3) socket.end(head("503 Busy", { "content-length": 0, "retry-after": 0 }));
      else serves(bytes)(asked, socket, count);
    });
    const rig = await openRig();
    await rig.ready(await rig.add(server.url()));
    expect(server.asked).toHaveLength(4);
  });
});

describe("limits", () => {
  test("a file that says it is too large is not begun; an endless one is ended at the limit", async () => {
    const server = await openServer((asked, socket) => {
      if (asked.path === "/declared") {
        socket.write(head("200 OK", { "content-length": 10 * MIB }));
        return;
      }
      socket.write(head("200 OK", { connection: "close" }));
      const pour = () => {
        if (!socket.destroyed) socket.write(Buffer.alloc(64 * 1024, "FILM"), pour);
      };
      pour();
    });
    const rig = await openRig({ limits: { maxBytes: 2 * MIB } });
    for (const path of ["/declared", "/endless"]) {
      expect(await rig.fault(server.url(path))).toMatchObject({ code: "too_large" });
    }
    await eventually("no part is left", 10_000, async () => rig.parts().length === 0);
    expect(server.asked).toHaveLength(2);
  });

  test("a server that drips is given up, and asked for the rest the next time", async () => {
    const bytes = filmBytes(2 * MIB);
    const server = await openServer((asked, socket, count) => {
      if (count > 1) return serves(bytes)(asked, socket, count);
      socket.write(head("200 OK", { etag: '"one"', "content-length": bytes.byteLength }));
      socket.write(bytes.subarray(0, MIB));
      let at = MIB;
      const drip = setInterval(() => {
        if (socket.destroyed) clearInterval(drip);
        else socket.write(bytes.subarray(at, at + 1));
        at += 1;
      }, 20);
    });
    const rig = await openRig({ limits: { pace: { windowMs: 500, bytesPerSecondMin: 10_000 } } });
    const asset = await rig.ready(await rig.add(server.url()));
    expect(asset.sha256).toBe(sha256(bytes));
    expect(server.asked).toHaveLength(2);
  });

  test("a server that says nothing more is ended too, and told so", async () => {
    const server = await openServer((_asked, socket) => {
      socket.write(head("200 OK", { etag: '"one"', "content-length": 1000 }));
      socket.write("FILM");
    });
    const rig = await openRig({ limits: { pace: { windowMs: 50, bytesPerSecondMin: 100 } } });
    expect((await rig.fault(server.url())).code).toBe("link_slow");
  });

  test("time", async () => {
    const server = await openServer((_asked, socket) => {
      socket.write(head("200 OK", { "content-length": 1000 }));
    });
    const rig = await openRig({ limits: { limitSeconds: 0.3 } });
    expect((await rig.fault(server.url())).code).toBe("time_limit");
  });

  test("a disk without room for what is declared says so and keeps nothing", async () => {
    const server = await openServer((_asked, socket) => {
      socket.write(head("200 OK", { "content-length": 1000 }));
    });
    const rig = await openRig({ reserveBytes: Number.MAX_SAFE_INTEGER });
    expect((await rig.fault(server.url())).code).toBe("storage_full");
    await eventually("no part is left", 10_000, async () => rig.parts().length === 0);
  });

  test("more imports of one person than may wait are refused with 429", async () => {
    const server = await openServer(() => undefined);
    const rig = await openRig({ openPerUserMax: 3 });
    await rig.add(server.url("/1"));
    const more = [2, 3, 4].map((n) => ({ url: server.url(`/${n}`), name: null }));
    await expect(rig.importer.add(rig.ownerId, more, "keep")).rejects.toMatchObject({
      status: 429,
      code: "too_many_imports",
    });
    expect(rig.importer.list(rig.ownerId, 10, null)).toHaveLength(1);
  });

  test("as many run at once as may, the others wait their turn", async () => {
    const server = await openServer(() => undefined);
    const rig = await openRig({ atOnce: 2 });
    const urls = [1, 2, 3, 4].map((n) => ({ url: server.url(`/${n}`), name: null }));
    const views = await rig.importer.add(rig.ownerId, urls, "keep");
    await eventually("two are asked for", 10_000, async () => server.asked.length === 2);
    const states = () => views.map(({ item }) => rig.view(item.id)?.item.state);
    expect(states()).toEqual(["receiving", "receiving", "waiting", "waiting"]);
    await rig.importer.cancel(rig.ownerId, views[0]?.item.id ?? "");
    await eventually("the third has its turn", 10_000, async () => server.asked.length === 3);
    expect(states()).toEqual([undefined, "receiving", "receiving", "waiting"]);
  });
});

describe("a person", () => {
  test("cancels one that runs: the connection ends and nothing is left", async () => {
    let ended = false;
    const server = await openServer((_asked, socket) => {
      socket.on("close", () => {
        ended = true;
      });
      socket.write(head("200 OK", { "content-length": 10 * MIB }));
      socket.write(filmBytes(MIB));
    });
    const rig = await openRig();
    const id = await rig.add(server.url());
    await eventually(
      "a MiB is here",
      10_000,
      async () => rig.view(id)?.progress?.receivedBytes === MIB,
    );
    expect(await rig.importer.cancel("us_other", id)).toBe(false);
    expect(await rig.importer.cancel(rig.ownerId, id)).toBe(true);
    expect(rig.view(id)).toBeNull();
    expect(rig.parts()).toEqual([]);
    await eventually("the connection has ended", 10_000, async () => ended);
    expect(await rig.importer.cancel(rig.ownerId, id)).toBe(false);
  });

  test("tries a failed one again, and it goes on with what had come", async () => {
    const bytes = filmBytes(2 * MIB);
    let up = false;
    const server = await openServer((asked, socket, count) => {
      if (up) return serves(bytes)(asked, socket, count);
      if (asked.headers["range"] !== undefined)
        return void socket.end(head("404 Gone", { "content-length": 0 }));
      socket.write(head("200 OK", { etag: '"one"', "content-length": bytes.byteLength }));
      socket.write(bytes.subarray(0, MIB), () => socket.end());
    });
    const rig = await openRig();
    const id = await rig.add(server.url());
    await rig.failed(id);
    up = true;
    rig.importer.retry(rig.ownerId, id);
    expect((await rig.ready(id)).sha256).toBe(sha256(bytes));
    expect(server.asked.at(-1)?.headers["range"]).toBe(`bytes=${MIB}-`);
    expect(() => rig.importer.retry(rig.ownerId, id)).toThrow("no such import");
  });

  test("who has the file already gets that one with reuse, and a second one with keep", async () => {
    const bytes = filmBytes(1000);
    const server = await openServer(serves(bytes));
    const rig = await openRig();
    const first = await rig.ready(await rig.add(server.url()));
    const [view] = await rig.importer.add(
      rig.ownerId,
      [{ url: server.url(), name: null }],
      "reuse",
    );
    const id = view?.item.id ?? "";
    await eventually("it is reused", 30_000, async () => rig.view(id)?.item.state === "reused");
    expect(rig.view(id)?.item.assetId).toBe(first.id);
    expect(rig.library.records.usage().assetCount).toBe(1);
    await rig.ready(await rig.add(server.url()));
    expect(rig.library.records.usage().assetCount).toBe(2);
  });
});

describe("redirects", () => {
  test("are followed five times, and each hop is another request", async () => {
    const bytes = filmBytes(100);
    const server = await openServer((asked, socket, count) => {
      const n = Number(asked.path.slice(1));
      if (n === 0) serves(bytes)(asked, socket, count);
      else redirects(`/${n - 1}`, [301, 302, 303, 307, 308][n % 5])(asked, socket, count);
    });
    const rig = await openRig();
    await rig.ready(await rig.add(server.url("/5")));
    expect(server.asked).toHaveLength(6);
    expect((await rig.fault(server.url("/6"))).message).toContain("more than 5 times");
  });

  test("take a password to no other server, and none from a Location", async () => {
    const other = await openServer(serves(filmBytes(100)));
    const server = await openServer((asked, socket, count) => {
      const to = asked.path === "/a" ? "/b" : other.url("/c").replace("http://", "http://x:y@");
      redirects(to)(asked, socket, count);
    });
    const rig = await openRig();
    await rig.ready(await rig.add(server.url("/a").replace("http://", "http://ann:pw@")));
    expect(server.asked.map(({ headers }) => headers["authorization"])).toEqual([
      `Basic ${btoa("ann:pw")}`,
      `Basic ${btoa("ann:pw")}`,
    ]);
    expect(other.asked[0]?.headers["authorization"]).toBeUndefined();
  });
});
