/** The secrets of a data folder, for the server and for commands beside it. */
import { systemClock } from "../clock.ts";
import { type Config, secretSettings, setPath, valueAt } from "../config.ts";
import { type Database, isCurrent, openToRead } from "../database/open.ts";
import type { SecretState } from "../doctor/finding.ts";
import { processEnvironment } from "../environment.ts";
import { keyCredential, readKeys } from "../secrets/keys.ts";
import { Vault } from "../secrets/vault.ts";
import { Refusal } from "../trouble.ts";

const scheme = "secret:";

/**
 * The vault of a data folder. The key of the data folder is made when there is none; `look` makes none.
 * @throws Refusal 400 `bad_config` when a key cannot be read
 */
export function openVault(config: Config, database: Database, mode: "use" | "look" = "use"): Vault {
  const { CREDENTIALS_DIRECTORY: directory } = processEnvironment();
  const { keyFile } = config.secrets;
  const keys = readKeys(
    { dataFolder: config.data, keyFile: keyFile === "" ? keyCredential(directory) : keyFile },
    mode === "use",
  );
  return new Vault(database, systemClock, keys);
}

/** A setting whose value stands in the vault. */
export interface StoredSetting {
  /** Dotted: `storage.s3.secretAccessKey`. */
  key: string;
  name: string;
}

/** Settings that name a secret (`secret:NAME`), or are empty where one is needed: then the secret has the setting's name. */
export function storedSettings(config: Config): StoredSetting[] {
  return [...secretSettings].flatMap((key) => {
    const value = String(valueAt(config, key) ?? "");
    if (value.startsWith(scheme)) return [{ key, name: value.slice(scheme.length) }];
    return value === "" && isWanted(config, key) ? [{ key, name: key }] : [];
  });
}

function isWanted(config: Config, key: string): boolean {
  const { s3 } = config.storage;
  if (key === "log.errorDsn") return false;
  if (key === "tls.passphrase") return config.tls.mode === "files";
  return s3.bucket !== "" && s3.accessKeyId !== "" && s3.secretAccessKeyFile === "";
}

/** What the doctor says of the secrets. */
export function secretState(config: Config, database: Database): SecretState {
  const named = storedSettings(config).filter(({ key }) => valueAt(config, key) !== "");
  try {
    const secrets = openVault(config, database, "look").list();
    const broken = secrets.filter(({ state }) => state !== "open").map(({ name }) => name);
    const missing = named.map(({ name }) => name).filter((name) => !broken.includes(name));
    return { count: secrets.length, broken, missing, trouble: null };
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return { count: 0, broken: [], missing: [], trouble: cause.message };
  }
}

/** The same for a command; null where there is no database of this version. */
export function secretStateIn(config: Config): SecretState | null {
  const database = openToRead(config.data);
  if (database === null) return null;
  try {
    return isCurrent(database) ? secretState(config, database) : null;
  } finally {
    database.close();
  }
}

/**
 * Puts the values of its stored secrets into the configuration. What is not there, or cannot be opened, stays as it was:
 * whoever needs it says so (`withSecret`), and everything else goes on.
 */
export function layStoredSecrets(config: Config): void {
  const wanted = storedSettings(config);
  if (wanted.length === 0) return;
  const database = openToRead(config.data);
  if (database === null) return;
  try {
    const vault = openVault(config, database, "look");
    for (const { key, name } of wanted) {
      const opened = vault.get(name);
      if (opened?.kind === "open") setPath(config as Record<string, unknown>, key, opened.text);
    }
  } catch (cause) {
    // A database of before there were secrets, or none at all.
    if (cause instanceof Refusal) throw cause;
  } finally {
    database.close();
  }
}
