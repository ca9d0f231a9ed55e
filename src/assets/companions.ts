/**
 * Makes companions, behind everything else: at the lowest priority of the processor, small ones one at a time, and
 * small copies one at a time besides, so that a long film keeps no waveform waiting. The queue is the rows themselves:
 * what a crash left wanted is made after the next start.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, isoTime } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Device } from "../media/devices.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Progress } from "../media/progress.ts";
import type { Runner } from "../runners/runner.ts";
import type { Storage } from "../storage/storage.ts";
import { Refusal } from "../trouble.ts";
import {
  type Companion,
  type CompanionKind,
  type CompanionPlan,
  companionKey,
} from "./companion.ts";
import type { CompanionRows, Wanted } from "./companion-rows.ts";
import type { AssetRecords } from "./records.ts";

export interface CompanionsParts {
  records: Pick<AssetRecords, "find">;
  rows: CompanionRows;
  storage: Storage;
  /** Runs ffmpeg at the lowest priority. */
  runner: Runner;
  device: Device;
  clock: Clock;
  log: Log;
  workFolder: string;
  /** All small copies together; beyond it the one that nobody watched for the longest time goes. */
  proxiesMaxBytes: number;
  /** @throws Refusal when this media has none, or while no ffmpeg is known */
  plan(kind: CompanionKind, media: MediaInfo): CompanionPlan;
  /** How long it should take, alone on the box. */
  expectSeconds(plan: CompanionPlan, media: MediaInfo): number;
  /** Called when one came further, is there, or cannot be made. */
  onChange(ownerId: string, assetId: string, standing: Standing): void;
}

/** A companion, and how far it is while it is made. */
export interface Standing extends Companion {
  /** Null while it waits, and when it is not being made. */
  progressPercent: number | null;
  /** Until it is there, as far as anybody can tell. */
  etaSeconds: number | null;
  /** How many are made before it. */
  ahead: number;
}

interface Making {
  wanted: Wanted;
  progressPercent: number;
  etaSeconds: number | null;
  stop: AbortController;
}

/** What is made side by side: each lane makes one at a time. */
const lanes: readonly (readonly CompanionKind[])[] = [["sprite", "peaks"], ["proxy"]];

/** Nobody watched it for a month: it is made again when somebody does. */
const PROXY_IDLE_MS = 30 * 86_400_000;
/** Removed in one round; the next copy that is made removes the rest. */
const REMOVED_AT_ONCE = 50;

/** The name of the step's folder. */
const STEP = "companion";

export class Companions {
  private readonly parts: CompanionsParts;
  private readonly abort = new AbortController();
  private readonly busy = new Map<number, Promise<void>>();
  /** Lanes that were woken while they were at work. */
  private readonly again = new Set<number>();
  private readonly making = new Map<string, Making>();

  constructor(parts: CompanionsParts) {
    this.parts = parts;
  }

  /** How it stands. */
  find(assetId: string, kind: CompanionKind): Standing {
    const companion = this.parts.rows.find(assetId, kind);
    const making = this.making.get(companionKey(assetId, kind));
    const waits = companion.state === "wanted" && making === undefined;
    return {
      ...companion,
      progressPercent: making?.progressPercent ?? null,
      etaSeconds: making?.etaSeconds ?? null,
      ahead: waits ? this.parts.rows.ahead(assetId, kind) : 0,
    };
  }

  /** Has it made unless it is there or being made; one that could not be made is tried again. */
  want(assetId: string, kind: CompanionKind): Standing {
    const { state } = this.parts.rows.find(assetId, kind);
    if (state === "absent" || state === "none") this.parts.rows.want(assetId, kind);
    this.wake();
    return this.find(assetId, kind);
  }

  /** The bytes that should be there are not: it is made again. */
  lost(assetId: string, kind: CompanionKind): void {
    this.parts.rows.want(assetId, kind);
    this.wake();
  }

  noteUse(assetId: string, kind: CompanionKind): void {
    this.parts.rows.noteUse(assetId, kind);
  }

  /** Starts on what is wanted unless it is at it already. */
  wake(): void {
    lanes.forEach((kinds, lane) => {
      if (this.abort.signal.aborted) return;
      if (this.busy.has(lane)) {
        this.again.add(lane);
        return;
      }
      const work = this.work(kinds).finally(() => {
        this.busy.delete(lane);
        // Something was wanted after it had looked for the last time.
        if (this.again.delete(lane)) this.wake();
      });
      this.busy.set(lane, work);
    });
  }

  async stop(): Promise<void> {
    this.abort.abort();
    for (const { stop } of this.making.values()) stop.abort();
    await Promise.all(this.busy.values());
  }

  private async work(kinds: readonly CompanionKind[]): Promise<void> {
    for (;;) {
      const wanted = this.parts.rows.nextWanted(kinds);
      if (wanted === null || this.abort.signal.aborted) return;
      const ended = await this.make(wanted);
      if (this.abort.signal.aborted) return;
      this.tell(wanted);
      if (ended === "later") return;
    }
  }

  private tell({ ownerId, assetId, kind }: Wanted): void {
    this.parts.onChange(ownerId, assetId, this.find(assetId, kind));
  }

  /**
   * Never rejects: what cannot be made says so in its row. `later`: nothing can be made now, because there is no ffmpeg
   * or the storage does not answer.
   */
  private async make(wanted: Wanted): Promise<"ended" | "later"> {
    const key = companionKey(wanted.assetId, wanted.kind);
    const stop = new AbortController();
    const making: Making = { wanted, progressPercent: 0, etaSeconds: null, stop };
    this.making.set(key, making);
    try {
      const problem = await this.makeOne(making);
      if (problem !== null && !this.abort.signal.aborted) this.parts.rows.setNone(wanted, problem);
      return "ended";
    } catch (cause) {
      if (cause instanceof Refusal && cause.status === 503) return "later";
      const known = cause instanceof Refusal;
      if (!known) this.parts.log.warn({ err: cause, key }, "companion");
      const problem = known ? cause.message : "It could not be made; the log says why.";
      if (!this.abort.signal.aborted) this.parts.rows.setNone(wanted, problem);
      return "ended";
    } finally {
      this.making.delete(key);
    }
  }

  /** Why there is none; null when it is there, or when nobody wants it any more. */
  private async makeOne(making: Making): Promise<string | null> {
    const { wanted, stop } = making;
    const { records, storage, plan, expectSeconds } = this.parts;
    const media = records.find(wanted.ownerId, wanted.assetId)?.media ?? null;
    if (media === null) return "This file has neither picture nor sound.";
    const planned = plan(wanted.kind, media);
    making.etaSeconds = expectSeconds(planned, media);
    this.tell(wanted);
    const source = await storage.hold(wanted.assetId, stop.signal);
    if (source === null) return "The bytes of the file are gone.";
    try {
      return await this.makeFrom(source.path, making, planned);
    } finally {
      source.release();
    }
  }

  private async makeFrom(
    source: string,
    making: Making,
    { work, expectation, facts }: CompanionPlan,
  ): Promise<string | null> {
    const { wanted, stop } = making;
    const key = companionKey(wanted.assetId, wanted.kind);
    const jobFolder = join(this.parts.workFolder, key);
    await mkdir(jobFolder, { recursive: true, mode: 0o700 });
    try {
      const outcome = await this.parts.runner.run({
        ...{ device: this.parts.device, work, assetPaths: [source], jobFolder, step: STEP },
        ...{ expectations: [expectation], verify: "quick", signal: stop.signal },
        onProgress: (progress) => this.follow(making, progress),
      });
      const made = outcome.kind === "done" ? outcome.outputs[0] : undefined;
      if (made !== undefined) {
        await this.keep(wanted, made.path, facts);
        return null;
      }
      if (outcome.kind !== "failed") return null;
      const { message, hint } = outcome.report;
      this.parts.log.warn({ key, failure: outcome.report }, "companion");
      return hint === "" ? message : `${message} ${hint}`;
    } finally {
      await rm(jobFolder, { recursive: true, force: true });
    }
  }

  private follow(making: Making, { percent, etaSeconds }: Progress): void {
    // Its asset may have been deleted meanwhile.
    if (!this.parts.rows.isWanted(making.wanted)) making.stop.abort();
    if (percent !== null) making.progressPercent = percent;
    if (etaSeconds !== null) making.etaSeconds = etaSeconds;
    this.tell(making.wanted);
  }

  /** Into storage, then into the row. What nobody wants any more goes again. */
  private async keep(wanted: Wanted, path: string, facts: CompanionPlan["facts"]): Promise<void> {
    const { storage, rows } = this.parts;
    const key = companionKey(wanted.assetId, wanted.kind);
    await storage.delete(key);
    const { sizeBytes } = await storage.adopt(key, path);
    if (!rows.setReady(wanted, { sizeBytes, facts })) await storage.delete(key);
    if (wanted.kind === "proxy") await this.tidy(wanted.assetId);
  }

  /** Removes small copies that nobody watches, and those that are too many. */
  private async tidy(justMade: string): Promise<void> {
    const { rows, storage, clock, proxiesMaxBytes, log } = this.parts;
    let excess = rows.bytesOf("proxy") - proxiesMaxBytes;
    const idleSince = isoTime(clock.nowMs() - PROXY_IDLE_MS);
    for (const { assetId, sizeBytes, usedAt } of rows.leastUsed("proxy", REMOVED_AT_ONCE)) {
      if (assetId === justMade || (excess <= 0 && usedAt >= idleSince)) continue;
      rows.forget(assetId, "proxy");
      await storage.delete(companionKey(assetId, "proxy"));
      excess -= sizeBytes;
      log.info({ asset: assetId, sizeBytes }, "a small copy went: nobody watched it for long");
    }
  }
}
