/** Assets over HTTP: take files in, list them, give their bytes out, delete them. */
import { z } from "zod";
import { type Asset, thumbnailKey, whenEqual } from "../assets/asset.ts";
import { Refusal } from "../trouble.ts";
import { listEndpoint } from "./asset-list.ts";
import { disposition, givesBytes, mediaPolicy, sendObject } from "./content.ts";
import { sendElsewhere } from "./direct.ts";
import { type Call, type Endpoint, endpoint, json, userOfCall } from "./endpoint.ts";
import { findAsset } from "./entries.ts";
import type { Parts } from "./parts.ts";
import { assetAloneJson, assetShape, importJson, importShape } from "./shapes.ts";

/**
 * Seconds that an upload may be silent: while bytes come, and after the last one, when the file is made
 * durable and probed. The most that Bun takes besides "for ever"; the probe has its own deadline below it.
 */
const UPLOAD_SILENCE_SECONDS = 255;

/** Names may be any text; the library brings them into form. This is only a limit on the address. */
const UPLOAD_NAME_MAX = 4096;

const contentQuery = z.strictObject({
  download: z.boolean().default(false).describe("Ask the browser to save instead of show"),
});

export const ifExistsField = z
  .enum(whenEqual)
  .default("keep")
  .describe(
    "When you have a file with the same bytes: `keep` stores it all the same and tells of the other in `duplicateOf`, `reuse` stores nothing and gives you the other",
  );

export function assetEndpoints(parts: Parts): Endpoint[] {
  return [
    uploadEndpoint(parts),
    listEndpoint(parts),
    ...readEndpoints(parts),
    contentEndpoint(parts),
    thumbnailEndpoint(parts),
  ];
}

function uploadEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/assets",
    tag: "assets",
    summary: "Store a file.",
    description:
      "The body is the bytes of the file, of any length and with or without Content-Length. It is streamed to storage and probed. What is not media is refused and nothing of it is kept.",
    query: z.strictObject({
      name: z.string().min(1).max(UPLOAD_NAME_MAX).describe("Name of the file"),
      ifExists: ifExistsField,
    }),
    streamsBody: true,
    answers: {
      200: { description: "`ifExists=reuse`: the equal file that you had.", schema: assetShape },
      201: { description: "Stored and probed.", schema: assetShape },
      413: { description: "`too_large`, `quota_exceeded`" },
      422: { description: "`not_media` and the like: nothing is kept." },
      503: {
        description: "`sandbox_missing`: the kernel cannot fence ffmpeg in, see the settings.",
      },
      507: { description: "`storage_full`" },
    },
    handle: async (call) => {
      const { request, visit, query } = call;
      visit.allowSilence(UPLOAD_SILENCE_SECONDS);
      const { asset, reused } = await parts.library.take(
        userOfCall(call).id,
        query.name,
        request.body ?? new Blob([]).stream(),
        { signal: request.signal, declaredBytes: declaredBytes(request) },
        query.ifExists,
      );
      const location = `/api/v1/assets/${asset.id}`;
      return json(assetAloneJson(parts.library, asset), reused ? 200 : 201, { location });
    },
  });
}

function declaredBytes(request: Request): number | null {
  const text = request.headers.get("content-length");
  return text === null || !/^\d{1,18}$/.test(text) ? null : Number(text);
}

function readEndpoints(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/assets/:id",
      tag: "assets",
      summary: "One asset, or how its import stands.",
      description:
        "While a file is fetched from a link this tells how far it is, in state `importing`; when that failed, why. With `ifExists: reuse` and an equal file, the answer is that file, under its own id.",
      answers: {
        200: { description: "It.", schema: z.union([assetShape, importShape]) },
        404: { description: "There is no such asset." },
      },
      handle: (call) => json(assetOrImport(parts, userOfCall(call).id, idOf(call))),
    }),
  ];
}

function assetOrImport(parts: Parts, ownerId: string, id: string): unknown {
  const asset = findAsset(parts, ownerId, id);
  if (asset !== null) return assetAloneJson(parts.library, asset);
  const found = parts.imports.find(ownerId, id);
  if (found !== null && found.item.assetId === null) return importJson(found);
  return assetAloneJson(parts.library, parts.library.get(ownerId, found?.item.assetId ?? id));
}

function contentEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "GET",
    path: "/api/v1/assets/:id/content",
    tag: "assets",
    summary: "The bytes, whole or one range of them.",
    description: "HEAD, Range, If-Range, If-None-Match and If-Modified-Since work as in RFC 9110.",
    query: contentQuery,
    answers: {
      200: { description: "All bytes.", mediaType: "application/octet-stream" },
      206: { description: "The range asked for.", mediaType: "application/octet-stream" },
      307: {
        description: "The bytes are in a bucket; the address of `Location` works for 15 minutes.",
      },
      304: { description: "Not changed." },
      404: { description: "There is no such asset." },
      416: { description: "`bad_range`: it lies outside." },
    },
    handle: (call) => sendAsset(parts, call.request, assetOf(parts, call), call.query.download),
  });
}

/** The bytes of an asset, as the request wants them, or the way to them. */
export async function sendAsset(
  parts: Pick<Parts, "storage" | "bucket">,
  request: Request,
  asset: Asset,
  download: boolean,
): Promise<Response> {
  const representation = {
    sizeBytes: asset.sizeBytes,
    etag: `"${asset.sha256}"`,
    modifiedMs: Date.parse(asset.createdAt),
  };
  const headers = {
    "content-type": asset.mimeType,
    "content-disposition": disposition(download ? "attachment" : "inline", asset.name),
    "content-security-policy": mediaPolicy,
    // The bytes never change, but who may read them does: ask each time, and answer 304.
    "cache-control": "private, no-cache",
  };
  if (givesBytes(request, representation)) {
    const elsewhere = await sendElsewhere(parts, request, asset, headers);
    if (elsewhere !== null) return elsewhere;
  }
  return await sendObject(request, parts.storage, asset.id, representation, headers);
}

function thumbnailEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "GET",
    path: "/api/v1/assets/:id/thumbnail",
    tag: "assets",
    summary: "The small picture that stands for the asset in lists.",
    answers: {
      200: { description: "A picture.", mediaType: "image/jpeg" },
      304: { description: "Not changed." },
      404: { description: "There is no such asset, or no picture of it (yet)." },
    },
    handle: (call) => sendThumbnail(parts, call.request, assetOf(parts, call)),
  });
}

/** The picture of an asset, also for the page. @throws Refusal 404 `no_thumbnail` */
export async function sendThumbnail(
  parts: Parts,
  request: Request,
  asset: Asset,
): Promise<Response> {
  const key = thumbnailKey(asset.id);
  const held = asset.thumbnail === "ready" ? await parts.storage.hold(key) : null;
  if (held === null) {
    throw new Refusal(404, "no_thumbnail", "There is no picture of this asset, or not yet.");
  }
  try {
    const representation = {
      sizeBytes: Bun.file(held.path).size,
      etag: `"${asset.sha256.slice(0, 32)}-thumbnail"`,
      modifiedMs: null,
    };
    return await sendObject(request, parts.storage, key, representation, {
      "content-type": "image/jpeg",
      "content-disposition": "inline",
      "content-security-policy": mediaPolicy,
      "cache-control": "private, max-age=86400",
    });
  } finally {
    held.release();
  }
}

function assetOf(parts: Parts, call: Call<unknown, unknown>): Asset {
  return parts.library.get(userOfCall(call).id, idOf(call));
}

function idOf(call: Call<unknown, unknown>): string {
  return call.params["id"] ?? "";
}
