-- Files on their way in from a link. The row has the id of the asset that it will be, and goes in the transaction
-- that records that; assets themselves are whole from their first moment.
CREATE TABLE asset_import (
  id TEXT PRIMARY KEY CHECK (id GLOB 'as_*'),
  owner_id TEXT NOT NULL REFERENCES user (id),
  -- With what it may hold of secrets: it is needed until the file is here.
  url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 8192),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  -- Whether a person gave the name; otherwise the server of the link may know a better one.
  named INTEGER NOT NULL CHECK (named IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'receiving', 'failed', 'reused')),
  -- What becomes of a file that the owner has already.
  if_exists TEXT NOT NULL CHECK (if_exists IN ('keep', 'reuse')),
  -- The version of the file that has begun to arrive, by ETag or date; null when it cannot be told from another.
  validator TEXT,
  -- Null when the server did not say.
  total_bytes INTEGER CHECK (total_bytes >= 0),
  -- Bytes of the part that survive a power cut.
  durable_bytes INTEGER NOT NULL DEFAULT 0 CHECK (durable_bytes >= 0),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  -- The equal file that the owner had.
  asset_id TEXT,
  created_at TEXT NOT NULL,
  -- Of what has ended and is kept for a while.
  finished_at TEXT,
  CHECK ((state = 'failed') = (error IS NOT NULL)),
  CHECK ((state = 'reused') = (asset_id IS NOT NULL)),
  CHECK ((state IN ('failed', 'reused')) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX asset_import_by_owner ON asset_import (owner_id, id);
CREATE INDEX asset_import_by_state ON asset_import (state, id);

-- An equal file of the same person is found by what is in it.
CREATE INDEX asset_by_content ON asset (owner_id, sha256);

-- As for assets: in the transaction that makes the change.
CREATE TRIGGER asset_import_begun AFTER INSERT ON asset_import BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'changed', '', '', NEW.created_at);
END;
CREATE TRIGGER asset_import_moved AFTER UPDATE OF state ON asset_import WHEN NEW.state <> OLD.state BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'changed', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
-- Its place is taken by the asset, or it was cancelled.
CREATE TRIGGER asset_import_gone AFTER DELETE ON asset_import
WHEN NOT EXISTS (SELECT 1 FROM asset WHERE id = OLD.id) BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (OLD.owner_id, 'asset', OLD.id, 'deleted', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
