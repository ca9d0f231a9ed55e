/** Uploads straight into the bucket over HTTP: begin, ask where parts go, finish. The bytes never come here. */
import { z } from "zod";
import { within } from "../clock.ts";
import { type DirectUpload, directUploadStates, partCount } from "../ingest/direct-upload.ts";
import type { DirectUploads } from "../ingest/direct-uploads.ts";
import { Refusal } from "../trouble.ts";
import { type Call, type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

const PATH = "/api/v1/uploads/direct";
const ONE = `${PATH}/:id`;

/** Addresses in one answer: minutes of work for the quickest network. */
const ADDRESSES_MAX = 100;

/** Parts that S3 knows. */
const PARTS_MAX = 10_000;

/** Longest wait for an object that is put together and looked into; then the asker asks again. */
const SETTLE_MS = 15_000;

const problemShape = z.strictObject({ status: z.int(), code: z.string(), detail: z.string() });

const shape = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    modified: z.string(),
    state: z
      .enum(directUploadStates)
      .describe("`finishing`: all parts are there and are looked into. `refused`: see problem"),
    sizeBytes: z.int(),
    partBytes: z.int().describe("Of each part but the last"),
    parts: z.int().describe("How many, counted from 1"),
    received: z.array(z.int()).describe("Parts that are whole in the bucket, while receiving"),
    assetId: z.string().nullable(),
    problem: problemShape.nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe("When it is deleted unless it goes on"),
  })
  .meta({ id: "DirectUpload" });

const missing = { description: "There is no such upload." };

export function directUploadEndpoints(parts: Parts): Endpoint[] {
  return [
    createEndpoint(parts),
    endpoint({
      method: "GET",
      path: PATH,
      tag: "uploads",
      summary: "Your uploads into the bucket that are not complete, the newest first.",
      answers: { 200: { description: "Them.", schema: z.strictObject({ items: z.array(shape) }) } },
      handle: async (call) => {
        const { directUploads } = parts;
        const found = directUploads?.list(userOfCall(call).id) ?? [];
        // What has come of each the bucket says when one is asked for.
        return json({ items: found.map((upload) => uploadJson(parts, upload, [])) });
      },
    }),
    endpoint({
      method: "GET",
      path: ONE,
      tag: "uploads",
      summary: "How far an upload into the bucket is, and what it became.",
      answers: { 200: { description: "It.", schema: shape }, 404: missing },
      handle: async (call) => {
        const { uploads, upload } = uploadOf(parts, call);
        return json(uploadJson(parts, upload, await uploads.received(upload)));
      },
    }),
    addressesEndpoint(parts),
    completeEndpoint(parts),
    endpoint({
      method: "DELETE",
      path: ONE,
      tag: "uploads",
      summary: "Give an upload into the bucket up and delete what has come of it.",
      answers: {
        204: { description: "Deleted." },
        404: missing,
        409: { description: "`wrong_state`: it is being looked into." },
      },
      handle: async (call) => {
        const { uploads, upload } = uploadOf(parts, call);
        await uploads.remove(upload);
        return new Response(null, { status: 204 });
      },
    }),
  ];
}

function createEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: PATH,
    tag: "uploads",
    summary: "Begin an upload whose parts go straight into the bucket.",
    description:
      "For large files where storage is S3 and the sender reaches the bucket; a page needs the bucket's CORS rules to allow PUT. Where that is not so, upload by tus. Ask for the addresses of parts, PUT each, then `complete`.",
    body: z.strictObject({
      name: z.string().min(1).max(4096),
      sizeBytes: z.int().min(1),
      modified: z
        .string()
        .max(64)
        .default("")
        .describe("Anything by which you know the file again"),
    }),
    answers: {
      201: { description: "Begun.", schema: shape },
      409: { description: "`not_direct`: the bytes cannot go past this server; use tus." },
      413: { description: "`too_large`, `quota_exceeded`" },
      429: { description: "`too_many_uploads`" },
      503: { description: "`sandbox_missing`, `storage_unreachable`" },
    },
    handle: async (call) => {
      const uploads = directOf(parts);
      await refuseUnreachable(parts, call.request);
      const upload = await uploads.create(userOfCall(call).id, call.body);
      return json(uploadJson(parts, upload, []), 201, { location: `${PATH}/${upload.id}` });
    },
  });
}

function addressesEndpoint(parts: Parts): Endpoint {
  const address = z.strictObject({ part: z.int(), url: z.string(), sizeBytes: z.int() });
  return endpoint({
    method: "POST",
    path: `${ONE}/addresses`,
    tag: "uploads",
    summary: "Where parts are to be put.",
    description:
      "Each address takes one part by PUT, with exactly its bytes as the body and no login, for 15 minutes.",
    body: z.strictObject({
      parts: z.array(z.int().min(1).max(PARTS_MAX)).min(1).max(ADDRESSES_MAX),
    }),
    answers: {
      200: { description: "Them.", schema: z.strictObject({ items: z.array(address) }) },
      404: missing,
      409: { description: "`wrong_state`: all of its bytes have come." },
    },
    handle: async (call) => {
      const { uploads, upload } = uploadOf(parts, call);
      return json({ items: await uploads.addresses(upload, call.body.parts) });
    },
  });
}

function completeEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: `${ONE}/complete`,
    tag: "uploads",
    summary: "Put the parts together and make an asset.",
    description:
      "The object is read once: its SHA-256, what it is. What takes longer than some seconds goes on by itself: call this again, or look at the upload.",
    answers: {
      200: { description: "It is an asset, `assetId`.", schema: shape },
      202: { description: "It is being looked into.", schema: shape },
      404: missing,
      409: { description: "`incomplete`: `errors` names the parts that are missing." },
      413: { description: "`quota_exceeded`" },
      422: { description: "`not_media` and the like: the upload is gone." },
    },
    handle: async (call) => {
      const { uploads, upload } = uploadOf(parts, call);
      await within(SETTLE_MS, uploads.finish(upload));
      const ended = uploads.get(upload.ownerId, upload.id);
      if (ended.problem !== null) {
        const { status, code, detail } = ended.problem;
        throw new Refusal(status, code, detail);
      }
      return json(uploadJson(parts, ended, []), ended.state === "complete" ? 200 : 202);
    },
  });
}

/** @throws Refusal 409 `not_direct` */
function directOf({ directUploads }: Pick<Parts, "directUploads">): DirectUploads {
  if (directUploads !== null) return directUploads;
  throw notDirect("Files come to this server itself");
}

/** A page's script may put nothing where the bucket does not allow its origin to. @throws Refusal 409 `not_direct` */
async function refuseUnreachable(
  { bucket }: Pick<Parts, "bucket">,
  { headers }: Request,
): Promise<void> {
  const origin = headers.get("origin");
  if (origin === null) return;
  const mixed =
    origin.startsWith("https:") && bucket?.origins.some((one) => one.startsWith("http:"));
  if (bucket !== null && mixed !== true && (await bucket.corsAllows(origin, "PUT"))) return;
  throw notDirect("The bucket does not let pages of this address put anything into it");
}

function notDirect(why: string): Refusal {
  return new Refusal(409, "not_direct", `${why}: upload by tus (/api/v1/uploads) instead.`);
}

/** @throws Refusal 404 `not_found` */
function uploadOf(
  parts: Pick<Parts, "directUploads">,
  call: Call<unknown, unknown>,
): { uploads: DirectUploads; upload: DirectUpload } {
  const { directUploads } = parts;
  if (directUploads === null) throw new Refusal(404, "not_found", "There is no such upload.");
  return { uploads: directUploads, upload: directUploads.get(userOfCall(call).id, idOf(call)) };
}

function uploadJson(
  { directUploads }: Pick<Parts, "directUploads">,
  upload: DirectUpload,
  received: number[],
): z.output<typeof shape> {
  const { id, name, modified, state, sizeBytes, partBytes, key, problem, createdAt } = upload;
  return {
    ...{ id, name, modified, state, sizeBytes, partBytes, parts: partCount(upload), received },
    ...{ assetId: state === "complete" ? key : null, problem, createdAt },
    expiresAt: directUploads?.expiryOf(upload) ?? createdAt,
  };
}
