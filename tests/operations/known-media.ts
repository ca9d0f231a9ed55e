/** What was found of a source, as the library keeps it when a file comes in: jobs do not look at it again. */
import type { MediaInfo } from "../../src/media/media.ts";
import { probe } from "../../src/media/probe.ts";
import { fileKey } from "../support/file-key.ts";
import { toolchain } from "../support/toolchain.ts";

const known = new Map<string, MediaInfo>();

export async function mediaOf(path: string): Promise<MediaInfo> {
  const key = fileKey(path);
  const media = known.get(key) ?? (await probe(path, toolchain));
  known.set(key, media);
  return media;
}
