/**
 * Bytes straight from the bucket: an answer that sends the reader to a presigned URL, so that media passes through this
 * server no second time. Where a reader could not follow it, the server gives the bytes itself.
 */
import type { Asset } from "../assets/asset.ts";
import type { BucketDoor, Parts } from "./parts.ts";

/** A player that was paused longer asks the server again. */
const ADDRESS_SECONDS = 15 * 60;

/** Longer names would make addresses that some servers and proxies refuse. */
const DISPOSITION_MAX = 1_000;

/**
 * The answer that sends the reader of an asset to the bucket; null when the server must give the bytes itself.
 * @param headers the type and disposition that the bucket shall answer with
 */
export async function sendElsewhere(
  { bucket, storage }: Pick<Parts, "bucket" | "storage">,
  request: Request,
  asset: Asset,
  headers: { "content-type": string; "content-disposition": string },
): Promise<Response | null> {
  const contentType = headers["content-type"];
  const contentDisposition = headers["content-disposition"];
  // What names its neighbours must be read from among them, and is small.
  const isMedia = /^(video|audio|image)\//.test(contentType);
  if (bucket === null || !isMedia || contentDisposition.length > DISPOSITION_MAX) return null;
  if (!(await canFollow(bucket, request))) return null;
  const location = await storage.presign(asset.id, {
    method: "GET",
    // Another address for scripts: what a browser got for a video without the bucket's CORS headers, it would take from
    // its cache for them, and refuse.
    expiresSeconds: isForScript(request) ? ADDRESS_SECONDS - 1 : ADDRESS_SECONDS,
    contentType,
    contentDisposition,
  });
  return new Response(null, { status: 307, headers: { location, "cache-control": "no-store" } });
}

/** Whether this reader gets anywhere with an address of the bucket. */
async function canFollow(
  bucket: BucketDoor,
  { headers }: Pick<Request, "headers">,
): Promise<boolean> {
  const referer = headers.get("referer") ?? "";
  const page = URL.canParse(referer) ? new URL(referer).origin : null;
  // A page that came by TLS loads nothing without it.
  const insecure = bucket.origins.some((origin) => origin.startsWith("http:"));
  if (insecure && page?.startsWith("https:") === true) return false;
  // A script of a page reads the bytes: the bucket must allow its origin to.
  if (!isForScript({ headers })) return true;
  const origin = headers.get("origin") ?? page;
  return origin !== null && (await bucket.corsAllows(origin, "GET"));
}

function isForScript({ headers }: Pick<Request, "headers">): boolean {
  return headers.get("sec-fetch-mode") === "cors";
}
