/** Which version of a file a server sends: whether a broken download may go on with the bytes that are left. */

import type { Source } from "./http-source.ts";
import { LinkTrouble } from "./link-trouble.ts";

type Headers = Pick<Source, "header">;

/**
 * A date is a strong validator only when the file had not been changed just before it was sent (RFC 9110, 8.8.2.2):
 * its seconds would not tell two changes apart.
 */
const SETTLED_MS = 60_000;

/** What `If-Range` takes to name this version; null when a part of it could not be told from another's. */
export function strongValidator({ header }: Headers): string | null {
  if (header("accept-ranges")?.trim().toLowerCase() === "none") return null;
  const tag = header("etag");
  if (tag !== null) return /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(tag) ? tag : null;
  const modified = header("last-modified");
  const sentMs = Date.parse(header("date") ?? "");
  if (modified === null || !(sentMs - Date.parse(modified) >= SETTLED_MS)) return null;
  return modified;
}

/** Bytes of the whole file; null when the server does not say. */
export function declaredBytes({ header }: Headers): number | null {
  const text = header("content-length");
  return text === null || !/^\d{1,15}$/.test(text) ? null : Number(text);
}

/** Whether a 206 is what was asked for: the rest of the same file, from exactly this byte on. */
export function goesOn(
  { header }: Headers,
  asked: { byte: number; validator: string; totalBytes: number | null },
): boolean {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(
    header("content-range")?.trim() ?? "",
  );
  if (match === null || Number(match[1]) !== asked.byte) return false;
  const total = match[3] === "*" ? null : Number(match[3]);
  if (total !== null && (Number(match[2]) !== total - 1 || (asked.totalBytes ?? total) !== total))
    return false;
  const tag = header("etag");
  return tag === null || !asked.validator.startsWith('"') || tag === asked.validator;
}

/** Refuses what is plainly not the bytes of a media file before they come. @throws LinkTrouble `link_not_a_file` */
export function refuseNoFile({ header }: Headers, host: string): void {
  const encoding = header("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") {
    throw new LinkTrouble(
      "link_not_a_file",
      `${host} sends the file packed (${encoding.slice(0, 40)}) though Kinomill asked for it as it is.`,
      "Use another link to the file.",
    );
  }
  const type = header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === "text/html" || type === "application/xhtml+xml") {
    throw new LinkTrouble(
      "link_not_a_file",
      "The link leads to a web page, not to a file.",
      "Use the address of the file itself: what the page's download button leads to.",
    );
  }
}
