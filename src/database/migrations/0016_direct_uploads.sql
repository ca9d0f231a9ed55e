-- Uploads whose bytes go from the sender into the bucket. Which parts have come the bucket says, and not this table. A row
-- stays for a while after the end, so that a sender who missed the answer learns of it.
CREATE TABLE direct_upload (
  id TEXT PRIMARY KEY CHECK (id GLOB 'up_*'),
  owner_id TEXT NOT NULL REFERENCES user (id),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  -- What the sender said of the file's age, to know it again.
  modified TEXT NOT NULL,
  size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
  part_bytes INTEGER NOT NULL CHECK (part_bytes > 0),
  -- The asset that it becomes: the object has this key before there is one.
  key TEXT NOT NULL UNIQUE CHECK (key GLOB 'as_*'),
  -- The bucket's name for the parts.
  parts_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('receiving', 'finishing', 'complete', 'refused')),
  -- Why it was refused, as a problem.
  problem TEXT CHECK (problem IS NULL OR json_valid(problem)),
  created_at TEXT NOT NULL,
  touched_at TEXT NOT NULL,
  CHECK ((state = 'refused') = (problem IS NOT NULL))
) STRICT;
CREATE INDEX direct_upload_by_owner ON direct_upload (owner_id, id);
CREATE INDEX direct_upload_by_age ON direct_upload (touched_at);
