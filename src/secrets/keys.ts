/**
 * The keys that secrets are sealed with, the first for what is sealed from now on. One that systemd hands to the service
 * (LoadCredential), or else a file beside the database that is made on first use.
 */
import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { credentialPath } from "../systemd/credentials.ts";
import { Refusal } from "../trouble.ts";
import { KEY_BYTES, type SealingKey, sealingKey } from "./sealing.ts";

/** Of the key in the data folder. Backups of the database go without it. */
export const keyFileName = "secrets.key";

/** The credential that is taken when it is there: /etc/kinomill/credentials/secrets-key. */
const credentialName = "credential:secrets-key";

/** Whether somebody has put a key into the credentials; null when not. */
export function keyCredential(directory: string | undefined): string | null {
  const path = credentialPath(credentialName, directory);
  return existsSync(path) ? path : null;
}

/** What is looked at for keys. */
export interface KeyPlaces {
  /** Absolute. */
  dataFolder: string;
  /** `secrets.keyFile` of the settings, or a credential; null for the file of the data folder alone. */
  keyFile: string | null;
}

/**
 * All keys that are there. @param make whether to make the one of the data folder when there is none
 * @throws Refusal 400 `bad_config` when a file that is there holds no key
 */
export function readKeys({ dataFolder, keyFile }: KeyPlaces, make: boolean): SealingKey[] {
  const own = join(dataFolder, keyFileName);
  if (keyFile === null && make) makeKeyFile(own);
  // The one of the data folder still opens what was sealed before a credential was there.
  const paths = [...(keyFile === null ? [] : [keyFile]), ...(existsSync(own) ? [own] : [])];
  return paths.map(readKey);
}

function readKey(path: string): SealingKey {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal(400, "bad_config", `The key of the secrets cannot be read: ${reason}`);
  }
  const bytes = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, "hex")
    : Buffer.from(text, "base64");
  if (bytes.length === KEY_BYTES) return sealingKey(bytes);
  const sentence = `${path} does not hold a key: 32 random bytes in base64 or hexadecimal, as openssl rand -base64 32 prints them.`;
  throw new Refusal(400, "bad_config", sentence);
}

/** Whole or not at all, whoever else makes it at the same time, and whenever the plug is pulled. */
function makeKeyFile(path: string): void {
  if (existsSync(path)) return;
  const folder = join(path, "..");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}.new`;
  rmSync(aside, { force: true });
  const file = openSync(aside, "wx", 0o600);
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString("base64")}\n`);
    fsyncSync(file);
    // A command of root beside the service: the service must be able to read it.
    const { uid, gid } = statSync(folder);
    if (process.getuid?.() === 0) chownSync(aside, uid, gid);
    linkSync(aside, path);
    const directory = openSync(folder, "r");
    fsyncSync(directory);
    closeSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  } finally {
    closeSync(file);
    rmSync(aside, { force: true });
  }
}
