import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Commits } from "./commits.ts";
import { type Database, openDatabase } from "./open.ts";

let folder: string;
let database: Database;
let commits: Commits;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-commits-"));
  database = openDatabase(folder);
  database.run("CREATE TABLE note (text TEXT PRIMARY KEY) STRICT");
  commits = new Commits(database);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const write = (text: string) => () => {
  database.query("INSERT INTO note VALUES (?)").run(text);
  return text;
};

const notes = () =>
  database
    .query<{ text: string }, []>("SELECT text FROM note ORDER BY text")
    .all()
    .map(({ text }) => text);

test("what is asked for in one turn is committed once", async () => {
  let committed = 0;
  commits.onCommitted(() => {
    committed += 1;
  });
  const answers = await Promise.all(["a", "b", "c"].map((text) => commits.run(write(text))));
  expect([answers, committed]).toEqual([["a", "b", "c"], 1]);
  await commits.run(write("d"));
  expect([notes(), committed]).toEqual([["a", "b", "c", "d"], 2]);
});

test("nobody is answered before the commit", async () => {
  let written = false;
  const answer = commits.run(write("a")).then(() => {
    written = !database.inTransaction && notes().length === 1;
  });
  expect(notes()).toEqual([]);
  await answer;
  expect(written).toBe(true);
});

test("one that throws loses its own changes; the others keep theirs", async () => {
  const results = await Promise.allSettled([
    commits.run(write("a")),
    commits.run(() => {
      write("half")();
      throw new Error("no");
    }),
    commits.run(write("b")),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(notes()).toEqual(["a", "b"]);
});

test("a commit that fails rejects everybody of its turn, and the next turn works", async () => {
  const roll = () => {
    write("c")();
    // A full disk rolls the whole transaction back by itself.
    database.run("ROLLBACK");
    throw new Error("disk full");
  };
  const results = await Promise.allSettled([commits.run(write("a")), commits.run(roll)]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(notes()).toEqual([]);
  expect(await commits.run(write("d"))).toBe("d");
});

test("what runs at the end of a turn is in the same transaction", async () => {
  const seen: string[][] = [];
  commits.atEnd(() => {
    if (!notes().includes("end")) write("end")();
    seen.push([...notes(), String(database.inTransaction)]);
    return null;
  });
  await commits.run(write("a"));
  expect(seen).toEqual([["a", "end", "true"]]);
  commits.turn();
  await commits.run(write("z"));
  expect(seen.length).toBe(2);
});

test("what follows from the end of a turn follows its commit, or is undone with it", async () => {
  const seen: string[] = [];
  let next = 0;
  commits.atEnd(() => {
    next += 1;
    const n = next;
    const note = (what: string) => () => seen.push(`${what} ${n} ${database.inTransaction}`);
    return { committed: note("committed"), failed: note("failed") };
  });
  await commits.run(write("a"));
  commits.atEnd(() => {
    database.run("ROLLBACK");
    throw new Error("disk full");
  });
  await expect(commits.run(write("b"))).rejects.toThrow("disk full");
  expect(seen).toEqual(["committed 1 false", "failed 2 false"]);
});

test("more than one commit takes wait for the next", async () => {
  let committed = 0;
  commits.onCommitted(() => {
    committed += 1;
  });
  await Promise.all(Array.from({ length: 1500 }, (_, n) => commits.run(write(String(n)))));
  expect([notes().length, committed]).toEqual([1500, 2]);
});
