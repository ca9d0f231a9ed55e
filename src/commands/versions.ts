/** What all this is made of and runs on, by version. */
import { readFileSync } from "node:fs";
import { arch, release } from "node:os";
import { migrations } from "../database/migrations/index.ts";
import type { VersionsReport } from "../http/parts.ts";

let known: VersionsReport | null = null;

/** Looked up once: none of it changes while the server runs. */
export function versionsReport(): VersionsReport {
  known ??= {
    bun: Bun.version,
    system: systemName("/etc/os-release"),
    kernel: release(),
    architecture: arch(),
    schema: migrations.length,
  };
  return known;
}

/** "Debian GNU/Linux 12 (bookworm)", as os-release(5) has it; in a container that of its image. */
export function systemName(path: string): string {
  try {
    const [, name] = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readFileSync(path, "utf8")) ?? [];
    return name ?? "Linux";
  } catch {
    return "Linux";
  }
}
