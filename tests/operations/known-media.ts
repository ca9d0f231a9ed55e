/** What was found of a source, as the library keeps it when a file comes in: jobs do not look at it again. */
import { statSync } from "node:fs";
import type { MediaInfo } from "../../src/media/media.ts";
import { probe } from "../../src/media/probe.ts";
import { toolchain } from "../support/toolchain.ts";

const known = new Map<string, MediaInfo>();

export async function mediaOf(path: string): Promise<MediaInfo> {
  const { size, mtimeMs, ino } = statSync(path);
  const file = [path, size, mtimeMs, ino].join(":");
  const media = known.get(file) ?? (await probe(path, toolchain));
  known.set(file, media);
  return media;
}
