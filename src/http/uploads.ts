/** Uploads over HTTP: tus 1.0.0 for the bytes, JSON for what is to be known of them. */
import { z } from "zod";
import { Checksum } from "../ingest/checksum.ts";
import { type UploadReport, uploadStates } from "../ingest/upload.ts";
import { Refusal } from "../trouble.ts";
import {
  type Answer,
  type Call,
  type Endpoint,
  endpoint,
  idOf,
  json,
  userOfCall,
} from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { Tus, tusPath, withTusHeaders } from "./tus.ts";

/** As for uploads in one go: the most silence that Bun can count. */
const UPLOAD_SILENCE_SECONDS = 255;

/** A name, a type, and what a program wants to be told again; the most that is kept of each upload. */
const METADATA_MAX = 4096;

const uploadShape = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    state: z.enum(uploadStates).describe("`finishing`: all bytes are here and are looked into"),
    offset: z.int().describe("Bytes that are here"),
    length: z.int().describe("Bytes of the file"),
    active: z.boolean().describe("Bytes come now"),
    metadata: z.record(z.string(), z.string().nullable()).describe("What the sender said of it"),
    assetId: z.string().nullable().describe("The asset that it became"),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe("When it is deleted unless further bytes come"),
  })
  .meta({ id: "Upload" });

function uploadJson(report: UploadReport): z.output<typeof uploadShape> {
  const { id, name, state, active, metadata, assetId, createdAt, expiresAt } = report;
  const { offsetBytes: offset, lengthBytes: length } = report;
  return { id, name, state, offset, length, active, metadata, assetId, createdAt, expiresAt };
}

const missing: Answer = { description: "There is no such upload." };
const locked: Answer = { description: "`locked`: it is busy; ask again in a moment." };
const onePath = `${tusPath}/:id`;

export function uploadEndpoints(parts: Parts): Endpoint[] {
  const tus = new Tus(parts.uploads, parts.config.uploads);
  const speak = (call: Call<unknown, unknown>) => answer(parts, tus, call);
  return [
    createEndpoint(speak),
    listEndpoint(parts),
    oneEndpoint(parts, speak),
    patchEndpoint(speak),
    endpoint({
      method: "DELETE",
      path: onePath,
      tag: "uploads",
      summary: "Give an upload up and delete its bytes (tus).",
      headers: [{ name: "Tus-Resumable", description: "1.0.0" }],
      answers: {
        204: { description: "Deleted." },
        404: missing,
        409: { description: "`complete`: it has become an asset." },
        423: locked,
      },
      handle: speak,
    }),
    endpoint({
      method: "POST",
      path: onePath,
      tag: "uploads",
      summary: "PATCH or DELETE for those whose proxy lets no such request through (tus).",
      headers: [{ name: "X-HTTP-Method-Override", description: "`PATCH` or `DELETE`" }],
      streamsBody: true,
      answers: { 204: { description: "As of that method." }, 404: missing, 423: locked },
      handle: speak,
    }),
    ...[tusPath, onePath].map((path) =>
      endpoint({
        method: "OPTIONS",
        path,
        tag: "uploads",
        summary: "What of tus this server speaks.",
        answers: { 204: { description: "In the headers `Tus-…`." } },
        handle: speak,
      }),
    ),
  ];
}

type Speak = (call: Call<unknown, unknown>) => Promise<Response>;

function createEndpoint(speak: Speak): Endpoint {
  return endpoint({
    method: "POST",
    path: tusPath,
    tag: "uploads",
    summary: "Begin an upload that can be interrupted (tus).",
    description:
      "tus 1.0.0 with creation, creation-with-upload, termination, expiration and checksum. `Location` says where its bytes go. The file's name is `filename` in Upload-Metadata.",
    headers: [
      { name: "Tus-Resumable", description: "1.0.0" },
      { name: "Upload-Length", description: "Bytes of the file; it must be known" },
      { name: "Upload-Metadata", description: "`filename` and its base64" },
    ],
    answers: {
      201: { description: "Begun." },
      400: { description: "`bad_request`, `length_required`, `bad_metadata`, `bad_checksum`" },
      412: { description: "`tus_version`: it is not tus 1.0.0." },
      413: { description: "`too_large`" },
      422: { description: "`not_media` and the like, where the bytes came along." },
      429: { description: "`too_many_uploads`: finish or delete some first." },
      503: { description: "`sandbox_missing`" },
      507: { description: "`storage_full`" },
    },
    handle: speak,
  });
}

function listEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "GET",
    path: tusPath,
    tag: "uploads",
    summary: "Your uploads that are not complete, the newest first.",
    answers: {
      200: { description: "Them.", schema: z.strictObject({ items: z.array(uploadShape) }) },
    },
    handle: async (call) => {
      const items = await parts.uploads.list(userOfCall(call).id);
      return json({ items: items.map(uploadJson) });
    },
  });
}

function oneEndpoint(parts: Parts, speak: Speak): Endpoint {
  return endpoint({
    method: "GET",
    path: onePath,
    tag: "uploads",
    summary: "How far an upload is, and what it became.",
    description: "HEAD is tus's: `Upload-Offset` says where to go on.",
    answers: { 200: { description: "It.", schema: uploadShape }, 404: missing, 423: locked },
    handle: async (call) => {
      if (call.visit.method === "HEAD") return await speak(call);
      const upload = parts.uploads.get(userOfCall(call).id, idOf(call));
      return json(uploadJson(await parts.uploads.report(upload)));
    },
  });
}

function patchEndpoint(speak: Speak): Endpoint {
  return endpoint({
    method: "PATCH",
    path: onePath,
    tag: "uploads",
    summary: "Send bytes of an upload (tus).",
    description:
      "The answer to the last of them names the asset in `Kinomill-Asset`. A piece with Upload-Checksum is kept whole or not at all.",
    streamsBody: true,
    headers: [
      { name: "Tus-Resumable", description: "1.0.0" },
      { name: "Upload-Offset", description: "Where these bytes go: as many as HEAD says are here" },
      { name: "Upload-Checksum", description: "`sha1`, `sha256` or `md5`, and the base64 digest" },
    ],
    answers: {
      204: { description: "They are kept, as many as `Upload-Offset` says." },
      404: missing,
      409: { description: "`wrong_offset`" },
      413: { description: "`too_large`: more than Upload-Length said." },
      415: { description: "It wants `application/offset+octet-stream`." },
      422: { description: "`not_media` and the like: the upload is gone." },
      423: locked,
      460: { description: "`checksum_mismatch`" },
      507: { description: "`storage_full`: what is here stays, go on later." },
    },
    handle: speak,
  });
}

async function answer(parts: Parts, tus: Tus, call: Call<unknown, unknown>): Promise<Response> {
  const { request, visit } = call;
  const { id: ownerId } = userOfCall(call);
  const id = call.params["id"] ?? null;
  const method = methodOf(request, visit.method, id);
  try {
    if (method !== "OPTIONS") checkHeaders(method, request.headers);
    const checksum = request.headers.get("upload-checksum");
    const upload = id === null || method === "OPTIONS" ? null : parts.uploads.get(ownerId, id);
    // Also for a sender who missed the answer, or a server that was killed before it gave one.
    if (upload !== null && method === "HEAD") await parts.uploads.settle(upload);
    visit.allowSilence(UPLOAD_SILENCE_SECONDS);
    return await tus.answer({
      ...{ method, ownerId, id },
      headers: request.headers,
      body: request.body,
      checksum: checksum === null ? null : Checksum.parse(checksum),
      signal: request.signal,
      onWhole: () => visit.allowSilence(0),
    });
  } catch (cause) {
    throw cause instanceof Refusal ? withTusHeaders(cause) : cause;
  }
}

/** What a POST to an upload stands for; on any other address the method is what it is. */
function methodOf(request: Request, method: string, id: string | null): string {
  if (method !== "POST" || id === null) return method;
  const meant = request.headers.get("x-http-method-override")?.toUpperCase() ?? "";
  if (["PATCH", "DELETE"].includes(meant)) return meant;
  const sentence = "This address answers to HEAD, GET, PATCH and DELETE only.";
  throw new Refusal(405, "method_not_allowed", sentence, {
    headers: { allow: "GET, HEAD, PATCH, DELETE, OPTIONS" },
  });
}

function checkHeaders(method: string, headers: Headers): void {
  if (headers.get("tus-resumable") !== "1.0.0") {
    throw new Refusal(412, "tus_version", "Uploads speak tus 1.0.0: send Tus-Resumable: 1.0.0.");
  }
  const metadata = headers.get("upload-metadata") ?? "";
  if (metadata.length > METADATA_MAX || !/^[\x20-\x7e]*$/.test(metadata)) {
    const sentence = `Upload-Metadata may have ${METADATA_MAX} plain characters at most.`;
    throw new Refusal(400, "bad_metadata", sentence);
  }
  if (headers.has("upload-concat")) {
    const sentence =
      "Kinomill does not join uploads. Send the file as one (parallelUploads: 1 in tus-js-client).";
    throw new Refusal(400, "not_supported", sentence);
  }
  if (method === "POST" && !headers.has("upload-length")) {
    const sentence = "The length of the file must be known when its upload begins: Upload-Length.";
    throw new Refusal(400, "length_required", sentence);
  }
  if (method !== "PATCH") return;
  if (headers.get("content-type") !== "application/offset+octet-stream") {
    const sentence = "Bytes of an upload come as application/offset+octet-stream.";
    throw new Refusal(415, "unsupported_media_type", sentence);
  }
  if (!headers.has("upload-offset")) {
    throw new Refusal(400, "bad_request", "Upload-Offset must say where the bytes go.");
  }
}
