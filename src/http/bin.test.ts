/** The bin, names, times, quotas and sweeps over HTTP, without a socket. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { addFilm, type Name, openSite, type SiteRig } from "../../tests/http/site.ts";

let site: SiteRig;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

/** Status and body of a call. */
async function call(as: Name, method: string, path: string, json?: unknown) {
  const options = json === undefined ? { method, as } : { method, as, json };
  const response = await site.ask(`/api/v1${path}`, options);
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}
const names = async (query: string, as: Name = "ann") =>
  (await call(as, "GET", `/assets${query}`)).body.items.map(({ name }: { name: string }) => name);

test("what is deleted stands in the bin and nowhere else, and comes back", async () => {
  const id = await addFilm(site, "ann", "undo.mp4");
  expect((await call("ann", "DELETE", `/assets/${id}`)).status).toBe(204);
  expect(await names("")).not.toContain("undo.mp4");
  expect(await names("?state=binned")).toEqual(["undo.mp4"]);
  expect(await names("?state=binned", "bob")).toEqual([]);
  expect((await call("ann", "GET", `/assets/${id}/content`)).status).toBe(404);
  expect((await call("ann", "PATCH", `/assets/${id}`, { name: "x" })).status).toBe(404);
  const job = { operation: "transcode", inputs: [id] };
  expect((await call("ann", "POST", "/jobs", job)).status).toBe(404);
  expect((await call("bob", "POST", `/assets/${id}/restore`)).status).toBe(404);
  const back = await call("ann", "POST", `/assets/${id}/restore`);
  expect(back).toMatchObject({ status: 200, body: { id, state: "ready" } });
  expect(back.body.binnedAt).toBeUndefined();
  expect(await names("")).toContain("undo.mp4");
  expect((await call("ann", "POST", `/assets/${id}/restore`)).body.code).toBe("wrong_state");
});

test("a binned one is deleted for ever by the same call, and the bin can be emptied", async () => {
  const [one, two] = [await addFilm(site, "ann"), await addFilm(site, "ann")];
  const forever = await addFilm(site, "ann");
  for (const id of [one, one, two]) {
    expect((await call("ann", "DELETE", `/assets/${id}`)).status).toBe(204);
  }
  expect((await call("ann", "DELETE", `/assets/${forever}?forever=true`)).status).toBe(204);
  expect((await call("ann", "DELETE", `/assets/${one}`)).status).toBe(404);
  expect((await call("ann", "DELETE", "/assets")).status).toBe(422);
  expect((await call("bob", "DELETE", "/assets?state=binned")).body).toEqual({
    ...{ deleted: 0, more: false },
  });
  expect((await call("ann", "DELETE", "/assets?state=binned")).body).toEqual({
    ...{ deleted: 1, more: false },
  });
  for (const id of [one, two, forever]) expect(await site.parts.storage.stat(id)).toBeNull();
});

test("name and time to go can be changed, in any zone, and taken back", async () => {
  const id = await addFilm(site, "ann", "plain.mp4");
  const change = { name: "better/name.mp4", expiresAt: "2026-03-01T01:00:00+01:00" };
  const changed = await call("ann", "PATCH", `/assets/${id}`, change);
  expect(changed).toMatchObject({ status: 200, body: { expiresAt: "2026-03-01T00:00:00.000Z" } });
  expect(changed.body.name).not.toContain("/");
  expect((await call("ann", "PATCH", `/assets/${id}`, { expiresAt: null })).body).toMatchObject({
    ...{ name: changed.body.name, expiresAt: null },
  });
  for (const wrong of [{}, { expiresAt: "tomorrow" }, { name: "" }, { owner: "bob" }]) {
    expect((await call("ann", "PATCH", `/assets/${id}`, wrong)).status).toBe(422);
  }
  expect((await call("bob", "PATCH", `/assets/${id}`, { name: "x" })).status).toBe(404);
});

test("an admin gives somebody a quota, which is told and kept", async () => {
  expect((await call("bob", "GET", "/users")).status).toBe(403);
  const bob = site.people.bob.id;
  expect((await call("bob", "PATCH", `/users/${bob}`, { quotaBytes: 0 })).status).toBe(403);
  expect((await call("ann", "PATCH", "/users/us_none", { quotaBytes: 1 })).status).toBe(404);
  expect((await call("ann", "PATCH", `/users/${bob}`, { quotaBytes: -1 })).status).toBe(422);
  await addFilm(site, "bob");
  const given = await call("ann", "PATCH", `/users/${bob}`, { quotaBytes: 20, outputDays: 3 });
  expect(given.body).toMatchObject({
    usage: { usedBytes: 14, binnedBytes: 0, assetCount: 1, quotaBytes: 20 },
    allowance: { quotaBytes: 20, uploadDays: null, outputDays: 3 },
  });
  const refused = await site.ask("/api/v1/assets?name=b.mp4", { as: "bob", body: "FILM567890" });
  expect(refused.status).toBe(413);
  const body = (await refused.json()) as { code: string; detail: string };
  expect(body.code).toBe("quota_exceeded");
  expect(body.detail).toMatch(/14 bytes of the 20/);
  expect((await call("bob", "GET", "/me")).body.usage.usedBytes).toBe(14);
  const uploads = await site.ask("/api/v1/uploads", {
    ...{ method: "POST", as: "bob" },
    headers: { "tus-resumable": "1.0.0", "upload-length": "10" },
  });
  expect([uploads.status, await uploads.text()]).toEqual([
    413,
    expect.stringContaining("quota_exceeded"),
  ]);
  const { id } = (await call("bob", "GET", "/assets")).body.items[0];
  await call("ann", "PATCH", `/users/${bob}`, { quotaBytes: 14 });
  const job = await call("bob", "POST", "/jobs", { operation: "transcode", inputs: [id] });
  expect([job.status, job.body.code]).toEqual([413, "quota_exceeded"]);
  await call("ann", "PATCH", `/users/${bob}`, { quotaBytes: null });
  expect((await call("bob", "GET", "/me")).body.usage.quotaBytes).toBeNull();
});

test("a preset and a job say how long what they make stays", async () => {
  const film = await addFilm(site, "ann");
  const wish = { name: "Short-lived", operation: "transcode", params: {}, expireDays: 3 };
  const preset = await call("ann", "POST", "/presets", wish);
  expect(preset.body.expireDays).toBe(3);
  const days = async (request: object) => {
    const { body } = await call("ann", "POST", "/jobs", { inputs: [film], ...request });
    return site.database
      .query<{ days: number | null }, [string]>("SELECT expire_days AS days FROM job WHERE id = ?1")
      .get(body.id)?.days;
  };
  expect(await days({ preset: preset.body.id })).toBe(3);
  expect(await days({ preset: preset.body.id, expireDays: 0 })).toBe(0);
  expect(await days({ operation: "transcode", expireDays: 9 })).toBe(9);
  expect(await days({ operation: "transcode" })).toBeNull();
});

test("a sweep is for admins, and a dry one touches nothing", async () => {
  expect((await call("bob", "GET", "/system/retention")).status).toBe(403);
  expect((await call("bob", "POST", "/system/sweep", {})).status).toBe(403);
  const id = await addFilm(site, "ann", "going.mp4");
  await call("ann", "PATCH", `/assets/${id}`, { expiresAt: "2020-01-01T00:00:00Z" });
  const dry = await call("ann", "POST", "/system/sweep", { dryRun: true });
  expect(dry.body).toMatchObject({ dryRun: true, expired: [{ id, name: "going.mp4" }] });
  const { body } = await call("ann", "GET", "/system/retention");
  expect(body).toMatchObject({ rules: { binDays: 7, quotaBytes: 0 }, expired: [{ id }] });
  expect(await names("")).toContain("going.mp4");
  expect((await call("ann", "POST", "/system/sweep", {})).body.expired).toMatchObject([{ id }]);
  expect(await names("?state=binned")).toContain("going.mp4");
});

/** A page or a fragment as ann's browser gets it. */
const browse = async (path: string, options: { method?: string; htmx?: boolean } = {}) => {
  const { method = "GET", htmx = false } = options;
  const response = await site.ask(path, {
    ...{ method, browser: "ann", headers: htmx ? { "hx-request": "true" } : {} },
    ...(method === "POST" ? { form: { to: "library" } } : {}),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

test("the page offers an undo after a deletion, and a bin with the way back and the way out", async () => {
  const id = await addFilm(site, "ann", 'Süße "Ente".mp4');
  expect((await browse(`/assets/${id}`)).text).toContain("stays there 7 days");
  const gone = await browse(`/ui/assets/${id}`, { method: "DELETE", htmx: true });
  expect(gone.headers.get("hx-redirect")).toBe(`/?deleted=${id}`);
  const library = await browse(`/?deleted=${id}`);
  expect(library.text).toContain("Undo");
  expect(library.text).toContain("Süße &quot;Ente&quot;.mp4");
  expect((await browse("/?deleted=as_none")).text).not.toContain("Undo");
  const bin = await browse("/bin");
  expect(bin.text).toContain(`id="binned-${id}"`);
  expect(bin.text).toContain("of it in the bin");
  expect(await (await site.ask("/bin", { browser: "bob" })).text()).not.toContain("Ente");
  // Without scripts the form leads back; with them the page is told to fetch itself.
  const back = await browse(`/ui/bin/${id}/restore`, { method: "POST" });
  expect([back.status, back.headers.get("location")]).toEqual([303, "/bin"]);
  expect((await browse(`/?deleted=${id}`)).text).not.toContain("Undo");
  await browse(`/ui/assets/${id}`, { method: "DELETE", htmx: true });
  const forever = await browse(`/ui/bin/${id}`, { method: "DELETE", htmx: true });
  expect([forever.status, forever.headers.get("hx-trigger")]).toEqual([204, "bin"]);
  expect(await site.parts.storage.stat(id)).toBeNull();
  await browse("/ui/bin", { method: "DELETE", htmx: true });
  expect((await browse("/ui/bin", { htmx: true })).text).toContain("Nothing is in the bin");
});

test("the page of a file that expires says when, and keeps it on a click", async () => {
  const id = await addFilm(site, "ann");
  await call("ann", "PATCH", `/assets/${id}`, { expiresAt: "2030-01-01T00:00:00Z" });
  expect((await browse(`/assets/${id}`)).text).toContain("Goes into the bin at");
  expect((await browse(`/ui/assets/${id}/keep`, { method: "POST", htmx: true })).status).toBe(204);
  expect((await browse(`/assets/${id}`)).text).not.toContain("Goes into the bin at");
});
