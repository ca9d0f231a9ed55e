-- With which kind of storage the server was started last. `moving`: its objects are being brought here.
CREATE TABLE storage_place (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  kind TEXT NOT NULL CHECK (kind IN ('disk', 's3')),
  moving INTEGER NOT NULL DEFAULT 0 CHECK (moving IN (0, 1))
) STRICT;
-- Until now there was the disk alone.
INSERT INTO storage_place (id, kind) SELECT 1, 'disk' WHERE EXISTS (SELECT 1 FROM asset);

-- Objects that lie in another kind of storage than that; those with a time have moved, and their old copy is kept
-- for a while for those who read it.
CREATE TABLE object_elsewhere (
  key TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('disk', 's3')),
  -- What it must have when it arrives; null where nothing is recorded of it.
  size_bytes INTEGER,
  sha256 TEXT CHECK (sha256 IS NULL OR length(sha256) = 64),
  moved_at TEXT,
  -- Why it could not be moved, for a person.
  fault TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX object_elsewhere_moved ON object_elsewhere (moved_at) WHERE moved_at IS NOT NULL;
