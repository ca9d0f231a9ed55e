-- The bin: what was deleted can be brought back for some days. SQLite changes no CHECK, so the table is made anew.
CREATE TABLE asset_new (
  id TEXT PRIMARY KEY CHECK (id GLOB 'as_*'),
  owner_id TEXT NOT NULL REFERENCES user (id),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  state TEXT NOT NULL CHECK (state IN ('ready', 'binned', 'deleting')),
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
  -- When it goes into the bin by itself; null for never.
  expires_at TEXT,
  binned_at TEXT,
  CHECK ((job_id IS NULL) = (role IS NULL)),
  CHECK (state <> 'ready' OR binned_at IS NULL),
  CHECK (state <> 'binned' OR binned_at IS NOT NULL)
) STRICT;
-- What it did the new `asset_changed` does.
DROP TRIGGER asset_pictured;
-- It names the table, so it stands aside while there is none.
DROP TRIGGER asset_import_gone;
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
-- An equal file of the same person is found by what is in it.
CREATE INDEX asset_by_content ON asset (owner_id, sha256);
CREATE INDEX asset_deleting ON asset (id) WHERE state = 'deleting';
CREATE INDEX asset_thumbnail_wanted ON asset (id) WHERE thumbnail_state = 'wanted';
CREATE INDEX asset_binned ON asset (owner_id, id) WHERE state = 'binned';
CREATE INDEX asset_binned_since ON asset (binned_at) WHERE state = 'binned';
CREATE INDEX asset_expiring ON asset (expires_at) WHERE state = 'ready' AND expires_at IS NOT NULL;

-- How much each person keeps, the bin included. Counting a hundred thousand assets anew for each upload takes too long.
CREATE TABLE asset_usage (
  owner_id TEXT PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  assets INTEGER NOT NULL CHECK (assets >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO asset_usage (owner_id, size_bytes, assets)
  SELECT owner_id, sum(size_bytes), count(*) FROM asset GROUP BY owner_id;

-- What an admin allows one person, in the place of the settings; null: as they say.
CREATE TABLE allowance (
  user_id TEXT PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
  -- 0: as much as there is room for.
  quota_bytes INTEGER CHECK (quota_bytes >= 0),
  -- Days after which things go into the bin by themselves; 0: never.
  upload_days INTEGER CHECK (upload_days >= 0),
  output_days INTEGER CHECK (output_days >= 0)
) STRICT, WITHOUT ROWID;

-- Days after which what it makes goes into the bin; null: as the person's allowance says; 0: never.
ALTER TABLE preset ADD COLUMN expire_days INTEGER CHECK (expire_days >= 0);
ALTER TABLE job ADD COLUMN expire_days INTEGER CHECK (expire_days >= 0);

-- The old table took its triggers along.
-- In the transaction that changes an asset, whoever does it.
CREATE TRIGGER asset_added AFTER INSERT ON asset BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'added', '', '', NEW.created_at);
  INSERT INTO asset_usage (owner_id, size_bytes, assets) VALUES (NEW.owner_id, NEW.size_bytes, 1)
    ON CONFLICT DO UPDATE SET size_bytes = size_bytes + excluded.size_bytes, assets = assets + 1;
END;
CREATE TRIGGER asset_gone AFTER DELETE ON asset BEGIN
  UPDATE asset_usage SET size_bytes = size_bytes - OLD.size_bytes, assets = assets - 1
    WHERE owner_id = OLD.owner_id;
END;
-- For those who look at the library, what goes into the bin is deleted, and what leaves it is added.
CREATE TRIGGER asset_deleted AFTER UPDATE OF state ON asset
WHEN NEW.state <> 'ready' AND OLD.state = 'ready' BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'deleted', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER asset_restored AFTER UPDATE OF state ON asset
WHEN NEW.state = 'ready' AND OLD.state = 'binned' BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'added', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER asset_changed AFTER UPDATE OF thumbnail_state, name, expires_at ON asset
WHEN NEW.state = 'ready' AND OLD.state = 'ready' AND (NEW.thumbnail_state <> OLD.thumbnail_state
  OR NEW.name <> OLD.name OR NEW.expires_at IS NOT OLD.expires_at) BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'changed', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
-- As it was.
CREATE TRIGGER asset_import_gone AFTER DELETE ON asset_import
WHEN NOT EXISTS (SELECT 1 FROM asset WHERE id = OLD.id) BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (OLD.owner_id, 'asset', OLD.id, 'deleted', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
