import { afterEach, describe, expect, test } from "bun:test";
import { eventually } from "../../tests/appliance.ts";
import { importGround, MIB, sha256 } from "../../tests/ingest/import-ground.ts";
import { filmBytes, ImportRig } from "../../tests/ingest/import-rig.ts";
import { type Answerer, head, rangeOf, serves } from "../../tests/ingest/link-server.ts";

const { openRig, openServer, closeAll } = importGround();
afterEach(closeAll);

describe("a connection that breaks off", () => {
  /** Sends so many bytes of what is asked for and breaks off. */
  const cutting = (bytes: Uint8Array, perRequest: number, etag: () => string): Answerer => {
    return (asked, socket) => {
      const from = rangeOf(asked, etag()) ?? 0;
      const total = bytes.byteLength;
      const rest = bytes.subarray(from);
      const all = { etag: etag(), "accept-ranges": "bytes", "content-length": rest.byteLength };
      const range = `bytes ${from}-${total - 1}/${total}`;
      const more = from === 0 ? {} : { "content-range": range };
      socket.write(head(from === 0 ? "200 OK" : "206 Partial Content", { ...all, ...more }));
      socket.write(rest.subarray(0, perRequest), () => socket.end());
    };
  };

  test("is taken up where it broke, and every byte is fetched once", async () => {
    const bytes = filmBytes(2 * MIB + 5);
    const server = await openServer(cutting(bytes, 600_000, () => '"one"'));
    const rig = await openRig();
    const asset = await rig.ready(await rig.add(server.url()));
    expect(asset.sha256).toBe(sha256(bytes));
    expect(server.asked.map(({ headers }) => headers["range"])).toEqual([
      undefined,
      "bytes=600000-",
      "bytes=1200000-",
      "bytes=1800000-",
    ]);
    expect(server.asked[1]?.headers["if-range"]).toBe('"one"');
  });

  test("of a file that changed meanwhile begins anew and mixes nothing", async () => {
    const [old, fresh] = [filmBytes(2 * MIB, 1), filmBytes(2 * MIB + 9, 2)];
    const server = await openServer((asked, socket, count) => {
      if (count === 1) cutting(old, 700_000, () => '"old"')(asked, socket, count);
      else serves(fresh, '"new"')(asked, socket, count);
    });
    const rig = await openRig();
    const asset = await rig.ready(await rig.add(server.url()));
    expect(asset.sha256).toBe(sha256(fresh));
    expect(server.asked).toHaveLength(2);
  });

  test("without a validator, or with a weak one, begins anew without asking for a part", async () => {
    const bytes = filmBytes(MIB);
    for (const etag of [null, 'W/"weak"', "unquoted"]) {
      const server = await openServer((_asked, socket, count) => {
        const tag = etag === null ? {} : { etag };
        socket.write(head("200 OK", { ...tag, "content-length": bytes.byteLength }));
        socket.write(count === 1 ? bytes.subarray(0, 300_000) : bytes, () => socket.end());
      });
      const rig = await openRig();
      const asset = await rig.ready(await rig.add(server.url()));
      expect(asset.sha256).toBe(sha256(bytes));
      expect(server.asked.map(({ headers }) => headers["range"])).toEqual([undefined, undefined]);
    }
  });

  test("goes on by a date that is old enough to name the version, and by no fresh one", async () => {
    const bytes = filmBytes(MIB);
    const modified = new Date(Date.now() - 3_600_000).toUTCString();
    for (const date of [new Date().toUTCString(), modified]) {
      const server = await openServer((asked, socket, count) => {
        const from = /\d+/.exec(asked.headers["range"] ?? "")?.[0];
        const rest = bytes.subarray(Number(from ?? 0));
        const range = `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}`;
        const all = { date, "last-modified": modified, "content-length": rest.byteLength };
        socket.write(
          from === undefined
            ? head("200 OK", all)
            : head("206 Partial Content", { ...all, "content-range": range }),
        );
        socket.write(count === 1 ? rest.subarray(0, 300_000) : rest, () => socket.end());
      });
      const rig = await openRig();
      expect((await rig.ready(await rig.add(server.url()))).sha256).toBe(sha256(bytes));
      const wanted = date === modified ? undefined : "bytes=300000-";
      expect(server.asked[1]?.headers["range"]).toBe(wanted);
      expect(server.asked[1]?.headers["if-range"]).toBe(wanted && modified);
    }
  });

  test.each([
    ["from another byte", (total: number) => `bytes 5-${total - 1}/${total}`],
    ["of another length", (total: number) => `bytes 300000-${total - 1}/${total + 1}`],
    ["with no Content-Range", () => "nonsense"],
  ])("with a part %s starts over and mixes nothing", async (_what, range) => {
    const bytes = filmBytes(MIB);
    const server = await openServer((asked, socket) => {
      const all = { etag: '"one"', "content-length": bytes.byteLength };
      if (asked.headers["range"] !== undefined) {
        const lie = { ...all, "content-length": 10, "content-range": range(bytes.byteLength) };
        socket.end(`${head("206 Partial Content", lie)}0123456789`);
        return;
      }
      const first = server.asked.length === 1;
      socket.write(head("200 OK", all));
      socket.write(first ? bytes.subarray(0, 300_000) : bytes, () => socket.end());
    });
    const rig = await openRig();
    expect((await rig.ready(await rig.add(server.url()))).sha256).toBe(sha256(bytes));
    expect(server.asked).toHaveLength(3);
  });

  test("each time before anything came is given up after some attempts", async () => {
    const server = await openServer((_asked, socket) => {
      socket.write(head("200 OK", { "content-length": 1000, etag: '"one"' }));
      socket.end("FILM");
    });
    const rig = await openRig();
    expect(await rig.fault(server.url())).toMatchObject({ code: "link_cut", retryable: true });
    expect(server.asked.length).toBeLessThanOrEqual(9);
  });

  test("by the end of the server is taken up by the next one, from what was durable", async () => {
    const bytes = filmBytes(4 * MIB);
    let held = true;
    const server = await openServer((asked, socket, count) => {
      if (!held) return serves(bytes)(asked, socket, count);
      socket.write(head("200 OK", { etag: '"one"', "content-length": bytes.byteLength }));
      socket.write(bytes.subarray(0, 3 * MIB));
    });
    const rig = await ImportRig.open();
    const id = await rig.add(server.url());
    await eventually("three MiB are here", 30_000, async () => {
      return rig.view(id)?.progress?.receivedBytes === 3 * MIB;
    });
    await rig.stop();
    held = false;
    const next = await openRig({ folder: rig.folder });
    expect((await next.ready(id)).sha256).toBe(sha256(bytes));
    expect(server.asked[1]?.headers["range"]).toBe(`bytes=${3 * MIB}-`);
  });
});
