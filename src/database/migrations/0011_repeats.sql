-- What jobs made, by what it follows from: a repeat takes it instead of working it out again.
CREATE TABLE repeat (
  owner_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
  -- SHA-256 of the plan, the inputs' bytes, the ffmpeg and the Kinomill.
  key TEXT NOT NULL CHECK (length(key) = 64),
  job_id TEXT NOT NULL,
  -- Its outputs in the order of the plan.
  asset_ids TEXT NOT NULL CHECK (json_valid(asset_ids)),
  PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

-- 1: its asker wants it worked out, whatever was made before.
ALTER TABLE job ADD COLUMN anew INTEGER NOT NULL DEFAULT 0 CHECK (anew IN (0, 1));
