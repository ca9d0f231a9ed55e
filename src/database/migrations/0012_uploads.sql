-- Uploads that come in pieces (tus). How many bytes are there the file says, and not this table. A row stays for a while
-- after the upload is complete, so that a sender who missed the answer learns which asset it became.
CREATE TABLE upload (
  id TEXT PRIMARY KEY CHECK (id GLOB 'up_*'),
  owner_id TEXT NOT NULL REFERENCES user (id),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  -- What the sender said of it, to be told again as it was.
  metadata TEXT NOT NULL CHECK (json_valid(metadata)),
  length_bytes INTEGER NOT NULL CHECK (length_bytes >= 0),
  -- Bytes from here on belong to a piece whose checksum was not compared yet: a crash in the middle takes them back.
  unchecked_from INTEGER CHECK (unchecked_from BETWEEN 0 AND length_bytes),
  -- The asset that it became; null until then. The asset can be gone by now.
  asset_id TEXT CHECK (asset_id GLOB 'as_*'),
  created_at TEXT NOT NULL,
  -- When the last byte came: what is old is swept.
  touched_at TEXT NOT NULL
) STRICT;
CREATE INDEX upload_by_owner ON upload (owner_id, id);
CREATE INDEX upload_by_age ON upload (touched_at);
