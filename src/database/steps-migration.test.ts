/** Steps were JSON on their job until schema 3; an upgrade must carry over what was known. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { stepsOf } from "../jobs/step-rows.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";

const proof = { decoder: null, sentence: "Encoded." };
const old = (name: string, state: string) => ({
  ...{
    name,
    title: `Do ${name}`,
    state,
    device: "cpu",
    deviceReason: "Because.",
    encoder: "libx264",
  },
  ...{ proof: state === "done" ? proof : null, checks: state === "done" ? ["Looked at"] : [] },
});

function before(): Database {
  const db = new Database(":memory:", { strict: true });
  migrate(db, migrations.slice(0, 3));
  db.run(
    "INSERT INTO user (id, name, role, password_hash, created_at) VALUES ('us_1', 'ann', 'admin', '$argon2id$x', '2026')",
  );
  return db;
}

function addJob(db: Database, id: string, state: string, steps: object[]): void {
  const ended = state === "succeeded" || state === "failed" || state === "cancelled";
  db.query(
    `INSERT INTO job (id, owner_id, operation, title, state, params, fence, error, started_at,
       finished_at, created_at, steps)
     VALUES (?, 'us_1', 'transcode', 'T', ?, '{}', 1, ?, '2026-01-01', ?, '2026-01-01', ?)`,
  ).run(
    ...[id, state, state === "failed" ? "{}" : null],
    ...[ended ? "2026-01-02" : null, JSON.stringify(steps)],
  );
}

test("steps of ended jobs keep what was known of them; of the others nothing was kept on disk", () => {
  const db = before();
  addJob(db, "jb_1", "succeeded", [old("poster", "done"), old("sprite", "done")]);
  addJob(db, "jb_2", "failed", [old("a", "done"), old("b", "failed"), old("c", "pending")]);
  addJob(db, "jb_3", "cancelled", [old("a", "running")]);
  addJob(db, "jb_4", "queued", [old("a", "done"), old("b", "running")]);
  addJob(db, "jb_5", "running", [old("a", "done"), old("b", "running")]);
  addJob(db, "jb_6", "queued", []);
  migrate(db);
  const shown = (id: string) => stepsOf(db, id).map(({ name, state }) => `${name} ${state}`);
  expect(["jb_1", "jb_2", "jb_3", "jb_4", "jb_5", "jb_6"].map(shown)).toEqual([
    ["poster done", "sprite done"],
    ["a done", "b failed", "c pending"],
    ["a pending"],
    ["a pending", "b pending"],
    ["a pending", "b pending"],
    [],
  ]);
  expect(stepsOf(db, "jb_1")[0]).toEqual({
    ...{ name: "poster", title: "Do poster", state: "done", needs: [], attempts: 1, device: "cpu" },
    ...{ deviceReason: "Because.", encoder: "libx264", proof, checks: ["Looked at"] },
    ...{ startedAt: "2026-01-01", finishedAt: "2026-01-02" },
  } as never);
  expect(stepsOf(db, "jb_4")[0]).toMatchObject({ device: null, attempts: 0, startedAt: null });
  expect(db.query("SELECT * FROM job").get()).not.toHaveProperty("steps");
  db.close();
});
