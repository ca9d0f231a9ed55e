/** What this box is and can do. */
import { z } from "zod";
import { type Endpoint, endpoint, json } from "./endpoint.ts";
import type { Parts, SystemReport } from "./parts.ts";

const systemShape: z.ZodType<SystemReport> = z
  .strictObject({
    version: z.string(),
    commit: z.string(),
    startedAt: z.iso.datetime(),
    uptimeSeconds: z.number().min(0),
    devices: z.array(
      z.strictObject({
        id: z.string(),
        kind: z.string(),
        title: z.string(),
        slots: z.int(),
        busy: z.int(),
      }),
    ),
    ffmpeg: z.strictObject({
      version: z.string(),
      encoders: z.array(z.string()),
      hwaccels: z.array(z.string()),
    }),
    storage: z.strictObject({ kind: z.string(), freeBytes: z.int().nullable() }),
    sandbox: z.strictObject({ layers: z.array(z.string()), missing: z.array(z.string()) }),
    limits: z.strictObject({
      uploadMaxBytes: z.int(),
      requestMaxBytes: z.int(),
      cpuSlots: z.int(),
    }),
  })
  .meta({ id: "System" });

export function systemEndpoints(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system",
      tag: "system",
      summary: "Version, devices, ffmpeg, storage, limits.",
      answers: { 200: { description: "The box.", schema: systemShape } },
      handle: async () => json(await parts.system()),
    }),
  ];
}
