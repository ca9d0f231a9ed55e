/**
 * What a data folder says while no server holds it: jobs, their steps, their outputs, and the bytes under them. Holds
 * what was promised against it after each fault.
 */
import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface StepRow {
  job_id: string;
  name: string;
  state: string;
  fence: number;
  result: string | null;
}

interface JobRow {
  id: string;
  state: string;
}

interface AssetRow {
  id: string;
  job_id: string | null;
  sha256: string;
  size_bytes: number;
}

export interface Snapshot {
  jobs: JobRow[];
  steps: StepRow[];
  assets: AssetRow[];
}

export function snapshot(dataFolder: string): Snapshot {
  const database = new Database(join(dataFolder, "kinomill.sqlite"), { readwrite: true });
  try {
    return {
      jobs: database.query<JobRow, []>("SELECT id, state FROM job ORDER BY id").all(),
      steps: database
        .query<StepRow, []>(
          "SELECT job_id, name, state, fence, result FROM step ORDER BY job_id, position",
        )
        .all(),
      assets: database
        .query<AssetRow, []>(
          "SELECT id, job_id, sha256, size_bytes FROM asset WHERE state = 'ready' ORDER BY id",
        )
        .all(),
    };
  } finally {
    database.close();
  }
}

/** Files that the rows promise and that are not there as promised, as sentences. */
export function falsified(dataFolder: string, { steps, assets }: Snapshot): string[] {
  const faults: string[] = [];
  const check = (what: string, path: string, sizeBytes: number, sha256: string) => {
    if (!existsSync(path)) faults.push(`${what}: not there`);
    else {
      const bytes = readFileSync(path);
      const same =
        bytes.length === sizeBytes &&
        new Bun.CryptoHasher("sha256").update(bytes).digest("hex") === sha256;
      if (!same) faults.push(`${what}: not what it was (${bytes.length} bytes)`);
    }
  };
  for (const { job_id, name, result } of steps) {
    const files = JSON.parse(result ?? "[]") as {
      file: string;
      sizeBytes: number;
      sha256: string;
    }[];
    for (const { file, sizeBytes, sha256 } of files) {
      const path = join(dataFolder, "work", job_id, name, file);
      check(`kept ${job_id}/${name}/${file}`, path, sizeBytes, sha256);
    }
  }
  const objects = objectsOf(dataFolder);
  for (const { id, size_bytes, sha256 } of assets) {
    check(`asset ${id}`, objects.get(id) ?? "", size_bytes, sha256);
  }
  return faults;
}

/** Paths of all stored objects by key. */
export function objectsOf(dataFolder: string): Map<string, string> {
  const folder = join(dataFolder, "storage", "objects");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(files.map(({ name, parentPath }) => [name, join(parentPath, name)]));
}

/** Counts the attempts that faults explain, and finds those that nothing does. */
export class AttemptLedger {
  /** Times that each step was running when the server died. */
  private readonly killed = new Map<string, number>();
  /** Fence of each step that was done. */
  private readonly done = new Map<string, number>();
  /** Steps that began again though they were done. */
  readonly redone: string[] = [];
  kills = 0;
  killedSteps = 0;

  /** Call it with what stands there after each kill. */
  note({ steps, jobs }: Snapshot): void {
    this.kills += 1;
    const running = new Set(jobs.filter(({ state }) => state === "running").map(({ id }) => id));
    for (const { job_id, name, state, fence } of steps) {
      const key = `${job_id}/${name}`;
      const before = this.done.get(key);
      if (before !== undefined && before !== fence)
        this.redone.push(`${key} (${before} → ${fence})`);
      if (state === "done") this.done.set(key, fence);
      if (state !== "running" || !running.has(job_id)) continue;
      this.killedSteps += 1;
      this.killed.set(key, (this.killed.get(key) ?? 0) + 1);
    }
  }

  /** Steps that were begun more or less often than kills explain, as sentences. */
  unexplained({ steps }: Snapshot): string[] {
    return steps.flatMap(({ job_id, name, fence }) => {
      const explained = 1 + (this.killed.get(`${job_id}/${name}`) ?? 0);
      if (fence === explained) return [];
      return [`${job_id}/${name} was begun ${fence} times, and ${explained} are explained`];
    });
  }
}
