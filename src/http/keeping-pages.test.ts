import { afterAll, beforeAll, expect, test } from "bun:test";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";

let home: SiteRig;
beforeAll(async () => {
  home = await openSite();
});
afterAll(() => home.close());

const html = { accept: "text/html" };
const get = (path: string, browser: "ann" | "bob" = "ann") =>
  home.ask(path, { browser, headers: html });
const post = (path: string, browser: "ann" | "bob" = "ann", method = "POST") =>
  home.ask(path, { browser, method, headers: html });

test("a member sees and does nothing of it", async () => {
  for (const path of ["storage", "storage/live", "retention", "backups"]) {
    expect([path, (await get(`/settings/${path}`, "bob")).status]).toEqual([path, 403]);
  }
  for (const path of [
    ...["retention/sweep", "backups", "storage/test", "storage/move", "storage/check"],
  ]) {
    expect([path, (await post(`/settings/${path}`, "bob")).status]).toEqual([path, 403]);
  }
  expect((await post("/settings/storage/move", "bob", "DELETE")).status).toBe(403);
  const api = { method: "POST", as: "bob" } as const;
  expect((await home.ask("/api/v1/system/storage/test", api)).status).toBe(403);
});

test("retention shows the rules, the exceptions and what is due, and sweeps it", async () => {
  const id = await addFilm(home, "bob", "old <i>film.mp4");
  home.parts.library.allowances.change(home.people.bob.id, { uploadDays: 3 });
  home.parts.library.change(home.people.bob.id, id, { expiresAt: "2020-01-01T00:00:00.000Z" });
  const page = await (await get("/settings/retention")).text();
  expect(page).toContain("old &lt;i&gt;film.mp4");
  expect(page).toContain("Days of uploads: 3");
  expect(page).toContain("Into the bin: 1. For ever: 0.");
  const swept = await post("/settings/retention/sweep");
  expect(swept.headers.get("location")).toBe("/settings/retention?said=swept");
  expect(await (await get("/settings/retention")).text()).toContain("Nothing is due.");
  expect(home.parts.library.getKept(home.people.bob.id, id).name).toBe("old <i>film.mp4");
});

test("backups are made, and the page says how one is put back", async () => {
  expect(await (await get("/settings/backups")).text()).toContain("There is no backup yet.");
  const made = await post("/settings/backups");
  expect(made.headers.get("location")).toBe("/settings/backups?said=backup");
  const [backup] = (await home.parts.backups.state()).backups;
  expect(await (await get("/settings/backups")).text()).toContain(
    `kinomill restore ${backup?.name}`,
  );
});

test("storage is shown without its secret, tested and checked", async () => {
  const { s3 } = home.parts.config.storage;
  Object.assign(home.parts.config.storage, { kind: "s3" });
  Object.assign(s3, { bucket: "films", secretAccessKey: "very-secret", accessKeyId: "key" });
  const page = await (await get("/settings/storage")).text();
  Object.assign(home.parts.config.storage, { kind: "disk" });
  expect(page).toContain("films");
  expect(page).toContain("is set");
  expect(page).not.toContain("very-secret");
  const tested = await post("/settings/storage/test");
  expect(await tested.text()).toContain("It works.");
  const api = await home.ask("/api/v1/system/storage/test", { method: "POST", as: "ann" });
  const { items } = (await api.json()) as { items: { step: string; level: string }[] };
  expect(items.map(({ step, level }) => `${step} ${level}`)).toEqual([
    ...["write ok", "read ok", "delete ok"],
  ]);
  expect((await post("/settings/storage/check")).headers.get("location")).toContain("checking");
  const { items: acts } = (await (
    await home.ask("/api/v1/system/acts?limit=4", { as: "ann" })
  ).json()) as { items: { kind: string }[] };
  expect(acts.map(({ kind }) => kind)).toEqual(["storage.checked", "backup.made", "sweep.made"]);
});

test("a storage that does not take what it should says so", async () => {
  const { testStorage } = await import("../commands/storage-test.ts");
  const broken = {
    kind: "disk",
    put: () => Promise.reject(new Error("no space left")),
  } as unknown as Parameters<typeof testStorage>[0];
  expect(await testStorage(broken, null)).toEqual([
    { step: "write", level: "fault", meaning: "no space left", remedy: null },
  ]);
});
