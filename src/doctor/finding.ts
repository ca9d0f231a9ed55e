/** One thing that the doctor found out about this box: `kinomill doctor`, the page and `GET /system` say it alike. */
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Toolchain } from "../media/devices.ts";
import type { GpuState } from "../media/gpu.ts";
import type { BucketAspect } from "../storage/s3-check.ts";
import type { Failure } from "../trouble.ts";

/** `fault` keeps Kinomill from working, `warning` takes something away or may become a fault, `ok` is said too. */
export const findingLevels = ["ok", "warning", "fault"] as const;
export type FindingLevel = (typeof findingLevels)[number];

export interface Finding {
  /** Programs match on it: "data.space"; what stands before the dot is the part of the box. */
  id: string;
  level: FindingLevel;
  /** A word or two: "Free space". */
  title: string;
  /** What is so and what it means, in sentences that stand alone. */
  meaning: string;
  /** What to do and to type; null where nothing needs doing. */
  remedy: string | null;
}

/** The secrets in the database, as far as a look at them tells. */
export interface SecretState {
  count: number;
  /** Names of those that cannot be opened. */
  broken: readonly string[];
  /** Names that settings have and that are not there. */
  missing: readonly string[];
  /** Why no key could be read; null when that is all right. */
  trouble: string | null;
}

/** What is looked at, and what is known of it already. */
export interface Box {
  config: Config;
  clock: Clock;
  /** Null while the server still looks at it. */
  toolchain: Toolchain | Failure | null;
  gpus: GpuState;
  /**
   * Who looks. `command` may take a second, write a little and name paths of this machine. `server` asks for
   * every page that somebody opens, and its answers go to members too.
   */
  asker: "command" | "server";
  /** What the server found at its last look at the bucket. A command looks for itself. */
  bucket?: readonly BucketAspect[] | null;
  /** Null where there is no database. */
  secrets?: SecretState | null;
  /** Since when the server runs that asks; null for a command. */
  sinceMs: number | null;
}

/** Looks at one part of the box. What it cannot find out is a finding as well: it never throws. */
export type Look = (box: Box) => readonly Finding[] | Promise<readonly Finding[]>;

/** What this asker may hear of the data folder: its path, or what it is called. */
export function dataFolderOf({ asker, config }: Pick<Box, "asker" | "config">): string {
  return asker === "command" ? config.data : "the data folder";
}

/** The same in a command that somebody types. */
export function dataFolderToType({ asker, config }: Pick<Box, "asker" | "config">): string {
  return asker === "command" ? `'${config.data.replaceAll("'", "'\\''")}'` : "DATA_FOLDER";
}
