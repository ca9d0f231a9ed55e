/** What the last self-test found, in the data folder: the command and the server leave it there, and the page shows it. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { SelfTestReport } from "../http/parts.ts";

const fileName = "selftest.json";

const reportShape: z.ZodType<SelfTestReport> = z.object({
  at: z.iso.datetime(),
  problem: z.string().nullable(),
  devices: z
    .array(
      z.object({
        id: z.string(),
        title: z.string(),
        result: z.enum(["ok", "failed", "skipped"]),
        sessions: z.int(),
        framesPerSecond: z.number().nullable(),
        realtimeFactor: z.number().nullable(),
        encoder: z.string().nullable(),
        sentence: z.string(),
        remedy: z.string().nullable(),
      }),
    )
    .max(65),
});

/** Null where there is none, or none that this version reads. */
export function keptReport(dataFolder: string): SelfTestReport | null {
  try {
    const parsed = reportShape.safeParse(
      JSON.parse(readFileSync(join(dataFolder, fileName), "utf8")),
    );
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** In one move: whoever reads meanwhile finds the old one or the new one. */
export function keepReport(dataFolder: string, report: SelfTestReport): void {
  const path = join(dataFolder, fileName);
  writeFileSync(`${path}.new`, JSON.stringify(report), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
