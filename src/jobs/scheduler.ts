/**
 * Which job starts next, and where: looks through those that wait, in their order, takes room and a place for
 * each that has one, and notes on the others why they wait. Carrying them out is the worker's.
 */
import type { Effects } from "../database/commits.ts";
import { transaction } from "../database/transaction.ts";
import type { Log } from "../log.ts";
import type { Step } from "../operations/operation.ts";
import type { Dispatch, Place, Wait } from "../runners/dispatch.ts";
import { noHistory, onCpuByWish } from "../runners/places.ts";
import { Refusal } from "../trouble.ts";
import { Alarm } from "./alarm.ts";
import type { Feed } from "./feed.ts";
import type { Need } from "./job.ts";
import type { Preparation, Prepared } from "./preparation.ts";
import type { Claim, Queue } from "./queue.ts";
import type { Repeat, Repeats } from "./repeats.ts";
import type { Room } from "./room.ts";
import type { StepRows } from "./step-rows.ts";
import { type Delay, isPlace, Turns } from "./turns.ts";
import type { Candidate } from "./waiting.ts";

/** A place that was taken for a step. */
export interface FirstPlace {
  step: string;
  place: Place;
}

export interface SchedulerParts {
  queue: Queue;
  feed: Feed;
  dispatch: Dispatch;
  room: Room;
  log: Log;
  preparation: Preparation;
  repeats: Repeats;
  stepRows: StepRows;
  /** Whether a run of this job has not ended to its last. */
  isRunning(jobId: string): boolean;
  /** Carries a claimed job out. */
  begin(start: Start): void;
  /** A job finds no room on the disk: what can be spared may go. */
  wantRoom(): void;
  /** Ends a claimed job that cannot be planned any more. */
  refuse(claim: Claim, trouble: unknown): void;
}

/** Jobs of a round whose reason to wait is kept up to date on the page. */
const REASONS_MAX = 50;

/** How often jobs that wait for room are looked at, and the database that took no writes. */
const LOOK_AGAIN_MS = 2_000;

/** Jobs that were put aside and are looked at in one round; the next round goes on behind them. */
const ASIDE_MAX = 64;

/** A job that was cancelled and retried while its ffmpeg was being ended. */
const winding: Wait = { kind: "busy", sentence: "Its last run is just being ended." };

export class Scheduler {
  private readonly parts: SchedulerParts;
  private readonly turns = new Turns();
  private readonly alarm: Alarm;
  private started = false;
  private stopping = false;
  private wanted = false;
  /** Kinds for which the last round left no place; until something is free no more of them are looked at. */
  private full: ReadonlySet<Need> = new Set();
  /** Where the next look at jobs that were put aside begins, by what they wait for. */
  private readonly aside = { device: 0, space: 0 };
  private readonly looks = { device: false, space: false };
  /** Jobs of which finished steps are kept, as the round that runs found it. */
  private withResults: ReadonlySet<string> = new Set();
  private timer: Timer | null = null;
  /** Whether the last round could not be written. */
  private failed = false;

  constructor(parts: SchedulerParts) {
    this.parts = parts;
    this.alarm = new Alarm(parts.queue.ledger, () => this.wake());
    parts.queue.commits.atEnd(() => this.round());
    // Whoever gives places out wants to see at once whether one was taken.
    parts.dispatch.onFree(() => this.lookNow());
  }

  start(): void {
    this.started = true;
    this.alarm.start();
    this.timer = setInterval(() => this.lookAgain(), LOOK_AGAIN_MS);
    this.lookAtAll();
  }

  stop(): void {
    this.stopping = true;
    this.alarm.stop();
    if (this.timer !== null) clearInterval(this.timer);
  }

  /** There may be something to start: it is looked for at the end of this turn. */
  wake(): void {
    if (!this.started || this.stopping) return;
    this.wanted = true;
    this.parts.queue.commits.turn();
  }

  /** A place may be free, or the box may be able to do more: all that waits is looked at. */
  lookAtAll(): void {
    this.full = new Set();
    this.looks.device = true;
    this.looks.space = true;
    this.wake();
  }

  private lookNow(): void {
    this.lookAtAll();
    if (this.wanted) this.parts.queue.commits.flush();
  }

  private lookAgain(): void {
    if (this.failed || this.parts.queue.waiting.held("space", 0, 1).length > 0) this.lookAtAll();
  }

  /** Inside the transaction of the turn. What it claims begins once that is committed. */
  private round(): Effects | null {
    if (!this.wanted || !this.started || this.stopping) return null;
    this.wanted = false;
    const begun: Begun[] = [];
    const undo = () => {
      this.failed = true;
      for (const each of begun) each.undo();
    };
    try {
      // A part of its own: what was claimed goes back with the one that could not be.
      transaction(this.parts.queue.ledger.database, () => this.lookThrough(begun));
    } catch (cause) {
      this.parts.log.error({ err: cause }, "the queue cannot be read or written; trying again");
      undo();
      // A full disk has ended the transaction: those who wrote in this turn must hear of it.
      if (!this.parts.queue.ledger.database.inTransaction) throw cause;
      return null;
    }
    const committed = () => {
      this.failed = false;
      for (const each of begun) each.begin();
    };
    return { committed, failed: undo };
  }

  private lookThrough(begun: Begun[]): void {
    const { queue, stepRows } = this.parts;
    this.withResults = stepRows.jobsWithResults();
    const start = (job: Candidate) => this.tryStart(job, begun);
    for (const kind of ["device", "space"] as const) {
      if (this.looks[kind]) this.lookAside(kind, start);
    }
    const { waiting, full } = this.turns.round(
      (closed) => queue.waiting.inTurn(closed),
      this.full,
      start,
    );
    this.full = full;
    for (const { job, wait } of waiting.slice(0, REASONS_MAX)) this.noteWait(job, wait);
  }

  /** Jobs for which there was no device, or no room. */
  private lookAside(kind: "device" | "space", start: (job: Candidate) => Delay | true): void {
    const jobs = this.parts.queue.waiting.held(kind, this.aside[kind], ASIDE_MAX);
    for (const job of jobs) {
      const wait = start(job);
      if (wait !== true) this.noteWait(job, wait);
    }
    const more = jobs.length === ASIDE_MAX;
    this.aside[kind] = more ? (jobs.at(-1)?.rank ?? 0) : 0;
    this.looks[kind] = more;
    if (more) this.wake();
  }

  /** True when it was started, or ended because it cannot be. */
  private tryStart(job: Candidate, begun: Begun[]): Delay | true {
    const { preparation, dispatch, room, isRunning } = this.parts;
    if (isRunning(job.jobId)) return winding;
    let prepared: Prepared;
    try {
      prepared = preparation.prepare(job);
    } catch (trouble) {
      return this.refuse(job, trouble, begun);
    }
    const repeat = this.parts.repeats.find(job, prepared.repeatKey);
    if (repeat !== null) {
      this.claim({ prepared, first: null, repeat }, job, begun);
      return true;
    }
    const tight = room.take(job.jobId, prepared.expectedBytes, job.spaceBytes);
    if (tight !== null) {
      this.parts.wantRoom();
      return { kind: "space", sentence: tight };
    }
    const next = this.nextStep(job, prepared);
    const place =
      next === null
        ? null
        : dispatch.place(next.work, job.onlyOn === null ? noHistory : onCpuByWish);
    if (place !== null && !isPlace(place)) {
      room.giveBack(job.jobId);
      return place;
    }
    const first = next === null || place === null ? null : { step: next.name, place };
    this.claim({ prepared, first, repeat }, job, begun);
    return true;
  }

  private claim(start: Omit<Start, "claim">, { jobId }: Candidate, begun: Begun[]): void {
    const { first } = start;
    const { queue, dispatch, room } = this.parts;
    const giveBack = () => {
      room.giveBack(jobId);
      if (first !== null) dispatch.release(first.place);
    };
    let claim: Claim | null = null;
    try {
      claim = queue.claim(first?.place.device ?? { id: "cpu" }, jobId);
    } finally {
      if (claim === null) giveBack();
    }
    if (claim === null) return;
    const claimed = claim;
    begun.push({ begin: () => this.parts.begin({ ...start, claim: claimed }), undo: giveBack });
  }

  /** The first step that has to run; null when all are done already. */
  private nextStep({ jobId }: Candidate, { plan, fingerprints }: Prepared): Step | null {
    if (!this.withResults.has(jobId)) return plan.steps[0] ?? null;
    const kept = this.parts.stepRows.kept(jobId);
    const stands = ({ name }: Step) => kept.get(name)?.fingerprint === fingerprints.get(name);
    return plan.steps.find((step) => !stands(step)) ?? null;
  }

  /** A job that cannot be planned any more fails with the reason; without an ffmpeg it waits. */
  private refuse(job: Candidate, trouble: unknown, begun: Begun[]): Delay | true {
    if (trouble instanceof Refusal && trouble.status === 503) {
      return { kind: "busy", sentence: trouble.message };
    }
    const claim = this.parts.queue.claim({ id: "cpu" }, job.jobId);
    if (claim !== null) {
      begun.push({ begin: () => this.parts.refuse(claim, trouble), undo: () => {} });
    }
    return true;
  }

  private noteWait(job: Candidate, { kind, sentence }: Delay): void {
    const { queue, feed } = this.parts;
    const held = kind === "absent" ? "device" : kind === "space" ? "space" : null;
    if (job.held === held && job.reason === sentence) return;
    const noted =
      held === null ? queue.unhold(job.jobId, sentence) : queue.hold(job.jobId, held, sentence);
    if (noted && job.held === held) feed.changed(job.ownerId, job.jobId);
  }
}

/** A job that was claimed, and what it begins with. */
export interface Start {
  claim: Claim;
  prepared: Prepared;
  /** The place that was taken for its first step; null when nothing is left to run. */
  first: FirstPlace | null;
  /** The same job, done before: its outputs are taken. */
  repeat: Repeat | null;
}

/** A job that was claimed in a turn that is not committed yet. */
interface Begun {
  begin(): void;
  undo(): void;
}
