/**
 * Signed URLs of the disk storage: the server answers them itself. The signature is the permission, so
 * there is no login; it names one object, one method and a moment.
 */
import type { Elysia } from "elysia";
import { Refusal } from "../trouble.ts";
import { mediaPolicy, sendObject } from "./content.ts";
import { json, route } from "./endpoint.ts";
import type { Parts, PresignedAccess } from "./parts.ts";
import { visitOf } from "./visit.ts";

/** As for uploads through the API: the most silence that Bun can count. */
const PUT_SILENCE_SECONDS = 255;

export function mountStorage(app: Elysia, parts: Parts): void {
  const access = (request: Request): PresignedAccess => {
    const url = new URL(request.url);
    const granted = parts.storage.verifyPresigned?.(request.method, url) ?? null;
    if (granted !== null) return granted;
    throw new Refusal(
      403,
      "bad_signature",
      "This address is not valid (any more). Ask for a new one.",
    );
  };
  route(app, "GET", "/storage/:key", (request) => sendSigned(parts, request, access(request)));
  route(app, "PUT", "/storage/:key", (request) => receiveSigned(parts, request, access(request)));
}

async function sendSigned(
  parts: Parts,
  request: Request,
  access: PresignedAccess,
): Promise<Response> {
  const stat = await parts.storage.stat(access.key);
  if (stat === null) throw new Refusal(404, "not_found", "There is no such object.");
  // Objects are written once, so a key names its bytes; the key itself need not be told.
  const etag = `"${new Bun.CryptoHasher("sha256").update(access.key).digest("hex").slice(0, 32)}"`;
  const representation = { sizeBytes: stat.sizeBytes, etag, modifiedMs: null };
  return await sendObject(request, parts.storage, access.key, representation, {
    "content-type": access.contentType ?? "application/octet-stream",
    "content-disposition": access.contentDisposition ?? "attachment",
    "content-security-policy": mediaPolicy,
    "cache-control": "private, no-store",
  });
}

async function receiveSigned(
  parts: Parts,
  request: Request,
  access: PresignedAccess,
): Promise<Response> {
  if ((await parts.storage.stat(access.key)) !== null) {
    throw new Refusal(409, "exists", "This object was written already; objects never change.");
  }
  visitOf(request).allowSilence(PUT_SILENCE_SECONDS);
  const stored = await parts.storage.put(access.key, request.body ?? new Blob([]).stream(), {
    limitBytes: parts.config.uploads.maxBytes,
    signal: request.signal,
  });
  return json(stored, 201);
}
