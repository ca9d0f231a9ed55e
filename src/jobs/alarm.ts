/**
 * Wakes jobs whose time has come: what a person asked for by the clock on the wall, what backs off by the
 * queue's own clock, which does not jump.
 */
import type { Database } from "bun:sqlite";
import { transaction } from "../database/transaction.ts";
import { type Ledger, nobody } from "./ledger.ts";

/**
 * Longest sleep. Timers do not follow the clock on the wall when somebody sets it; with this the alarm is
 * late by no more than that, and it costs one look at an index that is mostly empty.
 */
const SLEEP_MAX_MS = 1_000;

/** Jobs that one look wakes; more follow at once. */
const WOKEN_MAX = 500;

export class Alarm {
  private readonly ledger: Ledger;
  private readonly onWoken: () => void;
  private timer: Timer | null = null;

  /** @param onWoken called when jobs may start that could not before */
  constructor(ledger: Ledger, onWoken: () => void) {
    this.ledger = ledger;
    this.onWoken = onWoken;
  }

  start(): void {
    this.look();
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private look(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    let woken = 0;
    try {
      woken = wakeDue(this.ledger, WOKEN_MAX);
    } catch {
      // A disk that takes no writes: the next look comes in a moment, and the scheduler tells of it.
    }
    const sleepMs = woken === WOKEN_MAX ? 0 : Math.min(SLEEP_MAX_MS, this.untilNextMs());
    this.timer = setTimeout(() => this.look(), sleepMs);
    if (woken > 0) this.onWoken();
  }

  private untilNextMs(): number {
    const { database, queueClock, clock } = this.ledger;
    const { notBefore, dueUs } = nextTimes(database);
    const byWall = notBefore === null ? SLEEP_MAX_MS : Date.parse(notBefore) - clock.nowMs();
    const byQueue = dueUs === null ? SLEEP_MAX_MS : (dueUs - queueClock.nowUs()) / 1000;
    return Math.max(1, Math.ceil(Math.min(byWall, byQueue)));
  }
}

function nextTimes(database: Database): { notBefore: string | null; dueUs: number | null } {
  return (
    database
      .query<{ notBefore: string | null; dueUs: number | null }, []>(
        `SELECT (SELECT min(not_before) FROM job WHERE wait_for = 'time') AS notBefore,
           (SELECT min(due_us) FROM job WHERE wait_for = 'retry') AS dueUs`,
      )
      .get() ?? { notBefore: null, dueUs: null }
  );
}

/** Jobs whose time has come wait for their turn alone. Returns how many. */
export function wakeDue(ledger: Ledger, limit: number): number {
  const { database, queueClock } = ledger;
  return transaction(database, (): number => {
    const rows = database
      .query<{ id: string }, [string, number, number]>(
        `SELECT id FROM job WHERE wait_for = 'time' AND not_before <= ?1
         UNION ALL SELECT id FROM job WHERE wait_for = 'retry' AND due_us <= ?2
         LIMIT ?3`,
      )
      .all(ledger.now(), queueClock.nowUs(), limit);
    const wake = database.query(
      "UPDATE job SET not_before = NULL, due_us = NULL, wait_for = NULL WHERE id = ?1",
    );
    for (const { id } of rows) {
      wake.run(id);
      ledger.settle(id, "wake", nobody);
    }
    return rows.length;
  });
}

/** After a start nothing backs off any more: the queue's clock may have begun anew. */
export function endBackOffs(ledger: Ledger): void {
  ledger.database.run("UPDATE job SET due_us = 0 WHERE wait_for = 'retry'");
}
