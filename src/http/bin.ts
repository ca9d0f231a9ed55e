/** The bin over HTTP: what was deleted can be brought back; and what else may be changed of an asset. */
import { z } from "zod";
import { isoTime } from "../clock.ts";
import { type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { assetJson, assetShape } from "./shapes.ts";

/** Assets that one call deletes for ever: some seconds of work. */
export const EMPTIED_MAX = 1_000;

const changeShape = z
  .strictObject({
    name: z.string().min(1).max(4096).optional(),
    expiresAt: z.iso
      .datetime({ offset: true })
      .nullable()
      .optional()
      .describe("When it goes into the bin by itself; null for never"),
    labels: z
      .array(z.string().max(1_000))
      .max(100)
      .optional()
      .describe("In the place of those that it has: 20 at most, of 64 characters at most"),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    message: "says nothing to change",
  })
  .meta({ id: "AssetChange" });

export function binEndpoints({ library, imports }: Pick<Parts, "library" | "imports">): Endpoint[] {
  return [
    endpoint({
      method: "DELETE",
      path: "/api/v1/assets/:id",
      tag: "assets",
      summary: "Delete an asset, into the bin or for ever, or cancel its import.",
      description:
        "It goes into the bin, from which it can be restored for some days (retention.binDays). What is in the bin already, or goes for ever, loses its bytes.",
      query: z.strictObject({
        forever: z.boolean().default(false).describe("Not into the bin: it is gone at once"),
      }),
      answers: {
        204: { description: "Deleted." },
        404: { description: "There is no such asset." },
        409: { description: "`in_use`: a job that has not finished reads it." },
      },
      handle: async (call) => {
        const [ownerId, id] = [userOfCall(call).id, idOf(call)];
        const cancelled = await imports.cancel(ownerId, id);
        if (!cancelled) await library.delete(ownerId, id, call.query);
        return new Response(null, { status: 204 });
      },
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/assets/:id/restore",
      tag: "assets",
      summary: "Bring an asset back from the bin.",
      answers: {
        200: { description: "It is back.", schema: assetShape },
        404: { description: "There is no such asset." },
        409: { description: "`wrong_state`: it is not in the bin." },
      },
      handle: (call) => json(assetJson(library.restore(userOfCall(call).id, idOf(call)))),
    }),
    endpoint({
      method: "DELETE",
      path: "/api/v1/assets",
      tag: "assets",
      summary: "Empty the bin.",
      query: z.strictObject({ state: z.literal("binned") }),
      answers: {
        200: {
          description: "How many are gone for ever; call again while there are more.",
          schema: z.strictObject({ deleted: z.int(), more: z.boolean() }),
        },
      },
      handle: async (call) => json(await library.emptyBin(userOfCall(call).id, EMPTIED_MAX)),
    }),
    endpoint({
      method: "PATCH",
      path: "/api/v1/assets/:id",
      tag: "assets",
      summary: "Give an asset another name, another time to go, or other labels.",
      body: changeShape,
      answers: {
        200: { description: "As it is now.", schema: assetShape },
        404: { description: "There is no such asset, or it is in the bin." },
      },
      handle: (call) => {
        const { name, expiresAt, labels } = call.body;
        const asset = library.change(userOfCall(call).id, idOf(call), {
          ...(name === undefined ? {} : { name }),
          ...(expiresAt === undefined ? {} : { expiresAt: utc(expiresAt) }),
          ...(labels === undefined ? {} : { labels }),
        });
        return json(assetJson(asset));
      },
    }),
  ];
}

/** Times are compared as text. */
function utc(time: string | null): string | null {
  return time === null ? null : isoTime(Date.parse(time));
}
