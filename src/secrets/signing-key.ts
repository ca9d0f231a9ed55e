/** The key that signs storage URLs: made once, sealed, never shown. */
import type { Database } from "bun:sqlite";
import { transaction } from "../database/transaction.ts";
import { newSecret } from "../identity.ts";
import type { Vault } from "./vault.ts";

const name = "kinomill/storage-signing-key";

/**
 * The same for every process. One that cannot be opened any more (its key is lost) is made anew: addresses that
 * it signed end before their quarter of an hour.
 */
export function storageSigningKey(database: Database, vault: Vault): string {
  return transaction(database, () => {
    const known = vault.get(name);
    if (known?.kind === "open") return known.text;
    const plain = takePlain(database);
    const key = plain ?? newSecret();
    vault.put(name, key);
    return key;
  });
}

/** Until schema 18 it stood there in clear. Gone from the file too: freed pages are overwritten. */
function takePlain(database: Database): string | null {
  database.run("PRAGMA secure_delete = ON");
  const row = database
    .query<{ value: string }, []>(
      "DELETE FROM secret WHERE name = 'storage-signing-key' RETURNING value",
    )
    .get();
  database.run("PRAGMA secure_delete = OFF");
  return row?.value ?? null;
}
