/** How quickly the disk of the data folder takes what is written; a short test, for the command alone. */
import { open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { nearestFolder } from "./data-folder.ts";
import type { Box, Finding } from "./finding.ts";

/** The test ends at whichever comes first. */
const WRITTEN_MAX_BYTES = 64 * 1024 ** 2;
const WRITING_LIMIT_MS = 500;
const PIECE_BYTES = 4 * 1024 ** 2;

/** Fsyncs of one small page: what each commit of the database waits for. */
const SYNCS = 5;

/** Two 4K renditions of 100 Mbit/s at ten times real time need more than a slow disk gives. */
const SLOW_BYTES_PER_SECOND = 50e6;
/** An SSD takes one or two, a disk that turns 10 to 20; beyond that every change is felt. */
const SLOW_SYNC_MS = 50;

export interface DiskSpeed {
  bytesPerSecond: number;
  /** Median. */
  syncMs: number;
}

export async function diskSpeedFindings(box: Box): Promise<Finding[]> {
  if (box.asker !== "command") return [];
  const folder = nearestFolder(box.config.data);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < box.config.storage.reserveBytes + WRITTEN_MAX_BYTES) return [];
  try {
    return [speedFinding(await measureDisk(folder))];
  } catch {
    // What is wrong with the folder is said by the look at it.
    return [];
  }
}

/** Pure. */
export function speedFinding({ bytesPerSecond, syncMs }: DiskSpeed): Finding {
  const common = { id: "data.speed", title: "Disk speed" };
  const speed = `The disk takes ${Math.round(bytesPerSecond / 1e6)} MB/s, and a safe write ${syncMs < 10 ? syncMs.toFixed(1) : Math.round(syncMs)} ms`;
  if (bytesPerSecond >= SLOW_BYTES_PER_SECOND && syncMs <= SLOW_SYNC_MS) {
    return { ...common, level: "ok", meaning: `${speed}.`, remedy: null };
  }
  return {
    ...{ ...common, level: "warning" },
    meaning: `${speed}: uploads and jobs will wait for it.`,
    remedy: "See what else writes to it: iostat -x 1 3 — and prefer an SSD of this machine.",
  };
}

/** Writes at most 64 MiB for half a second in this folder, and leaves nothing. */
export async function measureDisk(folder: string): Promise<DiskSpeed> {
  const path = join(folder, `.doctor-${process.pid}`);
  const file = await open(path, "wx", 0o600);
  try {
    // The name goes first: whatever ends this process, nothing stays.
    await rm(path);
    const piece = Buffer.alloc(PIECE_BYTES, 0xa5);
    const begunMs = performance.now();
    let writtenBytes = 0;
    while (writtenBytes < WRITTEN_MAX_BYTES && performance.now() - begunMs < WRITING_LIMIT_MS) {
      await file.write(piece);
      writtenBytes += PIECE_BYTES;
    }
    await file.datasync();
    const bytesPerSecond = writtenBytes / ((performance.now() - begunMs) / 1000);
    const syncs: number[] = [];
    for (let round = 0; round < SYNCS; round += 1) {
      const beganMs = performance.now();
      await file.write(piece, 0, 4096, round * 4096);
      await file.datasync();
      syncs.push(performance.now() - beganMs);
    }
    return { bytesPerSecond, syncMs: syncs.sort((a, b) => a - b)[SYNCS >> 1] ?? 0 };
  } finally {
    await file.close();
  }
}
