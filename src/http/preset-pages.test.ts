import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Name, openSite, type SiteRig } from "../../tests/http/site.ts";

let home: SiteRig;
beforeAll(async () => {
  home = await openSite();
});
afterAll(() => home.close());

const html = { accept: "text/html" };
const here = "/settings/presets";
const get = async (browser: Name, path = here) =>
  await (await home.ask(path, { browser, headers: html })).text();
const post = (path: string, form: Record<string, string> = {}, browser: Name = "ann") =>
  home.ask(`${here}${path}`, { browser, headers: html, form });
const make = (owner: Name, name: string) =>
  home.parts.presets.create(home.people[owner].id, { name, operation: "transcode", params: {} });

test("a preset is renamed and deleted by whoever saw how it is", async () => {
  const preset = make("bob", "first <b>");
  expect(await get("bob")).toContain("first &lt;b&gt;");
  const seen = { version: String(preset.version) };
  expect((await post(`/${preset.id}/rename`, { ...seen, name: "second" }, "bob")).status).toBe(303);
  expect(home.parts.presets.get(home.people.bob.id, preset.id).name).toBe("second");
  expect((await post(`/${preset.id}/rename`, { ...seen, name: "third" }, "bob")).status).toBe(409);
  expect((await post(`/${preset.id}/delete?version=1`, {}, "bob")).status).toBe(409);
  expect((await post(`/${preset.id}/delete?version=2`, {}, "bob")).status).toBe(303);
  expect(home.parts.presets.mine(home.people.bob.id)).toEqual([]);
});

test("an admin shares one: others use it, and cannot change it", async () => {
  const { presets } = home.parts;
  const preset = make("ann", "House style");
  const bob = home.people.bob.id;
  expect(() => presets.get(bob, preset.id)).toThrow("no such preset");
  expect((await post(`/${preset.id}/share`, {}, "bob")).status).toBe(403);
  await post(`/${preset.id}/share`);
  expect(presets.get(bob, "house style")).toMatchObject({ shared: true, sharedBy: "ann" });
  expect(await get("bob")).toContain("House style");
  expect(() => presets.delete(bob, preset.id, null)).toThrow("somebody else's");
  const mine = make("bob", "House style");
  expect(presets.get(bob, "house style").id).toBe(mine.id);
  await post(`/${preset.id}/unshare`);
  expect(presets.list(bob).filter(({ sharedBy }) => sharedBy !== null)).toEqual([]);
  const api = await home.ask(`/api/v1/presets/${preset.id}/share`, {
    ...{ method: "POST", as: "ann", json: { shared: true } },
  });
  expect(await api.json()).toMatchObject({ shared: true, sharedBy: null });
});

test("what is exported is read in elsewhere, all of it or nothing", async () => {
  const { presets } = home.parts;
  const exported = await get("ann", `${here}/export`);
  expect(JSON.parse(exported)).toMatchObject({ presets: [{ name: "House style" }] });
  const bob = home.people.bob.id;
  const file = {
    presets: [
      { name: "House style", operation: "transcode", params: { container: "mkv" } },
      { name: "Another", operation: "transcode", params: {} },
    ],
  };
  const read = (value: unknown) => post("/import", { presets: JSON.stringify(value) }, "bob");
  expect((await read(file)).status).toBe(303);
  expect(presets.mine(bob).map(({ name }) => name)).toEqual(["Another", "House style"]);
  expect(presets.get(bob, "House style").params).toEqual({ container: "mkv" });
  const bad = {
    presets: [
      { ...file.presets[1], name: "New" },
      { ...file.presets[0], params: { x: 1 } },
    ],
  };
  const refused = await read(bad);
  expect(refused.status).toBe(422);
  expect(await refused.text()).toContain("“House style”");
  expect(presets.mine(bob).length).toBe(2);
  expect((await post("/import", { presets: "[1" }, "bob")).status).toBe(422);
});
