import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openSite, password, type SiteRig } from "../../tests/http/site.ts";

let home: SiteRig;
beforeAll(async () => {
  home = await openSite();
});
afterAll(() => home.close());

const html = { accept: "text/html" };
const get = (path: string, browser: "ann" | "bob" = "ann") =>
  home.ask(path, { browser, headers: html });
const post = (path: string, form: Record<string, string>, browser: "ann" | "bob" = "ann") =>
  home.ask(path, { browser, headers: html, form });
const textOf = async (path: string) => await (await get(path)).text();
const revision = () => String(home.parts.settings.revision);

describe("a member", () => {
  test("has their own account, and every other part is refused", async () => {
    const moved = await get("/settings", "bob");
    expect([moved.status, moved.headers.get("location")]).toEqual([303, "/settings/account"]);
    expect((await get("/settings/account", "bob")).status).toBe(200);
    const { id } = home.people.ann;
    for (const path of ["/settings/people", `/settings/people/${id}`, "/settings/acts"]) {
      expect([path, (await get(path, "bob")).status]).toEqual([path, 403]);
    }
    for (const path of [
      ...["/settings", "/settings/reset/jobs.runs", "/settings/people"],
      ...["role", "disable", "enable", "code", "allowance", "delete"].map(
        (act) => `/settings/people/${id}/${act}`,
      ),
    ]) {
      expect([path, (await post(path, { group: "jobs" }, "bob")).status]).toEqual([path, 403]);
    }
  });
});

describe("the page of the settings", () => {
  test("saves what was changed and leaves alone what was not", async () => {
    const before = revision();
    home.parts.settings.change({ id: "us_x", name: "eve" }, { "jobs.reuse": false }, 9);
    // The page was opened before eve's change: it still says that reuse is on.
    const form = { group: "jobs", revision: before, "jobs.runs": "4", "jobs.chunkSeconds": "45" };
    const saved = await post("/settings", form);
    expect([saved.status, saved.headers.get("location")]).toEqual([303, "/settings?said=saved"]);
    expect(home.parts.config.jobs).toMatchObject({ runs: 4, reuse: false, chunkSeconds: 45 });
    const page = await textOf("/settings?said=saved");
    expect(page).toContain("Saved.");
    expect(page).toContain('data-confirm-title="Back to the default?"');
  });

  test("takes sizes, lists and switches as people write them", async () => {
    await post("/settings", {
      ...{ group: "uploads", revision: revision(), "uploads.maxBytes": "1.5 TiB" },
    });
    expect(home.parts.config.uploads.maxBytes).toBe(1.5 * 1024 ** 4);
    expect(await textOf("/settings")).toContain('value="1536 GiB"');
    await post("/settings", {
      ...{ group: "gpu", revision: revision(), "gpu.leaveAlone": "1, 2", "gpu.whenNone": "wait" },
      "gpu.yieldToOthers": "true",
    });
    expect(home.parts.config.gpu).toMatchObject({ whenNone: "wait", yieldToOthers: true });
    const page = await textOf("/settings");
    expect(page).toContain("A change waits for a restart");
    expect(page).toContain('value="1, 2"');
  });

  test("shows a fault beside its field with what was typed, and changes nothing", async () => {
    const refused = await post("/settings", {
      ...{ group: "jobs", revision: revision(), "jobs.runs": "999", "jobs.verify": "quick" },
    });
    expect(refused.status).toBe(422);
    const page = await refused.text();
    expect(page).toContain('value="999"');
    expect(page).toMatch(/id="field-jobs-runs"[^>]*aria-invalid="true"/);
    expect(home.parts.config.jobs.verify).toBe("auto");
  });

  test("of two admins the slower one is told, and what they typed stays", async () => {
    const seen = revision();
    home.parts.settings.change({ id: "us_x", name: "eve" }, { "jobs.runs": 7 }, Number(seen));
    const stale = await post("/settings", { group: "jobs", revision: seen, "jobs.runs": "8" });
    expect(stale.status).toBe(412);
    const page = await stale.text();
    expect(page).toContain("by eve meanwhile");
    expect(page).toContain('value="8"');
    const [now = ""] = /name="revision" value="(\d+)"/.exec(page)?.slice(1) ?? [];
    await post("/settings", { group: "jobs", revision: now, "jobs.runs": "8" });
    expect(home.parts.config.jobs.runs).toBe(8);
  });

  test("goes back to the default, and the trail tells of it", async () => {
    const back = await post(`/settings/reset/jobs.runs?revision=${revision()}`, {});
    expect(back.headers.get("location")).toBe("/settings?said=reset");
    expect(home.parts.config.jobs.runs).toBe(3);
    expect(await textOf("/settings/acts?kind=setting.changed")).toContain("jobs.runs 8 → default");
  });

  test("names and words of others are never markup", async () => {
    home.accounts.invite("<img src=x hx-get='/x'>", "member");
    const page = await textOf("/settings/people");
    expect(page).not.toContain("<img src=x");
    expect(page).toContain("&lt;img src=x");
  });
});

describe("people", () => {
  test("are invited with a code, and come in with it", async () => {
    const made = await post("/settings/people", { name: "cid", role: "member", how: "code" });
    const page = await made.text();
    const code = /code=([0-9A-Z-]{23})/.exec(page)?.[1] ?? "";
    expect(code).not.toBe("");
    expect(await textOf("/settings/people")).not.toContain(code);
    const open = (path: string, form?: Record<string, string>) =>
      home.ask(path, {
        ...(form === undefined ? {} : { form }),
        headers: { ...html, origin: "http://localhost", "sec-fetch-site": "same-origin" },
      });
    expect(await (await open(`/invitation?code=${code}`)).text()).toContain("cid");
    expect((await open("/invitation?code=AAAAA")).status).toBe(403);
    const fresh = { code, password, repeat: "not the same" };
    expect((await open("/invitation", fresh)).status).toBe(422);
    const entered = await open("/invitation", { ...fresh, repeat: password });
    expect(entered.status).toBe(303);
    expect(entered.headers.get("set-cookie")).toContain("kinomill_session=");
    expect((await open("/invitation", { ...fresh, repeat: password })).status).toBe(403);
  });

  test("a fault stands beside its field, and what was typed stays", async () => {
    const refused = await post("/settings/people", {
      ...{ name: "dan", role: "admin", how: "password", password: "short" },
    });
    expect(refused.status).toBe(422);
    const page = await refused.text();
    expect(page).toContain('value="dan"');
    expect(page).toMatch(/id="field-password"[^>]*aria-invalid="true"/);
    expect(page).not.toContain('value="short"');
  });

  test("a page tells why somebody cannot be changed, and asks for the name before they go", async () => {
    const { id } = home.people.ann;
    const last = await post(`/settings/people/${id}/role`, { role: "member" });
    expect(last.status).toBe(409);
    expect(await last.text()).toContain("last admin");
    const user = await home.accounts.createUser("eva", "member", password);
    const here = `/settings/people/${user.id}`;
    const bad = await post(`${here}/allowance`, { quota: "lots", uploadDays: "x", outputDays: "" });
    expect(bad.status).toBe(422);
    expect(await bad.text()).toContain('value="lots"');
    await post(`${here}/allowance`, { quota: "100 GB", uploadDays: "7", outputDays: "" });
    expect(home.parts.library.allowances.of(user.id)).toEqual({
      ...{ quotaBytes: 100e9, uploadDays: 7, outputDays: null },
    });
    expect((await post(`${here}/delete`, { files: "delete", confirm: "ave" })).status).toBe(422);
    expect(home.accounts.findUser("eva")).not.toBeNull();
    const gone = await post(`${here}/delete`, { files: "delete", confirm: "eva" });
    expect(gone.headers.get("location")).toBe("/settings/people?said=deleted");
    expect(home.accounts.findUser("eva")).toBeNull();
  });
});

describe("one's own account", () => {
  test("makes a token that is shown once", async () => {
    const form = { label: "robot <b>", scopes: "read", days: "30" };
    const page = await (await post("/settings/account/tokens", form)).text();
    const secret = /kmt_[A-Za-z0-9_-]{43}/.exec(page)?.[0] ?? "";
    expect(home.accounts.tokenUser(secret)).toMatchObject({ name: "ann", scopes: ["read"] });
    const again = await textOf("/settings/account");
    expect(again).toContain("robot &lt;b&gt;");
    expect(again).not.toContain(secret);
    const none = await post("/settings/account/tokens", { label: "none", days: "30" });
    expect(none.status).toBe(422);
    const [token] = home.accounts.listTokens(home.people.ann.id).slice(-1);
    await post(`/settings/account/tokens/${token?.id}/revoke`, {});
    expect(home.accounts.tokenUser(secret)).toBeNull();
  });

  test("changes the password, which ends every other login", async () => {
    const other = await home.accounts.login("bob", password, "192.0.2.7");
    const change = (present: string, repeat: string) =>
      post("/settings/account/password", { present, password: "another good one", repeat }, "bob");
    expect((await change(password, "a third one")).status).toBe(422);
    const wrong = await change("not it", "another good one");
    expect(wrong.status).toBe(403);
    expect(await wrong.text()).toMatch(/id="field-present"[^>]*aria-invalid="true"/);
    expect((await change(password, "another good one")).status).toBe(303);
    expect(home.accounts.sessionUser(other.secret)).toBeNull();
    expect(home.accounts.sessionUser(home.people.bob.session)).not.toBeNull();
  });
});
