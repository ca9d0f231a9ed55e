/** Starts the runs of one way under strace, and reads what they opened. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { corpus } from "./corpus.ts";
import { isOfTheSystem, openedByTools, straceFlags } from "./trace.ts";
import type { Report, Way } from "./ways.ts";

/** All runs of one way; they take about ten seconds on two idle cores. */
export const wayLimitMs = 240_000;

/** What all runs of one way did. */
export interface Seen {
  /** `file use opened`, for everything that was not the asker's. */
  leaks: string[];
  /** The same for what was tried and refused by the kernel. */
  tries: string[];
  reports: Report[];
  /** Labels of the runs that opened the asset itself: proof that they happened and were seen. */
  opened: Set<string>;
}

/** For people: `hls-map.m3u8 probe`. */
export function nameOf(label: string): string {
  const [index, use] = label.split("/");
  return `${corpus[Number(index)]?.name} ${use}`;
}

/** Follows all runs of one way; several at once, since some only wait. */
export async function watch(way: Way, root: string): Promise<Seen> {
  const shards = availableParallelism() + 1;
  const parts = await Promise.all(
    Array.from({ length: shards }, (_, shard) => watchShard(way, root, shard, shards)),
  );
  return {
    leaks: parts.flatMap(({ leaks }) => leaks).toSorted(),
    tries: parts.flatMap(({ tries }) => tries).toSorted(),
    reports: parts.flatMap(({ reports }) => reports),
    opened: new Set(parts.flatMap(({ opened }) => [...opened])),
  };
}

async function watchShard(way: Way, root: string, shard: number, shards: number): Promise<Seen> {
  const log = join(root, `trace-${way}-${shard}`);
  const report = join(root, `report-${way}-${shard}`);
  const program = join(import.meta.dir, "follow.ts");
  const followed = [process.execPath, program, way, root, String(shard), String(shards), report];
  const child = Bun.spawn(["strace", ...straceFlags, "-o", log, ...followed], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: wayLimitMs,
    killSignal: "SIGKILL",
  });
  const stderr = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(`the runs of ${way} broke off: ${stderr}`);
  const seen: Seen = {
    leaks: [],
    tries: [],
    reports: JSON.parse(await readFile(report, "utf8")),
    opened: new Set(),
  };
  for (const { label, what, refused } of openedByTools(await readFile(log, "utf8"))) {
    const own = corpus[Number(label.split("/")[0])]?.name;
    // Careless runs say names as they stand in the storage, which is where they run.
    const path = what.startsWith("AF_") ? what : resolve(root, "storage", what);
    if (own !== undefined && path === join(root, "storage", own)) seen.opened.add(label);
    else if (!isTheAskers(join(root, "jobs", way, label), path)) {
      (refused ? seen.tries : seen.leaks).push(`${nameOf(label)}: ${path}`);
    }
  }
  return seen;
}

function isTheAskers(folder: string, what: string): boolean {
  return isOfTheSystem(what) || what === folder || what.startsWith(`${folder}/`);
}
