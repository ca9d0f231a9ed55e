/** What open pages ask for: whether all is well, what the palette finds, and where faults of scripts go. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import pino from "pino";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import { password } from "../../tests/http/site.ts";
import { buildId } from "../../views/layout.ts";
import type { Log } from "../log.ts";

let home: Furnished;
const lines: string[] = [];

beforeAll(async () => {
  home = await furnish();
  const written = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  (home.site.parts as { log: Log }).log = written;
});

afterAll(() => home.site.close());

const table = tableFor(() => home);

table("an open page asks", [
  {
    name: "whether it and its session are still there",
    path: "/ui/here",
    browser: "ann",
    status: 200,
    has: [buildId],
  },
  {
    name: "and is told when the session has ended",
    path: "/ui/here",
    headers: { accept: "application/json" },
    status: 401,
    has: ["unauthenticated"],
  },
  {
    name: "for files by name, which come as text",
    path: "/ui/find?q=ente",
    browser: "ann",
    status: 200,
    has: ["Süße &quot;Ente&quot;", 'role="option"'],
    lacks: ["secret-of-bob", "<script"],
  },
  {
    name: "for jobs by the name of their file",
    path: "/ui/find?q=used",
    browser: "ann",
    status: 200,
    has: ["/jobs/jb_"],
  },
  {
    name: "for nothing",
    path: "/ui/find?q=%20",
    browser: "ann",
    status: 200,
    lacks: ['role="option"'],
  },
  {
    name: "for what is somebody else's",
    path: "/ui/find?q=secret",
    browser: "ann",
    status: 200,
    lacks: ["secret-of-bob"],
  },
  { name: "without a login", path: "/ui/find?q=ente", status: 401, lacks: ["Ente"] },
]);

describe("the login in a page whose session has ended", () => {
  const logIn = (secret: string) =>
    home.site.ask("/login", {
      form: { name: "ann", password: secret },
      headers: { accept: "application/json" },
    });

  test("gives the session and leads nowhere", async () => {
    const answer = await logIn(password);
    expect([answer.status, answer.headers.get("location")]).toEqual([204, null]);
    expect(answer.headers.get("set-cookie")).toMatch(
      /^kinomill_session=[\w-]{20,}; Path=\/; .*HttpOnly/,
    );
  });

  test("says why not, in a sentence", async () => {
    const answer = await logIn("not the password");
    expect(answer.status).toBe(401);
    expect(((await answer.json()) as { detail: string }).detail).toMatch(/^[A-Z].*\.$/);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });
});

const fault = { kind: "error", message: "x is undefined", stack: "", page: "/", build: "b" };
const tell = (json: unknown, by: "ann" | "bob", headers: Record<string, string> = {}) =>
  home.site.ask("/ui/errors", { method: "POST", browser: by, json, headers });

describe("a fault of a page's script", () => {
  test("is written to the log, and nothing in it steers a terminal or turns a line around", async () => {
    const message = "\u001b[2Jgone\u202etxt\nnext";
    expect((await tell({ ...fault, message }, "ann")).status).toBe(204);
    const line = JSON.parse(lines.at(-1) ?? "{}");
    expect(line.msg).toBe("a script of a page failed");
    expect(line.user).toBe(home.site.people.ann.id);
    expect(line.fault.message).toBe(" [2Jgone txt\nnext");
  });

  test("is refused from elsewhere, without a login, in another shape and at any length", async () => {
    const count = lines.length;
    const foreign = { origin: "http://evil.example", "sec-fetch-site": "cross-site" };
    expect((await tell(fault, "ann", foreign)).status).toBe(403);
    const nobody = await home.site.ask("/ui/errors", { method: "POST", json: fault });
    expect(nobody.status).toBe(401);
    expect((await tell({ ...fault, level: 60 }, "ann")).status).toBe(422);
    expect((await tell({ ...fault, stack: "x".repeat(5000) }, "ann")).status).toBe(422);
    expect((await tell({ ...fault, stack: "x".repeat(50_000) }, "ann")).status).toBe(413);
    expect(lines.length).toBe(count);
  });

  test("is heard thirty times in ten minutes, from each person", async () => {
    const before = lines.length;
    const statuses: number[] = [];
    for (let told = 0; told < 31; told += 1) statuses.push((await tell(fault, "bob")).status);
    expect(statuses.filter((status) => status === 204).length).toBe(30);
    expect(statuses.at(-1)).toBe(429);
    expect(lines.length - before).toBe(30);
    expect((await tell(fault, "ann")).status).toBe(204);
  });
});
