/** The way of all objects from one kind of storage to another: how it stands, start and stop. For admins. */
import { z } from "zod";
import type { MigrationReport } from "../assets/migration.ts";
import { Refusal } from "../trouble.ts";
import { adminOfCall, type Endpoint, endpoint, json } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

const kinds = z.enum(["disk", "s3"]);
const amount = z.strictObject({ objects: z.int(), bytes: z.int() });

type Told = Omit<MigrationReport, "from"> & { from: MigrationReport["from"] | null };

const reportShape: z.ZodType<Told> = z
  .strictObject({
    state: z.enum(["moving", "stopped", "done"]),
    from: kinds.nullable().describe("Null when nothing lies elsewhere"),
    to: kinds.describe("storage.kind of the settings: new objects come there"),
    left: amount.describe("Not moved yet; they are read where they are"),
    moved: amount.describe("Since the server started"),
    faults: z
      .array(z.strictObject({ key: z.string(), fault: z.string() }))
      .describe("What could not be moved, the first 50; it stays where it is"),
  })
  .meta({ id: "StorageMove" });

export function storageMoveEndpoints(parts: Pick<Parts, "migration" | "storage">): Endpoint[] {
  const { migration, storage } = parts;
  const report = (): Told => migration?.report() ?? nothingElsewhere(storage.kind);
  const admins = { 403: { description: "`forbidden`: only an admin may." } };
  const path = "/api/v1/system/storage/move";
  return [
    endpoint({
      method: "GET",
      path,
      tag: "system",
      summary: "Whether objects lie in another storage than that of the settings.",
      answers: { 200: { description: "How it stands.", schema: reportShape }, ...admins },
      handle: (call) => {
        adminOfCall(call, "look at storage");
        return json(report());
      },
    }),
    endpoint({
      method: "POST",
      path,
      tag: "system",
      summary: "Bring all objects into the storage of the settings.",
      description:
        "While the server serves. Each is read whole where it arrived and must have the SHA-256 of its record; its old copy goes an hour later. It goes on after a restart. What has a fault is tried again by another call.",
      body: z.strictObject({ to: kinds }),
      answers: {
        202: { description: "It is under way, or nothing is left.", schema: reportShape },
        ...admins,
        409: { description: "`wrong_storage`: the settings have another storage.kind." },
      },
      handle: (call) => {
        adminOfCall(call, "move storage");
        if (call.body.to !== storage.kind) throw wrongStorage(call.body.to, storage.kind);
        migration?.start();
        return json(report(), 202);
      },
    }),
    endpoint({
      method: "DELETE",
      path,
      tag: "system",
      summary: "Stop it. What has moved stays moved, the rest is read where it is.",
      answers: { 200: { description: "How it stands.", schema: reportShape }, ...admins },
      handle: async (call) => {
        adminOfCall(call, "move storage");
        await migration?.stop();
        return json(report());
      },
    }),
  ];
}

function nothingElsewhere(kind: MigrationReport["to"]): Told {
  const none = { objects: 0, bytes: 0 };
  return { state: "done", from: null, to: kind, left: none, moved: none, faults: [] };
}

function wrongStorage(wanted: string, kind: string): Refusal {
  return new Refusal(
    409,
    "wrong_storage",
    `The storage of this server is "${kind}". Set storage.kind to "${wanted}" and restart it: it reads both then, and new files come to "${wanted}". Then call this again.`,
  );
}
