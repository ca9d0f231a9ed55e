import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { addFilm, openSite, password, type SiteRig } from "../../tests/http/site.ts";

let home: SiteRig;
beforeAll(async () => {
  home = await openSite();
});
afterAll(() => home.close());

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function call(
  method: string,
  path: string,
  json?: unknown,
  as: "ann" | "bob" = "ann",
): Promise<Answer> {
  const response = await home.ask(`/api/v1${path}`, {
    ...{ method, as },
    ...(json === undefined ? {} : { json }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
}

async function newcomer(name: string): Promise<string> {
  const { body } = await call("POST", "/users", { name, password });
  return (body["person"] as { id: string }).id;
}

const withToken = (secret: string, path: string, method = "GET") =>
  home.ask(`/api/v1${path}`, { method, headers: { authorization: `Bearer ${secret}` } });

test("a member may do nothing of it", async () => {
  const { id } = home.people.bob;
  for (const [method, path, json] of [
    ["GET", "/users"],
    ["POST", "/users", { name: "x" }],
    ["POST", `/users/${id}/invitation`],
    ["PATCH", `/users/${id}`, { role: "admin" }],
    ["DELETE", `/users/${id}?files=delete`],
  ] as const) {
    expect([method, path, (await call(method, path, json, "bob")).status]).toEqual([
      ...[method, path, 403],
    ]);
  }
});

describe("people", () => {
  test("are invited, come in with the code, and change their role", async () => {
    const made = await call("POST", "/users", { name: "cid", role: "member" });
    expect(made.status).toBe(201);
    const { code } = made.body["invitation"] as { code: string };
    const { id } = made.body["person"] as { id: string };
    expect(made.body["person"]).toMatchObject({ name: "cid", hasPassword: false });
    const { accounts } = home.parts;
    await accounts.acceptInvitation(code, password, { peer: "::1" });
    expect((await call("PATCH", `/users/${id}`, { role: "admin" })).body).toMatchObject({
      ...{ role: "admin", hasPassword: true, disabledAt: null },
    });
    expect((await call("PATCH", `/users/${id}`, { disabled: true, role: "member" })).body).toEqual(
      expect.objectContaining({ role: "member", disabledAt: expect.any(String) }),
    );
    expect((await call("POST", "/users", { name: "CID", password })).status).toBe(409);
    expect((await call("POST", "/users", { name: "dan", password: "short" })).status).toBe(422);
    const { items } = (await call("GET", "/system/acts?subject=cid")).body as {
      items: { kind: string }[];
    };
    expect(items.map(({ kind }) => kind)).toEqual([
      "user.disabled",
      "user.role",
      "user.role",
      "user.invited",
    ]);
  });

  test("the last admin stays one", async () => {
    const { id } = home.people.ann;
    for (const change of [{ role: "member" }, { disabled: true }]) {
      const { status, body } = await call("PATCH", `/users/${id}`, change);
      expect([status, body["code"]]).toEqual([409, "last_admin"]);
    }
    expect((await call("DELETE", `/users/${id}?files=delete`)).body["code"]).toBe("last_admin");
  });

  test("whoever goes leaves their files to somebody, with labels and jobs", async () => {
    const id = await newcomer("eva");
    const { accounts, library, estates } = home.parts;
    const eva = { id };
    Object.assign(home.people, { eva });
    const film = await addFilm(home, "eva" as "bob", "evas.mp4", "FILM of eva");
    library.change(id, film, { labels: ["match"] });
    const before = library.allowances.usage(home.people.bob.id).assetCount;
    expect(estates.of(id)).toMatchObject({ assets: 1, unfinishedJobs: 0 });
    for (const heir of [id, "us_nobody", ""]) {
      const { body } = await call("DELETE", `/users/${id}?files=give&to=${heir}`);
      expect(body["code"]).toBe("invalid_heir");
    }
    const gone = await call("DELETE", `/users/${id}?files=give&to=${home.people.bob.id}`);
    expect(gone.status).toBe(204);
    expect(library.get(home.people.bob.id, film).name).toBe("evas.mp4");
    expect(library.allowances.usage(home.people.bob.id).assetCount).toBe(before + 1);
    expect(library.allowances.usage(id).assetCount).toBe(0);
    const labels = home.database
      .query("SELECT owner_id AS owner, assets FROM asset_label WHERE name = 'match'")
      .all();
    expect(labels).toEqual([{ owner: home.people.bob.id, assets: 1 }]);
    expect(accounts.findUser("eva")).toBeNull();
    expect((await call("GET", `/assets/${film}`, undefined, "bob")).status).toBe(200);
  });

  test("or takes them along, for ever", async () => {
    const id = await newcomer("fay");
    Object.assign(home.people, { fay: { id } });
    const film = await addFilm(home, "fay" as "bob", "fays.mp4", "FILM of fay");
    expect((await call("DELETE", `/users/${id}?files=delete`)).status).toBe(204);
    expect(home.database.query("SELECT 1 FROM asset WHERE id = ?").get(film)).toBeNull();
    expect((await call("DELETE", `/users/${id}?files=delete`)).status).toBe(404);
  });

  test("nobody goes while a job of theirs waits, and nothing is changed then", async () => {
    const id = await newcomer("gil");
    Object.assign(home.people, { gil: { id } });
    const film = await addFilm(home, "gil" as "bob", "gils.mp4", "FILM of gil");
    const request = { operation: "probe-report", inputs: [film], params: {} };
    const [operation] = home.parts.operations;
    const job = { ...request, operation: operation?.name ?? "", params: operation?.example ?? {} };
    await home.parts.jobs.submit({ id, name: "gil" }, { ...job, priority: 0, labels: {} }, null);
    const { status, body } = await call("DELETE", `/users/${id}?files=delete`);
    expect([status, body["code"]]).toEqual([409, "unfinished"]);
    expect(home.parts.accounts.findUser("gil")).not.toBeNull();
    expect(home.parts.accounts.listPeople().at(-1)?.disabledAt).toBeNull();
  });
});

test("every table that says whose a row is, is cared for when somebody goes", async () => {
  const { inherited, leftBehind } = await import("../jobs/estate.ts");
  const owned = home.database
    .query<{ name: string }, []>(
      `SELECT t.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
       WHERE t.type = 'table' AND c.name = 'owner_id' ORDER BY t.name`,
    )
    .all()
    .map(({ name }) => name);
  expect(owned).toEqual([...inherited, ...leftBehind].sort());
});

describe("one's own account", () => {
  test("tokens have scopes, which every call goes by", async () => {
    const made = await call("POST", "/me/tokens", { label: "reader", scopes: ["read"], days: 3 });
    expect(made.status).toBe(201);
    const secret = made.body["secret"] as string;
    expect((await withToken(secret, "/assets")).status).toBe(200);
    expect((await withToken(secret, "/me")).status).toBe(200);
    for (const [method, path] of [
      ["POST", "/assets?name=x.mp4"],
      ["POST", "/jobs"],
      ["GET", "/me/tokens"],
      ["GET", "/settings"],
      ["GET", "/users"],
      ["PATCH", "/settings"],
    ] as const) {
      const refused = await withToken(secret, path, method);
      expect([path, refused.status]).toEqual([path, 403]);
      expect(await refused.json()).toMatchObject({ code: "insufficient_scope" });
    }
    const list = (await call("GET", "/me/tokens")).body["items"] as { id: string; label: string }[];
    const reader = list.find(({ label }) => label === "reader");
    expect(reader).toMatchObject({ scopes: ["read"], lastUsedAt: expect.any(String) });
    expect(JSON.stringify(list)).not.toContain(secret);
    expect((await call("DELETE", `/me/tokens/${reader?.id}`, undefined, "bob")).status).toBe(404);
    expect((await call("DELETE", `/me/tokens/${reader?.id}`)).status).toBe(204);
    expect((await withToken(secret, "/assets")).status).toBe(401);
  });

  test("a token makes none that may more than itself", async () => {
    const wish = { label: "maker", scopes: ["read", "account"] };
    const secret = (await call("POST", "/me/tokens", wish)).body["secret"] as string;
    const make = (scopes: string[]) =>
      home.ask("/api/v1/me/tokens", {
        ...{ method: "POST", json: { label: "made", scopes } },
        headers: { authorization: `Bearer ${secret}` },
      });
    expect((await make(["read"])).status).toBe(201);
    expect((await make(["read", "admin"])).status).toBe(403);
  });

  test("logins are listed and ended, the password changes", async () => {
    const { session } = home.people.bob;
    const ask = (path: string, method = "GET") =>
      home.ask(`/api/v1/me${path}`, { method, browser: "bob" });
    const other = await home.accounts.login("bob", password, "192.0.2.7");
    const { items } = (await (await ask("/sessions")).json()) as {
      items: { id: string; current: boolean; peer: string }[];
    };
    expect(items.filter(({ current }) => current).length).toBe(1);
    expect(items.map(({ peer }) => peer)).toContain("192.0.2.7");
    expect((await ask("/sessions", "DELETE")).status).toBe(200);
    expect(home.accounts.sessionUser(other.secret)).toBeNull();
    expect(home.accounts.sessionUser(session)).not.toBeNull();
    const change = (present: string) =>
      home.ask("/api/v1/me/password", {
        ...{ method: "PUT", browser: "bob", json: { present, next: "another good one" } },
      });
    expect((await change("wrong")).status).toBe(403);
    expect((await change(password)).status).toBe(204);
    expect(home.accounts.sessionUser(session)).not.toBeNull();
  });
});
