/**
 * The support bundle: what somebody needs who helps from afar, and nothing that is nobody's business. Facts only: it
 * reads, and tries nothing.
 */
import type { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { arch, cpus, release, totalmem, uptime } from "node:os";
import { join } from "node:path";
import { type Clock, isoTime } from "../clock.ts";
import { type Config, settings, shownValue, valueAt } from "../config.ts";
import { readVersion } from "../database/migrate.ts";
import type { Finding } from "../doctor/finding.ts";
import { product } from "../product.ts";
import { failures, jobStatistics, knownNames, tableSizes, workFigures } from "./job-facts.ts";
import { openFacts } from "./open-facts.ts";
import { type Scrubbing, scrub } from "./scrub.ts";

/** One file of the bundle. */
export interface SupportFile {
  name: string;
  text: string;
  /** For a person, before it is written: what it holds. */
  holds: string;
}

export interface SupportFacts {
  config: Config;
  clock: Clock;
  /** Whence each setting has its value; default where nothing is said. */
  originOf(key: string): string;
  /** Null where there is none that can be read. */
  database: Database | null;
  findings: readonly Finding[];
  /** Lines of JSON, the newest last; null with the reason why there are none. */
  log: readonly string[] | { missing: string };
  /** What the self-test printed; null when it was not asked for. */
  selfTest: string | null;
  /** Values that must not stand anywhere, whatever said them. */
  secrets: readonly string[];
  /** Names of files and people may be in it. */
  withNames: boolean;
}

/** What is longer keeps its end: mails and trackers take some megabytes. */
const FILE_CHARACTERS_MAX = 2_000_000;

export async function supportFiles(facts: SupportFacts): Promise<SupportFile[]> {
  const { database, withNames, secrets } = facts;
  const names = withNames ? null : database === null ? [] : knownNames(database);
  const scrubbing: Scrubbing = { secrets, names };
  const files = [
    json("versions.json", "versions of Kinomill, the system and its hardware", versions()),
    json("doctor.json", "what kinomill doctor says", facts.findings),
    json(
      "settings.json",
      "the settings and whence they come, secrets left out",
      shownSettings(facts),
    ),
    json(
      "file-systems.json",
      "kinds, sizes and free space of the folders in use",
      await places(facts),
    ),
    json("database.json", "the schema and how many rows each table has", databaseFacts(database)),
    json("jobs.json", "how many jobs of which kind, state and device", jobFacts(facts)),
    json(
      "failures.json",
      withNames
        ? "the newest failed jobs with titles, parameters and what ffmpeg said"
        : "the newest failed jobs without names, titles and parameters",
      database === null ? [] : failures(database, withNames),
    ),
    { name: "log.ndjson", holds: logWords(facts), text: logText(facts) },
    ...(facts.selfTest === null
      ? []
      : [{ name: "selftest.txt", holds: "what kinomill selftest said", text: facts.selfTest }]),
  ].map((file) => ({ ...file, text: shortened(scrub(file.text, scrubbing)) }));
  return [{ name: "README.txt", holds: "this list", text: readme(files, facts) }, ...files];
}

/** Gzipped tar, in a folder of its own. */
export async function packBundle(files: readonly SupportFile[], name: string): Promise<Uint8Array> {
  const entries = Object.fromEntries(files.map((file) => [`${name}/${file.name}`, file.text]));
  return await new Bun.Archive(entries, { compress: "gzip" }).bytes();
}

/** "kinomill-support-2026-01-31T12-00-00" */
export function bundleName(nowMs: number): string {
  return `kinomill-support-${isoTime(nowMs).slice(0, 19).replaceAll(":", "-")}`;
}

function json(name: string, holds: string, value: unknown): SupportFile {
  return { name, holds, text: `${JSON.stringify(value, null, 2)}\n` };
}

function shortened(text: string): string {
  if (text.length <= FILE_CHARACTERS_MAX) return text;
  return `[the beginning is left out]\n${text.slice(-FILE_CHARACTERS_MAX)}`;
}

function versions(): unknown {
  const [cpu] = cpus();
  return {
    ...{ version: product.version, commit: product.commit, bun: Bun.version },
    system: contentOf("/etc/os-release").match(/^PRETTY_NAME="?(.*?)"?$/m)?.[1] ?? null,
    ...{ kernel: release(), architecture: arch(), cpu: cpu?.model ?? null, cores: cpus().length },
    ...{ memoryBytes: totalmem(), uptimeSeconds: Math.round(uptime()) },
  };
}

function shownSettings({ config, originOf }: SupportFacts): unknown {
  return settings.map(({ key }) => ({
    key,
    value: JSON.parse(shownValue(key, valueAt(config, key))) as unknown,
    origin: originOf(key),
  }));
}

async function places({ config }: SupportFacts): Promise<unknown> {
  const mounts = contentOf("/proc/self/mounts");
  const folders = {
    data: config.data,
    backups: config.backup.folder.startsWith("/")
      ? config.backup.folder
      : join(config.data, config.backup.folder),
    temporary: "/tmp",
  };
  const found = Object.entries(folders).map(async ([what, folder]) => {
    const is = await statfs(folder).catch(() => null);
    if (is === null) return { what, missing: true };
    const { bsize, blocks, bavail, files, ffree, type } = is;
    const sizes = { sizeBytes: bsize * blocks, freeBytes: bsize * bavail, files, filesFree: ffree };
    return { what, type: `0x${(type >>> 0).toString(16)}`, ...sizes, ...mountOf(folder, mounts) };
  });
  return Promise.all(found);
}

/** File system and options of the innermost mount that holds the folder. */
function mountOf(folder: string, mounts: string): { fileSystem: string; options: string } | null {
  const held = mounts.split("\n").flatMap((line) => {
    const [, place = "", fileSystem = "", options = ""] = line.split(" ");
    const inside = place !== "" && `${folder}/`.startsWith(place === "/" ? "/" : `${place}/`);
    return inside ? [{ length: place.length, fileSystem, options }] : [];
  });
  const innermost = held.sort((one, other) => other.length - one.length)[0];
  if (innermost === undefined) return null;
  return { fileSystem: innermost.fileSystem, options: innermost.options };
}

function databaseFacts(database: Database | null): unknown {
  if (database === null) return { missing: true };
  return { schema: readVersion(database), rows: tableSizes(database) };
}

function jobFacts({ database }: SupportFacts): unknown {
  if (database === null) return { missing: true };
  return { ...(jobStatistics(database) as object), learned: workFigures(database) };
}

function logWords({ log, withNames }: SupportFacts): string {
  if ("missing" in log) return `nothing: ${log.missing}`;
  return `the last ${log.length} lines of the log${withNames ? "" : ", without names and addresses"}`;
}

function logText({ log, withNames }: SupportFacts): string {
  if ("missing" in log) return `${log.missing}\n`;
  return log.map((line) => `${withNames ? line : openLine(line)}\n`).join("");
}

/** A line without what may name people and files; what is no JSON line of ours is left out. */
function openLine(line: string): string {
  try {
    const facts = JSON.parse(line) as Record<string, unknown>;
    const open = Object.entries(facts).filter(([key]) => openFacts.has(key));
    return JSON.stringify(Object.fromEntries(open));
  } catch {
    return '"[a line that is no JSON]"';
  }
}

function readme(files: readonly SupportFile[], { clock, withNames }: SupportFacts): string {
  const lines = files.map(({ name, holds }) => `${name.padEnd(20)} ${holds}`);
  return `Support bundle of Kinomill ${product.version}, made at ${isoTime(clock.nowMs())}.
It holds no secrets, no films and ${withNames ? "names of files and people (it was asked for with them)" : "no names of files and people"}. Read it before you send it.

${lines.join("\n")}
`;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
