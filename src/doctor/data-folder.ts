/** The data folder: whether Kinomill may write to it, on what it lies, and how much is free. */
import { constants, existsSync } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { sizeText } from "../../views/quantities.ts";
import { type Box, dataFolderOf, dataFolderToType, type Finding } from "./finding.ts";

export async function dataFindings(box: Box): Promise<Finding[]> {
  // A folder that is not there yet is made by the server: what counts is where it would be made.
  const standing = nearestFolder(box.config.data);
  const rights = await rightsFinding(box, standing);
  if (rights.level === "fault") return [rights];
  const { type, bavail, bsize } = await statfs(standing);
  return [rights, fileSystemFinding(box, type), spaceFinding(box, bavail * bsize)];
}

/** The folder itself, or the nearest above it that is there. */
export function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

async function rightsFinding(box: Box, standing: string): Promise<Finding> {
  const common = { id: "data.rights", title: "Data folder" };
  const folder = dataFolderOf(box);
  try {
    await access(standing, constants.R_OK | constants.W_OK | constants.X_OK);
    const meaning = `Kinomill may read and write ${folder}.`;
    return { ...common, level: "ok", meaning, remedy: null };
  } catch {
    const remedy = `Give that right: sudo chown -R "$(id -un)" ${dataFolderToType(box)} — or choose another folder with --data.`;
    const meaning = `This user may not write to ${folder}.`;
    return { ...common, level: "fault", meaning, remedy };
  }
}

/** Magic numbers of statfs(2), Linux. */
const fileSystems: Record<number, string> = {
  26985: "NFS",
  4283649346: "SMB",
  4266872130: "SMB",
  20859: "SMB",
  16914839: "9p",
  1702057286: "FUSE",
  12805120: "Ceph",
  2035054128: "overlay",
  16914836: "tmpfs",
  2240043254: "ramfs",
  61267: "ext4",
  1481003842: "XFS",
  2435016766: "Btrfs",
  801189825: "ZFS",
  4076150800: "F2FS",
};

export const onNetwork = new Set(["NFS", "SMB", "9p", "FUSE", "Ceph"]);
export const inMemory = new Set(["tmpfs", "ramfs"]);

/** "ext4"; what statfs(2) calls it when it is none that is known here. */
export function fileSystemName(magic: number): string {
  return fileSystems[magic >>> 0] ?? `an unknown file system (0x${(magic >>> 0).toString(16)})`;
}

/** What the file system with this magic number means for a database and for files that are kept. Pure. */
export function fileSystemFinding(box: Pick<Box, "asker" | "config">, magic: number): Finding {
  const name = fileSystemName(magic);
  const common = { id: "data.filesystem", title: "File system" };
  const lies = `The data folder lies on ${name}`;
  if (onNetwork.has(name)) {
    return {
      ...{ ...common, level: "warning" },
      meaning: `${lies}: locks and power cuts are not safe there, and the database may be damaged.`,
      remedy: `Keep it on a disk of this machine, and the files of assets in S3 where they need another place: ${moveTo(box)}`,
    };
  }
  if (inMemory.has(name)) {
    return {
      ...{ ...common, level: "warning" },
      meaning: `${lies}, which is memory: everything is gone after a restart of the machine.`,
      remedy: `Keep it on a disk: ${moveTo(box)}`,
    };
  }
  if (name === "overlay") {
    return {
      ...{ ...common, level: "warning" },
      meaning: `${lies}, the layers of a container: everything is gone with the container.`,
      remedy: `Start the container with a volume there: docker run -v kinomill:${dataFolderToType(box)} …`,
    };
  }
  return { ...common, level: "ok", meaning: `${lies}.`, remedy: null };
}

function moveTo(box: Pick<Box, "asker" | "config">): string {
  return `stop Kinomill, cp -a ${dataFolderToType(box)} /NEW/FOLDER, then set data = "/NEW/FOLDER".`;
}

function spaceFinding(box: Box, freeBytes: number): Finding {
  const { reserveBytes } = box.config.storage;
  const common = { id: "data.space", title: "Free space" };
  const folder = dataFolderOf(box);
  const free = `${sizeText(freeBytes)} are free in ${folder}`;
  if (freeBytes <= reserveBytes) {
    const meaning = `Only ${free}, which is below storage.reserveBytes: uploads are refused.`;
    const remedy = `Free some space; what takes it: du -xh --max-depth=2 ${dataFolderToType(box)} | sort -h | tail`;
    return { ...common, level: "fault", meaning, remedy };
  }
  if (freeBytes < reserveBytes + SOON_FULL_BYTES) {
    const meaning = `${free}: a long film may not fit any more.`;
    const remedy = "Delete assets that are not needed, or give Kinomill a larger disk.";
    return { ...common, level: "warning", meaning, remedy };
  }
  return { ...common, level: "ok", meaning: `${free}.`, remedy: null };
}

/** An hour of a camera's 4K and its outputs. */
const SOON_FULL_BYTES = 10e9;
