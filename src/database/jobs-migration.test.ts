/**
 * The table of jobs was made anew in schema 26, those of attempts and steps in 27; what refers to them stays, what they
 * refuse is the same, and histories become chains. Since 28 the last attempt of a job stands in its row.
 */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { systemClock } from "../clock.ts";
import { EventLog } from "../jobs/event-log.ts";
import { Queue } from "../jobs/queue.ts";
import { askersOf, findJob } from "../jobs/rows.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";

function before(): Database {
  const db = new Database(":memory:", { strict: true });
  migrate(db, migrations.slice(0, 25));
  db.run(
    `INSERT INTO user (id, name, role, password_hash, created_at)
     VALUES ('us_1', 'ann', 'admin', '$argon2id$x', '2026');
     INSERT INTO job (id, owner_id, operation, title, state, params, labels, seq, fence, started_at, finished_at,
       error, wait_for, created_at, need, own_need, expire_days, batch)
     VALUES
       ('jb_2', 'us_1', 'clip', 'Clip: b', 'succeeded', '{"a":1}', '{"k":"v"}', 3, 2, '2026-01-01', '2026-01-02', NULL,
         NULL, '2026-01-01', 'cpu', 'gpu', 7, 'ba_1'),
       ('jb_1', 'us_1', 'clip', 'Clip: a', 'waiting', '{}', '{}', 9, 0, NULL, NULL, NULL, 'jobs', '2026-01-01', 'gpu',
         NULL, NULL, NULL),
       ('jb_3', 'us_1', 'clip', 'Clip: c', 'failed', '{}', '{}', 10, 1, '2026-01-01', '2026-01-02', '{"code":"x"}',
         NULL, '2026-01-01', 'cpu', NULL, NULL, NULL);
     INSERT INTO job_input VALUES ('jb_2', 0, 'as_1');
     INSERT INTO job_after VALUES ('jb_1', 'jb_2');
     INSERT INTO job_label VALUES ('us_1', 'k', 'v', 3);
     INSERT INTO step (job_id, name, position, title, state) VALUES ('jb_1', 'one', 0, 'Do it', 'pending');
     INSERT INTO step (job_id, name, position, title, needs, state, fence, device, device_reason, encoder, proof, checks,
       fingerprint, result, started_at, finished_at)
     VALUES ('jb_3', 'one', 0, 'Do it', '["zero"]', 'done', 3, 'cpu', 'Because.', 'libx264', '{"p":1}', '["Looked at"]',
       '${"0".repeat(64)}', '[{"file":"a"}]', '2026-01-01', '2026-01-02');
     INSERT INTO attempt (job_id, fence, device, outcome, started_at, finished_at)
     VALUES ('jb_2', 2, 'cpu', 'succeeded', '2026-01-01', '2026-01-02');
     INSERT INTO attempt (job_id, fence, device, outcome, error, started_at, finished_at, device_reason, proof, notes)
     VALUES ('jb_3', 1, 'gpu', 'failed', '{"code":"x"}', '2026-01-01', '2026-01-02', 'Why.', '{"p":2}', '["Kept."]');
     INSERT INTO event (id, owner_id, kind, subject, what, state, who, sentence, at) VALUES
       (5, 'us_1', 'job', 'jb_2', 'submit', 'queued', 'ann (token ci)', '', '1'),
       (6, 'us_1', 'asset', 'as_1', 'added', NULL, '', '', '2'),
       (7, 'us_1', 'job', 'jb_1', 'submit', 'waiting', 'ann', '', '3'),
       (8, 'us_1', 'job', 'jb_2', 'claim', 'running', '', 'On cpu.', '4'),
       (9, 'us_1', 'job', 'jb_2', 'succeed', 'succeeded', '', '', '5')`,
  );
  return db;
}

test("jobs keep all that they are, their numbers and what belongs to them", () => {
  const db = before();
  const columns = db
    .query<{ name: string }, []>("SELECT name FROM pragma_table_info('job')")
    .all()
    .map(({ name }) => name)
    .join(", ");
  const rows = () => db.query(`SELECT ${columns} FROM job ORDER BY seq`).all();
  const others = ["job_input", "job_after", "job_label", "step", "attempt", "user"];
  const rest = () => others.map((table) => db.query(`SELECT * FROM ${table}`).all());
  const [jobs, beside] = [rows(), rest()];
  migrate(db);
  db.run("PRAGMA foreign_keys = ON");
  expect(jobs.length).toBe(3);
  expect(rows()).toEqual(jobs);
  expect(rest()).toEqual(beside);
  expect(findJob(db, "us_1", "jb_2")).toMatchObject({
    ...{ state: "succeeded", inputs: ["as_1"], labels: { k: "v" }, onlyOn: "cpu", batch: "ba_1" },
  });
  // The next number comes after the last one, and what refers to a job goes with it.
  db.run(
    "INSERT INTO job (id, owner_id, operation, title, state, params, created_at) VALUES ('jb_4', 'us_1', 'x', 'x', 'queued', '{}', '1')",
  );
  expect(db.query("SELECT seq FROM job WHERE id = 'jb_4'").get()).toEqual({ seq: 11 });
  db.run("DELETE FROM job WHERE seq = 3");
  expect(db.query("SELECT count(*) AS n FROM job_label").get()).toEqual({ n: 0 });
  expect(db.query("SELECT count(*) AS n FROM job_after").get()).toEqual({ n: 0 });
});

test("histories go on where they were, and who asked is known though the log may forget it", () => {
  const db = before();
  migrate(db);
  const log = new EventLog(db, systemClock);
  const told = (id: string) => log.historyOf(id).map(({ what, who }) => `${what} ${who}`.trim());
  expect(told("jb_2")).toEqual(["submit ann (token ci)", "claim", "succeed"]);
  expect([told("jb_1"), told("jb_3"), told("jb_9")]).toEqual([["submit ann"], [], []]);
  const entry = { ownerId: "us_1", jobId: "jb_2", state: "succeeded", sentence: "" } as const;
  log.append({ ...entry, what: "label", who: "ann" });
  expect(told("jb_2")).toEqual(["submit ann (token ci)", "claim", "succeed", "label ann"]);
  db.run("DELETE FROM event WHERE id <= 7");
  expect(told("jb_2")).toEqual(["claim", "succeed", "label ann"]);
  expect(told("jb_1")).toEqual([]);
  const asked = askersOf(db, ["jb_1", "jb_2", "jb_3"]);
  expect(Object.fromEntries(asked)).toEqual({ jb_2: "ann (token ci)", jb_1: "ann" });
});

test("attempts are what they were: those that ended, and the one that ran as the server did not", () => {
  const db = before();
  db.run(
    `INSERT INTO job (id, owner_id, operation, title, state, params, labels, seq, fence, started_at, created_at, device)
     VALUES ('jb_5', 'us_1', 'clip', 'Clip: e', 'running', '{}', '{}', 11, 2, '2026-01-01', '2026-01-01', 'cpu');
     INSERT INTO attempt (job_id, fence, device, outcome, error, started_at, finished_at)
     VALUES ('jb_5', 1, 'gpu', 'failed', '{"code":"gpu_lost"}', '2026-01-01', '2026-01-02');
     INSERT INTO attempt (job_id, fence, device, outcome, started_at, device_reason, proof, notes)
     VALUES ('jb_5', 2, 'cpu', 'running', '2026-01-03', 'Why.', '{"p":2}', '["Kept."]')`,
  );
  const ids = ["jb_1", "jb_2", "jb_3", "jb_5"];
  const columns =
    "fence, device, outcome, error, started_at, finished_at, device_reason, proof, notes";
  const known = ids.map((id) =>
    db
      .query<Record<string, unknown>, [string]>(
        `SELECT ${columns} FROM attempt WHERE job_id = ? ORDER BY fence`,
      )
      .all(id)
      .map(({ started_at, finished_at, device_reason, proof, error, notes, ...rest }) => ({
        ...{ ...rest, startedAt: started_at, finishedAt: finished_at },
        ...{ deviceReason: device_reason, notes: JSON.parse(String(notes)) },
        ...{ proof: JSON.parse(String(proof)), error: JSON.parse(String(error)) },
      })),
  );
  migrate(db);
  const attempts = () => ids.map((id) => findJob(db, "us_1", id)?.attempts);
  expect(known.map(({ length }) => length)).toEqual([0, 1, 1, 2]);
  expect(attempts()).toEqual(known as never);
  expect(new Queue(db, systemClock).recover([], true)).toBe(1);
  const [, , , [first, last] = []] = attempts();
  expect(first).toEqual(known[3]?.[0] as never);
  expect(last).toMatchObject({
    ...{ fence: 2, outcome: "interrupted", deviceReason: "Why.", startedAt: "2026-01-03" },
    ...{ proof: { p: 2 }, notes: ["Kept."], error: { code: "worker_lost" } },
  });
});

/** The tables that jobs write to. */
const written = ["job", "attempt", "step"];

test("what the tables of jobs refuse is what it was, without a table made for each row", () => {
  const [old, fresh] = [before(), before()];
  migrate(fresh);
  const refuses = (db: Database, sql: string) => {
    try {
      db.run(sql);
      return false;
    } catch (cause) {
      expect(String(cause)).toMatch(/CHECK|constraint/i);
      return true;
    }
  };
  const states = ["queued", "waiting", "running", "succeeded", "failed", "cancelled", "gone"];
  const waits = [null, "jobs", "person", "time", "retry", "device", "space", "else", ""];
  const outcomes = ["running", "succeeded", "failed", "cancelled", "interrupted", "gone"];
  const value = (text: string | null) => (text === null ? "NULL" : `'${text}'`);
  const changes = states.flatMap((state) =>
    waits.flatMap((wait) =>
      ["NULL", "'2026'"].flatMap((finished) =>
        ["NULL", "'2026'"].map(
          (paused) =>
            `UPDATE job SET state = ${value(state)}, wait_for = ${value(wait)}, finished_at = ${finished},
             paused_at = ${paused}, started_at = '2026', fence = 1, due_us = 1,
             error = iif(${value(state)} = 'failed', '{}', NULL) WHERE id = 'jb_1'`,
        ),
      ),
    ),
  );
  changes.push(
    ...["NULL", "'2026'"].flatMap((finished) => [
      ...outcomes.map(
        (outcome) => `UPDATE attempt SET outcome = '${outcome}', finished_at = ${finished}`,
      ),
      ...["pending", "running", "done", "failed", "gone"].map(
        (state) =>
          `UPDATE step SET state = '${state}', finished_at = ${finished}, fence = 1, started_at = '2026', result = NULL`,
      ),
    ]),
  );
  const answers = changes.map((sql) => ({ sql, refused: refuses(fresh, sql) }));
  expect(answers).toEqual(changes.map((sql) => ({ sql, refused: refuses(old, sql) })));
  // Of both kinds there are many.
  expect(answers.filter(({ refused }) => refused).length).toBeGreaterThan(100);
  expect(answers.filter(({ refused }) => !refused).length).toBeGreaterThan(15);
  for (const table of written) {
    const { sql } = fresh
      .query<{ sql: string }, [string]>("SELECT sql FROM sqlite_schema WHERE name = ?")
      .get(table) ?? { sql: "" };
    expect(sql).toContain("CHECK");
    expect(sql.match(/IN \((?:[^,)]+,){2,}[^)]+\)/g)).toBeNull();
  }
});
