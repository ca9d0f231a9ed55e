/** URLs that carry their own permission: one object, one method, until a moment, signed by this server. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { assert } from "../trouble.ts";
import { assertKey } from "./key.ts";
import type { PresignOptions, StorageKey } from "./storage.ts";

/** As in S3. */
const EXPIRES_SECONDS_MAX = 7 * 86_400;

/** Values become headers of the answer: printable ASCII only, so that none can begin a second header. */
const headerValue = /^[\x20-\x7e]{1,1024}$/;

/** What a URL allows: fields of the signature, in its order. */
interface Grant {
  method: string;
  key: StorageKey;
  /** Seconds since the epoch. */
  expires: number;
  type: string | null;
  disposition: string | null;
}

/** What a URL that passed allows. */
export interface PresignedAccess {
  key: StorageKey;
  /** Headers of the answer to a GET; null where the signer named none. */
  contentType: string | null;
  contentDisposition: string | null;
}

export type PresignedVerdict =
  | ({ kind: "allowed" } & PresignedAccess)
  /** `tampered` is also a URL that was never signed here. */
  | { kind: "refused"; reason: "expired" | "wrong_method" | "tampered" };

export interface Signer {
  signingKey: string;
  /** Path under which the server answers, without a slash at its end: "/storage". */
  publicPath: string;
}

/** What no URL of any backend may be asked to carry. */
export function assertPresignable(options: PresignOptions): void {
  const { expiresSeconds, contentType = null, contentDisposition = null } = options;
  assert(
    Number.isInteger(expiresSeconds) &&
      expiresSeconds >= 1 &&
      expiresSeconds <= EXPIRES_SECONDS_MAX,
    "a presigned URL lives for 1 second to 7 days",
  );
  for (const value of [contentType, contentDisposition]) {
    assert(value === null || headerValue.test(value), "a signed header value is printable ASCII");
  }
}

/** Path and query of a signed URL; the origin is whatever address the reader uses. */
export function signPath(
  signer: Signer,
  key: StorageKey,
  options: PresignOptions,
  nowMs: number,
): string {
  assertKey(key);
  assertPresignable(options);
  const { expiresSeconds, contentType = null, contentDisposition = null } = options;
  const grant: Grant = {
    method: options.method,
    key,
    expires: Math.floor(nowMs / 1000) + expiresSeconds,
    type: contentType,
    disposition: contentDisposition,
  };
  const query = new URLSearchParams({ method: grant.method, expires: String(grant.expires) });
  if (grant.type !== null) query.set("type", grant.type);
  if (grant.disposition !== null) query.set("disposition", grant.disposition);
  query.set("signature", signatureOf(signer.signingKey, grant));
  return `${signer.publicPath}/${key}?${query}`;
}

/**
 * Judges a request by its URL and method alone. The signature is compared in constant time and before
 * anything else is said about the URL.
 */
export function verifySigned(
  signer: Signer,
  url: URL,
  method: string,
  nowMs: number,
): PresignedVerdict {
  const grant = readGrant(signer, url);
  const given = Buffer.from(url.searchParams.get("signature") ?? "");
  if (grant === null) return { kind: "refused", reason: "tampered" };
  const expected = Buffer.from(signatureOf(signer.signingKey, grant));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return { kind: "refused", reason: "tampered" };
  }
  if (method !== grant.method) return { kind: "refused", reason: "wrong_method" };
  if (nowMs >= grant.expires * 1000) return { kind: "refused", reason: "expired" };
  return {
    kind: "allowed",
    key: grant.key,
    contentType: grant.type,
    contentDisposition: grant.disposition,
  };
}

const fields = ["method", "expires", "type", "disposition", "signature"];

/** The URL's claims; null for a URL of another form: whatever is not signed must not be there. */
function readGrant(signer: Signer, url: URL): Grant | null {
  const prefix = `${signer.publicPath}/`;
  const names = [...url.searchParams.keys()];
  const unknown = names.some((name) => !fields.includes(name));
  if (!url.pathname.startsWith(prefix) || unknown || new Set(names).size !== names.length) {
    return null;
  }
  return {
    method: url.searchParams.get("method") ?? "",
    key: url.pathname.slice(prefix.length),
    expires: Number(url.searchParams.get("expires") ?? Number.NaN),
    type: url.searchParams.get("type"),
    disposition: url.searchParams.get("disposition"),
  };
}

/** JSON keeps the fields apart: no two grants have the same text. */
function signatureOf(signingKey: string, grant: Grant): string {
  const { method, key, expires, type, disposition } = grant;
  const text = JSON.stringify(["kinomill-storage-1", method, key, expires, type, disposition]);
  return createHmac("sha256", signingKey).update(text).digest("base64url");
}
