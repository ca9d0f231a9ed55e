/** What this box is and can do. */
import { z } from "zod";
import type { User } from "../accounts/accounts.ts";
import { findingLevels } from "../doctor/finding.ts";
import { type WorkMode, type WorkState, workModes } from "../jobs/work-mode.ts";
import { Refusal } from "../trouble.ts";
import { type Endpoint, endpoint, json, userOfCall } from "./endpoint.ts";
import type { Parts, SystemReport } from "./parts.ts";

const gpuShape = z.strictObject({
  uuid: z.string().describe("Stays the same when the numbers of the GPUs change"),
  driver: z.string().nullable(),
  computeCapability: z.string().nullable(),
  pciBusId: z.string().nullable(),
  memoryTotalBytes: z.int().nullable(),
  memoryUsedBytes: z.int().nullable(),
  mig: z.boolean().describe("Split into instances by MIG"),
  inService: z.boolean().describe("Whether jobs run on it now"),
  suspended: z
    .strictObject({
      because: z.string(),
      remedy: z.string().nullable(),
      tryAgainAt: z.iso.datetime().describe("When Kinomill tries it again by itself"),
    })
    .nullable()
    .describe("Out of service since a job failed on it"),
  abilities: z
    .array(
      z.strictObject({
        work: z.enum(["encode", "decode"]),
        codec: z.enum(["h264", "hevc", "av1"]),
        bitDepth: z.literal([8, 10]),
        title: z.string(),
        state: z.enum(["can", "cannot", "busy"]).describe("Found out by doing it"),
        because: z.string().nullable().describe("Why not; null when it can"),
        remedy: z.string().nullable().describe("What to do; null when the hardware is like that"),
      }),
    )
    .describe("Empty until it was tried"),
});

const workShape = z.strictObject({
  mode: z
    .enum(workModes)
    .describe(
      "running; paused: nothing starts, what runs is stopped where it stands; draining: nothing starts, what runs is finished",
    ),
  since: z.iso.datetime().nullable().describe("Null while nobody has switched it"),
});

export const findingShape = z.strictObject({
  id: z.string().describe("For programs: the part of the box, a dot, what of it"),
  level: z
    .enum(findingLevels)
    .describe("fault: keeps Kinomill from working; warning: takes something away"),
  title: z.string(),
  meaning: z.string(),
  remedy: z.string().nullable().describe("What to do and to type"),
});

const systemShape: z.ZodType<SystemReport> = z
  .strictObject({
    version: z.string(),
    commit: z.string(),
    startedAt: z.iso.datetime(),
    uptimeSeconds: z.number().min(0),
    devices: z.array(
      z.strictObject({
        id: z.string(),
        kind: z.enum(["cpu", "gpu"]),
        title: z.string(),
        slots: z.int(),
        busy: z.int(),
        reason: z.string().exactOptional(),
        gpu: gpuShape.exactOptional(),
      }),
    ),
    gpus: z.strictObject({
      state: z.enum(["looking", "found", "none", "trouble"]),
      sentence: z.string(),
      remedy: z.string().nullable(),
    }),
    ffmpeg: z.strictObject({
      version: z.string().nullable(),
      encoders: z.array(z.string()),
      filters: z.array(z.string()),
      hwaccels: z.array(z.string()),
      problem: z.string().nullable().describe("Why there is none, and what to do"),
      abilities: z.array(
        z.strictObject({
          ability: z.string(),
          by: z.string().nullable().describe("What does it; null when it is missing"),
          remedy: z.string().nullable(),
        }),
      ),
    }),
    storage: z.strictObject({
      kind: z.enum(["disk", "s3"]),
      freeBytes: z.int().nullable(),
      usedBytes: z.int(),
      assetCount: z.int(),
      state: z.enum(["ok", "fault"]),
      sentence: z.string().describe("Why it is at fault"),
      cache: z
        .strictObject({ usedBytes: z.int(), maxBytes: z.int() })
        .nullable()
        .describe("Copies of what lies in a bucket"),
    }),
    disks: z
      .array(
        z.strictObject({
          holds: z.array(z.enum(["data", "storage", "cache", "backups"])),
          totalBytes: z.int(),
          usedBytes: z.int(),
          freeBytes: z.int(),
        }),
      )
      .describe("File systems, and what of Kinomill lies on each"),
    versions: z.strictObject({
      bun: z.string(),
      system: z.string(),
      kernel: z.string(),
      architecture: z.string(),
      schema: z.int().describe("Number of the newest migration of the database"),
    }),
    sandbox: z.strictObject({ layers: z.array(z.string()), missing: z.array(z.string()) }),
    work: workShape.extend({ running: z.int().describe("Jobs that run now") }),
    findings: z
      .array(findingShape)
      .describe("What kinomill doctor says, without what only a command may try"),
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
    endpoint({
      method: "PATCH",
      path: "/api/v1/system/work",
      tag: "system",
      summary: "Pause, drain or continue all work.",
      description: "For admins. It survives a restart.",
      body: z.strictObject({ mode: z.enum(workModes) }),
      answers: {
        200: { description: "As it is now.", schema: workShape },
        403: { description: "`forbidden`: only an admin may." },
      },
      handle: (call) => json(switchWork(parts, userOfCall(call), call.body.mode)),
    }),
  ];
}

/** @throws Refusal 403 `forbidden` for members: it concerns everybody's jobs. */
export function switchWork(
  parts: Pick<Parts, "workSwitch">,
  user: User,
  mode: WorkMode,
): WorkState {
  if (user.role === "admin") return parts.workSwitch.set(mode);
  throw new Refusal(403, "forbidden", "Only an admin may pause, drain or continue all work.");
}
