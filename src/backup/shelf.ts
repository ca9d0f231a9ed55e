/** The folder of backups: their names, what is whole in it, what is too old. */
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isoTime } from "../clock.ts";
import { readThrough } from "../storage/receive.ts";

/** One backup that is whole. */
export interface Backup {
  /** Name of its file in the folder. */
  name: string;
  createdAt: string;
  sizeBytes: number;
  /** Hexadecimal SHA-256 of the file. */
  sha256: string;
}

/** How the last attempt went; `doctor` reads it when no server runs. */
export interface Attempt {
  at: string;
  /** Null when it failed; `problem` then says why. */
  name: string | null;
  /** A sentence with what to do; null when it went well. */
  problem: string | null;
  tookMs: number;
  /** The longest that a write of the server waited meanwhile, in milliseconds; null when no server was there to see. */
  writersWaitMs: number | null;
}

const attemptForm: z.ZodType<Attempt> = z.object({
  at: z.iso.datetime(),
  name: z.string().nullable(),
  problem: z.string().nullable(),
  tookMs: z.number(),
  writersWaitMs: z.number().nullable(),
});

/** `kinomill-2026-11-29T03-15-00Z.sqlite`; a number where two were made in one second. Order of names: order of time. */
const nameForm = /^kinomill-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z(?:_\d{1,3})?\.sqlite$/;
/** In the form of `sha256sum`, which can check it. */
const checksumForm = /^([0-9a-f]{64}) {2}\S+\n?$/;

/** What a killed copy leaves: SQLite puts a journal beside it. */
const partForm = /^kinomill-.*\.part(-journal|-wal|-shm)?$/;
const attemptFile = "last-attempt.json";

export class Shelf {
  readonly folder: string;

  /** @param folder absolute; made when it is first written to */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** The newest first. A copy without its checksum was not finished, and is none. */
  async list(): Promise<Backup[]> {
    const names = (await this.names()).filter((name) => nameForm.test(name));
    const found = await Promise.all(names.map((name) => this.find(name)));
    return found.filter((backup) => backup !== null).toSorted(newestFirst);
  }

  /** Null when there is no whole backup under this name. */
  async find(name: string): Promise<Backup | null> {
    const [, day, hour, minute, second] = nameForm.exec(name) ?? [];
    if (day === undefined) return null;
    const [sum, file] = await Promise.all([
      readFile(this.pathOf(`${name}.sha256`), "utf8").catch(() => ""),
      stat(this.pathOf(name)).catch(() => null),
    ]);
    const sha256 = checksumForm.exec(sum)?.[1];
    if (sha256 === undefined || file === null || !file.isFile()) return null;
    const createdAt = isoTime(Date.parse(`${day}T${hour}:${minute}:${second}Z`));
    return { name, createdAt, sizeBytes: file.size, sha256 };
  }

  pathOf(name: string): string {
    return join(this.folder, name);
  }

  /** A name that no backup has, for one that is begun now; `part` is where it is written until it is whole. */
  async begin(nowMs: number): Promise<{ name: string; part: string }> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const taken = new Set(await this.names());
    const stem = `kinomill-${isoTime(nowMs).slice(0, 19).replaceAll(":", "-")}Z`;
    let name = `${stem}.sqlite`;
    for (let n = 2; taken.has(name); n += 1) name = `${stem}_${n}.sqlite`;
    return { name, part: this.pathOf(`${name}.part`) };
  }

  /** The move that makes it a backup: its checksum is there before it, and both survive a power cut. */
  async publish(name: string, sha256: string): Promise<void> {
    const sum = this.pathOf(`${name}.sha256`);
    await writeFile(sum, `${sha256}  ${name}\n`, { mode: 0o600, flush: true });
    await rename(this.pathOf(`${name}.part`), this.pathOf(name));
    await syncFolder(this.folder);
  }

  /** Removes all but the newest `keep`. Their names. */
  async prune(keep: number): Promise<string[]> {
    const old = (await this.list()).slice(keep).map(({ name }) => name);
    for (const name of old) await this.remove(name);
    return old;
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { force: true });
    await rm(this.pathOf(`${name}.sha256`), { force: true });
  }

  /** Removes what attempts that were killed have left. Nobody else may be at work in the folder. */
  async sweep(): Promise<void> {
    const names = await this.names();
    const whole = new Set(names);
    for (const name of names) {
      const lonely = name.endsWith(".sqlite.sha256") && nameForm.test(name.slice(0, -7));
      const stray = partForm.test(name) || (lonely && !whole.has(name.slice(0, -7)));
      if (stray) await rm(this.pathOf(name), { force: true });
    }
  }

  async noteAttempt(attempt: Attempt): Promise<void> {
    const part = this.pathOf(`${attemptFile}.new`);
    await writeFile(part, `${JSON.stringify(attempt)}\n`, { mode: 0o600 });
    await rename(part, this.pathOf(attemptFile));
  }

  async lastAttempt(): Promise<Attempt | null> {
    try {
      return attemptForm.parse(JSON.parse(await readFile(this.pathOf(attemptFile), "utf8")));
    } catch {
      return null;
    }
  }

  /** Bytes that are free on the disk of the folder, and which disk that is. */
  async room(): Promise<{ freeBytes: number; device: number }> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const [{ bavail, bsize }, { dev }] = await Promise.all([
      statfs(this.folder),
      stat(this.folder),
    ]);
    return { freeBytes: bavail * bsize, device: dev };
  }

  private async names(): Promise<string[]> {
    try {
      return await readdir(this.folder);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw cause;
    }
  }
}

const newestFirst = (a: Backup, b: Backup) =>
  a.createdAt === b.createdAt
    ? b.name.length - a.name.length || (a.name < b.name ? 1 : -1)
    : a.createdAt < b.createdAt
      ? 1
      : -1;

/** The SHA-256 of a file, computed beside the main thread. */
export async function sha256Of(path: string): Promise<string> {
  await using file = await open(path, "r");
  return (await readThrough(file)).sha256;
}

/** Makes the entries of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
