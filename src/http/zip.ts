/** Several assets as one download. */
import type { Elysia } from "elysia";
import { z } from "zod";
import type { Asset } from "../assets/asset.ts";
import { cleanName, splitName } from "../assets/name.ts";
import { Refusal } from "../trouble.ts";
import { archiveBytes, archiveOf, entriesOf } from "./archive.ts";
import { readForm } from "./body.ts";
import { disposition } from "./content.ts";
import { askerOf, type Endpoint, endpoint, route, userOfCall } from "./endpoint.ts";
import { findAsset } from "./entries.ts";
import type { Parts } from "./parts.ts";
import { idText } from "./shapes.ts";
import { visitOf } from "./visit.ts";

/** Files of one archive: a ladder has some dozens, a page shows some hundreds. */
const ENTRIES_MAX = 1000;

/** Ids that fit into an address; more go into the body. */
const ENTRIES_IN_ADDRESS_MAX = 100;

const archiveName = z.string().min(1).max(4096).optional().describe("Name of the archive");

const answers = {
  200: { description: "The archive.", mediaType: "application/zip" },
  404: { description: "One of them does not exist; nothing is sent." },
};

const description =
  "A zip whose files are stored and not packed: media is packed already. It is made while it is sent, of any size; HEAD tells its length. The same name a second time becomes `name (2)`. It breaks off when an asset is deleted meanwhile.";

export function zipEndpoints(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/assets/zip",
      tag: "assets",
      summary: "Several assets, or all outputs of a job, as one zip.",
      description,
      query: z.strictObject({
        id: z
          .array(idText)
          .max(ENTRIES_IN_ADDRESS_MAX)
          .optional()
          .describe("An asset; given more than once. More than a hundred go into the body of POST"),
        job: idText.optional().describe("Instead: all outputs of this job"),
        name: archiveName,
      }),
      answers,
      handle: (call) => {
        const { id, job, name } = call.query;
        const ownerId = userOfCall(call).id;
        if (job !== undefined && id !== undefined) throw needsOne();
        if (job !== undefined) return sendJob(parts, call.request, ownerId, job, name);
        return sendAll(parts, call.request, ownerId, id ?? [], name);
      },
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/assets/zip",
      tag: "assets",
      summary: "The same for a longer list.",
      description,
      body: z.strictObject({
        ids: z.array(idText).min(1).max(ENTRIES_MAX),
        name: archiveName,
      }),
      answers,
      handle: (call) => {
        const { ids, name } = call.body;
        return sendAll(parts, call.request, userOfCall(call).id, ids, name);
      },
    }),
  ];
}

/** The page's selection: a form, so that the browser saves the answer as it does any download. */
export function mountZip(app: Elysia, parts: Parts): void {
  route(app, "POST", "/ui/assets/zip", async (request) => {
    const ids = (await readForm(request)).getAll("id").slice(0, ENTRIES_MAX);
    return sendAll(parts, request, askerOf(request).id, ids, undefined);
  });
}

function sendJob(
  parts: Parts,
  request: Request,
  ownerId: string,
  jobId: string,
  name: string | undefined,
): Response {
  const { title, outputs } = parts.jobs.get(ownerId, jobId);
  const assets = outputs.map((id) => findAsset(parts, ownerId, id)).filter((one) => one !== null);
  if (assets.length === 0) {
    const sentence = "This job has no outputs, or they were all deleted.";
    throw new Refusal(404, "not_found", sentence);
  }
  return sendArchive(parts, request, assets, name ?? title.replaceAll("/", "_"));
}

function sendAll(
  parts: Parts,
  request: Request,
  ownerId: string,
  ids: readonly string[],
  name: string | undefined,
): Response {
  if (ids.length === 0) throw needsOne();
  const assets = [...new Set(ids)].map((id) => parts.library.get(ownerId, id));
  return sendArchive(parts, request, assets, name ?? "kinomill");
}

function needsOne(): Refusal {
  const sentence = "Say which files: id for each of them, or job for all that a job made.";
  return new Refusal(422, "invalid", sentence);
}

function sendArchive(
  parts: Parts,
  request: Request,
  assets: readonly Asset[],
  name: string,
): Response {
  const entries = entriesOf(assets);
  const clean = cleanName(name);
  const { stem, ending } = splitName(clean);
  const headers = {
    "content-type": "application/zip",
    "content-length": String(archiveBytes(entries)),
    "content-disposition": disposition(
      "attachment",
      `${ending.toLowerCase() === ".zip" ? stem : clean}.zip`,
    ),
    "cache-control": "no-store",
  };
  if (visitOf(request).method === "HEAD") return new Response(null, { headers });
  return new Response(archiveOf(parts.storage, entries), { headers });
}
