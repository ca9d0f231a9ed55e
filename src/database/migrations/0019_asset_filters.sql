-- What lists of a library filter and sort by: labels, which people give, and what the probe found, read out of its JSON.
ALTER TABLE asset ADD COLUMN labels TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(labels));
-- Of the picture, else of the sound.
ALTER TABLE asset ADD COLUMN codec TEXT;
-- 0 for what has no length.
ALTER TABLE asset ADD COLUMN length_ms INTEGER NOT NULL DEFAULT 0 CHECK (length_ms >= 0);
-- Lines that its resolution counts as: 1920 × 800 and 1080 × 1920 are 1080, as `resolutionTitle` names them.
ALTER TABLE asset ADD COLUMN lines INTEGER;
ALTER TABLE asset ADD COLUMN origin_kind TEXT NOT NULL DEFAULT 'upload';
-- As columns of their own, because SQLite does not take an index for all that is needed when one of them is computed.
CREATE TRIGGER asset_described AFTER INSERT ON asset BEGIN
  UPDATE asset SET (codec, length_ms, lines, origin_kind) =
    (SELECT codec, length_ms, lines, origin_kind FROM asset_description WHERE id = NEW.id) WHERE id = NEW.id;
END;
CREATE VIEW asset_description AS
WITH picture AS (
  SELECT id, min(media ->> '$.video.displayWidth', media ->> '$.video.displayHeight') AS short,
    max(media ->> '$.video.displayWidth', media ->> '$.video.displayHeight') AS long FROM asset)
SELECT asset.id, coalesce(media ->> '$.video.codec', media ->> '$.audio[0].codec') AS codec,
  max(0, CAST(round(coalesce(media ->> '$.durationSeconds', 0) * 1000) AS INTEGER)) AS length_ms,
  CASE WHEN short IN (480, 720, 1080, 1440, 2160, 4320) THEN short ELSE max(short, long * 9 / 16) END AS lines,
  coalesce(origin ->> '$.kind', 'upload') AS origin_kind
FROM asset JOIN picture ON picture.id = asset.id;
UPDATE asset SET (codec, length_ms, lines, origin_kind) =
  (SELECT codec, length_ms, lines, origin_kind FROM asset_description AS found WHERE found.id = asset.id);

-- One for each order, each with all that a list can filter by: a list of 100,000 looks at one of these alone, and at
-- the rows that it shows.
DROP INDEX asset_names;
CREATE INDEX asset_listed ON asset
  (owner_id, state, id, name, kind, codec, lines, length_ms, expires_at, origin_kind, labels);
CREATE INDEX asset_by_name ON asset
  (owner_id, state, name COLLATE NOCASE, id, kind, codec, lines, length_ms, expires_at, origin_kind, labels);
CREATE INDEX asset_by_size ON asset
  (owner_id, state, size_bytes, id, name, kind, codec, lines, length_ms, expires_at, origin_kind, labels);
CREATE INDEX asset_by_length ON asset
  (owner_id, state, length_ms, id, name, kind, codec, lines, expires_at, origin_kind, labels);

-- The labels of each person and how many assets have them, the bin not counted.
CREATE TABLE asset_label (
  owner_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  assets INTEGER NOT NULL CHECK (assets >= 0),
  PRIMARY KEY (owner_id, name)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER asset_labelled AFTER UPDATE OF labels, state ON asset
WHEN NEW.labels <> OLD.labels OR ((NEW.state = 'ready') <> (OLD.state = 'ready') AND NEW.labels <> '[]') BEGIN
  UPDATE asset_label SET assets = assets - 1
    WHERE OLD.state = 'ready' AND owner_id = OLD.owner_id AND name IN (SELECT value FROM json_each(OLD.labels));
  INSERT INTO asset_label (owner_id, name, assets)
    SELECT NEW.owner_id, value, 1 FROM json_each(NEW.labels) WHERE NEW.state = 'ready'
    ON CONFLICT DO UPDATE SET assets = assets + 1;
  DELETE FROM asset_label WHERE owner_id = OLD.owner_id AND assets = 0;
END;

-- As before, and labels are a change too.
DROP TRIGGER asset_changed;
CREATE TRIGGER asset_changed AFTER UPDATE OF thumbnail_state, name, expires_at, labels ON asset
WHEN NEW.state = 'ready' AND OLD.state = 'ready' AND (NEW.thumbnail_state <> OLD.thumbnail_state
  OR NEW.name <> OLD.name OR NEW.expires_at IS NOT OLD.expires_at OR NEW.labels <> OLD.labels) BEGIN
  INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
  VALUES (NEW.owner_id, 'asset', NEW.id, 'changed', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
