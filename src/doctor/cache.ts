/** On what the copies of objects lie that ffmpeg reads: a cache on the network is slower than the bucket. */
import { statfs } from "node:fs/promises";
import { resolve } from "node:path";
import { fileSystemName, inMemory, nearestFolder, onNetwork } from "./data-folder.ts";
import type { Box, Finding } from "./finding.ts";

export async function cacheFindings({ config }: Pick<Box, "config">): Promise<Finding[]> {
  const { kind, cache } = config.storage;
  // In the data folder it is told with that.
  if (kind === "disk" || cache.folder === "") return [];
  const { type } = await statfs(nearestFolder(resolve(config.data, cache.folder)));
  return [cacheFinding(type)];
}

/** What the file system with this magic number means for a cache. Pure. */
export function cacheFinding(magic: number): Finding {
  const name = fileSystemName(magic);
  const common = { id: "cache.filesystem", title: "File system of the cache" };
  const lies = `The cache of the bucket lies on ${name}`;
  const remedy = "Name a folder on a disk of this machine: storage.cache.folder.";
  if (onNetwork.has(name)) {
    const meaning = `${lies}: jobs wait for the network twice.`;
    return { ...common, level: "warning", meaning, remedy };
  }
  if (inMemory.has(name)) {
    const meaning = `${lies}, which is memory: large files may leave none for ffmpeg.`;
    return { ...common, level: "warning", meaning, remedy };
  }
  return { ...common, level: "ok", meaning: `${lies}.`, remedy: null };
}
