/**
 * Work in progress on disk: a folder for each job, in it one for each step. What a finished step left stays there,
 * durable and with its checksum, until the job ends or its result is no longer wanted.
 */
import { constants, mkdirSync, renameSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { MediaInfo } from "../media/media.ts";
import { diskFailure } from "../runners/explain.ts";
import { readThrough } from "../storage/receive.ts";
import { assert } from "../trouble.ts";
import type { StepFile } from "./step-rows.ts";

/** As ids of jobs are; anything else is left over. */
const jobFolderName = /^jb_[0-9a-f]{32}$/;

export class WorkFolders {
  private readonly root: string;
  private discarded = 0;
  /** Jobs whose own folder was made and is not known to be durable; one that begins need not wait for it. */
  private readonly fresh = new Set<string>();

  /** @param root absolute folder of these alone */
  constructor(root: string) {
    this.root = root;
  }

  /** Makes the folder that holds them all. */
  async prepare(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
  }

  pathOf(jobId: string): string {
    assert(jobFolderName.test(jobId), `${jobId} is an id of a job`);
    return join(this.root, jobId);
  }

  fileOf(jobId: string, step: string, file: string): string {
    return join(this.pathOf(jobId), step, file);
  }

  /**
   * The folder of a job that begins; what is in it stays. Not awaited: a job waits for it, and the way to another thread
   * and back is longer than the call.
   */
  open(jobId: string): string {
    const path = this.pathOf(jobId);
    const made = mkdirSync(path, { recursive: true, mode: 0o700 });
    if (made !== undefined) this.fresh.add(jobId);
    return path;
  }

  /**
   * Makes files of a step durable and says how they are: after it they are there even if the power goes.
   * @throws Failure `disk_full`
   */
  async keep(
    jobId: string,
    step: string,
    files: readonly { file: string; media: MediaInfo | null }[],
  ): Promise<StepFile[]> {
    const folder = join(this.pathOf(jobId), step);
    try {
      const kept: StepFile[] = [];
      for (const { file, media } of files) {
        await using handle = await openRegular(join(folder, file));
        const { sizeBytes, sha256 } = await readThrough(handle);
        await handle.sync();
        kept.push({ file, sizeBytes, sha256, media });
      }
      await sync(folder);
      await sync(this.pathOf(jobId));
      if (this.fresh.has(jobId)) {
        await sync(this.root);
        this.fresh.delete(jobId);
      }
      return kept;
    } catch (cause) {
      throw diskFailure(cause) ?? cause;
    }
  }

  /** What is wrong with the kept files of a step, as the end of a sentence; null when they are as they were. */
  async damage(jobId: string, step: string, files: readonly StepFile[]): Promise<string | null> {
    for (const { file, sizeBytes, sha256 } of files) {
      const fault = await this.damageOf(join(this.pathOf(jobId), step, file), sizeBytes, sha256);
      if (fault !== null) return `${file} ${fault}`;
    }
    return null;
  }

  private async damageOf(path: string, sizeBytes: number, sha256: string): Promise<string | null> {
    try {
      await using handle = await openRegular(path);
      const { size } = await handle.stat();
      if (size !== sizeBytes) return `has ${size} bytes instead of ${sizeBytes}`;
      const found = await readThrough(handle);
      return found.sha256 === sha256 ? null : "is not what it was";
    } catch (cause) {
      return codeOf(cause) === "ENOENT" ? "is not there any more" : "cannot be read";
    }
  }

  /** Removes what a job has on disk. It is out of the way at once: the job may begin anew meanwhile. */
  clear(jobId: string): Promise<void> {
    this.fresh.delete(jobId);
    return this.discard(this.pathOf(jobId));
  }

  /**
   * Removes the folders of the steps of a job that are not among those that it keeps.
   * @param kept asked for each again: null when the job has begun meanwhile, which ends it
   */
  async clearUnfinished(jobId: string, kept: () => ReadonlySet<string> | null): Promise<void> {
    for (const name of await namesIn(this.pathOf(jobId))) {
      const names = kept();
      if (names === null) return;
      if (!names.has(name)) await this.discard(join(this.pathOf(jobId), name));
    }
  }

  private async discard(path: string): Promise<void> {
    this.discarded += 1;
    const aside = join(this.root, `gone-${process.pid}-${this.discarded}`);
    try {
      // Not awaited: whoever asked whether it may go knows it still.
      renameSync(path, aside);
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return;
      throw cause;
    }
    await rm(aside, { recursive: true, force: true });
  }

  /** Removes everything that is no folder of a job; the ids of the jobs that have one. */
  async sweepStrays(): Promise<string[]> {
    const jobIds: string[] = [];
    for (const name of await namesIn(this.root)) {
      if (jobFolderName.test(name)) jobIds.push(name);
      else await rm(join(this.root, name), { recursive: true, force: true });
    }
    return jobIds;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return [];
    throw cause;
  }
}

/** Opens what a step left; a link or a pipe in its place is not followed and not waited for. */
async function openRegular(path: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error("invariant broken: a step leaves regular files");
}

/** Makes the entries of a folder durable. */
async function sync(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
}
