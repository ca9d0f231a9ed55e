import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Name, openSite, type SiteRig } from "../../tests/http/site.ts";

let home: SiteRig;
beforeAll(async () => {
  home = await openSite();
});
afterAll(() => home.close());

const path = "/api/v1/settings";
const change = (values: Record<string, unknown>, etag: string | null, as: Name = "ann") =>
  home.ask(path, {
    ...{ method: "PATCH", as, json: { values } },
    headers: etag === null ? {} : { "if-match": etag },
  });
const read = async () => {
  const response = await home.ask(path, { as: "ann" });
  const body = (await response.json()) as {
    revision: number;
    items: { key: string; value: unknown; origin: string; changedBy: string | null }[];
  };
  return { etag: response.headers.get("etag"), body, of: (key: string) => itemOf(body.items, key) };
};
const itemOf = <T extends { key: string }>(items: T[], key: string): T | undefined =>
  items.find((item) => item.key === key);

describe("settings", () => {
  test("are for admins alone", async () => {
    for (const where of [path, "/api/v1/system/acts"]) {
      expect((await home.ask(where, { as: "bob" })).status).toBe(403);
      expect((await home.ask(where)).status).toBe(401);
    }
    expect((await change({ "jobs.runs": 2 }, '"0"', "bob")).status).toBe(403);
  });

  test("are read with their ETag, changed with it, and refused without", async () => {
    const { etag } = await read();
    expect((await change({ "jobs.runs": 4 }, null)).status).toBe(428);
    const changed = await change({ "jobs.runs": 4 }, etag);
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
    expect((await read()).of("jobs.runs")).toMatchObject({
      ...{ value: 4, origin: "page", changedBy: "ann", editable: true, kind: "number", max: 20 },
    });
    const stale = await change({ "jobs.runs": 5 }, etag);
    expect(stale.status).toBe(412);
    expect(await stale.json()).toMatchObject({ errors: [{ path: "jobs.runs" }] });
    expect((await change({ "jobs.runs": 4 }, "W/nonsense")).status).toBe(412);
  });

  test("a fault names its setting, and nothing is changed", async () => {
    const { etag } = await read();
    const refused = await change({ "jobs.runs": "many", "log.level": "debug" }, etag);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      ...{ code: "invalid_settings", errors: [{ path: "jobs.runs" }] },
    });
    expect((await read()).of("log.level")).toMatchObject({ value: "info", origin: "default" });
  });

  test("no admin shuts themselves out: the name by which they are here stays", async () => {
    const asked = (values: Record<string, unknown>) =>
      home.ask(path, {
        ...{ method: "PATCH", as: "ann", json: { values } },
        headers: { "if-match": '"99999"', host: "box.example" },
      });
    expect((await asked({ hosts: ["box.example"] })).status).toBe(421);
    expect((await change({ hosts: ["box.example"] }, '"99999"')).status).toBe(200);
    const refused = await asked({ hosts: ["other.example"] });
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ errors: [{ path: "hosts" }] });
    expect((await asked({ hosts: ["box.example", "other.example"] })).status).toBe(200);
  });

  test("secrets are never among them", async () => {
    const text = JSON.stringify((await read()).body);
    expect(text).toContain("storage.s3.secretAccessKey");
    expect((await read()).of("storage.s3.secretAccessKey")).toMatchObject({ value: "" });
  });
});

test("the trail tells who changed what, page by page", async () => {
  const get = async (query: string) =>
    (await (await home.ask(`/api/v1/system/acts${query}`, { as: "ann" })).json()) as {
      items: { id: number; who: string; token: string | null; subject: string }[];
    };
  const { items } = await get("?kind=setting.changed&limit=2");
  expect(items.map(({ who, token }) => [who, token])).toEqual([
    ["ann", "test"],
    ["ann", "test"],
  ]);
  const further = await get(`?kind=setting.changed&limit=2&before=${items[1]?.id}`);
  expect(further.items.map(({ subject }) => subject)).toEqual(["jobs.runs"]);
  expect((await home.ask("/api/v1/system/acts?kind=nothing", { as: "ann" })).status).toBe(422);
});
