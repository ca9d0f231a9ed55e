/**
 * WHEN: the queue as an SQL state machine, as far as it is worked off: claims and their ends. What persons ask of it
 * is in `asks.ts`, their steps in `step-rows.ts`. Each transition is one function whose UPDATE names the old state and, for a running job, the fence
 * in its WHERE; "no row" is an outcome that the caller handles. Readers are in `rows.ts` and `waiting.ts`.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import type { Commits } from "../database/commits.ts";
import { joined, unhurried } from "../database/transaction.ts";
import { assert, type FailureReport } from "../trouble.ts";
import { Asks } from "./asks.ts";
import { finish, jsonOrNull, putBack, setAside } from "./endings.ts";
import { entryWhere } from "./event-log.ts";
import type { JobStep, OnlyDevice } from "./job.ts";
import { Ledger, type Moved, nobody } from "./ledger.ts";
import { predecessorFailed, predecessorSucceeded } from "./predecessors.ts";
import type { Predicted } from "./prediction.ts";
import { recoverRunning } from "./recovery.ts";
import { nextRun } from "./retry.ts";
import type { JobRow } from "./rows.ts";
import { inputIdsOf, WaitingJobs } from "./waiting.ts";

/** The right to move one running job: valid until somebody else moved it. */
export interface Claim {
  jobId: string;
  ownerId: string;
  operation: string;
  params: Record<string, unknown>;
  inputIds: string[];
  /** How its outputs are proven; null: as the setting says. */
  verify: "quick" | "full" | null;
  /** Its asker wants it worked out, whatever was made before. */
  anew: boolean;
  /** The device that a person wants it on; null: wherever it fits. */
  onlyOn: OnlyDevice | null;
  fence: number;
}

type ClaimedRow = Pick<
  JobRow,
  "id" | "owner_id" | "operation" | "params" | "priority" | "verify" | "anew" | "own_need" | "fence"
>;

/** What may start: a job whose turn it may be, or one that waits for a device or for room. */
const claimable =
  "((state = 'queued' AND wait_for IS NULL) OR (state = 'waiting' AND wait_for IN ('device', 'space')))";

const claimEntry = entryWhere(claimable);

/** Where a job's work runs now, as one of its steps has it. */
export type StepPlace = Pick<JobStep, "device" | "deviceReason" | "proof">;

/** What decides about another run besides the failure. */
export interface RetryPolicy {
  /** Runs that a job may have in all before it stays failed. */
  runsMax: number;
  /** From 0 (inclusive) to 1. */
  random(): number;
  /** Bytes that a job needs that has just filled the disk. */
  roomAfterFull(jobId: string): number;
}

/** For whoever has no configuration. */
const usualPolicy: RetryPolicy = {
  runsMax: 3,
  random: Math.random,
  roomAfterFull: () => 64 * 1024 ** 2,
};

export class Queue {
  readonly ledger: Ledger;
  readonly waiting: WaitingJobs;
  /** What persons ask: a new job, cancel, retry, pause … */
  readonly asks: Asks;
  private readonly database: Database;
  private readonly policy: Partial<RetryPolicy>;

  constructor(database: Database, clock: Clock, policy: Partial<RetryPolicy> = {}) {
    this.database = database;
    this.policy = policy;
    this.ledger = new Ledger(database, clock);
    this.waiting = new WaitingJobs(database);
    this.asks = new Asks(this.ledger);
  }

  /** For what should be written together with what others write in the same turn. */
  get commits(): Commits {
    return this.ledger.commits;
  }

  private now(): string {
    return this.ledger.now();
  }

  /** The job whose turn it is goes to running; null when none may start. */
  claimNext(device: { id: string }): Claim | null {
    const jobId = this.waiting.firstId();
    return jobId === null ? null : this.claim(device, jobId);
  }

  /** queued, or waiting for a device or for room → running. Null when it is not so any more. */
  claim(device: { id: string }, jobId: string): Claim | null {
    return joined(this.database, (): Claim | null => {
      const sentence = `On ${device.id}.`;
      const entry = { jobId, what: "claim", state: "running", who: nobody, sentence } as const;
      if (!this.ledger.log.appendWhere(claimEntry, entry)) return null;
      const row = this.database
        .query<ClaimedRow, [string, string, string]>(
          `UPDATE job SET state = 'running', wait_for = NULL, fence = fence + 1, started_at = ?1,
             device = ?2, device_reason = NULL, progress_percent = 0, attempt_proof = NULL, attempt_notes = NULL,
             attempt_started_at = NULL, last_event = last_insert_rowid()
           WHERE id = ?3 AND ${claimable}
           RETURNING id, owner_id, operation, params, priority, verify, anew, own_need, fence`,
        )
        .get(this.now(), device.id, jobId);
      assert(row !== null, "a job is claimed under the condition that its entry was written under");
      this.waiting.shares.charge({ ownerId: row.owner_id, priority: row.priority });
      return {
        jobId: row.id,
        ownerId: row.owner_id,
        operation: row.operation,
        params: JSON.parse(row.params) as Record<string, unknown>,
        inputIds: inputIdsOf(this.database, row.id),
        verify: row.verify,
        anew: row.anew === 1,
        onlyOn: row.own_need === null ? null : "cpu",
        fence: row.fence,
      };
    });
  }

  /**
   * queued → waiting: no device of the box can do it now, or there is no room for it. Also changes the sentence
   * of one that waits so already.
   */
  hold(jobId: string, waitsFor: "device" | "space", sentence: string): boolean {
    return joined(this.database, (): boolean => {
      const held = this.database
        .query<Moved, [string, string, string]>(
          `UPDATE job SET state = 'waiting', wait_for = ?2, device_reason = ?3
           WHERE id = ?1 AND state = 'queued' AND wait_for IS NULL RETURNING id, owner_id, state`,
        )
        .get(jobId, waitsFor, sentence);
      if (held !== null) this.ledger.write(held, "hold", nobody, sentence);
      return held !== null || this.say(jobId, sentence, "waiting");
    });
  }

  /**
   * waiting → queued: a device can do it and there is room, but no place is free. Also changes the sentence of a
   * queued one.
   */
  unhold(jobId: string, sentence: string | null): boolean {
    return joined(this.database, (): boolean => {
      const freed = this.database
        .query<Moved, [string, string | null]>(
          `UPDATE job SET state = 'queued', wait_for = NULL, device_reason = ?2
           WHERE id = ?1 AND state = 'waiting' AND wait_for IN ('device', 'space')
           RETURNING id, owner_id, state`,
        )
        .get(jobId, sentence);
      if (freed !== null) this.ledger.write(freed, "unhold", nobody, sentence ?? "");
      return freed !== null || this.say(jobId, sentence, "queued");
    });
  }

  private say(jobId: string, sentence: string | null, state: "queued" | "waiting"): boolean {
    const said = this.database.query(
      `UPDATE job SET device_reason = ?2
       WHERE id = ?1 AND state = ?3 AND coalesce(wait_for, 'device') IN ('device', 'space')`,
    );
    return said.run(jobId, sentence, state).changes === 1;
  }

  /**
   * running → running: the attempt ended by a fault of its device, and the next one begins on another.
   * Null when the claim is void.
   */
  tryElsewhere(claim: Claim, error: FailureReport, device: { id: string }): Claim | null {
    return joined(this.database, (): Claim | null => {
      if (!setAside(this.ledger, claim, { outcome: "failed", error })) return null;
      const row = this.database
        .query<Moved & { fence: number }, [string, number, string, string]>(
          `UPDATE job SET fence = fence + 1, device = ?3, device_reason = NULL, progress_percent = 0,
             attempt_proof = NULL, attempt_notes = NULL, attempt_started_at = ?4
           WHERE id = ?1 AND state = 'running' AND fence = ?2
           RETURNING id, owner_id, state, fence`,
        )
        .get(claim.jobId, claim.fence, device.id, this.now());
      assert(
        row !== null,
        "a job goes on under the condition that its attempt was set aside under",
      );
      this.ledger.write(row, "try elsewhere", nobody, error.message);
      return { ...claim, fence: row.fence };
    });
  }

  /** Where a running job runs now, and what really ran there. False when the claim is no longer valid. */
  noteRun(claim: Claim, { device, deviceReason, proof = null }: StepPlace): boolean {
    const noted = this.database.query(
      `UPDATE job SET device = coalesce(?3, device), device_reason = coalesce(?4, device_reason),
         attempt_proof = coalesce(?5, attempt_proof)
       WHERE id = ?1 AND state = 'running' AND fence = ?2`,
    );
    return (
      noted.run(claim.jobId, claim.fence, device, deviceReason, jsonOrNull(proof)).changes === 1
    );
  }

  /** What is expected of a running job, as it begins for the first time. False when the claim is no longer valid. */
  notePrediction(claim: Claim, predicted: Predicted): boolean {
    return unhurried(this.database, (): boolean => {
      const noted = this.database.query(
        `UPDATE job SET predicted = coalesce(predicted, ?3)
         WHERE id = ?1 AND state = 'running' AND fence = ?2`,
      );
      return noted.run(claim.jobId, claim.fence, JSON.stringify(predicted)).changes === 1;
    });
  }

  /** What is to be told of a running attempt besides. False when the claim is no longer valid. */
  noteAttempt(claim: Claim, notes: readonly string[]): boolean {
    return unhurried(this.database, (): boolean => {
      const noted = this.database.query(
        `UPDATE job SET attempt_notes = ?3 WHERE id = ?1 AND state = 'running' AND fence = ?2`,
      );
      return noted.run(claim.jobId, claim.fence, JSON.stringify(notes)).changes === 1;
    });
  }

  /** running → succeeded. `record` writes the outputs in the same transaction. False: the claim is void. */
  succeed(claim: Claim, record: () => void): boolean {
    return joined(this.database, (): boolean => {
      if (!finish(this.ledger, claim, "succeeded", null, "succeed")) return false;
      record();
      predecessorSucceeded(this.ledger, claim.jobId);
      return true;
    });
  }

  /**
   * A run failed: running → queued for another one after a while, or waiting for room, or failed for good, by the
   * class of the failure. False: the claim is void.
   */
  fail(claim: Claim, error: FailureReport): boolean {
    return joined(this.database, (): boolean => {
      const failures = this.failuresOf(claim);
      if (failures === null) return false;
      // Asked for at each failure: the number of runs is a setting that may change meanwhile.
      const { runsMax, random, roomAfterFull } = { ...usualPolicy, ...this.policy };
      const next = nextRun(error, failures + 1, { runsMax, random: random() });
      switch (next.kind) {
        case "later":
          return this.postpone(claim, error, next.delayMs, next.sentence);
        case "when-space":
          return this.makeRoom(claim, error, roomAfterFull(claim.jobId), next.sentence);
        case "never":
          return this.failForGood(claim, error);
      }
    });
  }

  /** running → failed, and with it the jobs that waited for it. False: the claim is void. */
  failForGood(claim: Claim, error: FailureReport): boolean {
    return joined(this.database, (): boolean => {
      if (!setAside(this.ledger, claim, { outcome: "failed", error })) return false;
      const failed = finish(this.ledger, claim, "failed", error, "fail");
      assert(failed, "a job fails under the condition that its attempt was set aside under");
      predecessorFailed(this.ledger, claim.jobId);
      return true;
    });
  }

  /** Failed runs of a running job since a person asked for it; null when the claim is void. */
  private failuresOf({ jobId, fence }: Claim): number | null {
    return (
      this.database
        .query<{ failures: number }, [string, number]>(
          "SELECT failures FROM job WHERE id = ?1 AND state = 'running' AND fence = ?2",
        )
        .get(jobId, fence)?.failures ?? null
    );
  }

  /** running → queued, for another run after a while. False: the claim is void. */
  postpone(claim: Claim, error: FailureReport, delayMs: number, sentence: string): boolean {
    return putBack(
      this.ledger,
      claim,
      { outcome: "failed", error },
      {
        what: "postpone",
        sentence,
        waitsFor: "retry",
        dueUs: this.ledger.queueClock.nowUs() + delayMs * 1000,
        notBefore: isoTime(this.ledger.clock.nowMs() + delayMs),
      },
    );
  }

  /** running → waiting, until there is this much room on the disk. False: the claim is void. */
  makeRoom(claim: Claim, error: FailureReport, spaceBytes: number, sentence: string): boolean {
    return putBack(
      this.ledger,
      claim,
      { outcome: "failed", error },
      {
        ...{ what: "make room", sentence, waitsFor: "space", spaceBytes },
      },
    );
  }

  /** running → queued, for a shutdown: interrupted is not failed, and not counted. */
  release(claim: Claim): boolean {
    return putBack(
      this.ledger,
      claim,
      { outcome: "interrupted", error: null },
      {
        what: "release",
        sentence: "The server was stopped. What was done so far is kept where it can be.",
      },
    );
  }

  /** See `recoverRunning`. */
  recover(runningIds: readonly string[], died: boolean): number {
    return recoverRunning(this.ledger, runningIds, died);
  }
}
