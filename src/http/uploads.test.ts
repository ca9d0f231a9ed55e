/** Uploads in pieces over HTTP, without a socket: the protocol, who may, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../tests/api.ts";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import type { AskOptions, Name } from "../../tests/http/site.ts";

let home: Furnished;

beforeAll(async () => {
  home = await furnish();
  home.places["upload"] = await begin("ann", 10);
  home.places["bobs"] = await begin("bob", 10);
});

afterAll(() => home.site.close());

const tus = { "tus-resumable": "1.0.0" };
const uploads = "/api/v1/uploads";
const bytesType = { "content-type": "application/offset+octet-stream" };
const nameOf = (name: string) => `filename ${Buffer.from(name).toString("base64")}`;

function ask(path: string, options: AskOptions): Promise<Response> {
  return home.site.ask(path, { ...options, headers: { ...tus, ...options.headers } });
}

/** Begins an upload and gives its id. */
async function begin(as: Name, length: number, name = "match.mp4"): Promise<string> {
  const headers = { "upload-length": String(length), "upload-metadata": nameOf(name) };
  const response = await ask(uploads, { method: "POST", as, headers });
  expect(`${response.status} ${await response.text()}`).toBe("201 ");
  const location = response.headers.get("location") ?? "";
  expect(location).toMatch(/^\/api\/v1\/uploads\/up_[0-9a-f]{32}$/);
  return location.slice(uploads.length + 1);
}

function send(as: Name, id: string, from: number, body: string, more: Record<string, string> = {}) {
  const headers = { ...bytesType, "upload-offset": String(from), ...more };
  return ask(`${uploads}/${id}`, { method: "PATCH", as, headers, body });
}

const offsetOf = async (as: Name, id: string) =>
  (await ask(`${uploads}/${id}`, { method: "HEAD", as })).headers.get("upload-offset");

const filesOf = () => readdirSync(join(home.site.folder, "uploads"));

tableFor(() => home)("who may, and what is refused", [
  { name: "nobody", path: uploads, method: "POST", headers: tus, status: 401 },
  { name: "nobody by OPTIONS", path: uploads, method: "OPTIONS", status: 401 },
  {
    name: "another site's page with this browser's cookie",
    path: uploads,
    method: "POST",
    browser: "ann",
    headers: { ...tus, origin: "https://evil.example", "upload-length": "10" },
    status: 403,
    has: ['"cross_origin"'],
  },
  {
    name: "what is spoken, and to no other site",
    path: uploads,
    method: "OPTIONS",
    as: "ann",
    headers: { origin: "https://evil.example" },
    status: 204,
    answers: {
      "tus-version": "1.0.0",
      "tus-extension": "creation,creation-with-upload,termination,expiration,checksum",
      "tus-checksum-algorithm": "sha1,sha256,md5",
      "tus-max-size": /^\d+$/,
      "access-control-allow-origin": null,
      "access-control-allow-methods": null,
      "access-control-expose-headers": null,
    },
  },
  {
    name: "another version of tus",
    path: uploads,
    method: "POST",
    as: "ann",
    headers: { "tus-resumable": "0.2.2", "upload-length": "10" },
    status: 412,
    has: ['"tus_version"'],
    answers: { "tus-version": "1.0.0" },
  },
  ...["-5", "1e19", "5.5", "0x10", "", "9007199254740993", "ten"].map((length) => ({
    name: `a length of "${length}"`,
    path: uploads,
    method: "POST",
    as: "ann" as const,
    headers: { ...tus, "upload-length": length },
    status: 400,
  })),
  ...["10000000000000000000", "600000000000000"].map((length) => ({
    name: `a length of ${length}`,
    path: uploads,
    method: "POST",
    as: "ann" as const,
    headers: { ...tus, "upload-length": length },
    status: 413,
    has: ['"too_large"'],
  })),
  {
    name: "a length that comes later",
    path: uploads,
    method: "POST",
    as: "ann",
    headers: { ...tus, "upload-defer-length": "1" },
    status: 400,
    has: ['"length_required"', "Upload-Length"],
  },
  {
    name: "parts to be joined",
    path: uploads,
    method: "POST",
    as: "ann",
    headers: { ...tus, "upload-length": "10", "upload-concat": "partial" },
    status: 400,
    has: ['"not_supported"'],
  },
  {
    name: "a flood of metadata",
    path: uploads,
    method: "POST",
    as: "ann",
    headers: { ...tus, "upload-length": "10", "upload-metadata": nameOf("a".repeat(5000)) },
    status: 400,
    has: ['"bad_metadata"'],
    lacks: ["YWFh"],
  },
  {
    name: "metadata that no header can say again",
    path: uploads,
    method: "POST",
    as: "ann",
    headers: { ...tus, "upload-length": "10", "upload-metadata": "file\u00e9name" },
    status: 400,
  },
  ...["__proto__", "constructor"].map((key) => ({
    name: `metadata under the name ${key}`,
    path: uploads,
    method: "POST",
    as: "ann" as const,
    headers: { ...tus, "upload-length": "10", "upload-metadata": `${key} YQ==` },
    status: 400,
  })),
  {
    name: "metadata that is none",
    path: uploads,
    method: "POST",
    as: "ann",
    headers: { ...tus, "upload-length": "10", "upload-metadata": "filename %%%" },
    status: 400,
  },
  ...(["GET", "HEAD", "PATCH", "DELETE"] as const).map((method) => ({
    name: `${method} of another's upload`,
    path: `${uploads}/{bobs}`,
    method,
    as: "ann" as const,
    headers: { ...tus, ...bytesType, "upload-offset": "0" },
    status: 404,
    lacks: ["match.mp4"],
  })),
  ...["..%2f..%2fkinomill.sqlite", "..", "up_0", "%00", "up_%2e%2e", "a/b"].map((id) => ({
    name: `the id ${id}`,
    path: `${uploads}/${id}`,
    method: "HEAD",
    as: "ann" as const,
    headers: tus,
    status: 404,
  })),
  ...["5", "-5", "1e19", "00", "0.0", ""].map((offset) => ({
    name: `an offset of "${offset}"`,
    path: `${uploads}/{upload}`,
    method: "PATCH",
    as: "ann" as const,
    headers: { ...tus, ...bytesType, "upload-offset": offset },
    body: "12345",
    status: offset === "5" ? 409 : 400,
  })),
  {
    name: "bytes without an offset",
    path: `${uploads}/{upload}`,
    method: "PATCH",
    as: "ann",
    headers: { ...tus, ...bytesType },
    body: "12345",
    status: 400,
  },
  {
    name: "bytes of another type",
    path: `${uploads}/{upload}`,
    method: "PATCH",
    as: "ann",
    headers: { ...tus, "content-type": "application/json", "upload-offset": "0" },
    body: "12345",
    status: 415,
  },
  {
    name: "a POST to an upload",
    path: `${uploads}/{upload}`,
    method: "POST",
    as: "ann",
    headers: tus,
    status: 405,
  },
  ...["crc32 AAAAAA==", "sha1", "sha1 AAAA", "sha256 ?", "sha1 a b"].map((checksum) => ({
    name: `the checksum "${checksum}"`,
    path: `${uploads}/{upload}`,
    method: "PATCH",
    as: "ann" as const,
    headers: { ...tus, ...bytesType, "upload-offset": "0", "upload-checksum": checksum },
    body: "12345",
    status: 400,
    has: ['"bad_checksum"'],
  })),
]);

describe("a file in pieces", () => {
  test("nothing that was refused has changed the upload", async () => {
    expect(await offsetOf("ann", home.places["upload"] ?? "")).toBe("0");
    expect(await offsetOf("bob", home.places["bobs"] ?? "")).toBe("0");
  });

  test("becomes an asset with its last byte, and says which", async () => {
    const id = await begin("ann", 12, "../../Süße\n.mp4");
    const first = await send("ann", id, 0, "FILM12");
    expect([first.status, first.headers.get("upload-offset")]).toEqual([204, "6"]);
    expect(first.headers.get("upload-expires")).toMatch(/GMT$/);
    expect(first.headers.get("kinomill-asset")).toBeNull();
    const told = await (await ask(`${uploads}/${id}`, { as: "ann" })).json();
    expect(told).toMatchObject({ state: "receiving", offset: 6, length: 12, assetId: null });
    const last = await send("ann", id, 6, "345678");
    const assetId = last.headers.get("kinomill-asset");
    expect([last.status, last.headers.get("upload-offset")]).toEqual([204, "12"]);
    const asset = await (await ask(`/api/v1/assets/${assetId}`, { as: "ann" })).json();
    const sha256 = new Bun.CryptoHasher("sha256").update("FILM12345678").digest("hex");
    expect(asset).toMatchObject({ name: "Süße .mp4", sizeBytes: 12, sha256 });
    const head = await ask(`${uploads}/${id}`, { method: "HEAD", as: "ann" });
    expect(head.headers.get("kinomill-asset")).toBe(assetId);
    expect(head.headers.get("upload-offset")).toBe("12");
    const after = await (await ask(`${uploads}/${id}`, { as: "ann" })).json();
    expect(after).toMatchObject({ state: "complete", offset: 12, assetId });
    expect(filesOf()).not.toContain(id);
    expect((await ask(`${uploads}/${id}`, { method: "DELETE", as: "ann" })).status).toBe(409);
    expect((await ask(`/api/v1/assets/${assetId}`, { as: "ann" })).status).toBe(200);
  });

  test("comes with its creation as well", async () => {
    const headers = { ...bytesType, "upload-length": "8", "upload-metadata": nameOf("one.mp4") };
    const made = await ask(uploads, { method: "POST", as: "ann", headers, body: "FILM1234" });
    expect([made.status, made.headers.get("upload-offset")]).toEqual([201, "8"]);
    expect(made.headers.get("kinomill-asset")).toMatch(/^as_/);
    const part = await ask(uploads, { method: "POST", as: "ann", headers, body: "FILM" });
    expect([part.status, part.headers.get("upload-offset")]).toEqual([201, "4"]);
    const id = (part.headers.get("location") ?? "").slice(uploads.length + 1);
    expect((await send("ann", id, 4, "5678")).headers.get("kinomill-asset")).toMatch(/^as_/);
  });

  test("of an equal file becomes no second asset when its sender says so, small or large", async () => {
    const reuse = `,ifExists ${btoa("reuse")}`;
    const put = (name: string, body: string, more = "") => {
      const headers = {
        ...bytesType,
        "upload-length": String(body.length),
        "upload-metadata": nameOf(name) + more,
      };
      return ask(uploads, { method: "POST", as: "bob", headers, body });
    };
    for (const body of ["FILM-twice", `FILM${"x".repeat(2 * 1024 ** 2)}`]) {
      const first = (await put("first.mp4", body)).headers.get("kinomill-asset") ?? "";
      home.site.clock.advance(1000);
      const again = await put("again.mp4", body, reuse);
      expect([again.status, again.headers.get("kinomill-asset")]).toEqual([201, first]);
      expect(again.headers.get("kinomill-reused")).toBe("true");
      const location = again.headers.get("location") ?? "";
      const told = (await (await ask(location, { as: "bob" })).json()) as { state: string };
      expect(told).toMatchObject({ state: "complete", assetId: first });
      expect(filesOf()).not.toContain(location.slice(uploads.length + 1));
      const both = await put("both.mp4", body);
      expect(both.headers.get("kinomill-asset")).not.toBe(first);
      expect(both.headers.get("kinomill-reused")).toBeNull();
    }
    // Somebody else's is none.
    const headers = {
      ...bytesType,
      "upload-length": "10",
      "upload-metadata": nameOf("hers.mp4") + reuse,
    };
    const hers = await ask(uploads, { method: "POST", as: "ann", headers, body: "FILM-twice" });
    expect(hers.headers.get("kinomill-reused")).toBeNull();
  });

  test("what is not media is refused and gone", async () => {
    const id = await begin("ann", 5);
    const refused = await send("ann", id, 0, "hello");
    expect([refused.status, ((await refused.json()) as Json).code]).toEqual([422, "not_media"]);
    expect(refused.headers.get("tus-resumable")).toBe("1.0.0");
    expect((await ask(`${uploads}/${id}`, { as: "ann" })).status).toBe(404);
    expect(filesOf()).not.toContain(id);
    const empty = await ask(uploads, {
      ...{ method: "POST", as: "ann", headers: { "upload-length": "0" } },
    });
    expect(empty.status).toBe(422);
  });

  test("more than was declared is refused whole, announced or not", async () => {
    const id = await begin("ann", 8);
    await send("ann", id, 0, "FILM");
    expect((await send("ann", id, 4, "12345")).status).toBe(413);
    const stream = new Blob(["123"]).stream();
    const unannounced = await ask(`${uploads}/${id}`, {
      ...{ method: "PATCH", as: "ann", headers: { ...bytesType, "upload-offset": "4" } },
      body: new ReadableStream({
        async start(controller) {
          for await (const chunk of stream) controller.enqueue(chunk);
          controller.enqueue(new TextEncoder().encode("456789"));
          controller.close();
        },
      }),
    });
    expect(unannounced.status).toBe(413);
    expect(await offsetOf("ann", id)).toBe("4");
  });

  test("a piece with a checksum is kept whole or not at all", async () => {
    const id = await begin("ann", 12);
    const sum = (algorithm: "sha1" | "md5" | "sha256", text: string) => ({
      "upload-checksum": `${algorithm} ${new Bun.CryptoHasher(algorithm).update(text).digest("base64")}`,
    });
    const wrong = await send("ann", id, 0, "FILM", sum("sha1", "FILN"));
    expect([wrong.status, ((await wrong.json()) as Json).code]).toEqual([460, "checksum_mismatch"]);
    expect(await offsetOf("ann", id)).toBe("0");
    expect((await send("ann", id, 0, "FILM", sum("sha1", "FILM"))).status).toBe(204);
    expect((await send("ann", id, 4, "1234", sum("md5", "1234"))).status).toBe(204);
    const last = await send("ann", id, 8, "5678", sum("sha256", "5678"));
    expect(last.headers.get("kinomill-asset")).toMatch(/^as_/);
  });

  test("PATCH by the name of POST, for proxies that know nothing else", async () => {
    const id = await begin("ann", 4);
    const headers = { ...bytesType, "upload-offset": "0", "x-http-method-override": "PATCH" };
    const sent = await ask(`${uploads}/${id}`, {
      method: "POST",
      as: "ann",
      headers,
      body: "FILM",
    });
    expect(sent.headers.get("kinomill-asset")).toMatch(/^as_/);
  });

  test("is given up: its bytes go", async () => {
    const id = await begin("ann", 10);
    await send("ann", id, 0, "FILM");
    expect(filesOf()).toContain(id);
    expect((await ask(`${uploads}/${id}`, { method: "DELETE", as: "ann" })).status).toBe(204);
    expect(filesOf()).not.toContain(id);
    expect((await ask(`${uploads}/${id}`, { method: "HEAD", as: "ann" })).status).toBe(404);
  });

  test("the list shows own ones that are not complete", async () => {
    const { items } = (await (await ask(uploads, { as: "bob" })).json()) as Json;
    expect(items).toEqual([
      expect.objectContaining({ id: home.places["bobs"], offset: 0, length: 10 }),
    ]);
  });

  test("from the own page with its cookie", async () => {
    const headers = { ...tus, "upload-length": "4" };
    const made = await home.site.ask(uploads, { method: "POST", browser: "ann", headers });
    expect(made.status).toBe(201);
  });

  test("what nobody goes on with is forgotten", async () => {
    const id = await begin("ann", 10);
    home.site.clock.advance(25 * 3600 * 1000);
    expect((await ask(`${uploads}/${id}`, { method: "HEAD", as: "ann" })).status).toBe(404);
    await home.site.parts.uploads.sweep();
    expect(filesOf()).toEqual([]);
  });
});

test("two thousand empty uploads of one person: the limit stands, and others are not affected", async () => {
  const statuses = new Map<number, number>();
  for (let count = 0; count < 2_000; count += 1) {
    const headers = { "upload-length": "10" };
    const { status } = await ask(uploads, { method: "POST", as: "bob", headers });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  const most = home.site.parts.config.uploads.unfinishedPerUser;
  expect([...statuses]).toEqual([
    [201, most],
    [429, 2_000 - most],
  ]);
  expect(filesOf().length).toBe(most);
  await begin("ann", 10);
}, 60_000);
