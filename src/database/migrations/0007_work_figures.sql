-- What the box learned of its own work: for each kind of it a running average of how many times as long, or as
-- large, it was as guessed (the logarithm). Kinds are made of closed words and models of devices; no users, no files.

CREATE TABLE work_figure (
  measure TEXT NOT NULL CHECK (measure IN ('seconds', 'bytes')),
  kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 300),
  count INTEGER NOT NULL CHECK (count > 0),
  mean REAL NOT NULL,
  variance REAL NOT NULL CHECK (variance >= 0),
  updated_at TEXT NOT NULL,
  PRIMARY KEY (measure, kind)
) STRICT, WITHOUT ROWID;
-- Which were not met for longest: those make room.
CREATE INDEX work_figure_by_age ON work_figure (updated_at);

-- What was expected of a job when it began.
ALTER TABLE job ADD COLUMN predicted TEXT CHECK (predicted IS NULL OR json_valid(predicted));
