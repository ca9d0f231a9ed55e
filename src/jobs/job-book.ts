/** The steps of one claimed job: each change in the database under its fences, what is done kept on disk. */
import type { Database } from "bun:sqlite";
import { transaction, unhurried } from "../database/transaction.ts";
import type { Log } from "../log.ts";
import type { Device } from "../media/devices.ts";
import type { GpuFault } from "../media/gpu-fault.ts";
import type { Step } from "../operations/operation.ts";
import type { Place } from "../runners/dispatch.ts";
import type { ProvenOutput } from "../runners/runner.ts";
import { assert, type FailureReport } from "../trouble.ts";
import type { Begun, Experience } from "./experience.ts";
import type { Jobs } from "./jobs.ts";
import type { Prepared } from "./preparation.ts";
import type { Claim, Queue } from "./queue.ts";
import { checksOf, type DoneOutcome, type StepBook } from "./step-book.ts";
import type { KeptStep, StepRows, StepTicket } from "./step-rows.ts";
import type { WorkFolders } from "./work-folders.ts";

export interface JobBookParts {
  database: Database;
  queue: Queue;
  stepRows: StepRows;
  jobs: Jobs;
  folders: WorkFolders;
  log: Log;
  experience: Experience;
}

/** Sentences about lost results that an attempt shows; a disk that lost more has lost all. */
const LOST_TOLD_MAX = 5;

/** The claim of a job that runs: a fault of a device moves it to the next attempt, with a fence of its own. */
export interface HeldClaim {
  claim: Claim;
}

export class JobBook implements StepBook {
  private readonly parts: JobBookParts;
  private readonly held: HeldClaim;
  private readonly prints: ReadonlyMap<string, string>;
  private readonly kept: Map<string, KeptStep>;
  private readonly tickets = new Map<string, StepTicket>();
  private readonly begun = new Map<string, Begun>();
  private readonly prepared: Prepared;
  /** Sentences about what could not be reused. */
  private readonly lost: string[] = [];

  /** @param prepared the plan, to which `StepRows.lay` has brought the rows */
  constructor(parts: JobBookParts, held: HeldClaim, prepared: Prepared) {
    this.parts = parts;
    this.held = held;
    this.prepared = prepared;
    this.prints = prepared.fingerprints;
    this.kept = parts.stepRows.kept(held.claim.jobId);
    const others = [...this.kept].filter(([name, { fingerprint }]) => {
      return fingerprint !== this.prints.get(name);
    });
    for (const [name] of others) this.loseResult(name);
    if (others.length > 0) this.lost.push(changedWords(others.length));
    this.noteReuse();
  }

  async reuse({ name, title, outputs }: Step): Promise<ProvenOutput[] | null> {
    const kept = this.kept.get(name);
    if (kept === undefined) return null;
    const { folders, log } = this.parts;
    const { jobId } = this.held.claim;
    const damage = await folders.damage(jobId, name, kept.files);
    if (damage !== null) {
      log.warn({ job: jobId, step: name, damage }, "a kept result is damaged; the step runs again");
      this.loseResult(name);
      this.lost.push(`“${title}” runs again: its result was damaged (${damage}).`);
      this.noteReuse();
      return null;
    }
    return outputs.map(({ file }, index) => {
      const found = kept.files.find((each) => each.file === file);
      assert(found !== undefined, `the result of ${name} has ${file}`);
      return {
        ...found,
        path: folders.fileOf(jobId, name, file),
        checks: index === 0 ? kept.checks : [],
      };
    });
  }

  /** Its row has to say so before it can begin. */
  private loseResult(name: string): void {
    this.kept.delete(name);
    this.parts.stepRows.renew(this.held.claim, name);
  }

  private noteReuse(): void {
    const count = this.kept.size;
    if (count === 0 && this.lost.length === 0) return;
    const steps = this.prints.size === 1 ? "1 step" : `${this.prints.size} steps`;
    const done = `${count} of ${steps} ${count === 1 ? "was" : "were"} already done.`;
    const told = this.lost.slice(0, LOST_TOLD_MAX);
    const rest = this.lost.length - told.length;
    const more = rest > 0 ? [`So do ${rest} more.`] : [];
    const notes = [...(count > 0 ? [done] : []), ...told, ...more];
    this.parts.queue.noteAttempt(this.held.claim, notes);
    this.show();
  }

  begin({ name, title }: Step, place: Place): boolean {
    const { device, why } = place;
    const { database, stepRows, queue } = this.parts;
    const { claim } = this.held;
    place.reservation.occupant = { jobId: claim.jobId, ownerId: claim.ownerId, step: title };
    const where = { device: device.id, deviceReason: why === "" ? null : why };
    const ticket = unhurried(database, () => {
      const begun = stepRows.begin(claim, name, where);
      if (begun !== null) queue.noteRun(claim, where);
      return begun;
    });
    if (ticket === null) return false;
    this.tickets.set(name, ticket);
    this.begun.set(name, this.parts.experience.begin(place));
    this.show();
    return true;
  }

  wait({ name }: Step, sentence: string): void {
    const { database, stepRows, queue } = this.parts;
    const { claim } = this.held;
    unhurried(database, () => {
      stepRows.noteWait(claim.jobId, name, sentence);
      queue.noteRun(claim, { device: null, deviceReason: sentence });
    });
    this.show();
  }

  fault({ name }: Step, device: Device, report: FailureReport, fault: GpuFault): void {
    const { database, stepRows, queue, jobs, log } = this.parts;
    const { claim } = this.held;
    log.warn(
      {
        job: claim.jobId,
        step: name,
        device: device.id,
        fault: fault.name,
        reaction: fault.reaction,
      },
      fault.sentence,
    );
    const next = transaction(database, () => {
      const ticket = this.takeTicket(name);
      if (ticket !== null) stepRows.stop(ticket);
      queue.noteRun(claim, { device: device.id, deviceReason: null });
      return queue.tryElsewhere(claim, report, device);
    });
    // Void when it was cancelled meanwhile: what runs on is aborted, and its end changes nothing.
    this.held.claim = next ?? claim;
    jobs.announce(claim.jobId);
  }

  async finish(step: Step, outcome: DoneOutcome): Promise<ProvenOutput[] | null> {
    const { database, stepRows, queue, folders } = this.parts;
    const { name, makes = [] } = step;
    const { jobId } = this.held.claim;
    const ticket = this.takeTicket(name);
    const fingerprint = this.prints.get(name);
    assert(fingerprint !== undefined, `step ${name} has a fingerprint`);
    if (ticket === null) return null;
    const { outputs, deviceReason, encoder, proof } = outcome;
    const proven = new Set(outputs.map(({ file }) => file));
    const made = makes.filter((file) => !proven.has(file)).map((file) => ({ file, media: null }));
    const files = await folders.keep(jobId, name, [...outputs, ...made]);
    const checks = checksOf(outcome);
    const done = transaction(database, () => {
      const result = { deviceReason, encoder, proof, checks, fingerprint, files };
      const finished = stepRows.finish(ticket, result);
      if (finished) {
        queue.noteRun(this.held.claim, { device: null, deviceReason, proof });
        this.learn(step, outcome);
      }
      return finished;
    });
    if (!done) return null;
    this.show();
    return outputs.map((output, index) => {
      const sha256 = files[index]?.sha256;
      return sha256 === undefined ? output : { ...output, sha256 };
    });
  }

  private learn(step: Step, outcome: DoneOutcome): void {
    const begun = this.begun.get(step.name);
    if (begun === undefined) return;
    try {
      this.parts.experience.finish(begun, step, this.prepared, outcome);
    } catch (cause) {
      // Nobody's job fails for what would have been learned from it.
      this.parts.log.warn({ err: cause, step: step.name }, "a step could not be learned from");
    }
  }

  fail({ name }: Step): void {
    const ticket = this.takeTicket(name);
    if (ticket !== null) this.parts.stepRows.fail(ticket);
  }

  stop({ name }: Step): void {
    const ticket = this.takeTicket(name);
    if (ticket !== null) this.parts.stepRows.stop(ticket);
  }

  private takeTicket(name: string): StepTicket | null {
    const ticket = this.tickets.get(name) ?? null;
    this.tickets.delete(name);
    return ticket;
  }

  private show(): void {
    const { ownerId, jobId } = this.held.claim;
    this.parts.jobs.show(ownerId, jobId);
  }
}

function changedWords(count: number): string {
  const steps = count === 1 ? "1 of its steps was" : `${count} of its steps were`;
  const run = count === 1 ? "runs" : "run";
  return `${steps} done, and ${run} again: the work, the ffmpeg or Kinomill is another one now.`;
}
