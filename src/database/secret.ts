/** Secrets of the server itself: made once, kept in the database, never shown. */
import type { Database } from "bun:sqlite";
import { newSecret } from "../identity.ts";
import { assert } from "../trouble.ts";

/** The key that signs storage URLs; made on first use, the same for every process afterwards. */
export function storageSigningKey(db: Database): string {
  // Insert first: of two processes that ask at once both get the one that came first.
  db.query("INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING").run(
    "storage-signing-key",
    newSecret(),
  );
  const row = db
    .query<{ value: string }, [string]>("SELECT value FROM secret WHERE name = ?")
    .get("storage-signing-key");
  assert(row !== null, "the signing key exists once it was inserted");
  return row.value;
}
