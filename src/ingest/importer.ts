/** All imports of this server: takes links, fetches some of them at a time, and goes on after a restart. */
import { mkdirSync } from "node:fs";
import { readdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { WhenEqual } from "../assets/asset.ts";
import type { Library } from "../assets/library.ts";
import { cleanName } from "../assets/name.ts";
import { type Clock, isoTime } from "../clock.ts";
import { newId } from "../identity.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../trouble.ts";
import type { BucketLinks } from "./bucket-links.ts";
import type { Gate } from "./gate.ts";
import type { Import, ImportView } from "./import.ts";
import type { ImportRows } from "./import-rows.ts";
import { type ImportLimits, ImportRun, type RunOutcome } from "./import-run.ts";
import {
  bucketScheme,
  LINK_LENGTH_MAX,
  nameOfLink,
  parseLink,
  schemesFor,
  shownLink,
} from "./link.ts";
import { LinkTrouble } from "./link-trouble.ts";

/** What failed can be tried again for a day, and goes on with what had come. */
const KEPT_AFTER_END_MS = 24 * 3600 * 1000;

const SWEEP_EVERY_MS = 10 * 60 * 1000;

/** Links of one call: more is a program's work, and it can call again. */
export const LINKS_PER_CALL_MAX = 100;

export interface ImporterParts {
  rows: ImportRows;
  library: Pick<Library, "adopt" | "admit" | "equalOf">;
  gate: Gate;
  /** Null where the storage is no bucket: then s3:// links are refused. */
  buckets: BucketLinks | null;
  clock: Clock;
  log: Log;
  /** Absolute folder of parts, on the disk of the data. */
  folder: string;
  /** Bytes of its file system that stay free. */
  reserveBytes: number;
  limits: ImportLimits;
  /** Imports that run at the same time, and those of one person among them. */
  atOnce: number;
  atOncePerUser: number;
  /** Imports of one person that have not ended. */
  openPerUserMax: number;
  /** Called after an import began, moved or went: pages refresh. */
  onChange(): void;
  onProgress(ownerId: string, id: string): void;
  /** Called when one runs no more. */
  onEnd(id: string): void;
  /** Authorities to believe besides those of the system (PEM); for tests. */
  authorities?: string;
}

export interface LinkRequest {
  url: string;
  /** As a person named it; null: as the link or its server say. */
  name: string | null;
}

interface Running {
  ownerId: string;
  run: ImportRun;
  stop: AbortController;
  ended: Promise<void>;
  /** Null while it runs. */
  outcome: RunOutcome | null;
}

/** Why a run is interrupted when it is not to go on later. */
const cancelled = new Error("cancelled");

export class Importer {
  private readonly parts: ImporterParts;
  private readonly running = new Map<string, Running>();
  private sweeper: Timer | null = null;
  private open = false;

  constructor(parts: ImporterParts) {
    this.parts = parts;
    mkdirSync(parts.folder, { recursive: true, mode: 0o700 });
  }

  /**
   * Takes links: all of them or none. After it resolves they survive a restart.
   * @throws Refusal 422 `bad_link`, `link_refused`; 429 `too_many_imports`; 503 `sandbox_missing`
   */
  async add(
    ownerId: string,
    requests: readonly LinkRequest[],
    ifExists: WhenEqual,
  ): Promise<ImportView[]> {
    await this.parts.library.admit(null, ownerId);
    const links = this.readAll(requests.map(({ url }) => url));
    const open = this.parts.rows.openCount(ownerId);
    const { openPerUserMax } = this.parts;
    if (open + links.length > openPerUserMax) {
      throw new Refusal(
        429,
        "too_many_imports",
        `You have ${open} imports that have not ended, and ${openPerUserMax} are allowed (imports.waitingPerUser). Wait for some of them, or cancel some.`,
        { headers: { "retry-after": "60" } },
      );
    }
    const items = links.map((link, index) =>
      this.itemOf(ownerId, link, requests[index]?.name ?? null, ifExists),
    );
    this.parts.rows.insertAll(items);
    this.parts.onChange();
    this.pump();
    return items.map((item) => this.viewOf(this.parts.rows.find(ownerId, item.id) ?? item));
  }

  private readAll(texts: readonly string[]): URL[] {
    const links: URL[] = [];
    const faults: { path: string; message: string; code: string }[] = [];
    for (const [index, text] of texts.entries()) {
      try {
        const { gate, buckets } = this.parts;
        const link = parseLink(text, schemesFor(buckets !== null));
        if (link.protocol === bucketScheme) buckets?.judge(link);
        else gate.judgeText(link);
        links.push(link);
      } catch (cause) {
        faults.push({ path: `urls.${index}`, ...wordsOf(cause) });
      }
    }
    const [first] = faults;
    if (first === undefined) return links;
    // Of a single link the sentence says it all.
    const errors = texts.length === 1 ? [] : faults.map(({ path, message }) => ({ path, message }));
    throw new Refusal(422, first.code, first.message, { errors });
  }

  private itemOf(ownerId: string, link: URL, name: string | null, ifExists: WhenEqual): Import {
    return {
      id: newId("asset"),
      ownerId,
      url: link.href.slice(0, LINK_LENGTH_MAX),
      lost: false,
      name: cleanName(name ?? nameOfLink(link)),
      named: name !== null,
      state: "waiting",
      ifExists,
      validator: null,
      totalBytes: null,
      durableBytes: 0,
      error: null,
      assetId: null,
      createdAt: isoTime(this.parts.clock.nowMs()),
      finishedAt: null,
    };
  }

  /** Null when this person has no such import: it may be an asset by now. */
  find(ownerId: string, id: string): ImportView | null {
    const item = this.parts.rows.find(ownerId, id);
    return item === null ? null : this.viewOf(item);
  }

  /** Those that have not become assets, the newest first. */
  list(ownerId: string, limit: number, after: string | null): ImportView[] {
    return this.parts.rows.list(ownerId, limit, after).map((item) => this.viewOf(item));
  }

  private viewOf(item: Import): ImportView {
    const running = this.running.get(item.id);
    return { item, progress: running === undefined ? null : { ...running.run.progress } };
  }

  /** Ends an import and removes what had come of it. False when there is none. */
  async cancel(ownerId: string, id: string): Promise<boolean> {
    if (this.parts.rows.find(ownerId, id) === null) return false;
    const running = this.running.get(id);
    if (running === undefined) {
      await this.forget(id);
      this.parts.onChange();
      return true;
    }
    running.stop.abort(cancelled);
    await running.ended;
    // It may have become an asset in this moment: that is for whoever deletes assets.
    return running.outcome?.kind === "interrupted";
  }

  private async forget(id: string): Promise<void> {
    this.parts.rows.remove(id);
    await rm(this.pathOf(id), { force: true });
  }

  /**
   * Tries a failed one again, with what had come of it.
   * @throws Refusal 404 `not_found`, 409 `wrong_state`
   */
  retry(ownerId: string, id: string): ImportView {
    if (this.parts.rows.find(ownerId, id) === null) {
      throw new Refusal(
        404,
        "not_found",
        "There is no such import. It may have ended or been cancelled.",
      );
    }
    if (!this.parts.rows.retry(ownerId, id)) {
      throw new Refusal(409, "wrong_state", "Only an import that failed can be tried again.");
    }
    this.parts.onChange();
    this.pump();
    const view = this.find(ownerId, id);
    if (view === null) throw new Error("invariant broken: what waits again is there");
    return view;
  }

  /** Finishes what a crash interrupted and begins to fetch. Call it once, after the library has recovered. */
  async start(): Promise<void> {
    this.parts.rows.sealLeft();
    this.parts.rows.recover();
    await this.sweep();
    this.open = true;
    this.sweeper = setInterval(() => void this.sweep(), SWEEP_EVERY_MS);
    this.pump();
  }

  /** Interrupts all: they go on at the next start. */
  async stop(): Promise<void> {
    this.open = false;
    if (this.sweeper !== null) clearInterval(this.sweeper);
    const running = [...this.running.values()];
    for (const { stop } of running) stop.abort(new Error("the server stops"));
    await Promise.all(running.map(({ ended }) => ended));
  }

  /** Removes what ended a day ago, and parts that belong to nothing. Never rejects. */
  private async sweep(): Promise<void> {
    const { rows, clock, folder, log } = this.parts;
    try {
      const gone = rows.removeEndedBefore(clock.nowMs() - KEPT_AFTER_END_MS);
      for (const name of await readdir(folder)) {
        const id = /^(as_[0-9a-f]+)\.part$/.exec(name)?.[1];
        if (id !== undefined && !rows.exists(id)) await rm(join(folder, name), { force: true });
      }
      if (gone.length > 0) this.parts.onChange();
    } catch (cause) {
      log.warn({ err: cause }, "parts of imports could not be swept; the next sweep tries");
    }
  }

  private pump(): void {
    while (this.open && this.running.size < this.parts.atOnce) {
      const item = this.parts.rows.claim(this.busyOwners());
      if (item === null) return;
      if (item.lost) this.giveUp(item);
      else this.begin(item);
    }
  }

  private giveUp({ id, ownerId }: Import): void {
    this.parts.rows.fail(id, {
      code: "link_lost",
      message:
        "The whole of this link can no longer be read: the key that it was kept with is gone.",
      hint: "Add the link again.",
      retryable: false,
    });
    this.parts.onChange();
    this.parts.onProgress(ownerId, id);
  }

  /** Those who have as many running as one person may. */
  private busyOwners(): string[] {
    const counts = new Map<string, number>();
    for (const { ownerId } of this.running.values()) {
      counts.set(ownerId, (counts.get(ownerId) ?? 0) + 1);
    }
    return [...counts].filter(([, n]) => n >= this.parts.atOncePerUser).map(([ownerId]) => ownerId);
  }

  private begin(item: Import): void {
    const stop = new AbortController();
    const run = new ImportRun(
      {
        ...this.parts,
        path: this.pathOf(item.id),
        freeBytes: () => this.freeBytes(item.id),
        onProgress: () => this.parts.onProgress(item.ownerId, item.id),
      },
      item,
      stop.signal,
    );
    const running: Running = {
      ...{ ownerId: item.ownerId, run, stop },
      ended: Promise.resolve(),
      outcome: null,
    };
    running.ended = run
      .run()
      .then((outcome) => {
        running.outcome = outcome;
        return this.finish(item, outcome, stop.signal.reason === cancelled);
      })
      .catch((cause: unknown) =>
        this.parts.log.error({ err: cause, import: item.id }, "end of an import"),
      )
      .finally(() => {
        this.running.delete(item.id);
        this.parts.onEnd(item.id);
        this.parts.onChange();
        this.pump();
      });
    this.running.set(item.id, running);
    this.parts.onChange();
  }

  private async finish(item: Import, outcome: RunOutcome, forGood: boolean): Promise<void> {
    const { rows, log } = this.parts;
    const about = { import: item.id, url: shownLink(new URL(item.url)) };
    switch (outcome.kind) {
      case "done":
        await rm(this.pathOf(item.id), { force: true });
        log.info(about, "imported");
        return;
      case "interrupted":
        if (forGood) await this.forget(item.id);
        else rows.putBack(item.id);
        return;
      case "failed": {
        const { fault } = outcome;
        // The room is wanted for others, and what is no media does not become so.
        if (["storage_full", "quota_exceeded", "not_media", "too_large"].includes(fault.code)) {
          await rm(this.pathOf(item.id), { force: true });
        }
        rows.fail(item.id, fault);
        const ours = fault.code === "internal" ? { err: outcome.cause } : {};
        log.warn({ ...about, fault: fault.code, why: fault.message, ...ours }, "an import failed");
      }
    }
  }

  /** What is free on the disk, less the reserve and what the other imports are still to bring. */
  private async freeBytes(butOf: string): Promise<number> {
    const { bavail, bsize } = await statfs(this.parts.folder);
    const promised = [...this.running].map(
      ([
        id,
        {
          run: { progress },
        },
      ]) => (id === butOf ? 0 : Math.max(0, (progress.totalBytes ?? 0) - progress.receivedBytes)),
    );
    return bavail * bsize - this.parts.reserveBytes - promised.reduce((sum, n) => sum + n, 0);
  }

  private pathOf(id: string): string {
    return join(this.parts.folder, `${id}.part`);
  }
}

function wordsOf(cause: unknown): { code: string; message: string } {
  if (cause instanceof Refusal) return { code: cause.code, message: cause.message };
  if (cause instanceof LinkTrouble) {
    return { code: cause.fault.code, message: `${cause.fault.message} ${cause.fault.hint}` };
  }
  throw cause;
}
