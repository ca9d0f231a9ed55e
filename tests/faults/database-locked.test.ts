/** Another program locks the database: nothing acknowledged is lost, and work goes on when the lock is gone. */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Appliance } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { Ledger } from "./acknowledged.ts";
import { note, roundsOf } from "./count.ts";

setDefaultTimeout(900_000);

/** Longer than the server waits for a lock. */
const HELD_MS = 7_000;

test("jobs that come while the database is locked are kept or refused, never half", async () => {
  await using appliance = await Appliance.start();
  const ledger = new Ledger(appliance.url, await appliance.token("ann"));
  await ledger.moveTo(appliance.url);
  await ledger.addFile(plainClip(), "first.mp4");
  const rounds = roundsOf(1, 10);
  let waited = 0;
  const recovery: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const other = new Database(join(appliance.dataFolder, "kinomill.sqlite"));
    other.run("BEGIN IMMEDIATE");
    const release = Bun.sleep(HELD_MS).then(() => other.run("ROLLBACK"));
    const started = performance.now();
    const taken = await ledger.addJob();
    const tookMs = performance.now() - started;
    if (!taken || tookMs > 1_000) waited += 1;
    await release;
    other.close();
    const freed = performance.now();
    await ledger.askAgain();
    expect(await ledger.addJob()).toBe(true);
    recovery.push((performance.now() - freed) / 1000);
  }
  expect(waited).toBe(rounds);
  const { acknowledged, ...found } = await ledger.audit(appliance);
  expect(found).toEqual({ lost: [], doubled: [], falsified: [] });
  note("database-locked", {
    ...{ rounds, acknowledged, lost: 0, doubled: 0, falsified: 0 },
    recoverySeconds: Math.max(...recovery),
    control: `${waited} of ${rounds} requests had to wait or were refused`,
  });
});
