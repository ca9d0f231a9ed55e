/**
 * Compares the records with the storage, both ways: objects that nobody owns, and assets whose bytes are missing or not
 * what they were. While the server serves; with `repair` it also puts right what can be put right without a loss.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import type { Log } from "../log.ts";
import { hashOf } from "../storage/receive.ts";
import type { ListedObject, Storage } from "../storage/storage.ts";
import { Refusal } from "../trouble.ts";
import type { Library } from "./library.ts";
import { missingBytes } from "./missing-bytes.ts";

export interface StockFault {
  /** Id of the asset. */
  id: string;
  name: string;
  /** For a person. */
  fault: string;
}

export interface StockReport {
  state: "never" | "running" | "done" | "failed";
  deep: boolean;
  repair: boolean;
  startedAt: string | null;
  finishedAt: string | null;
  /** Why it failed; null when it did not. */
  problem: string | null;
  objects: number;
  /** Objects that no asset owns: how many, how large, the first of them. */
  orphans: { objects: number; bytes: number; keys: string[] };
  /** Objects in the same place that are not Kinomill's: left alone. */
  foreign: number;
  /** Assets whose object is gone: how many, the first of them. */
  missing: { assets: number; faults: StockFault[] };
  /** Assets whose object has another size or, looked at deeply, another hash. */
  damaged: { assets: number; faults: StockFault[] };
  /** What was put right. */
  repaired: { orphans: number; binned: number };
}

export interface StockWish {
  /** Reads every object and compares its SHA-256. */
  deep: boolean;
  repair: boolean;
}

export interface StocktakingParts {
  database: Database;
  storage: Storage;
  clock: Clock;
  log: Log;
  library: Pick<Library, "delete" | "allowances">;
}

/** Of each list in the report; the numbers say how many there are. */
const SHOWN_MAX = 50;
/** Orphans that are kept in mind for a repair; the next one takes the rest. */
const ORPHANS_MAX = 100_000;

/** What is younger may belong to somebody who is just being recorded. */
const ORPHAN_AGE_MS = 3_600_000;

/** Where more than so many are missing, and more than half, it is the storage that is wrong and not the assets. */
const MISSING_DOUBTED = 10;

/** An asset's bytes, its picture, or one of its companions. */
const ownKey = /^(as_[0-9a-f]{32})(\.(thumbnail|sprite|peaks|proxy))?$/;

/** As `backup/bucket-shelf.ts` names them. */
const isBackup = (key: string) => key.startsWith("backup-");

export class Stocktaking {
  private readonly parts: StocktakingParts;
  private current: StockReport = emptyReport({ deep: false, repair: false });
  private running: Promise<void> | null = null;
  private stopped = false;

  constructor(parts: StocktakingParts) {
    this.parts = parts;
  }

  report(): StockReport {
    return this.current;
  }

  /** Begins, and answers at once. @throws Refusal 409 `checking` while one runs */
  start(wish: StockWish): StockReport {
    if (this.running !== null) {
      throw new Refusal(409, "checking", "The storage is being checked. Look again in a moment.");
    }
    const { clock } = this.parts;
    const startedAt = isoTime(clock.nowMs());
    this.current = { ...emptyReport(wish), state: "running", startedAt };
    this.running = this.run().finally(() => {
      this.running = null;
    });
    return this.current;
  }

  /** Resolves when what runs has ended. */
  async ended(): Promise<StockReport> {
    await this.running;
    return this.current;
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    const { log, clock } = this.parts;
    try {
      const orphans = await this.findOrphans();
      await this.findFaults();
      if (this.current.repair) await this.repair(orphans);
      this.current.state = "done";
    } catch (cause) {
      this.current.state = "failed";
      if (!(cause instanceof Refusal)) log.error({ err: cause }, "the check of the storage failed");
      const known = cause instanceof Refusal;
      this.current.problem = known ? cause.message : "It could not be ended; the log says why.";
    }
    this.current.finishedAt = isoTime(clock.nowMs());
    const { orphans, missing, damaged, repaired } = this.current;
    const facts = { orphans: orphans.objects, missing: missing.assets, damaged: damaged.assets };
    log.info({ ...facts, repaired }, "the storage was checked");
  }

  private async findOrphans(): Promise<ListedObject[]> {
    const found: ListedObject[] = [];
    const { orphans } = this.current;
    for await (const page of this.parts.storage.pages()) {
      this.goOn();
      for (const object of page) {
        this.current.objects += 1;
        if (!ownKey.test(object.key)) this.current.foreign += isBackup(object.key) ? 0 : 1;
        else if (!this.isOwned(object.key) && found.length < ORPHANS_MAX) found.push(object);
      }
    }
    const nowMs = this.parts.clock.nowMs();
    // Looked at again: what has just been stored may have been recorded meanwhile.
    const lonely = found.filter(
      ({ key, modifiedMs }) => nowMs - modifiedMs > ORPHAN_AGE_MS && !this.isOwned(key),
    );
    orphans.objects = lonely.length;
    orphans.bytes = lonely.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    orphans.keys = lonely.slice(0, SHOWN_MAX).map(({ key }) => key);
    return lonely;
  }

  /** By an asset, or by somebody who notes that it is about to be one. */
  private isOwned(key: string): boolean {
    const [, id = ""] = ownKey.exec(key) ?? [];
    return (
      this.parts.database
        .query(
          `SELECT 1 FROM asset WHERE id = ?1 UNION ALL SELECT 1 FROM object_intent WHERE key = ?2
           UNION ALL SELECT 1 FROM asset_import WHERE id = ?1
           UNION ALL SELECT 1 FROM direct_upload WHERE key = ?1 AND state = 'finishing' LIMIT 1`,
        )
        .get(id, key) !== null
    );
  }

  private async findFaults(): Promise<void> {
    const { database, storage } = this.parts;
    const { missing, damaged } = this.current;
    for (const { id, name, foundBytes } of await missingBytes(database, storage)) {
      this.goOn();
      if (!this.isWanted(id)) continue;
      if (foundBytes === null) add(missing, { id, name, fault: "its bytes are gone" });
      else add(damaged, { id, name, fault: `it has ${foundBytes} bytes, which is not its size` });
    }
    if (this.current.deep) await this.readAll();
  }

  private async readAll(): Promise<void> {
    const next = this.parts.database.query<{ id: string; name: string; sha256: string }, [string]>(
      "SELECT id, name, sha256 FROM asset WHERE id > ?1 AND state = 'ready' ORDER BY id LIMIT 1",
    );
    for (let asset = next.get(""); asset !== null; asset = next.get(asset.id)) {
      this.goOn();
      const { id, name, sha256 } = asset;
      const body = await this.parts.storage.open(id);
      // That it is gone was said already.
      if (body === null) continue;
      const found = await hashOf(body instanceof Blob ? body.stream() : body);
      if (found.sha256 === sha256 || !this.isWanted(id)) continue;
      if (this.current.damaged.faults.some((fault) => fault.id === id)) continue;
      add(this.current.damaged, { id, name, fault: "its bytes are not what they were" });
    }
  }

  /** Nothing that could be wanted goes: what is missing goes into the bin, from which it comes back with its bytes. */
  private async repair(orphans: ListedObject[]): Promise<void> {
    const { storage, library, database } = this.parts;
    const { missing, repaired } = this.current;
    const assets =
      database.query<{ n: number }, []>("SELECT count(*) AS n FROM asset").get()?.n ?? 0;
    if (missing.assets > MISSING_DOUBTED && missing.assets * 2 > assets) {
      throw new Refusal(
        409,
        "storage_doubted",
        `The bytes of ${missing.assets} of ${assets} assets are missing: this looks like another storage than theirs, so nothing was repaired. Look at the settings storage.*.`,
      );
    }
    for (const { key } of orphans) {
      this.goOn();
      if (this.isOwned(key)) continue;
      await storage.delete(key);
      repaired.orphans += 1;
    }
    for (const { id } of library.allowances.settings.binDays > 0 ? missing.faults : []) {
      if (await this.bin(id)) repaired.binned += 1;
    }
  }

  private async bin(id: string): Promise<boolean> {
    const row = this.parts.database
      .query<{ ownerId: string }, [string]>(
        "SELECT owner_id AS ownerId FROM asset WHERE id = ?1 AND state = 'ready'",
      )
      .get(id);
    if (row === null) return false;
    return await this.parts.library.delete(row.ownerId, id).then(
      () => true,
      (cause: unknown) => {
        // A job reads it, and will say what is missing.
        if (cause instanceof Refusal) return false;
        throw cause;
      },
    );
  }

  /** It was not deleted meanwhile; nor is it in the bin, where a repair puts what has no bytes. */
  private isWanted(id: string): boolean {
    const wanted = "SELECT 1 FROM asset WHERE id = ?1 AND state = 'ready'";
    return this.parts.database.query(wanted).get(id) !== null;
  }

  private goOn(): void {
    if (this.stopped)
      throw new Refusal(503, "stopping", "Kinomill is stopping. Check again later.");
  }
}

function add(list: { assets: number; faults: StockFault[] }, fault: StockFault): void {
  list.assets += 1;
  if (list.faults.length < SHOWN_MAX) list.faults.push(fault);
}

function emptyReport({ deep, repair }: StockWish): StockReport {
  return {
    ...{ state: "never", deep, repair, startedAt: null, finishedAt: null, problem: null },
    ...{ objects: 0, foreign: 0, orphans: { objects: 0, bytes: 0, keys: [] } },
    ...{ missing: { assets: 0, faults: [] }, damaged: { assets: 0, faults: [] } },
    repaired: { orphans: 0, binned: 0 },
  };
}
