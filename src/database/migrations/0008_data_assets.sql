-- Assets that are neither media nor text: what is encrypted, and the key to it. SQLite changes no CHECK, so the
-- table is made anew.

CREATE TABLE asset_new (
  id TEXT PRIMARY KEY CHECK (id GLOB 'as_*'),
  owner_id TEXT NOT NULL REFERENCES user (id),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  state TEXT NOT NULL CHECK (state IN ('ready', 'deleting')),
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  mime_type TEXT NOT NULL,
  media TEXT CHECK (media IS NULL OR json_valid(media)),
  -- Filters of lists, taken out of the JSON so that they can be indexed.
  kind TEXT NOT NULL CHECK (kind IN ('video', 'audio', 'image', 'text', 'data')),
  origin TEXT NOT NULL CHECK (json_valid(origin)),
  -- The job that made it and what it is to that job; both or neither.
  job_id TEXT REFERENCES job (id),
  role TEXT,
  thumbnail_state TEXT NOT NULL CHECK (thumbnail_state IN ('wanted', 'ready', 'none')),
  created_at TEXT NOT NULL,
  expires_at TEXT,
  CHECK ((job_id IS NULL) = (role IS NULL))
) STRICT;
INSERT INTO asset_new
  (id, owner_id, name, state, size_bytes, sha256, mime_type, media, kind, origin, job_id, role,
   thumbnail_state, created_at, expires_at)
  SELECT id, owner_id, name, state, size_bytes, sha256, mime_type, media, kind, origin, job_id, role,
   thumbnail_state, created_at, expires_at
  FROM asset;
DROP TABLE asset;
ALTER TABLE asset_new RENAME TO asset;
CREATE INDEX asset_by_owner ON asset (owner_id, id);
-- With the name: a job's outputs are fetched by it.
CREATE INDEX asset_by_job ON asset (job_id, name) WHERE job_id IS NOT NULL;
CREATE INDEX asset_deleting ON asset (id) WHERE state = 'deleting';
CREATE INDEX asset_thumbnail_wanted ON asset (id) WHERE thumbnail_state = 'wanted';

-- The old table took its triggers along. As before:
-- In the transaction that changes an asset, whoever does it.
CREATE TRIGGER asset_added AFTER INSERT ON asset BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'added', '', '', NEW.created_at);
END;
CREATE TRIGGER asset_deleted AFTER UPDATE OF state ON asset
WHEN NEW.state = 'deleting' AND OLD.state <> 'deleting' BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'deleted', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER asset_pictured AFTER UPDATE OF thumbnail_state ON asset
WHEN NEW.thumbnail_state <> OLD.thumbnail_state BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'changed', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
