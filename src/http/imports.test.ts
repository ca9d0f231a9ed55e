import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Json } from "../../tests/api.ts";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";
import { importShape } from "./shapes.ts";

let rig: SiteRig;
beforeAll(async () => {
  rig = await openSite();
});
afterAll(() => rig.close());

const post = async (json: unknown, as: "ann" | "bob" = "ann") => {
  const response = await rig.ask("/api/v1/assets/import", { as, json });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Json,
  };
};
const get = async (path: string, as: "ann" | "bob" = "ann") => {
  const response = await rig.ask(`/api/v1${path}`, { as });
  return { status: response.status, body: (await response.json()) as Json };
};

describe("POST /assets/import", () => {
  test("takes a link and says where to ask; the asset's address tells how it stands", async () => {
    const made = await post({ url: "https://user:pw@films.test/a%20b.mp4?sig=hush#t" });
    expect(made.status).toBe(202);
    expect(importShape.parse(made.body)).toMatchObject({
      name: "a b.mp4",
      state: "importing",
      phase: "waiting",
      sizeBytes: null,
      receivedBytes: 0,
      origin: { kind: "import", url: "https://films.test/a%20b.mp4?…" },
      error: null,
    });
    expect(made.headers.get("location")).toBe(`/api/v1/assets/${made.body.id}`);
    expect(JSON.stringify(made.body)).not.toMatch(/hush|pw/);
    expect((await get(`/assets/${made.body.id}`)).body).toEqual(made.body);
  });

  test("takes a list, and a name with a single link", async () => {
    const made = await post({ urls: ["https://films.test/1.mp4", "https://films.test/2.mp4"] });
    expect(made.status).toBe(202);
    expect(made.body.items.map(({ name }: { name: string }) => name)).toEqual(["1.mp4", "2.mp4"]);
    expect((await post({ url: "https://films.test/3.mp4", name: "three" })).body.name).toBe(
      "three",
    );
    const { body } = await get("/assets/imports?limit=2");
    expect(body.items.map(({ name }: { name: string }) => name)).toEqual(["three", "2.mp4"]);
    const next = await get(`/assets/imports?after=${body.next}`);
    expect(next.body.items[0].name).toBe("1.mp4");
  });

  test.each([
    [{}, "invalid"],
    [{ url: "" }, "invalid"],
    [{ url: "https://a.test/", urls: ["https://a.test/"] }, "invalid"],
    [{ urls: [] }, "invalid"],
    [{ url: "nonsense" }, "bad_link"],
    [{ url: "file:///etc/passwd" }, "link_refused"],
    [{ url: "s3://bucket/key" }, "link_refused"],
    [{ url: "http://127.0.0.1/" }, "link_refused"],
    [{ url: "http://[::1]/" }, "link_refused"],
    [{ url: "http://localhost/" }, "link_refused"],
    [{ urls: ["https://a.test/", "http://10.0.0.1/"] }, "link_refused"],
  ])("refuses %j with %s, and takes nothing", async (body, code) => {
    const before = (await get("/assets/imports")).body.items.length;
    const refused = await post(body);
    expect([refused.status, refused.body.code]).toEqual([422, code]);
    expect((await get("/assets/imports")).body.items).toHaveLength(before);
  });

  test("takes a hundred links in one call and no more", async () => {
    const urls = Array.from({ length: 101 }, (_, n) => `https://a.test/${n}`);
    expect((await post({ urls })).status).toBe(422);
    const made = await post({ urls: urls.slice(1) }, "bob");
    expect(made.body.items).toHaveLength(100);
    for (const { id } of made.body.items) {
      await rig.ask(`/api/v1/assets/${id}`, { as: "bob", method: "DELETE" });
    }
    expect((await get("/assets/imports", "bob")).body.items).toEqual([]);
  });

  test("needs a login", async () => {
    const json = { url: "https://a.test/" };
    expect((await rig.ask("/api/v1/assets/import", { json })).status).toBe(401);
  });
});

describe("an import of somebody", () => {
  test("is nobody else's to see, cancel or retry", async () => {
    const { id } = (await post({ url: "https://films.test/mine.mp4" })).body;
    expect((await get(`/assets/${id}`, "bob")).status).toBe(404);
    expect((await rig.ask(`/api/v1/assets/${id}`, { as: "bob", method: "DELETE" })).status).toBe(
      404,
    );
    const retry = await rig.ask(`/api/v1/assets/imports/${id}/retry`, {
      as: "bob",
      method: "POST",
    });
    expect(retry.status).toBe(404);
    expect((await get("/assets/imports", "bob")).body.items).toEqual([]);
    expect((await get(`/assets/${id}`)).status).toBe(200);
  });

  test("is cancelled by deleting it, and only a failed one is tried again", async () => {
    const { id } = (await post({ url: "https://films.test/gone.mp4" })).body;
    const retry = await rig.ask(`/api/v1/assets/imports/${id}/retry`, {
      as: "ann",
      method: "POST",
    });
    expect([retry.status, ((await retry.json()) as Json).code]).toEqual([409, "wrong_state"]);
    const gone = await rig.ask(`/api/v1/assets/${id}`, { as: "ann", method: "DELETE" });
    expect(gone.status).toBe(204);
    expect((await get(`/assets/${id}`)).status).toBe(404);
  });
});

describe("an equal file", () => {
  const upload = async (name: string, query = "") => {
    const response = await rig.ask(`/api/v1/assets?name=${name}${query}`, {
      as: "bob",
      body: "FILM-equal",
    });
    return { status: response.status, body: (await response.json()) as Json };
  };

  test("is told of with keep, given instead with reuse, and found by its hash", async () => {
    const first = await upload("one.mp4");
    expect([first.status, first.body.duplicateOf]).toEqual([201, null]);
    const second = await upload("two.mp4");
    expect([second.status, second.body.duplicateOf]).toEqual([201, first.body.id]);
    expect((await get(`/assets/${second.body.id}`, "bob")).body.duplicateOf).toBe(first.body.id);
    const third = await upload("three.mp4", "&ifExists=reuse");
    expect([third.status, third.body.id]).toEqual([200, first.body.id]);
    const hash = first.body.sha256.toUpperCase();
    const found = await get(`/assets?sha256=${hash}`, "bob");
    expect(found.body.items.map(({ id }: { id: string }) => id)).toEqual([
      second.body.id,
      first.body.id,
    ]);
    expect((await get(`/assets?sha256=${hash}`)).body.items).toEqual([]);
    expect((await get("/assets?sha256=abc", "bob")).status).toBe(422);
  });

  test("of somebody else is none", async () => {
    await addFilm(rig, "ann", "hers.mp4", "FILM-hers");
    const response = await rig.ask("/api/v1/assets?name=his.mp4&ifExists=reuse", {
      as: "bob",
      body: "FILM-hers",
    });
    expect([response.status, ((await response.json()) as Json).duplicateOf]).toEqual([201, null]);
  });
});
