/** `kinomill support-bundle`, and the same for an admin of the page. */
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { sizeText } from "../../views/quantities.ts";
import { systemClock } from "../clock.ts";
import { type Config, secretSettings, valueAt } from "../config.ts";
import { type Database, isCurrent, openToRead } from "../database/open.ts";
import type { Finding } from "../doctor/finding.ts";
import type { LogRing } from "../log-ring.ts";
import type { Settings } from "../settings/settings.ts";
import { layUnder, storedIn } from "../settings/stored.ts";
import { bundleName, packBundle, type SupportFacts, supportFiles } from "../support/bundle.ts";
import { Refusal } from "../trouble.ts";
import { foundBy } from "./doctor.ts";
import { exitCodes } from "./exit.ts";
import { runHostProgram } from "./host-programs.ts";
import type { CommonOptions } from "./program.ts";
import { hostConfigOf } from "./settings.ts";
import { openVault } from "./vault.ts";

/** Some days of a quiet box. */
const LOG_LINES_MAX = 2_000;
const LOG_BYTES_MAX = 1024 ** 2;

/** The journal of a busy machine is large. */
const JOURNAL_LIMIT_MS = 10_000;

/** A quick self-test takes seconds; a device that hangs must not keep the rest. */
const SELF_TEST_LIMIT_MS = 180_000;

interface SupportOptions extends CommonOptions {
  output?: string;
  withNames?: boolean;
  selftest?: boolean;
  log?: string;
  dryRun?: boolean;
}

export async function supportBundle(options: SupportOptions): Promise<number> {
  const loaded = await hostConfigOf(options);
  const { config, origins } = loaded;
  const stored = storedIn(config.data);
  const ignored = new Set(layUnder(loaded, stored).map(({ key }) => key));
  const page = new Set(stored.map(({ key }) => key).filter((key) => !ignored.has(key)));
  const database = readable(config);
  try {
    const files = await supportFiles({
      ...{ config, clock: systemClock, database },
      originOf: (key) => origins.get(key) ?? (page.has(key) ? "page" : "default"),
      findings: await foundBy(config),
      log: options.log === undefined ? journal() : await lastLines(options.log),
      selfTest: options.selftest === true ? selfTest(options) : null,
      secrets: secretsOf(config, database),
      withNames: options.withNames === true,
    });
    const name = bundleName(systemClock.nowMs());
    const path = resolve(options.output ?? `${name}.tar.gz`);
    console.log(`${options.dryRun ? "Would write" : "Writes"} ${path} with`);
    for (const { name: file, text, holds } of files) {
      console.log(
        `  ${file.padEnd(18)} ${sizeText(Buffer.byteLength(text)).padStart(9)}  ${holds}`,
      );
    }
    if (options.dryRun) return exitCodes.done;
    await writeNew(path, await packBundle(files, name));
    console.log("It holds no secrets. Read it before you send it.");
    return exitCodes.done;
  } finally {
    database?.close();
  }
}

/** For its user alone, and never over another file. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "EEXIST" ? "the file is there already" : cause.message;
    throw new Refusal(400, "bad_usage", `Cannot write ${path}: ${reason}. Give another with -o.`);
  });
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

/** The same from a server that runs. */
export async function serverBundle(
  parts: {
    database: Database;
    ring: Pick<LogRing, "newest">;
    settings: Pick<Settings, "config" | "list">;
    findings(): Promise<readonly Finding[]>;
  },
  withNames: boolean,
): Promise<{ name: string; bytes: Uint8Array }> {
  const { database, ring, settings } = parts;
  const { config } = settings;
  const origins = new Map(settings.list().map(({ key, origin }) => [key, origin]));
  const originOf = (key: string) => origins.get(key) ?? "default";
  const lines = ring.newest({}, LOG_LINES_MAX).map(({ at, level, part, message, facts }) => {
    return JSON.stringify({ ...facts, time: at, level, part, msg: message });
  });
  const files = await supportFiles({
    ...{ config, clock: systemClock, database, originOf, withNames },
    findings: await parts.findings(),
    log: lines,
    selfTest: null,
    secrets: secretsOf(config, database),
  });
  const name = bundleName(systemClock.nowMs());
  return { name, bytes: await packBundle(files, name) };
}

/** Null where there is no database, or one of another version. */
function readable(config: Config): Database | null {
  const database = openToRead(config.data);
  if (database === null || isCurrent(database)) return database;
  database.close();
  return null;
}

/** All that is known to be secret: whatever says it, it goes into no bundle. */
function secretsOf(config: Config, database: Database | null): string[] {
  const given = [...secretSettings].map((key) => String(valueAt(config, key) ?? ""));
  try {
    const kept = database === null ? [] : openVault(config, database, "look").values();
    return [...given, ...kept];
  } catch {
    return given;
  }
}

/** What systemd keeps of the service. */
function journal(): SupportFacts["log"] {
  if (!existsSync("/run/systemd/system")) {
    return { missing: "there is no systemd here; give the log's file with --log" };
  }
  const argv = [
    "journalctl",
    "-u",
    "kinomill",
    "-n",
    String(LOG_LINES_MAX),
    "--no-pager",
    "-o",
    "cat",
  ];
  const { stdout } = runHostProgram(argv, JOURNAL_LIMIT_MS);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.length > 0
    ? lines
    : { missing: "the journal says nothing of kinomill, or this user may not read it (use sudo)" };
}

async function lastLines(path: string): Promise<SupportFacts["log"]> {
  const file = Bun.file(path);
  const { size } = file;
  if (!(await file.exists())) return { missing: `there is no file ${path}` };
  const text = await file.slice(Math.max(0, size - LOG_BYTES_MAX)).text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .slice(-LOG_LINES_MAX);
}

function selfTest({ config, data }: SupportOptions): string {
  const more = [
    ...(config === undefined ? [] : ["--config", config]),
    ...(data === undefined ? [] : ["--data", data]),
  ];
  const argv = [process.execPath, "selftest", "--quick", ...more];
  const { stdout, stderr, exitCode } = runHostProgram(argv, SELF_TEST_LIMIT_MS);
  return `${stdout}${stderr}
exit code ${exitCode}
`;
}
