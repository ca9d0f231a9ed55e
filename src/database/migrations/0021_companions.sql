-- What is kept beside an asset for looking at it, and can be made again from it at any time: the sheet of small
-- pictures, the peaks of its sound, a small copy that every browser plays. No row: nobody asked for it yet.
CREATE TABLE companion (
  asset_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('sprite', 'peaks', 'proxy')),
  state TEXT NOT NULL CHECK (state IN ('wanted', 'ready', 'none')),
  -- In the storage, under the asset's id and the kind; null while it is not there.
  size_bytes INTEGER CHECK (size_bytes >= 0),
  -- What a reader must know of it, for example how many pictures a sheet has.
  facts TEXT CHECK (facts IS NULL OR json_valid(facts)),
  -- Why there is none, for a person.
  problem TEXT,
  wanted_at TEXT NOT NULL,
  -- When somebody last looked at it, to the day.
  used_at TEXT NOT NULL,
  PRIMARY KEY (asset_id, kind),
  CHECK ((state = 'ready') = (size_bytes IS NOT NULL)),
  CHECK (problem IS NULL OR state = 'none')
) STRICT, WITHOUT ROWID;
CREATE INDEX companion_wanted ON companion (kind, wanted_at) WHERE state = 'wanted';
-- Small copies take room: those that nobody watches go.
CREATE INDEX companion_kept ON companion (kind, used_at) WHERE state = 'ready';
-- Whoever removes an asset.
CREATE TRIGGER companion_gone AFTER DELETE ON asset BEGIN
  DELETE FROM companion WHERE asset_id = OLD.id;
END;
