/** Filters, orders and what is done to several assets, over HTTP without a socket. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Json } from "../../tests/api.ts";
import { addFilm, type Name, openSite, type SiteRig } from "../../tests/http/site.ts";

let site: SiteRig;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

async function call(as: Name, method: string, path: string, json?: unknown) {
  const options = json === undefined ? { method, as } : { method, as, json };
  const response = await site.ask(`/api/v1${path}`, options);
  return { status: response.status, body: (await response.json()) as Json };
}
const names = async (query: string, as: Name = "ann") =>
  (await call(as, "GET", `/assets${query}`)).body.items.map(({ name }: { name: string }) => name);

test("labels are given to several, listed, filtered by and taken off again", async () => {
  const ids = [await addFilm(site, "ann", "one.mp4"), await addFilm(site, "ann", "two.mp4")];
  const foreign = await addFilm(site, "bob", "three.mp4");
  const given = await call("ann", "POST", "/assets/labels", {
    ids: [...ids, foreign, ids[0]],
    add: [" cup  final ", '<b hx-get="/x">'],
  });
  expect(given).toEqual({
    status: 200,
    body: { done: ids, unchanged: [expect.objectContaining({ id: foreign, code: "not_found" })] },
  });
  expect((await call("ann", "GET", `/assets/${ids[0]}`)).body.labels).toEqual([
    "cup final",
    '<b hx-get="/x">',
  ]);
  expect(await names("?label=cup%20final")).toEqual(["two.mp4", "one.mp4"]);
  expect(await names("?label=cup")).toEqual([]);
  expect(await names("?label=cup%20final", "bob")).toEqual([]);
  expect((await call("ann", "GET", "/assets/labels")).body.items).toEqual([
    { name: '<b hx-get="/x">', assets: 2 },
    { name: "cup final", assets: 2 },
  ]);
  await call("ann", "POST", "/assets/labels", { ids: [ids[0]], remove: ["cup final"] });
  expect(await names("?label=cup%20final")).toEqual(["two.mp4"]);
  const replaced = await call("ann", "PATCH", `/assets/${ids[0]}`, { labels: ["last"] });
  expect(replaced.body.labels).toEqual(["last"]);
});

test("labels that cannot be are refused, each by its place", async () => {
  const id = await addFilm(site, "ann");
  const wrong = { ids: [id], add: ["", "x".repeat(300)] };
  const { status, body } = await call("ann", "POST", "/assets/labels", wrong);
  expect(status).toBe(422);
  expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(["add.0", "add.1"]);
  for (const nothing of [{ ids: [id] }, { ids: [], add: ["a"] }, { ids: [id], put: ["a"] }]) {
    expect((await call("ann", "POST", "/assets/labels", nothing)).status).toBe(422);
  }
});

test("several go into the bin and come back; one that is in use stays and says so", async () => {
  const ids = [await addFilm(site, "ann", "gone.mp4"), await addFilm(site, "ann", "used.mp4")];
  const job = { operation: "transcode", inputs: [ids[1]], params: {} };
  expect((await call("ann", "POST", "/jobs", job)).status).toBe(202);
  expect(await names("?state=working")).toEqual(["used.mp4"]);
  const deleted = await call("ann", "POST", "/assets/delete", { ids });
  expect(deleted.body.done).toEqual([ids[0]]);
  expect(deleted.body.unchanged).toMatchObject([{ id: ids[1], code: "in_use" }]);
  const back = await call("ann", "POST", "/assets/restore", { ids });
  expect(back.body.done).toEqual([ids[0]]);
  expect(back.body.unchanged).toMatchObject([{ id: ids[1], code: "wrong_state" }]);
});

test("pages in another order go by their own cursor", async () => {
  const all = await names("?sort=name&limit=200");
  expect(all).toEqual(all.toSorted((one: string, other: string) => one.localeCompare(other)));
  const first = (await call("ann", "GET", "/assets?sort=name&limit=2")).body;
  expect(await names(`?sort=name&limit=200&after=${first.next}`)).toEqual(all.slice(2));
  expect((await call("ann", "GET", `/assets?sort=largest&after=${first.next}`)).status).toBe(422);
  for (const wrong of ["sort=best", "resolution=big", "minSeconds=-1", "state=gone", "owner=bob"]) {
    expect((await call("ann", "GET", `/assets?${wrong}`)).status).toBe(422);
  }
  const film = "kind=video&codec=h264&resolution=sd&minSeconds=1&maxSeconds=3&origin=upload";
  expect(await names(`?${film}&sort=name&limit=200`)).toEqual(all);
  expect(await names("?minSeconds=3")).toEqual([]);
  expect(await names("?state=expiring")).toEqual([]);
});
