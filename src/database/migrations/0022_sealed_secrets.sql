-- Secrets, each sealed by AES-256-GCM with a key that is not in the database. Names of Kinomill's own have a slash.
CREATE TABLE sealed_secret (
  name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
  sealed BLOB NOT NULL CHECK (length(sealed) >= 37),
  created_at TEXT NOT NULL,
  changed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A link that holds a secret: `url` has it as it is shown, and this the whole of it, sealed. Null where `url` is the whole.
ALTER TABLE asset_import ADD COLUMN sealed_url BLOB CHECK (sealed_url IS NULL OR length(sealed_url) >= 37);
