/** What is done to several assets in one call: labels, into the bin, out of it. */
import { z } from "zod";
import { deleteMany, labelMany, MANY_MAX, type ManyDone, restoreMany } from "../assets/many.ts";
import { type Endpoint, endpoint, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { idText } from "./shapes.ts";

const ids = z.array(idText).min(1).max(MANY_MAX);
const labels = z.array(z.string().max(1_000)).max(100).default([]);

const manyShape = z
  .strictObject({
    done: z.array(z.string()).describe("Ids of those that it was done to"),
    unchanged: z
      .array(z.strictObject({ id: z.string(), code: z.string(), message: z.string() }))
      .describe("Those that stayed as they were, and why"),
  })
  .meta({ id: "ManyDone" });

const answers = {
  200: { description: "Of each whether it was done.", schema: manyShape },
};

const labelShape = z.strictObject({
  name: z.string(),
  assets: z.int().min(1).describe("How many have it, the bin not counted"),
});

export function bulkAssetEndpoints({ library }: Pick<Parts, "library">): Endpoint[] {
  const told = (done: Promise<ManyDone>) => done.then((result) => json(result));
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/assets/labels",
      tag: "assets",
      summary: "The labels of your assets, by name.",
      answers: {
        200: {
          description: "All of them, 500 at most.",
          schema: z.strictObject({ items: z.array(labelShape) }),
        },
      },
      handle: (call) => json({ items: library.catalogue.labels(userOfCall(call).id) }),
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/assets/labels",
      tag: "assets",
      summary: "Give labels to several assets, and take others off them.",
      body: z
        .strictObject({ ids, add: labels, remove: labels })
        .refine(({ add, remove }) => add.length + remove.length > 0, "names no label"),
      answers,
      handle: (call) => {
        const { ids: chosen, ...change } = call.body;
        return told(labelMany(library, userOfCall(call).id, chosen, change));
      },
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/assets/delete",
      tag: "assets",
      summary: "Delete several assets, into the bin.",
      body: z.strictObject({ ids }),
      answers,
      handle: (call) => told(deleteMany(library, userOfCall(call).id, call.body.ids)),
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/assets/restore",
      tag: "assets",
      summary: "Bring several assets back from the bin.",
      body: z.strictObject({ ids }),
      answers,
      handle: (call) => told(restoreMany(library, userOfCall(call).id, call.body.ids)),
    }),
  ];
}
