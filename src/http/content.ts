/**
 * The bytes of a stored object over HTTP: conditions, one range, and headers (RFC 9110). Bodies are
 * Blobs of files, so that the kernel copies them to the socket and this process does not.
 */
import type { ByteRange, Storage } from "../storage/storage.ts";
import { Refusal } from "../trouble.ts";
import { visitOf } from "./visit.ts";

/** What is served, before the request narrows it. */
export interface Representation {
  sizeBytes: number;
  /** Strong, with quotes: objects never change, so their hash names them. Null when not known. */
  etag: string | null;
  /** Milliseconds since the epoch; null when not known. */
  modifiedMs: number | null;
}

export type Selection =
  | { kind: "whole" }
  | { kind: "part"; range: ByteRange }
  | { kind: "unchanged" }
  | { kind: "unsatisfiable" };

/** What these headers ask of this representation. Several ranges at once are answered with the whole. */
export function select(headers: Headers, representation: Representation): Selection {
  if (isUnchanged(headers, representation)) return { kind: "unchanged" };
  const header = headers.get("range");
  if (header === null || !rangeApplies(headers, representation)) return { kind: "whole" };
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header.replaceAll(/[ \t]/g, ""));
  const [first, last] = [match?.[1] ?? "", match?.[2] ?? ""];
  if (first === "" && last === "") return { kind: "whole" };
  const size = representation.sizeBytes;
  if (first === "") {
    const length = Math.min(Number(last), size);
    if (length === 0) return { kind: "unsatisfiable" };
    return { kind: "part", range: { start: size - length, end: size } };
  }
  if (last !== "" && Number(last) < Number(first)) return { kind: "whole" };
  if (Number(first) >= size) return { kind: "unsatisfiable" };
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  return { kind: "part", range: { start: Number(first), end } };
}

function isUnchanged(headers: Headers, { etag, modifiedMs }: Representation): boolean {
  const known = headers.get("if-none-match");
  if (known !== null) {
    const tags = known.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return tags.includes("*") || (etag !== null && tags.includes(etag));
  }
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  return modifiedMs !== null && wholeSeconds(modifiedMs) <= since;
}

/** If-Range: the part is wanted only while the object is the one that the client has begun to read. */
function rangeApplies(headers: Headers, { etag, modifiedMs }: Representation): boolean {
  const condition = headers.get("if-range");
  if (condition === null) return true;
  if (condition.includes('"')) return etag !== null && condition.trim() === etag;
  return modifiedMs !== null && wholeSeconds(modifiedMs) === Date.parse(condition);
}

/** Dates in headers have whole seconds. */
function wholeSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}

/** True for a request that is answered with bytes, all or some. */
export function givesBytes(request: Request, representation: Representation): boolean {
  if (visitOf(request).method === "HEAD") return false;
  const { kind } = select(request.headers, representation);
  return kind === "whole" || kind === "part";
}

/**
 * The answer with an object's bytes.
 * @param headers the type, disposition, policy and caching that belong to this object
 * @throws Refusal 404 `not_found` when storage has no such object, 416 `bad_range`
 */
export async function sendObject(
  request: Request,
  storage: Pick<Storage, "open">,
  key: string,
  representation: Representation,
  headers: Record<string, string>,
): Promise<Response> {
  const selection = select(request.headers, representation);
  const all = { ...headers, ...validators(representation) };
  if (selection.kind === "unchanged") return new Response(null, { status: 304, headers: all });
  const size = representation.sizeBytes;
  if (selection.kind === "unsatisfiable") {
    throw new Refusal(416, "bad_range", `The file has ${size} bytes; the range lies outside.`, {
      headers: { "content-range": `bytes */${size}` },
    });
  }
  const range = selection.kind === "part" ? selection.range : undefined;
  const status = range === undefined ? 200 : 206;
  if (range !== undefined) all["content-range"] = `bytes ${range.start}-${range.end - 1}/${size}`;
  const length = String(range === undefined ? size : range.end - range.start);
  if (visitOf(request).method === "HEAD") {
    return new Response(null, { status, headers: { ...all, "content-length": length } });
  }
  const body = await storage.open(key, range);
  if (body === null) throw new Refusal(404, "not_found", "The bytes of this file are gone.");
  // Bun sets the length of a Blob itself and must be told that of a stream.
  if (!(body instanceof Blob)) all["content-length"] = length;
  return new Response(body, { status, headers: all });
}

function validators({ etag, modifiedMs }: Representation): Record<string, string> {
  return {
    "accept-ranges": "bytes",
    ...(etag === null ? {} : { etag }),
    ...(modifiedMs === null ? {} : { "last-modified": new Date(modifiedMs).toUTCString() }),
  };
}

/** Content-Disposition (RFC 6266) with a name of any script: plain ASCII for old readers, UTF-8 for the rest. */
export function disposition(kind: "inline" | "attachment", name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/**
 * For media that users brought: it may be shown by itself, but nothing in it runs, and it is in no
 * site's name. Styles are for the player that the browser builds around a bare video.
 */
export const mediaPolicy =
  "sandbox; default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";
