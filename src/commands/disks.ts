/** The file systems on which this server keeps its bytes: how large, how full. */
import { stat, statfs } from "node:fs/promises";
import { resolve } from "node:path";
import { within } from "../clock.ts";
import type { Config } from "../config.ts";
import { nearestFolder } from "../doctor/data-folder.ts";
import type { DiskReport } from "../http/parts.ts";

/** A file system of the network whose server is gone never answers. */
const ANSWER_LIMIT_MS = 1_000;

/** Each file system once, with all that lies on it; one that does not answer is left out. */
export async function diskReports({ data, storage, backup }: Config): Promise<DiskReport[]> {
  const folders: { holds: DiskReport["holds"][number]; folder: string }[] = [
    { holds: "data", folder: data },
    storage.kind === "disk"
      ? { holds: "storage", folder: resolve(data, "storage") }
      : { holds: "cache", folder: cacheFolder(data, storage) },
    { holds: "backups", folder: resolve(data, backup.folder) },
  ];
  const looked = await Promise.all(
    folders.map(async ({ holds, folder }) => ({
      holds,
      disk: await within(
        ANSWER_LIMIT_MS,
        diskOf(nearestFolder(folder)).catch(() => null),
      ),
    })),
  );
  const byDevice = new Map<number, DiskReport>();
  for (const { holds, disk } of looked) {
    if (disk === null || disk === undefined) continue;
    const { device, ...sizes } = disk;
    const known = byDevice.get(device);
    byDevice.set(device, { ...sizes, holds: [...(known?.holds ?? []), holds] });
  }
  return [...byDevice.values()];
}

function cacheFolder(data: string, { cache }: Config["storage"]): string {
  return resolve(data, cache.folder === "" ? "cache" : cache.folder);
}

/** As `df` has it: free is what this user may still write. */
async function diskOf(folder: string) {
  const [{ blocks, bavail, bfree, bsize }, { dev }] = await Promise.all([
    statfs(folder),
    stat(folder),
  ]);
  const usedBytes = (blocks - bfree) * bsize;
  return { device: dev, usedBytes, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
