/** For tests: a vault with a key that nobody else has. */
import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/clock.ts";
import type { Database } from "../../src/database/open.ts";
import { KEY_BYTES, sealingKey } from "../../src/secrets/sealing.ts";
import { Vault } from "../../src/secrets/vault.ts";

export function freshVault(database: Database): Vault {
  return new Vault(database, systemClock, [sealingKey(randomBytes(KEY_BYTES))]);
}
