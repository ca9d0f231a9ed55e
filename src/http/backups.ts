/** Backups of the database: what there is, and one more. For admins, for a backup holds what everybody has. */
import { z } from "zod";
import type { Backup } from "../backup/shelf.ts";
import type { BackupState } from "../backup/state.ts";
import { adminOfCall, type Endpoint, endpoint, json } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

/** A copy of some gigabytes is silent for as long. */
const BACKUP_SILENCE_SECONDS = 255;

const backupShape: z.ZodType<Backup> = z
  .strictObject({
    name: z.string().describe("Of its file in the folder of backups; kinomill restore takes it"),
    createdAt: z.iso.datetime(),
    sizeBytes: z.int(),
    sha256: z.string(),
  })
  .meta({ id: "Backup" });

const stateShape: z.ZodType<BackupState> = z.strictObject({
  backups: z.array(backupShape).describe("The newest first"),
  schedule: z.string().describe("backup.schedule of the settings"),
  nextAt: z.iso.datetime().nullable().describe("When the next is due; null when none is planned"),
  last: z
    .strictObject({
      at: z.iso.datetime(),
      name: z.string().nullable(),
      problem: z.string().nullable().describe("Why it failed, and what to do"),
      tookMs: z.number(),
      writersWaitMs: z
        .number()
        .nullable()
        .describe("The longest wait of a write meanwhile; null when no server ran"),
    })
    .nullable()
    .describe("How the last attempt went"),
  bucket: z
    .strictObject({ problem: z.string().nullable().describe("Why the last copy failed") })
    .nullable()
    .describe("Null where storage is the disk; otherwise they are copied into the bucket"),
  warnings: z.array(z.string()).describe("What is not as it should be, and what to do"),
});

const admins = { 403: { description: "`forbidden`: only an admin may." } };

export function backupEndpoints(parts: Pick<Parts, "backups">): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/backups",
      tag: "system",
      summary: "The backups of the database, and how the last one went.",
      answers: { 200: { description: "The newest first.", schema: stateShape }, ...admins },
      handle: async (call) => {
        adminOfCall(call, "look at backups or make one");
        return json(await parts.backups.state());
      },
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/system/backups",
      tag: "system",
      summary: "Make a backup of the database now.",
      description:
        "For admins. Answers when it is whole, checked and safe; nobody waits meanwhile.",
      answers: {
        201: { description: "It is made.", schema: backupShape },
        ...admins,
        409: { description: "`backup_running`: one is being made." },
        500: { description: "`database_damaged` or `backup_failed`, with what to do." },
        507: { description: "`storage_full`" },
      },
      handle: async (call) => {
        adminOfCall(call, "look at backups or make one");
        call.visit.allowSilence(BACKUP_SILENCE_SECONDS);
        return json(await parts.backups.take(), 201);
      },
    }),
  ];
}
