-- The life of a job: its place in the order, what it waits for, who did what, and a log of all that happened.

-- Those that wait for a device are looked at anew.
UPDATE job SET state = 'queued' WHERE state = 'waiting';

-- The order of asking, for lists and cursors: it never goes back, as a clock can.
ALTER TABLE job ADD COLUMN seq INTEGER;
UPDATE job SET seq = numbered.n
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM job) AS numbered WHERE numbered.id = job.id;
CREATE UNIQUE INDEX job_by_seq ON job (seq);

-- The place in the person's own order, the lowest first: microseconds of asking, less ten minutes for each
-- point of priority.
ALTER TABLE job ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
UPDATE job SET rank = CAST(unixepoch(created_at, 'subsec') * 1000000 AS INTEGER) - priority * 600000000;

-- The kind of device that its first step wants: what waits for one kind does not stand before the other.
ALTER TABLE job ADD COLUMN need TEXT NOT NULL DEFAULT 'cpu' CHECK (need IN ('cpu', 'gpu'));

-- What it waits for besides its turn. With 'time' (a person's) and 'retry' (a back-off) it counts as queued.
ALTER TABLE job ADD COLUMN wait_for TEXT
  CHECK (wait_for IN ('jobs', 'person', 'time', 'retry', 'device', 'space'))
  CHECK (wait_for IS NULL OR state IN ('queued', 'waiting'))
  CHECK ((state = 'waiting') = (coalesce(wait_for, '') IN ('jobs', 'person', 'device', 'space')));

-- Not before this time of the wall clock.
ALTER TABLE job ADD COLUMN not_before TEXT;
-- The end of a back-off, by the queue's clock.
ALTER TABLE job ADD COLUMN due_us INTEGER CHECK ((wait_for = 'retry') <= (due_us IS NOT NULL));
-- Paused by a person; a job that has ended is not.
ALTER TABLE job ADD COLUMN paused_at TEXT CHECK (paused_at IS NULL OR state IN ('queued', 'waiting', 'running'));
-- Jobs before it that have not succeeded yet.
ALTER TABLE job ADD COLUMN predecessors_left INTEGER NOT NULL DEFAULT 0 CHECK (predecessors_left >= 0);
-- Runs that failed since a person asked for it, and deaths of the server with it in a row.
ALTER TABLE job ADD COLUMN failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0);
ALTER TABLE job ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0 CHECK (deaths >= 0);
-- Room on the disk that it needs at least, once that was seen; null before.
ALTER TABLE job ADD COLUMN space_bytes INTEGER CHECK (space_bytes >= 0);
-- Jobs that were asked for in one call.
ALTER TABLE job ADD COLUMN batch TEXT;

-- Each holds the few rows that it is about, with its sort columns: finished jobs pile up outside.
DROP INDEX job_claimable;
CREATE INDEX job_next ON job (need, owner_id, rank) WHERE state = 'queued' AND wait_for IS NULL;
CREATE INDEX job_held ON job (wait_for, rank) WHERE wait_for IS NOT NULL;
CREATE INDEX job_timed ON job (not_before) WHERE wait_for = 'time';
CREATE INDEX job_backing_off ON job (due_us) WHERE wait_for = 'retry';
DROP INDEX job_by_owner;
CREATE INDEX job_by_owner ON job (owner_id, seq);
CREATE INDEX job_by_state ON job (owner_id, state, seq) WHERE state <> 'succeeded';
CREATE INDEX job_by_operation ON job (owner_id, operation, seq);
CREATE INDEX job_by_device ON job (owner_id, device, seq) WHERE device IS NOT NULL;
CREATE INDEX job_by_batch ON job (batch, seq) WHERE batch IS NOT NULL;
CREATE INDEX job_keyed ON job (seq) WHERE idempotency_key IS NOT NULL;

-- As before, and what waits for something is like what is queued.
DROP TRIGGER step_follows_job;
CREATE TRIGGER step_follows_job AFTER UPDATE OF state ON job
WHEN NEW.state <> OLD.state AND NEW.state <> 'running'
  AND NOT (OLD.state IN ('queued', 'waiting') AND NEW.state IN ('queued', 'waiting'))
BEGIN
  UPDATE step SET state = 'pending', started_at = NULL WHERE job_id = NEW.id AND state = 'running';
  UPDATE step SET result = NULL
    WHERE job_id = NEW.id AND result IS NOT NULL AND NEW.state IN ('succeeded', 'cancelled');
  UPDATE step SET state = 'pending', device = NULL, device_reason = NULL, encoder = NULL, proof = NULL, checks = '[]',
      fingerprint = NULL, started_at = NULL, finished_at = NULL
    WHERE job_id = NEW.id AND NEW.state IN ('queued', 'waiting')
      AND (state = 'failed' OR (state = 'done' AND result IS NULL));
END;

-- A step got done: whatever the server dies of next, it is not this job alone that kills it again and again.
CREATE TRIGGER step_is_life AFTER UPDATE OF state ON step WHEN NEW.state = 'done' AND OLD.state = 'running'
BEGIN
  UPDATE job SET deaths = 0 WHERE id = NEW.job_id AND deaths > 0;
END;

-- `job_id` waits until `after_id` has succeeded.
CREATE TABLE job_after (
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  after_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  PRIMARY KEY (job_id, after_id),
  CHECK (job_id <> after_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_after_by_predecessor ON job_after (after_id, job_id);

-- The labels of `job.labels`, for searching.
CREATE TABLE job_label (
  owner_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
  PRIMARY KEY (owner_id, name, value, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_label_by_job ON job_label (seq);
INSERT INTO job_label (owner_id, name, value, seq)
SELECT owner_id, label.key, label.value, seq FROM job, json_each(job.labels) AS label;

-- What happened: the history of jobs, and what event streams are fed from. Bounded; ids rise for ever.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  owner_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('job', 'asset')),
  -- Id of the job or asset.
  subject TEXT NOT NULL,
  what TEXT NOT NULL,
  -- State of the job afterwards.
  state TEXT CHECK ((state IS NULL) = (kind = 'asset')),
  -- A person's name, with the token's where a program asked; '' for Kinomill itself.
  who TEXT NOT NULL,
  sentence TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_job ON event (subject, id) WHERE kind = 'job';

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
