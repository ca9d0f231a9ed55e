/** Imports over HTTP: links in, how they stand, one more try. A cancelled one is deleted like its asset. */
import { z } from "zod";
import { LINKS_PER_CALL_MAX, type LinkRequest } from "../ingest/importer.ts";
import { LINK_LENGTH_MAX } from "../ingest/link.ts";
import { ifExistsField } from "./assets.ts";
import { type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { idText, importJson, importShape, pageLimit, pageShape } from "./shapes.ts";

/** A list of the longest links fits in. */
const BODY_BYTES_MAX = LINKS_PER_CALL_MAX * (LINK_LENGTH_MAX + 16);

const link = z
  .string()
  .min(1)
  .max(LINK_LENGTH_MAX)
  .describe("Address of the file, with https:// or http://");

const importBody = z.union(
  [
    z.strictObject({
      url: link,
      name: z
        .string()
        .min(1)
        .max(4096)
        .optional()
        .describe("Absent: as the link or its server say"),
      ifExists: ifExistsField,
    }),
    z.strictObject({
      urls: z.array(link).min(1).max(LINKS_PER_CALL_MAX).describe("All of them are taken or none"),
      ifExists: ifExistsField,
    }),
  ],
  "needs either url or urls",
);

export function importEndpoints(parts: Parts): Endpoint[] {
  return [importEndpoint(parts), listEndpoint(parts), retryEndpoint(parts)];
}

function importEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/assets/import",
    tag: "assets",
    summary: "Fetch files from links.",
    description:
      "With `url` the answer is one import, with `urls` a list of them. Each has the id of the asset that it will be: ask `GET /api/v1/assets/{id}`. It goes on after a restart of the server, and where a connection broke off. Links into private networks are refused unless the setting imports.allowPrivate has them.",
    body: importBody,
    bodyMaxBytes: BODY_BYTES_MAX,
    answers: {
      202: {
        description: "Taken.",
        schema: z.union([importShape, z.strictObject({ items: z.array(importShape) })]),
      },
      422: { description: "`bad_link`, `link_refused`: nothing is fetched." },
      429: { description: "`too_many_imports`" },
      503: { description: "`sandbox_missing`" },
    },
    handle: async (call) => {
      const { body } = call;
      const ownerId = userOfCall(call).id;
      const requests: LinkRequest[] =
        "url" in body
          ? [{ url: body.url, name: body.name ?? null }]
          : body.urls.map((url) => ({ url, name: null }));
      const items = (await parts.imports.add(ownerId, requests, body.ifExists)).map(importJson);
      const [first] = items;
      if (!("url" in body) || first === undefined) return json({ items }, 202);
      return json(first, 202, { location: `/api/v1/assets/${first.id}` });
    },
  });
}

function listEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "GET",
    path: "/api/v1/assets/imports",
    tag: "assets",
    summary: "Imports that have not become assets, the newest first.",
    description: "Those that failed are kept for a day.",
    query: z.strictObject({
      limit: pageLimit,
      after: idText.optional().describe("`next` of the page before"),
    }),
    answers: { 200: { description: "A page.", schema: pageShape(importShape) } },
    handle: (call) => {
      const { limit, after } = call.query;
      const found = parts.imports.list(userOfCall(call).id, limit + 1, after ?? null);
      const items = found.slice(0, limit).map(importJson);
      return json({ items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null });
    },
  });
}

function retryEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/assets/imports/:id/retry",
    tag: "assets",
    summary: "Try a failed import again; what had arrived is used where that is possible.",
    answers: {
      200: { description: "It waits for its turn.", schema: importShape },
      404: { description: "There is no such import." },
      409: { description: "`wrong_state`: it has not failed." },
    },
    handle: (call) => json(importJson(parts.imports.retry(userOfCall(call).id, idOf(call)))),
  });
}
