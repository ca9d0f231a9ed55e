/** What a file is that comes into the library: captions, or media. */
import type { Log } from "../log.ts";
import { type CaptionText, captionMimeTypes, captionText } from "../media/captions/file.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Storage } from "../storage/storage.ts";
import { mimeTypeOf } from "./asset.ts";
import type { AssetRecords } from "./records.ts";

export interface Content {
  captions: CaptionText | null;
  media: MediaInfo | null;
}

/**
 * Looks into a file. Captions are known by our own reading, and no other program sees them.
 * @throws Refusal 422 for what is neither
 */
export async function contentOf(
  path: string,
  probe: (path: string) => Promise<MediaInfo>,
): Promise<Content> {
  const captions = captionText(path);
  return { captions, media: captions === null ? await probe(path) : null };
}

export function contentType({ captions, media }: Content): string {
  if (media !== null) return mimeTypeOf(media);
  return captions === null ? "text/plain" : captionMimeTypes[captions.format];
}

/** Keeps the words of captions that came before those were kept. Never rejects. */
export async function keepWordsOfOld(
  records: Pick<AssetRecords, "unreadTexts" | "keepText">,
  storage: Pick<Storage, "hold">,
  log: Log,
): Promise<void> {
  for (const id of records.unreadTexts()) {
    try {
      const file = await storage.hold(id);
      if (file === null) continue;
      try {
        records.keepText(id, captionText(file.path)?.text ?? "");
      } finally {
        file.release();
      }
    } catch (cause) {
      log.warn({ err: cause, asset: id }, "captions could not be read; the next start tries");
    }
  }
}
