/** Records and storage compared, both ways: start it, and how it stands. For admins. */
import { z } from "zod";
import type { StockReport } from "../assets/stocktaking.ts";
import { adminOfCall, type Endpoint, endpoint, json } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

const faults = z.strictObject({
  assets: z.int(),
  faults: z
    .array(z.strictObject({ id: z.string(), name: z.string(), fault: z.string() }))
    .describe("The first 50"),
});

const reportShape: z.ZodType<StockReport> = z
  .strictObject({
    state: z.enum(["never", "running", "done", "failed"]),
    deep: z.boolean(),
    repair: z.boolean(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
    problem: z.string().nullable().describe("Why it failed"),
    objects: z.int().describe("Looked at so far"),
    orphans: z
      .strictObject({
        objects: z.int(),
        bytes: z.int(),
        keys: z.array(z.string()).describe("The first 50"),
      })
      .describe("Objects, older than an hour, that belong to no asset"),
    foreign: z.int().describe("Objects in the same place that are not Kinomill's"),
    missing: faults.describe("Assets whose bytes are gone"),
    damaged: faults.describe("Assets whose bytes have another size, or another hash"),
    repaired: z.strictObject({ orphans: z.int(), binned: z.int() }),
  })
  .meta({ id: "StorageCheck" });

export function storageCheckEndpoints({
  stock,
  testStorage,
}: Pick<Parts, "stock" | "testStorage">): Endpoint[] {
  const path = "/api/v1/system/storage/check";
  const admins = { 403: { description: "`forbidden`: only an admin may." } };
  return [
    testEndpoint(testStorage),
    endpoint({
      method: "GET",
      path,
      tag: "system",
      summary: "How the check of the storage stands, or what the last one found.",
      answers: { 200: { description: "So far.", schema: reportShape }, ...admins },
      handle: (call) => {
        adminOfCall(call, "look at storage");
        return json(stock.report());
      },
    }),
    endpoint({
      method: "POST",
      path,
      tag: "system",
      summary:
        "Look for objects that belong to no asset, and assets whose bytes are gone or damaged.",
      description:
        "While the server serves. With `repair`, objects that belong to nobody are deleted and assets without bytes go into the bin; where most are missing, nothing is, for then the storage is wrong. With `deep`, every object is read.",
      body: z.strictObject({
        repair: z.boolean().default(false),
        deep: z.boolean().default(false),
      }),
      answers: {
        202: { description: "It is under way.", schema: reportShape },
        ...admins,
        409: { description: "`checking`: one is under way." },
      },
      handle: (call) => {
        adminOfCall(call, "check storage");
        return json(stock.start(call.body), 202);
      },
    }),
  ];
}

const trialShape = z
  .strictObject({
    step: z.string(),
    level: z.enum(["ok", "warning", "fault"]),
    meaning: z.string().describe("What is so"),
    remedy: z.string().nullable().describe("What to do; null where nothing needs doing"),
  })
  .meta({ id: "StorageTrial" });

function testEndpoint(testStorage: Parts["testStorage"]): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/system/storage/test",
    tag: "system",
    summary: "Write a small object, read it, compare it and delete it.",
    description:
      "For admins. Of a bucket also: parts, rights, its clock, and whether browsers may read.",
    answers: {
      200: {
        description: "What was tried, and what to do where it failed.",
        schema: z.strictObject({ items: z.array(trialShape) }),
      },
      403: { description: "`forbidden`: only an admin may." },
    },
    handle: async (call) => {
      adminOfCall(call, "test storage");
      return json({ items: await testStorage() });
    },
  });
}
