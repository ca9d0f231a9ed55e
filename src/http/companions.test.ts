/** Companions over HTTP, without a socket; the runner of the rig makes none, so tests put them there. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";
import { companionKey } from "../assets/companion.ts";

// biome-ignore lint/suspicious/noExplicitAny: the answer is what is tested.
type Json = any;

let rig: SiteRig;
let id = "";

beforeAll(async () => {
  rig = await openSite();
  id = await addFilm(rig, "ann");
});

afterAll(() => rig.close());

const at = (rest = "") => `/api/v1/assets/${id}/companions${rest}`;

test("nothing is there before somebody asks, and asking twice is asking once", async () => {
  const list = (await (await rig.ask(at(), { as: "ann" })).json()) as Json;
  expect(list.items.map((item: Json) => [item.kind, item.state])).toEqual(
    ["sprite", "peaks", "proxy"].map((kind) => [kind, "absent"]),
  );
  const missing = await rig.ask(at("/sprite"), { as: "ann" });
  expect([missing.status, ((await missing.json()) as Json).code]).toEqual([404, "no_companion"]);
  for (const _ of [1, 2]) {
    const asked = await rig.ask(at("/sprite"), { as: "ann", method: "POST" });
    expect(asked.status).toBe(202);
    expect(await asked.json()).toMatchObject({ asset: id, kind: "sprite", state: "wanted" });
  }
});

test("what is there is given in ranges, and answers 304 to who has it", async () => {
  const path = `${rig.folder}/copy`;
  await Bun.write(path, "0123456789");
  rig.library.companions.want(id, "proxy");
  await rig.parts.storage.put(companionKey(id, "proxy"), Bun.file(path).stream(), {
    limitBytes: 100,
  });
  rig.library.companions.setReady({ assetId: id, kind: "proxy" }, { sizeBytes: 10, facts: null });
  const headers = { range: "bytes=2-4" };
  const part = await rig.ask(at("/proxy"), { as: "ann", headers });
  expect([part.status, await part.text(), part.headers.get("content-type")]).toEqual([
    ...[206, "234", "video/mp4"],
  ]);
  const etag = part.headers.get("etag") ?? "";
  const again = await rig.ask(at("/proxy"), { as: "ann", headers: { "if-none-match": etag } });
  expect(again.status).toBe(304);
  const ready = await rig.ask(at("/proxy"), { as: "ann", method: "POST" });
  expect([ready.status, ((await ready.json()) as Json).state]).toEqual([200, "ready"]);
});

test("what is lost is made again", async () => {
  rig.library.companions.want(id, "peaks");
  rig.library.companions.setReady({ assetId: id, kind: "peaks" }, { sizeBytes: 9, facts: null });
  const lost = await rig.ask(at("/peaks"), { as: "ann" });
  expect([lost.status, ((await lost.json()) as Json).code]).toEqual([404, "no_companion"]);
  expect(rig.library.companions.find(id, "peaks").state).toBe("wanted");
});

test("another person finds none of it, and there are no other kinds", async () => {
  for (const [path, method] of [
    [at(), "GET"],
    [at("/proxy"), "GET"],
    [at("/proxy"), "POST"],
  ] as const) {
    expect((await rig.ask(path, { as: "bob", method })).status).toBe(404);
  }
  for (const method of ["GET", "POST"]) {
    const answer = await rig.ask(at("/thumbnail"), { as: "ann", method });
    expect([answer.status, ((await answer.json()) as Json).code]).toEqual([404, "not_found"]);
  }
  expect((await rig.ask(at())).status).toBe(401);
});

test("the bytes go when the asset goes", async () => {
  await rig.library.delete(rig.people.ann.id, id, { forever: true });
  expect(await rig.parts.storage.stat(companionKey(id, "proxy"))).toBeNull();
  expect(rig.library.companions.kindsOf(id)).toEqual([]);
});
