/** Files of this box that storage takes from and writes to, and what can be wrong with their disk. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Refusal } from "../trouble.ts";

/** Opens what a job left; a link or a pipe in its place is not followed and not waited for. */
export async function openRegular(path: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error("invariant broken: only a regular file becomes an object");
}

/** File systems without links, or a file that has all that it may have. */
const noLink = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** True when the file system cannot give this file a second name. */
export function isWithoutLinks(cause: unknown): boolean {
  return noLink.has(codeOf(cause) ?? "");
}

/** The word of the operating system: `ENOENT` and the like. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
}

/** What the disk does to the asker: no room, or no life; null when it was something else. */
export function diskRefusal(cause: unknown): Refusal | null {
  switch (codeOf(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return storageFull();
    case "EIO":
    case "EROFS":
      return new Refusal(
        507,
        "storage_full",
        "Kinomill's disk failed to take this file. Look at its health (dmesg, smartctl), then try again.",
      );
    default:
      return null;
  }
}

export function storageFull(): Refusal {
  return new Refusal(
    507,
    "storage_full",
    "There is not enough free space on Kinomill's disk for this file. Delete something or free some space, then try again.",
  );
}
