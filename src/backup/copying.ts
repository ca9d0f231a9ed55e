/**
 * Starts the copying process and looks after it: keeps the disk's queue short, so that no writer's sync waits behind
 * a hundred megabytes of the copy, and ends the copy when the write-ahead log grows too far meanwhile.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { databaseFileName } from "../database/open.ts";
import { snapshotExits, snapshotWord } from "./snapshot.ts";

/**
 * The log cannot be cut while the copy reads: it grows by what is written in that time. A gigabyte is a thousand
 * times what jobs write in the second that a copy of 300 MB takes.
 */
const LOG_GROWTH_MAX_BYTES = 1024 ** 3;

/** How often the copy is synced and the log is looked at. Shorter bursts: shorter waits for everybody else. */
const ROUND_MS = 10;

/** A copy of 10 GB takes a minute; what takes this long hangs. */
const COPY_LIMIT_MS = 60 * 60 * 1000;

/** Of what the process says, at most. */
const WORDS_MAX = 2_000;

export type CopyOutcome =
  | { kind: "done" }
  | { kind: "aborted" }
  /** No room on the disk of the target. */
  | { kind: "full" }
  /** The copy, and with it the database, is not whole. `words` are SQLite's. */
  | { kind: "damaged"; words: string }
  /** The log has grown too far. */
  | { kind: "log_grew" }
  | { kind: "failed"; words: string };

/** Copies the database of `dataFolder` to `target` and makes the copy durable. Never rejects; the rest is the caller's. */
export async function copyDatabase(
  dataFolder: string,
  target: string,
  signal?: AbortSignal,
): Promise<CopyOutcome> {
  if (signal?.aborted) return { kind: "aborted" };
  const child = Bun.spawn([...launcher(), dataFolder, target], {
    cwd: "/",
    env: { LANG: "C.UTF-8" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let why: CopyOutcome | null = null;
  const end = (outcome: CopyOutcome) => {
    why ??= outcome;
    child.kill("SIGKILL");
  };
  const abort = () => end({ kind: "aborted" });
  signal?.addEventListener("abort", abort, { once: true });
  const limit = setTimeout(() => end({ kind: "failed", words: "it took too long" }), COPY_LIMIT_MS);
  try {
    const words = new Response(child.stderr).text();
    await attend(child, dataFolder, target, () => end({ kind: "log_grew" }));
    await child.exited;
    return why ?? outcomeOf(child.exitCode, (await words).trim().slice(0, WORDS_MAX));
  } catch (cause) {
    child.kill("SIGKILL");
    await child.exited;
    const full = (cause as NodeJS.ErrnoException).code === "ENOSPC";
    return full ? { kind: "full" } : { kind: "failed", words: String(cause) };
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener("abort", abort);
  }
}

/** As `fenceLauncher` does: what runs now, also when an upgrade has put another file in its place. */
function launcher(): string[] {
  if (Bun.main.startsWith("/$bunfs/")) return ["/proc/self/exe", snapshotWord];
  const entry = join(import.meta.dir, "snapshot-entry.ts");
  return [process.execPath, "--no-env-file", "--config=/dev/null", entry];
}

/** Until the process ends; its file is durable then, as far as it is written. */
async function attend(
  child: { exitCode: number | null; signalCode: unknown; exited: Promise<unknown> },
  dataFolder: string,
  target: string,
  onLogGrown: () => void,
): Promise<void> {
  const log = join(dataFolder, `${databaseFileName}-wal`);
  const before = await sizeOf(log);
  let copy: FileHandle | null = null;
  try {
    for (;;) {
      const ended = child.exitCode !== null || child.signalCode !== null;
      copy ??= await open(target, "r+").catch(() => null);
      await copy?.datasync();
      if (ended) break;
      if ((await sizeOf(log)) - before > LOG_GROWTH_MAX_BYTES) onLogGrown();
      await Promise.race([child.exited, Bun.sleep(ROUND_MS)]);
    }
    await copy?.chmod(0o600);
    await copy?.sync();
  } finally {
    await copy?.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

function outcomeOf(exitCode: number | null, words: string): CopyOutcome {
  switch (exitCode) {
    case snapshotExits.done:
      return { kind: "done" };
    case snapshotExits.full:
      return { kind: "full" };
    case snapshotExits.damaged:
      return { kind: "damaged", words };
    default:
      return { kind: "failed", words: words || "the copying process was ended" };
  }
}
