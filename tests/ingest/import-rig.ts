/** Imports on a real library, disk and database; only ffprobe is played: what begins with "FILM" is a film. */
import type { Database } from "bun:sqlite";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAccounts } from "../../src/accounts/accounts.ts";
import type { Asset } from "../../src/assets/asset.ts";
import { Library } from "../../src/assets/library.ts";
import { systemClock } from "../../src/clock.ts";
import { openDatabase } from "../../src/database/open.ts";
import { newSecret } from "../../src/identity.ts";
import { allowedFrom } from "../../src/ingest/addresses.ts";
import { Gate, type GateOptions } from "../../src/ingest/gate.ts";
import type { ImportView } from "../../src/ingest/import.ts";
import { ImportRows } from "../../src/ingest/import-rows.ts";
import { Importer, type ImporterParts } from "../../src/ingest/importer.ts";
import { silentLog } from "../../src/log.ts";
import { type DiskStorage, openDiskStorage } from "../../src/storage/disk.ts";
import { Refusal } from "../../src/trouble.ts";
import { eventually } from "../appliance.ts";
import { film } from "../http/site.ts";
import { freshVault } from "../support/fresh-vault.ts";

/** Generous: the machine may be busy with other tests. */
const WAIT_MS = 60_000;

export type RigOptions = Partial<Omit<ImporterParts, "limits" | "gate">> & {
  limits?: Partial<ImporterParts["limits"]>;
  gate?: Partial<GateOptions>;
  /** Of an earlier rig, to go on with. */
  folder?: string;
  /** What the admin has opened. */
  allow?: readonly string[];
};

export class ImportRig {
  readonly folder: string;
  readonly database: Database;
  readonly storage: DiskStorage;
  readonly library: Library;
  readonly importer: Importer;
  ownerId = "";
  changes = 0;
  progresses = 0;

  constructor(options: RigOptions = {}) {
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), "kinomill-import-"));
    this.database = openDatabase(this.folder);
    const { database, folder } = this;
    this.storage = openDiskStorage({
      folder: join(folder, "storage"),
      reserveBytes: 0,
      signingKey: newSecret(),
      publicPath: "/storage",
    });
    this.library = new Library({
      database,
      storage: this.storage,
      clock: systemClock,
      log: silentLog(),
      uploadMaxBytes: 1024 ** 4,
      probe: async (path) => {
        if ((await Bun.file(path).slice(0, 4).text()) === "FILM") return film;
        throw new Refusal(422, "not_media", "This is not a media file that Kinomill can read.");
      },
      onChange: () => undefined,
    });
    const { limits, gate, allow = ["127.0.0.1"], folder: _, ...rest } = options;
    this.importer = new Importer({
      rows: new ImportRows(database, systemClock, freshVault(database)),
      library: this.library,
      buckets: null,
      gate: new Gate({ allowed: allowedFrom(allow), ...gate }),
      clock: systemClock,
      log: silentLog(),
      folder: join(folder, "imports"),
      reserveBytes: 0,
      limits: {
        maxBytes: 1024 ** 3,
        limitSeconds: 600,
        pace: { windowMs: 30_000, bytesPerSecondMin: 1 },
        pauseMs: 1,
        ...limits,
      },
      atOnce: 4,
      atOncePerUser: 4,
      openPerUserMax: 100,
      onChange: () => {
        this.changes += 1;
      },
      onProgress: () => {
        this.progresses += 1;
      },
      onEnd: () => undefined,
      ...rest,
    });
  }

  /** A user, and the importer at work. */
  static async open(options: RigOptions = {}): Promise<ImportRig> {
    const rig = new ImportRig(options);
    const accounts = openAccounts(rig.database, systemClock, { sessionDays: 1 });
    const known = rig.database.query<{ id: string }, []>("SELECT id FROM user LIMIT 1").get();
    if (known === null) await accounts.createUser("ann", "admin", "correct horse battery");
    rig.ownerId =
      known?.id ?? rig.database.query<{ id: string }, []>("SELECT id FROM user").get()?.id ?? "";
    await rig.library.recover();
    await rig.importer.start();
    return rig;
  }

  async add(url: string, name: string | null = null): Promise<string> {
    const [view] = await this.importer.add(this.ownerId, [{ url, name }], "keep");
    return view?.item.id ?? "";
  }

  view(id: string): ImportView | null {
    return this.importer.find(this.ownerId, id);
  }

  asset(id: string): Asset | null {
    return this.library.records.find(this.ownerId, id);
  }

  /** Waits until the import has become an asset; one that failed says why. */
  ready(id: string): Promise<Asset> {
    return eventually(`${id} is here`, WAIT_MS, async () => {
      const view = this.view(id);
      if (view?.item.error) throw new Error(JSON.stringify(view.item.error));
      return this.asset(id);
    });
  }

  /** Waits until the import has failed, and gives the fault. */
  failed(id: string) {
    return eventually(`${id} has failed`, WAIT_MS, async () => {
      if (this.asset(id) !== null) throw new Error(`${id} was imported`);
      return this.view(id)?.item.error;
    });
  }

  /** Imports a link that must fail. */
  async fault(url: string) {
    return await this.failed(await this.add(url));
  }

  async bytes(id: string): Promise<Uint8Array> {
    const body = await this.storage.open(id);
    return body === null ? new Uint8Array() : await new Response(body).bytes();
  }

  /** Files of parts that lie on the disk. */
  parts(): string[] {
    return readdirSync(join(this.folder, "imports"));
  }

  /** Stops, and keeps the folder for the next. */
  async stop(): Promise<void> {
    await this.importer.stop();
    this.database.close();
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

/** A film that the rig believes in: "FILM" and bytes that differ everywhere. */
export function filmBytes(sizeBytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let index = 0; index < sizeBytes; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  bytes.set(new TextEncoder().encode("FILM"));
  return bytes;
}
