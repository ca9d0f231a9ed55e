/** What goes by itself: for admins. */
import { z } from "zod";
import type { Swept } from "../assets/sweep.ts";
import { adminOfCall, type Endpoint, endpoint, json } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

const sweptShape: z.ZodType<Swept> = z
  .strictObject({
    id: z.string(),
    ownerId: z.string(),
    name: z.string(),
    sizeBytes: z.int(),
    since: z.iso.datetime().describe("When it expired, or when it went into the bin"),
  })
  .meta({ id: "Swept" });

const reportFields = {
  expired: z.array(sweptShape).describe("Into the bin; where there is none, for ever"),
  deleted: z.array(sweptShape).describe("Long enough in the bin: for ever"),
  inUse: z.int().describe("Expired, but an unfinished job reads them"),
  more: z.boolean().describe("There is more than one round takes"),
};

const admins = { 403: { description: "`forbidden`: only an admin may." } };

type Needs = Pick<Parts, "library" | "sweep">;

export function retentionEndpoints({ library, sweep }: Needs): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/retention",
      tag: "system",
      summary: "The rules, and what the next sweep would take.",
      answers: {
        200: {
          description: "Nothing is touched.",
          schema: z.strictObject({
            rules: z.strictObject({
              binDays: z.int(),
              uploadDays: z.int(),
              outputDays: z.int(),
              quotaBytes: z.int(),
            }),
            ...reportFields,
          }),
        },
        ...admins,
      },
      handle: (call) => {
        adminOfCall(call, "look at this or change it");
        const { binDays, uploadDays, outputDays, quotaBytes } = library.allowances.settings;
        const rules = { binDays, uploadDays, outputDays, quotaBytes };
        return json({ rules, ...sweep.plan() });
      },
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/system/sweep",
      tag: "system",
      summary: "Sweep now, or say what a sweep would take.",
      description: "For admins. It happens by itself every ten minutes.",
      body: z.strictObject({ dryRun: z.boolean().default(false) }),
      answers: {
        200: {
          description: "What went, or would go.",
          schema: z.strictObject({ dryRun: z.boolean(), ...reportFields }),
        },
        ...admins,
        409: { description: "`sweeping`: a sweep is under way." },
      },
      handle: async (call) => {
        adminOfCall(call, "look at this or change it");
        const { dryRun } = call.body;
        return json({ dryRun, ...(dryRun ? sweep.plan() : await sweep.round()) });
      },
    }),
  ];
}
