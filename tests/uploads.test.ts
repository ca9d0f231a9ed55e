/** Uploads in pieces against the compiled executable: real clients, cuts, kills, and what must not be possible. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createReadStream, readdirSync, statSync } from "node:fs";
import { rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Upload } from "tus-js-client";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { plainClip } from "./clips.ts";
import { BadLine } from "./support/bad-line.ts";
import { type LargeClip, largeClip } from "./support/large-clip.ts";
import { everything, testInLongForm } from "./support/long-form.ts";

const MIB = 1024 ** 2;

setDefaultTimeout(everything ? 1_800_000 : 120_000);

/** For what takes a moment, on a machine that does ten other things. */
const PATIENCE_MS = 60_000;

const tus = { "Tus-Resumable": "1.0.0" };
const bytesType = { "Content-Type": "application/offset+octet-stream" };

/** Begins an upload and gives its address below the server's. */
async function begin(api: Api, sizeBytes: number, name = "match.mp4"): Promise<string> {
  const metadata = `filename ${Buffer.from(name).toString("base64")}`;
  const headers = { ...tus, "Upload-Length": String(sizeBytes), "Upload-Metadata": metadata };
  const made = await patiently(() => api.call("POST", "/api/v1/uploads", { headers }));
  expect(made.status).toBe(201);
  return made.headers.get("location") ?? "";
}

/** Asks again while the server is only starting. */
async function patiently<T extends { status: number }>(ask: () => Promise<T>): Promise<T> {
  return await eventually("an answer", PATIENCE_MS, async () => {
    const answer = await ask();
    return answer.status === 503 ? null : answer;
  });
}

async function offsetOf(api: Api, path: string): Promise<number> {
  const { status, headers } = await api.call("HEAD", path, { headers: tus });
  expect(status).toBe(200);
  return Number(headers.get("upload-offset"));
}

function send(api: Api, path: string, from: number, body: Blob | Uint8Array<ArrayBuffer>) {
  const headers = { ...tus, ...bytesType, "Upload-Offset": String(from) };
  return api.call("PATCH", path, { headers, body });
}

async function expectAsset(api: Api, id: string | null, file: LargeClip): Promise<void> {
  const { status, body } = await api.get(`/api/v1/assets/${id}`);
  expect([status, body.sizeBytes, body.sha256]).toEqual([200, file.sizeBytes, file.sha256]);
}

describe("with one server", () => {
  let appliance: Appliance;
  let ann: Api;
  let bob: Api;
  let small: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    appliance = await Appliance.start();
    ann = new Api(appliance.url, await appliance.token("ann"));
    bob = new Api(appliance.url, await appliance.token("bob"));
    small = await Bun.file(plainClip()).bytes();
  });

  afterAll(() => appliance[Symbol.asyncDispose]());

  const filesOf = () => readdirSync(join(appliance.dataFolder, "uploads"));

  test("nobody sees, moves or deletes what another uploads", async () => {
    const path = await begin(ann, small.length);
    await send(ann, path, 0, small.subarray(0, 1000));
    for (const method of ["GET", "HEAD", "PATCH", "DELETE"]) {
      const headers = { ...tus, ...bytesType, "Upload-Offset": "1000" };
      const body = method === "PATCH" ? { body: "evil" } : {};
      expect((await bob.call(method, path, { headers, ...body })).status).toBe(404);
      const nobody = await fetch(`${appliance.url}${path}`, { method, headers, ...body });
      expect(nobody.status).toBe(401);
    }
    expect((await bob.get("/api/v1/uploads")).body.items).toEqual([]);
    expect(await offsetOf(ann, path)).toBe(1000);
    const last = await send(ann, path, 1000, small.subarray(1000));
    const assetId = last.headers.get("kinomill-asset");
    expect((await ann.get(`/api/v1/assets/${assetId}`)).body.name).toBe("match.mp4");
    expect((await bob.get(`/api/v1/assets/${assetId}`)).status).toBe(404);
  });

  test("curl sends a file in two pieces, the second without saying how long it is", async () => {
    const file = await largeClip(3 * MIB);
    const path = await begin(ann, file.sizeBytes);
    const script = `set -e -o pipefail
      patch() { curl -sS -D - -o /dev/null -X PATCH -T - "$URL$LOCATION" -H "Authorization: Bearer $TOKEN" \\
        -H 'Tus-Resumable: 1.0.0' -H 'Content-Type: application/offset+octet-stream' -H "Upload-Offset: $1"; }
      head -c 1000000 "$FILE" | patch 0
      tail -c +1000001 "$FILE" | patch 1000000`;
    const child = Bun.spawn(["bash", "-c", script], {
      env: {
        PATH: process.env["PATH"],
        URL: ann.url,
        TOKEN: ann.token,
        LOCATION: path,
        FILE: file.path,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    expect(said).toMatch(/upload-offset: 1000000/i);
    await expectAsset(ann, /kinomill-asset: (\S+)/i.exec(said)?.[1] ?? null, file);
  });

  test("two senders at once: one at a time, and what comes out is the file", async () => {
    const file = await largeClip(40 * MIB);
    const path = await begin(ann, file.sizeBytes);
    using line = await BadLine.to(appliance.url);
    line.slow(20 * MIB);
    const slowAnn = new Api(line.url, ann.token);
    const whole = Bun.file(file.path);
    const first = send(slowAnn, path, 0, whole);
    await eventually("the first has begun", PATIENCE_MS, async () => {
      return statSync(join(appliance.dataFolder, path.slice("/api/v1".length))).size > 2 * MIB;
    });
    // HEAD stops the first: it is often what a sender asks after the line broke under it.
    const from = await offsetOf(ann, path);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThan(file.sizeBytes);
    const second = await send(ann, path, from, whole.slice(from));
    expect(second.status).toBe(204);
    const { status, body } = await first;
    expect([status, body.code]).toEqual([423, "locked"]);
    await expectAsset(ann, second.headers.get("kinomill-asset"), file);
    // Wrong now, as for every offset that is not where it stands.
    expect((await send(ann, path, 0, whole.slice(0, 10))).status).toBe(409);
  });

  test("twenty senders of the same piece: it is there once", async () => {
    const path = await begin(ann, small.length);
    const pieces = Array.from({ length: 20 }, () => send(ann, path, 0, small.subarray(0, 5000)));
    const statuses = (await Promise.all(pieces)).map(({ status }) => status);
    expect(statuses).toContain(204);
    for (const status of statuses) expect([204, 409, 423]).toContain(status);
    const from = await offsetOf(ann, path);
    expect(from).toBe(5000);
    const last = await send(ann, path, from, small.subarray(from));
    const { body } = await ann.get(`/api/v1/assets/${last.headers.get("kinomill-asset")}`);
    expect(body.sha256).toBe(new Bun.CryptoHasher("sha256").update(small).digest("hex"));
  });

  test("lengths, offsets and headers of every wrong kind: a sentence, and nothing of it stays", async () => {
    const before = filesOf();
    const ask = (headers: Record<string, string>) =>
      ann.call("POST", "/api/v1/uploads", { headers: { ...tus, ...headers } });
    const wrong: [Record<string, string>, number][] = [
      [{ "Upload-Length": "-5" }, 400],
      [{ "Upload-Length": "1e19" }, 400],
      [{ "Upload-Length": "10000000000000000000" }, 413],
      [{ "Upload-Length": "99999999999999" }, 413],
      [{ "Upload-Defer-Length": "1" }, 400],
      [{}, 400],
      [{ "Upload-Length": "10", "Upload-Metadata": `filename ${"A".repeat(8_000)}` }, 400],
    ];
    for (const [headers, status] of wrong) {
      const answer = await ask(headers);
      expect([headers, answer.status]).toEqual([headers, status]);
      expect(answer.body.detail).toMatch(/^[A-Z].+\.$/);
      expect(answer.headers.get("tus-resumable")).toBe("1.0.0");
      expect([...answer.headers.keys()].filter((name) => name.includes("allow-"))).toEqual([]);
    }
    expect(filesOf()).toEqual(before);
  });

  test("a flood of headers is refused and the server lives", async () => {
    const flood = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`Upload-X${index}`, "A".repeat(1000)]),
    );
    const headers = { ...tus, "Upload-Length": "10", ...flood };
    const answer = await ann.call("POST", "/api/v1/uploads", { headers }).catch(() => null);
    expect(answer === null || answer.status >= 400).toBe(true);
    expect((await ann.get("/api/v1/uploads")).status).toBe(200);
  });

  test("ids that lead elsewhere are no uploads", async () => {
    for (const id of ["..%2f..%2fkinomill.sqlite3", "%2e%2e", "up_%00", "up_..%2fx", "%5c"]) {
      const path = `/api/v1/uploads/${id}`;
      expect((await ann.call("HEAD", path, { headers: tus })).status).toBe(404);
      expect((await send(ann, path, 0, small.subarray(0, 10))).status).toBe(404);
    }
  });

  test("what is not media is refused with the last byte and gone", async () => {
    const path = await begin(ann, 600_000);
    const refused = await send(ann, path, 0, new Uint8Array(600_000).fill(65));
    expect([refused.status, refused.body.code]).toEqual([422, "not_media"]);
    expect((await ann.call("HEAD", path, { headers: tus })).status).toBe(404);
    expect(filesOf()).not.toContain(path.slice("/api/v1/uploads/".length));
  });
});

/** Sends a file by tus-js-client, as a program does, and gives the asset's id. */
function sendByClient(url: string, token: string, file: LargeClip): Promise<string | null> {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const upload = new Upload(createReadStream(file.path), {
    endpoint: `${url}/api/v1/uploads`,
    uploadSize: file.sizeBytes,
    headers: { Authorization: `Bearer ${token}` },
    metadata: { filename: "client.mp4" },
    chunkSize: 8 * MIB,
    retryDelays: Array<number>(200).fill(300),
    onError: reject,
    onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader("Kinomill-Asset") ?? null),
  });
  upload.start();
  return promise;
}

test("tus-js-client goes on after cuts of the line and after the server was killed", async () => {
  let appliance = await Appliance.start();
  await using _ = { [Symbol.asyncDispose]: () => appliance[Symbol.asyncDispose]() };
  const token = await appliance.token("ann");
  const file = await largeClip(60 * MIB);
  using line = await BadLine.to(appliance.url);
  line.slow(20 * MIB);
  const sent = sendByClient(line.url, token, file);
  for (const stop of [10, 25]) {
    await eventually(
      `${stop} MiB have passed`,
      PATIENCE_MS,
      async () => line.sentBytes > stop * MIB,
    );
    line.cut();
    await Bun.sleep(100);
    line.mend();
  }
  await eventually("40 MiB have passed", PATIENCE_MS, async () => line.sentBytes > 40 * MIB);
  await appliance.end("SIGKILL");
  line.cut();
  appliance = await Appliance.start({ folder: appliance.folder });
  line.mend(appliance.url);
  await expectAsset(new Api(appliance.url, token), await sent, file);
  // It went on each time: from the start again it would have been several times the file.
  expect(line.sentBytes).toBeLessThan(file.sizeBytes * 1.7);
});

/**
 * Sends the file in pieces to a server that is killed again and again at a random place of it, and checks after
 * each that nothing that was acknowledged is gone.
 */
async function surviveKills(sizeBytes: number, pieceBytes: number, kills: number): Promise<void> {
  let appliance = await Appliance.start();
  await using _ = { [Symbol.asyncDispose]: () => appliance[Symbol.asyncDispose]() };
  const token = await appliance.token("ann");
  const file = await largeClip(sizeBytes);
  let api = new Api(appliance.url, token);
  const path = await begin(api, sizeBytes);
  const stored = join(appliance.dataFolder, path.slice("/api/v1".length));
  const places = Array.from(
    { length: kills },
    (_, at) => (at + Math.random()) * (0.95 * (sizeBytes / kills)),
  );
  let killed = 0;
  let acknowledged = 0;
  let assetId: string | null = null;
  while (assetId === null) {
    const from = await offsetOf(api, path);
    expect(from).toBeGreaterThanOrEqual(acknowledged);
    const piece = Bun.file(file.path).slice(from, Math.min(from + pieceBytes, sizeBytes));
    const answer = send(api, path, from, piece).catch(() => null);
    const done = answer.then(() => true);
    const place = places[killed] ?? Number.POSITIVE_INFINITY;
    while (!(await Promise.race([done, Bun.sleep(1)]))) {
      if (sizeOf(stored) < place) continue;
      await appliance.end("SIGKILL");
    }
    const given = await answer;
    if (given === null || appliance.ended) {
      killed += 1;
      appliance = await Appliance.start({ folder: appliance.folder });
      api = new Api(appliance.url, token);
      continue;
    }
    expect([given.status, given.body]).toEqual([204, ""]);
    acknowledged = Number(given.headers.get("upload-offset"));
    assetId = given.headers.get("kinomill-asset");
  }
  expect(killed).toBe(kills);
  await expectAsset(api, assetId, file);
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

test("kill -9 five times during an upload: what was acknowledged is there, and the hash is right", () =>
  surviveKills(200 * MIB, 24 * MIB, 5));

testInLongForm("kill -9 twenty times during an upload of ten gigabytes", () =>
  surviveKills(10_000_000_000, 256 * MIB, 20),
);

test("kill -9 in the middle of a piece with a checksum: nothing of the piece is there", async () => {
  let appliance = await Appliance.start();
  await using _ = { [Symbol.asyncDispose]: () => appliance[Symbol.asyncDispose]() };
  const token = await appliance.token("ann");
  const file = await largeClip(40 * MIB);
  const whole = Bun.file(file.path);
  const path = await begin(new Api(appliance.url, token), file.sizeBytes);
  const stored = join(appliance.dataFolder, path.slice("/api/v1".length));
  using line = await BadLine.to(appliance.url);
  const api = new Api(line.url, token);
  await send(api, path, 0, whole.slice(0, 5 * MIB));
  line.slow(10 * MIB);
  const piece = whole.slice(5 * MIB);
  const digest = new Bun.CryptoHasher("sha1").update(await piece.arrayBuffer()).digest("base64");
  const checked = (from: number, body: Blob) => {
    const headers = { ...tus, ...bytesType, "Upload-Offset": String(from) };
    const sum = { "Upload-Checksum": `sha1 ${digest}` };
    return api.call("PATCH", path, { headers: { ...headers, ...sum }, body });
  };
  const cut = checked(5 * MIB, piece).catch(() => null);
  await eventually("some of it is there", PATIENCE_MS, async () => sizeOf(stored) > 12 * MIB);
  await appliance.end("SIGKILL");
  expect(await cut).toBeNull();
  expect(sizeOf(stored)).toBeGreaterThan(12 * MIB);
  line.cut();
  line.slow(Number.POSITIVE_INFINITY);
  appliance = await Appliance.start({ folder: appliance.folder });
  line.mend(appliance.url);
  expect(await offsetOf(api, path)).toBe(5 * MIB);
  const { status, headers } = await checked(5 * MIB, piece);
  expect(status).toBe(204);
  await expectAsset(api, headers.get("kinomill-asset"), file);
});

test("the disk fills up: 507, what came stays, and it goes on when there is room", async () => {
  const environment = { KINOMILL_STORAGE_RESERVE_BYTES: String(8 * MIB) };
  await using appliance = await Appliance.start({ dataMount: "160m", environment });
  const api = new Api(appliance.url, await appliance.token("ann"));
  const file = await largeClip(100 * MIB);
  const path = await begin(api, file.sizeBytes);
  const filler = join(appliance.dataFolder, "filler");
  const { bavail, bsize } = await statfs(appliance.dataFolder);
  Bun.spawnSync(["fallocate", "-l", String(bavail * bsize - 60 * MIB), filler]);
  const whole = Bun.file(file.path);
  const full = await send(api, path, 0, whole);
  expect([full.status, full.body.code]).toEqual([507, "storage_full"]);
  const from = await offsetOf(api, path);
  expect(from).toBeGreaterThan(0);
  const second = await api.call("POST", "/api/v1/uploads", {
    headers: { ...tus, "Upload-Length": String(90 * MIB) },
  });
  expect([second.status, second.body.code]).toEqual([507, "storage_full"]);
  await rm(filler);
  const last = await send(api, path, from, whole.slice(from));
  expect(last.status).toBe(204);
  await expectAsset(api, last.headers.get("kinomill-asset"), file);
});
