import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkedStates } from "../../tests/queue/ground.ts";
import { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { newId } from "../identity.ts";
import { Failure } from "../trouble.ts";
import { type StepState, stepStates, stepTransitions } from "./job.ts";
import { type Claim, Queue } from "./queue.ts";
import { type StepResult, StepRows, type StepTicket, stepsOf } from "./step-rows.ts";

const cpu = { device: "cpu", deviceReason: null };
const failure = new Failure("stalled", "It stalled.", { hint: "Try again." }).report;
const result: StepResult = {
  ...{ fingerprint: "f".repeat(64), checks: ["Looked at"], deviceReason: "Because.", encoder: "x" },
  ...{ proof: null, files: [{ file: "a.mp4", sizeBytes: 3, sha256: "0".repeat(64), media: null }] },
};

let folder: string;
let database: Database;
let queue: Queue;
let rows: StepRows;
let ownerId: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-steps-"));
  database = openDatabase(folder);
  database.run("PRAGMA synchronous = OFF");
  queue = new Queue(database, new ManualClock());
  rows = new StepRows(database, new ManualClock());
  ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const ann = () => ({ id: ownerId, name: "ann" });

const planned = (name: string, needs: string[] = []) => ({ name, title: `Do ${name}`, needs });

function claimed(steps = [planned("encode")]): Claim {
  queue.asks.insert(ann(), {
    ...{ id: newId("job"), operation: "transcode", title: "Transcode: a.mp4", need: "cpu" },
    ...{
      params: {},
      inputIds: [],
      labels: {},
      priority: 0,
      notes: [],
      steps,
      verify: null,
      anew: false,
    },
    ...{ after: [], notBefore: null, batch: null, idempotency: null },
  });
  const claim = queue.claimNext({ id: "cpu" });
  if (claim === null) throw new Error("nothing to claim");
  return claim;
}

function begun(claim: Claim, step = "encode"): StepTicket {
  const ticket = rows.begin(claim, step, cpu);
  if (ticket === null) throw new Error(`${step} did not begin`);
  return ticket;
}

const stateOf = (jobId: string, name = "encode") =>
  stepsOf(database, jobId).find((step) => step.name === name)?.state;

/** Brings the step of a fresh job into a state, by the functions of the product. */
const reach: Record<StepState, () => { claim: Claim; ticket: StepTicket }> = {
  pending: () => {
    const claim = claimed();
    return { claim, ticket: { jobId: claim.jobId, step: "encode", fence: 1 } };
  },
  running: () => {
    const claim = claimed();
    return { claim, ticket: begun(claim) };
  },
  done: () => {
    const claim = claimed();
    const ticket = begun(claim);
    rows.finish(ticket, result);
    return { claim, ticket };
  },
  failed: () => {
    const claim = claimed();
    const ticket = begun(claim);
    rows.fail(ticket);
    return { claim, ticket };
  },
};

const moves: Record<string, (claim: Claim, ticket: StepTicket) => unknown> = {
  begin: (claim) => rows.begin(claim, "encode", cpu),
  finish: (_claim, ticket) => rows.finish(ticket, result),
  fail: (_claim, ticket) => rows.fail(ticket),
  stop: (_claim, ticket) => rows.stop(ticket),
  renew: (claim) => rows.renew(claim, "encode"),
  leave: (claim) => queue.fail(claim, failure),
  retry: ({ jobId }) => queue.asks.retry(ann(), jobId),
};

/** A retry is of a job that has ended, and whose files may be gone. */
function endJob(claim: Claim): void {
  queue.fail(claim, failure);
  rows.forgetResults(claim.jobId);
}

describe("a step", () => {
  test("makes exactly the moves of the list, from every state", () => {
    const made: string[] = [];
    for (const make of Object.values(reach)) {
      for (const [by, move] of Object.entries(moves)) {
        const { claim, ticket } = make();
        if (by === "retry") endJob(claim);
        const from = stateOf(claim.jobId);
        move(claim, ticket);
        const to = stateOf(claim.jobId);
        if (to !== from) made.push(`${from} → ${to} by ${by}`);
        database.run("DELETE FROM job");
      }
    }
    const listed = stepTransitions.map(({ from, to, by }) => `${from} → ${to} by ${by}`);
    expect(made.toSorted()).toEqual(listed.toSorted());
  });

  test("has exactly the listed states in the database", () => {
    expect(checkedStates(database, "step")).toEqual([...stepStates]);
  });

  test("tells what was planned, what ran and how often it was begun", () => {
    const claim = claimed([planned("survey"), planned("join", ["survey"])]);
    rows.stop(begun(claim, "survey"));
    rows.finish(begun(claim, "survey"), result);
    expect(stepsOf(database, claim.jobId)).toMatchObject([
      { name: "survey", state: "done", needs: [], attempts: 2, checks: ["Looked at"] },
      { name: "join", state: "pending", needs: ["survey"], attempts: 0, startedAt: null },
    ]);
  });

  test("begins only while its job is ours", () => {
    const claim = claimed();
    expect(rows.begin({ ...claim, fence: claim.fence + 1 }, "encode", cpu)).toBeNull();
    queue.asks.cancel(ann(), claim.jobId);
    expect(rows.begin(claim, "encode", cpu)).toBeNull();
  });

  test("does not run any more once its job does not, whoever ended that", () => {
    const ends: Record<string, (claim: Claim) => unknown> = {
      released: (claim) => queue.release(claim),
      cancelled: ({ jobId }) => queue.asks.cancel(ann(), jobId),
      failed: (claim) => queue.fail(claim, failure),
      recovered: () => queue.recover([], true),
    };
    for (const [how, end] of Object.entries(ends)) {
      const { claim, ticket } = reach.running();
      end(claim);
      expect([how, stateOf(claim.jobId), rows.finish(ticket, result)]).toEqual([
        how,
        "pending",
        false,
      ]);
      database.run("DELETE FROM job");
    }
  });

  test("keeps its result over a failure, a release and a retry, but not over success or cancel", () => {
    const kept = (claim: Claim) => rows.kept(claim.jobId).size;
    const failed = reach.done().claim;
    queue.fail(failed, failure);
    expect(kept(failed)).toBe(1);
    queue.asks.retry(ann(), failed.jobId);
    expect([kept(failed), stateOf(failed.jobId)]).toEqual([1, "done"]);
    database.run("DELETE FROM job");
    const released = reach.done().claim;
    queue.release(released);
    expect(kept(released)).toBe(1);
    queue.asks.cancel(ann(), released.jobId);
    expect([kept(released), stateOf(released.jobId)]).toEqual([0, "done"]);
    database.run("DELETE FROM job");
    const succeeded = reach.done().claim;
    queue.succeed(succeeded, () => {});
    expect([kept(succeeded), stateOf(succeeded.jobId)]).toEqual([0, "done"]);
  });

  test("that was swept is to be done again when its job is retried", () => {
    const { claim } = reach.done();
    rows.forgetResults(claim.jobId);
    expect(rows.kept(claim.jobId).size).toBe(1);
    queue.fail(claim, failure);
    rows.forgetResults(claim.jobId);
    expect([rows.kept(claim.jobId).size, stateOf(claim.jobId)]).toEqual([0, "done"]);
    queue.asks.retry(ann(), claim.jobId);
    expect(stateOf(claim.jobId)).toBe("pending");
  });
});

describe("a plan that changed", () => {
  test("keeps steps of the same name, forgets others, and adds what is new", () => {
    const claim = claimed([planned("survey"), planned("old", ["survey"])]);
    rows.finish(begun(claim, "survey"), result);
    expect(rows.lay(claim, [planned("first"), planned("survey", ["first"])])).toBe(true);
    expect(
      stepsOf(database, claim.jobId).map(({ name, state, needs }) => [name, state, needs]),
    ).toEqual([
      ["first", "pending", []],
      ["survey", "done", ["first"]],
    ]);
  });

  test("is laid by nobody who lost the job", () => {
    const claim = claimed();
    queue.release(claim);
    expect(rows.lay(claim, [planned("other")])).toBe(false);
    expect(stateOf(claim.jobId)).toBe("pending");
  });
});

/** Processes that race, and steps that each of them ends. */
const RACERS = 4;
const RACED_STEPS = 2_500;

/** Ends every step of the list that it is given, and says at which it was the one. */
const racer = (breaking: string) => `
  import { openDatabase } from "./src/database/open.ts";
  import { StepRows } from "./src/jobs/step-rows.ts";
  import { systemClock } from "./src/clock.ts";
  const database = openDatabase(process.argv[1]);
  database.run("PRAGMA synchronous = OFF");
  const query = database.query.bind(database);
  database.query = (sql) => query(${breaking});
  const rows = new StepRows(database, systemClock);
  process.stdout.write("ready");
  const { tickets, result } = JSON.parse(await new Response(Bun.stdin.stream()).text());
  const won = tickets.filter((ticket) => rows.finish(ticket, result)).map(({ step }) => step);
  process.stdout.write(JSON.stringify(won));`;

/** Names of the steps that each racer ended. */
async function race(tickets: readonly StepTicket[], breaking: string): Promise<string[]> {
  const racers = Array.from({ length: RACERS }, () =>
    Bun.spawn([process.execPath, "-e", racer(breaking), folder], {
      cwd: join(import.meta.dir, "../.."),
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const readers = racers.map(({ stdout }) => stdout.getReader());
  // All at the same moment: each is there before the first hears what to do.
  for (const reader of readers)
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("ready");
  for (const { stdin } of racers) {
    stdin.write(JSON.stringify({ tickets, result }));
    void stdin.end();
  }
  const won = readers.map(async (reader) => {
    let text = "";
    for (let part = await reader.read(); part.value !== undefined; part = await reader.read()) {
      text += new TextDecoder().decode(part.value);
    }
    return JSON.parse(text) as string[];
  });
  return (await Promise.all(won)).flat();
}

describe("ten thousand ends of 2,500 steps that race in four processes", () => {
  function raced(): StepTicket[] {
    const steps = Array.from({ length: RACED_STEPS }, (_, index) => planned(`step-${index}`));
    const claim = claimed(steps);
    return database.transaction(() => steps.map(({ name }) => begun(claim, name)))();
  }

  test("end each step once", async () => {
    const tickets = raced();
    const won = await race(tickets, "sql");
    expect([won.length, new Set(won).size]).toEqual([RACED_STEPS, RACED_STEPS]);
  });

  test("and would double them if nobody looked at state and fence", async () => {
    const tickets = raced().slice(0, 100);
    const won = await race(tickets, `sql.replace("AND state = 'running' AND fence = ?3", "")`);
    expect(won.length).toBe(RACERS * tickets.length);
  });

  test("of an attempt before change nothing of the one that runs, unless the fence is not looked at", async () => {
    const claim = claimed();
    const late = begun(claim);
    rows.stop(late);
    const now = begun(claim);
    expect(await race([late], "sql")).toEqual([]);
    expect(stateOf(claim.jobId)).toBe("running");
    expect((await race([late], `sql.replace("AND fence = ?3", "")`)).length).toBe(1);
    expect(rows.finish(now, result)).toBe(false);
  });
});
