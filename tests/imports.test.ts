/** Imports in the whole product: the compiled server, real media, a web server that breaks off, kill -9. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { databaseFileName } from "../src/database/open.ts";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { plainClip } from "./clips.ts";
import { type Answerer, head, LinkServer, rangeOf, serves } from "./ingest/link-server.ts";

setDefaultTimeout(180_000);

const MIB = 1024 ** 2;
const WAIT_MS = 120_000;

/** A real film of this size: players skip a box of type "free". */
async function filmOf(sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const film = await Bun.file(plainClip()).bytes();
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(film);
  const box = new DataView(bytes.buffer, film.byteLength);
  box.setUint32(0, sizeBytes - film.byteLength);
  bytes.set(new TextEncoder().encode("free"), film.byteLength + 4);
  for (let index = film.byteLength + 8; index < sizeBytes; index += 1) bytes[index] = index % 251;
  return bytes;
}

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** The test's own web server is inside. */
const environment = { KINOMILL_IMPORTS_ALLOW_PRIVATE: "127.0.0.1,fd00::/8" };

let film: Uint8Array<ArrayBuffer>;
let server: LinkServer;

beforeAll(async () => {
  film = await filmOf(24 * MIB);
  server = await LinkServer.start(serves(film));
});
afterAll(() => server.close());

function use(answer: Answerer): void {
  server.asked.length = 0;
  server.answer = answer;
}

/** Sends the first part of what is asked for and then nothing more, until it is let go. */
function holding(firstBytes: number) {
  let held = true;
  const answer: Answerer = (asked, socket, count) => {
    if (!held) return serves(film)(asked, socket, count);
    const from = rangeOf(asked, '"one"') ?? 0;
    const all = { etag: '"one"', "content-length": film.byteLength - from };
    const range = `bytes ${from}-${film.byteLength - 1}/${film.byteLength}`;
    const more = from === 0 ? {} : { "content-range": range };
    socket.write(head(from === 0 ? "200 OK" : "206 Partial Content", { ...all, ...more }));
    socket.write(film.subarray(from, firstBytes));
  };
  const letGo = () => {
    held = false;
  };
  return { answer, letGo };
}

/** Bytes of an import that a power cut would leave; 0 before the first are noted. */
function durableBytes(appliance: Appliance, id: string): number {
  const database = new Database(join(appliance.dataFolder, databaseFileName), { readonly: true });
  const sql = "SELECT durable_bytes AS bytes FROM asset_import WHERE id = ?1";
  const row = database.query<{ bytes: number }, [string]>(sql).get(id);
  database.close();
  return row?.bytes ?? 0;
}

describe("an import", () => {
  test(
    "killed with -9 in the middle goes on after the start, with the bytes that were durable",
    async () => {
      const { answer, letGo } = holding(16 * MIB);
      use(answer);
      const first = await Appliance.start({ environment });
      const token = await first.token("ann");
      const begun = await new Api(first.url, token).post("/api/v1/assets/import", {
        url: server.url("/film.mp4"),
      });
      expect(begun.status).toBe(202);
      const address = `/api/v1/assets/${begun.body.id}`;
      await eventually("sixteen MiB are here", WAIT_MS, async () => {
        const { body } = await new Api(first.url, token).get(address);
        return body.receivedBytes === 16 * MIB;
      });
      await eventually("all of it is durable, and noted", WAIT_MS, async () => {
        return durableBytes(first, begun.body.id) === 16 * MIB;
      });
      await first.end("SIGKILL");
      letGo();
      await using next = await Appliance.start({ environment, folder: first.folder });
      const api = new Api(next.url, token);
      const asset = await eventually("the film is here", WAIT_MS, async () => {
        const { body } = await api.get(address);
        expect(body.error ?? null).toBeNull();
        return body.state === "ready" ? body : null;
      });
      expect(asset).toMatchObject({
        id: begun.body.id,
        sizeBytes: film.byteLength,
        sha256: sha256(film),
        origin: { kind: "import", url: server.url("/film.mp4") },
        media: { container: "mp4" },
      });
      expect(sha256(await api.download(asset.id))).toBe(sha256(film));
      expect(server.asked.map(({ headers }) => headers["range"])).toEqual([
        undefined,
        `bytes=${16 * MIB}-`,
      ]);
    },
    2 * WAIT_MS,
  );

  test(
    "killed with -9 again and again arrives whole, and no start fetches from the beginning what was durable",
    async () => {
      let sentBytes = 0;
      // About 6 MiB/s: the kills come in the middle.
      use((asked, socket) => {
        const from = rangeOf(asked, '"one"') ?? 0;
        const all = { etag: '"one"', "content-length": film.byteLength - from };
        const range = `bytes ${from}-${film.byteLength - 1}/${film.byteLength}`;
        const more = from === 0 ? {} : { "content-range": range };
        socket.write(head(from === 0 ? "200 OK" : "206 Partial Content", { ...all, ...more }));
        let at = from;
        const trickle = setInterval(() => {
          if (socket.destroyed) return clearInterval(trickle);
          const piece = film.subarray(at, at + 64 * 1024);
          at += piece.byteLength;
          sentBytes += piece.byteLength;
          socket.write(piece);
          if (at >= film.byteLength) clearInterval(trickle);
        }, 10);
      });
      let appliance = await Appliance.start({ environment });
      const token = await appliance.token("ann");
      const begun = await new Api(appliance.url, token).post("/api/v1/assets/import", {
        url: server.url("/film.mp4"),
      });
      const address = `/api/v1/assets/${begun.body.id}`;
      let kills = 0;
      for (let before = 0; kills < 6; kills += 1) {
        const durable = await eventually(
          "more of it is durable, or all of it is here",
          WAIT_MS,
          async () => {
            const { body } = await new Api(appliance.url, token).get(address);
            if (body.state === "ready") return -1;
            const bytes = durableBytes(appliance, begun.body.id);
            return bytes > before ? bytes : null;
          },
        );
        if (durable === -1) break;
        before = durable;
        await appliance.end("SIGKILL");
        appliance = await Appliance.start({ environment, folder: appliance.folder });
      }
      await using last = appliance;
      const api = new Api(last.url, token);
      const asset = await eventually("the film is here", WAIT_MS, async () => {
        const { body } = await api.get(address);
        expect(body.error ?? null).toBeNull();
        return body.state === "ready" ? body : null;
      });
      expect(asset.sha256).toBe(sha256(film));
      expect(kills).toBeGreaterThanOrEqual(2);
      const starts = server.asked.map(({ headers }) =>
        Number(/\d+/.exec(headers["range"] ?? "0")?.[0]),
      );
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      expect(starts.at(-1)).toBeGreaterThan(0);
      expect(sentBytes).toBeLessThan(3 * film.byteLength);
    },
    3 * WAIT_MS,
  );

  test("is told of on the event stream as it comes in, and by the command line", async () => {
    const { answer, letGo } = holding(4 * MIB);
    use(answer);
    await using appliance = await Appliance.start({ environment });
    const token = await appliance.token("ann");
    const api = new Api(appliance.url, token);
    const stream = await fetch(`${appliance.url}/api/v1/events`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const told = readEvents(stream);
    const settings = { KINOMILL_URL: appliance.url, KINOMILL_TOKEN: token };
    const command = kinomill(["import", server.url("/film.mp4"), "--json"], {
      environment: settings,
    });
    await eventually("an event says how far it is", WAIT_MS, async () => {
      return told.some(
        ({ event, data }) =>
          event === "import" && data.receivedBytes > 0 && data.state === "importing",
      );
    });
    letGo();
    // The held connection says nothing more; the next one has it all.
    server.drop();
    const done = await command;
    expect([done.exitCode, done.stderr]).toEqual([0, ""]);
    const asset = JSON.parse(done.stdout);
    expect(asset).toMatchObject({ state: "ready", sha256: sha256(film), name: "film.mp4" });
    await eventually("an event says that it is there", WAIT_MS, async () => {
      return told.some(
        ({ event, data }) => event === "asset" && data.id === asset.id && data.change === "added",
      );
    });

    const again = await kinomill(["import", server.url("/film.mp4")], { environment: settings });
    expect(again.stdout).toContain(`(the same bytes as ${asset.id})`);
    const reused = await kinomill(
      ["import", server.url("/film.mp4"), "--if-exists", "reuse", "--json"],
      { environment: settings },
    );
    expect(JSON.parse(reused.stdout).id).toBe(asset.id);
    expect((await api.get("/api/v1/assets")).body.items).toHaveLength(2);
    await stream.body?.cancel().catch(() => undefined);
  });

  test("from the inside is refused by a server that was told of none, on the command line too", async () => {
    use(serves(film));
    await using appliance = await Appliance.start();
    const token = await appliance.token("ann");
    const settings = { KINOMILL_URL: appliance.url, KINOMILL_TOKEN: token };
    const refused = await kinomill(["import", server.url()], { environment: settings });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("Kinomill does not fetch from there");
    expect(refused.stderr).toContain("imports.allowPrivate");
    expect(server.asked).toEqual([]);
  });
});

interface Told {
  event: string;
  data: Json;
}

/** What an event stream has told so far; it grows. */
function readEvents(response: Response): Told[] {
  const told: Told[] = [];
  const read = async () => {
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) {
        const event = /^event: (.*)$/m.exec(message)?.[1];
        const data = /^data: (.*)$/m.exec(message)?.[1];
        if (event !== undefined && data !== undefined) told.push({ event, data: JSON.parse(data) });
      }
    }
  };
  // Its end, by whichever side, is the end of the test.
  read().catch(() => undefined);
  return told;
}
