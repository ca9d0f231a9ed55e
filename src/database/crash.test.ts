/** What holds when processes meet, die or run out of disk. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { note } from "../../tests/faults/count.ts";
import { everything } from "../../tests/support/long-form.ts";
import { Refusal } from "../trouble.ts";
import { lockDataFolder } from "./lock.ts";
import { readVersion } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";
import { openDatabase } from "./open.ts";
import { databaseRefusal, transaction, unhurried } from "./transaction.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-crash-"));
});
const children: Bun.Subprocess<"ignore", "pipe", "pipe">[] = [];
afterEach(async () => {
  // A test that failed half-way must not leave its children behind.
  for (const running of children) running.kill("SIGKILL");
  await Promise.all(children.splice(0).map(({ exited }) => exited));
  rmSync(folder, { recursive: true, force: true });
});

const importAll = ["open", "migrate", "lock", "transaction", "migrations/index"]
  .map(
    (name) =>
      `import * as ${name.split("/")[0]} from ${JSON.stringify(join(import.meta.dir, `${name}.ts`))};`,
  )
  .join("\n");

/** A child that runs `code` with the modules of this folder and `folder` at hand. */
function child(code: string, wrapper: string[] = []) {
  const source = `${importAll}\nconst folder = ${JSON.stringify(folder)};\n${code}`;
  const running = Bun.spawn([...wrapper, process.execPath, "-e", source], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  children.push(running);
  return running;
}

async function outputOf(running: ReturnType<typeof child>): Promise<string> {
  const text = await new Response(running.stdout).text();
  const errors = await new Response(running.stderr).text();
  if ((await running.exited) !== 0) throw new Error(`the child failed: ${errors}`);
  return text;
}

/** Waits for the first bytes that a child prints. */
async function firstOutput(running: ReturnType<typeof child>): Promise<string> {
  const { value } = await running.stdout.getReader().read();
  return new TextDecoder().decode(value);
}

describe("migrating", () => {
  test("processes that open a new data folder at once all get the same database", async () => {
    const code = `const db = open.openDatabase(folder);
      db.run("INSERT INTO object_intent VALUES (?, 'now')", [String(process.pid)]);
      process.stdout.write(String(migrate.readVersion(db)));`;
    const versions = await Promise.all(Array.from({ length: 6 }, () => outputOf(child(code))));
    expect(versions).toEqual(Array(6).fill(String(migrations.length)));
    const db = openDatabase(folder);
    expect(db.query("SELECT count(*) AS n FROM object_intent").get()).toEqual({ n: 6 });
    db.close();
  });

  const rows = 200;
  const rebuild = `CREATE TABLE intent_new (key TEXT PRIMARY KEY, created_at TEXT NOT NULL, note TEXT) STRICT;
    INSERT INTO intent_new SELECT key, created_at, hex(randomblob(200)) FROM object_intent;
    DROP TABLE object_intent;
    ALTER TABLE intent_new RENAME TO object_intent;
    CREATE INDEX intent_by_note ON object_intent (note);`;

  /** What a database is after a kill: of the old schema, of the new one, or a mixture of both. */
  type Leaving = "old" | "new" | "mixture";

  function leaving(): Leaving {
    using db = new Database(join(folder, "kinomill.sqlite"));
    const found = (sql: string) => db.query(sql).get() !== null;
    expect(db.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    const aside = found("SELECT 1 FROM sqlite_schema WHERE name = 'intent_new'");
    const there = found("SELECT 1 FROM sqlite_schema WHERE name = 'object_intent'");
    if (aside || !there) return "mixture";
    expect(db.query("SELECT count(*) AS n FROM object_intent").get()).toEqual({ n: rows });
    const columns = db.query("PRAGMA table_info(object_intent)").all().length;
    const indexed = found("SELECT 1 FROM sqlite_schema WHERE name = 'intent_by_note'");
    const isNew = readVersion(db) === migrations.length + 1;
    if (columns === 3 && indexed && isNew) return "new";
    return columns === 2 && !indexed && !isNew ? "old" : "mixture";
  }

  /** Migrates by `migrating`, killed at one write after another, until a migration got through. */
  async function killAtWrites(migrating: string, every: number): Promise<Leaving[]> {
    const seed = openDatabase(folder);
    seed.run(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
       INSERT INTO object_intent SELECT 'key' || i, 'now' FROM n`,
    );
    seed.close();
    const code = `import { Database } from "bun:sqlite";
      const db = new Database(folder + "/kinomill.sqlite", { readwrite: true });
      db.run("PRAGMA busy_timeout = 5000");
      db.run("PRAGMA synchronous = FULL");
      const sql = ${JSON.stringify(rebuild)};
      const version = ${migrations.length + 1};
      ${migrating}`;
    const calls = "pwrite64,fsync,fdatasync";
    const seen: Leaving[] = [];
    for (let point = 1; !seen.includes("new") && !seen.includes("mixture"); point += every) {
      expect(point).toBeLessThan(400);
      const inject = ["-e", `trace=${calls}`, "-e", `inject=${calls}:signal=KILL:when=${point}`];
      await child(code, ["strace", "-f", "-qq", "-o", "/dev/null", ...inject]).exited;
      seen.push(leaving());
    }
    return seen;
  }

  const whole = `migrate.migrate(db, [...migrations.migrations, { version, name: "rebuild", sql }]);`;

  test("killed at any write, leaves the old schema or the new, never a mixture, and every row", async () => {
    const seen = await killAtWrites(whole, everything ? 1 : 4);
    expect(seen.slice(0, -1)).toEqual(Array(seen.length - 1).fill("old"));
    expect(seen.at(-1)).toBe("new");
    expect(seen.length).toBeGreaterThan(4);
    note("migration-killed", {
      ...{ rounds: seen.length - 1, acknowledged: rows, lost: 0, doubled: 0, falsified: 0 },
      control: "a migration outside a transaction was seen half done",
    });
  });

  test("control: a migration outside a transaction is seen half done", async () => {
    expect(
      await killAtWrites("db.run(sql); db.run('PRAGMA user_version = ' + version);", 4),
    ).toContain("mixture");
  });
});

describe("lockDataFolder", () => {
  const hold = `lock.lockDataFolder(folder, "the server at http://box.lan:7600");
    process.stdout.write("held"); setInterval(() => {}, 1000);`;

  function refusalOf(work: () => unknown): Refusal {
    try {
      work();
    } catch (cause) {
      if (cause instanceof Refusal) return cause;
      throw cause;
    }
    throw new Error("nothing was refused");
  }

  test("refuses a second process and names the first; free at once after kill -9", async () => {
    const first = child(hold);
    expect(await firstOutput(first)).toBe("held");
    const refusal = refusalOf(() => lockDataFolder(folder, "another"));
    expect([refusal.status, refusal.code]).toEqual([409, "data_in_use"]);
    expect(refusal.message).toContain(`the server at http://box.lan:7600 (process ${first.pid})`);
    expect(refusal.message).toContain("--data");
    first.kill("SIGKILL");
    await first.exited;
    lockDataFolder(folder, "another").release();
  });

  test("holds when nobody keeps the returned object: it is not collected as garbage", async () => {
    const code = `lock.lockDataFolder(folder, "the server");
      for (let round = 0; round < 20; round += 1) { Bun.gc(true); await Bun.sleep(1); }
      process.stdout.write("held"); setInterval(() => {}, 1000);`;
    const server = child(code);
    await firstOutput(server);
    expect(refusalOf(() => lockDataFolder(folder, "another")).code).toBe("data_in_use");
    server.kill("SIGKILL");
    await server.exited;
  });

  test("is not passed on to children: ffmpeg outlives a killed server, the lock does not", async () => {
    const code = `lock.lockDataFolder(folder, "the server");
      const sleeper = Bun.spawn(["sleep", "20"], { stdio: ["ignore", "ignore", "ignore"] });
      process.stdout.write(String(sleeper.pid)); setInterval(() => {}, 1000);`;
    const server = child(code);
    const sleeper = Number(await firstOutput(server));
    server.kill("SIGKILL");
    await server.exited;
    try {
      expect(process.kill(sleeper, 0)).toBe(true);
      lockDataFolder(folder, "another").release();
    } finally {
      process.kill(sleeper, "SIGKILL");
    }
  });

  test("of processes that start at once exactly one gets it", async () => {
    const code = `try {
        lock.lockDataFolder(folder, "a server");
        process.stdout.write("held");
        setInterval(() => {}, 1000);
      } catch (cause) { process.stdout.write(cause.code); }`;
    const racers = Array.from({ length: 5 }, () => child(code));
    const said = await Promise.all(racers.map(firstOutput));
    for (const racer of racers) racer.kill("SIGKILL");
    await Promise.all(racers.map(({ exited }) => exited));
    expect(said.sort()).toEqual([...Array(4).fill("data_in_use"), "held"]);
  });

  test("holds within one process too, can be renamed, and is free after release", () => {
    const lock = lockDataFolder(folder, "the server, starting");
    lock.describe("the server at http://127.0.0.1:40000");
    expect(refusalOf(() => lockDataFolder(folder, "x")).message).toContain(":40000");
    expect(statSync(join(folder, "server.json")).mode & 0o777).toBe(0o600);
    lock.release();
    lock.release();
    const again = lockDataFolder(folder, "x");
    expect(JSON.parse(readFileSync(join(folder, "server.json"), "utf8")).pid).toBe(process.pid);
    again.release();
  });

  test("leaves the database free for commands beside the server", async () => {
    const server = child(`open.openDatabase(folder); ${hold}`);
    await firstOutput(server);
    const db = openDatabase(folder);
    db.run("INSERT INTO object_intent VALUES ('a', 'now')");
    expect(db.query("SELECT key FROM object_intent").all()).toEqual([{ key: "a" }]);
    db.close();
    server.kill("SIGKILL");
    await server.exited;
  });
});

describe("what is synced", () => {
  /** Syncs of a child while it runs `code` on a database that is open. */
  async function syncsOf(code: string): Promise<number> {
    const trace = join(folder, "trace");
    const whole = `const db = open.openDatabase(folder); let n = 0;
      const write = () => void db.run("INSERT INTO object_intent VALUES ('k' || ?, 'now')", [(n += 1)]);
      write(); require("node:fs").writeFileSync(folder + "/begun", ""); ${code}
      require("node:fs").writeFileSync(folder + "/ended", ""); process.kill(process.pid, "SIGKILL");`;
    const calls = "trace=fsync,fdatasync,openat";
    await child(whole, ["strace", "-f", "-qq", "-o", trace, "-e", calls]).exited;
    const [, during = ""] = readFileSync(trace, "utf8").split("/begun");
    return during.split("/ended")[0]?.match(/f(data)?sync\(/g)?.length ?? 0;
  }

  test("each commit, but those that need not wait are synced with the next that does", async () => {
    expect(
      await syncsOf("for (let i = 0; i < 5; i += 1) transaction.transaction(db, write);"),
    ).toBe(5);
    rmSync(join(folder, "kinomill.sqlite"));
    const unhurried = "for (let i = 0; i < 5; i += 1) transaction.unhurried(db, write);";
    expect(await syncsOf(unhurried)).toBe(0);
    const db = openDatabase(folder);
    expect(db.query("SELECT count(*) AS n FROM object_intent").get()).toEqual({ n: 6 });
    db.close();
    rmSync(join(folder, "kinomill.sqlite"));
    const failing = "try { transaction.unhurried(db, () => { throw 1; }); } catch {}";
    expect(await syncsOf(`${failing} ${unhurried} transaction.transaction(db, write);`)).toBe(1);
  });

  test("what need not wait is a part of the transaction around it, and leaves a test's level alone", () => {
    const db = openDatabase(folder);
    const level = () => db.query("PRAGMA synchronous").get();
    const write = () => void db.run("INSERT INTO object_intent VALUES ('a', 'now')");
    const failing = () =>
      transaction(db, () => {
        unhurried(db, write);
        throw new Error("undone");
      });
    expect(failing).toThrow("undone");
    expect(db.query("SELECT count(*) AS n FROM object_intent").get()).toEqual({ n: 0 });
    expect(level()).toEqual({ synchronous: 2 });
    db.run("PRAGMA synchronous = OFF");
    unhurried(db, write);
    expect(level()).toEqual({ synchronous: 0 });
    db.close();
  });
});

describe("trouble with the disk", () => {
  const mounting = process.getuid?.() === 0 ? test : test.skip;

  mounting("a full disk is a 507, and the database goes on when there is space again", () => {
    const small = join(folder, "small");
    mkdirSync(small);
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small]).exitCode).toBe(
      0,
    );
    try {
      const db = openDatabase(small);
      db.run("CREATE TABLE blob (data BLOB) STRICT");
      const fill = () => {
        for (let round = 0; round < 100; round += 1) {
          db.run("INSERT INTO blob VALUES (randomblob(100000))");
        }
      };
      let caught: unknown;
      try {
        fill();
      } catch (cause) {
        caught = cause;
      }
      const refusal = databaseRefusal(caught);
      expect([refusal?.status, refusal?.code]).toEqual([507, "storage_full"]);
      Bun.spawnSync(["mount", "-o", "remount,size=32m", small]);
      fill();
      expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      db.close();
    } finally {
      Bun.spawnSync(["umount", small]);
    }
  });

  test("a disk that fails is a 507 too", async () => {
    openDatabase(folder).close();
    const code = `const db = open.openDatabase(folder);
      try { db.run("INSERT INTO object_intent VALUES ('a', 'now')"); }
      catch (cause) {
        const refusal = transaction.databaseRefusal(cause);
        process.stdout.write([cause.code, refusal?.status, refusal?.code].join(" "));
      }`;
    const inject = [
      "-e",
      "trace=fsync,fdatasync",
      "-e",
      "inject=fsync,fdatasync:error=EIO:when=1+",
    ];
    const text = await outputOf(child(code, ["strace", "-f", "-qq", "-o", "/dev/null", ...inject]));
    expect(text).toMatch(/^SQLITE_IOERR\w* 507 storage_full$/);
  });
});
