-- A durable job costs what its two commits write: a page for each index that it enters or leaves, and nothing of them
-- can be put off. Its number is the key of the table now; those that run have an index of their own and no state that
-- passes has another; its history is a chain of entries, from the last one back, in place of an index of all of them.
-- SQLite changes no key, so the table is made anew. Its CHECKs have no IN of more than two values: SQLite makes a table
-- of those each time that a row is written, and they took a third of what a job costs besides the disk.

DROP TRIGGER step_is_life;

CREATE TABLE job_new (
  -- The order of asking, for lists and cursors: it never goes back, as a clock can.
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (id GLOB 'jb_*'),
  owner_id TEXT NOT NULL REFERENCES user (id),
  -- Who asked for it: a person's name, with the token's where a program asked.
  asker TEXT NOT NULL DEFAULT '',
  operation TEXT NOT NULL,
  state TEXT NOT NULL
    CHECK (state = 'queued' OR state = 'waiting' OR state = 'running'
      OR state = 'succeeded' OR state = 'failed' OR state = 'cancelled'),
  params TEXT NOT NULL CHECK (json_valid(params)),
  labels TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(labels)),
  priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
  -- For the person: "Transcode: match.mov". Kept, because inputs can be deleted.
  title TEXT NOT NULL,
  -- Counts claims: whoever moves a running job must name the value it claimed with.
  fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0),
  progress_percent REAL NOT NULL DEFAULT 0 CHECK (progress_percent BETWEEN 0 AND 100),
  device TEXT,
  device_reason TEXT,
  notes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(notes)),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  idempotency_key TEXT,
  -- SHA-256 of the request that used the key: the same key with another body is refused.
  idempotency_sha256 TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  verify TEXT CHECK (verify IN ('quick', 'full')),
  -- The place in the person's own order, the lowest first: microseconds of asking, less ten minutes for each point of
  -- priority.
  rank INTEGER NOT NULL DEFAULT 0,
  -- The kind of device that its first step wants: what waits for one kind does not stand before the other.
  need TEXT NOT NULL DEFAULT 'cpu' CHECK (need IN ('cpu', 'gpu')),
  -- What it waits for besides its turn. With 'time' (a person's) and 'retry' (a back-off) it counts as queued.
  wait_for TEXT CHECK (wait_for = 'jobs' OR wait_for = 'person' OR wait_for = 'time'
    OR wait_for = 'retry' OR wait_for = 'device' OR wait_for = 'space'),
  -- Not before this time of the wall clock.
  not_before TEXT,
  -- The end of a back-off, by the queue's clock.
  due_us INTEGER,
  -- Paused by a person; a job that has ended is not.
  paused_at TEXT CHECK (paused_at IS NULL OR state = 'queued' OR state = 'waiting' OR state = 'running'),
  -- Jobs before it that have not succeeded yet.
  predecessors_left INTEGER NOT NULL DEFAULT 0 CHECK (predecessors_left >= 0),
  -- Runs that failed since a person asked for it, and deaths of the server with it in a row.
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  deaths INTEGER NOT NULL DEFAULT 0 CHECK (deaths >= 0),
  -- Room on the disk that it needs at least, once that was seen; null before.
  space_bytes INTEGER CHECK (space_bytes >= 0),
  -- Jobs that were asked for in one call.
  batch TEXT,
  -- What was expected of it as it began.
  predicted TEXT CHECK (predicted IS NULL OR json_valid(predicted)),
  -- Its asker wants it worked out, whatever was made before.
  anew INTEGER NOT NULL DEFAULT 0 CHECK (anew IN (0, 1)),
  -- Days after which what it makes goes into the bin; null: as the settings say.
  expire_days INTEGER CHECK (expire_days >= 0),
  -- The kind of device that it would want by itself, where a person chose another.
  own_need TEXT CHECK (own_need IN ('cpu', 'gpu')),
  -- Its last entry in the log; each of them leads to the one before.
  last_event INTEGER,
  CHECK ((state = 'failed') = (error IS NOT NULL)),
  CHECK ((state = 'succeeded' OR state = 'failed' OR state = 'cancelled') = (finished_at IS NOT NULL)),
  CHECK (state <> 'running' OR (started_at IS NOT NULL AND fence > 0)),
  CHECK ((idempotency_key IS NULL) = (idempotency_sha256 IS NULL)),
  CHECK (wait_for IS NULL OR state IN ('queued', 'waiting')),
  CHECK ((state = 'waiting')
    = (wait_for IS 'jobs' OR wait_for IS 'person' OR wait_for IS 'device' OR wait_for IS 'space')),
  CHECK ((wait_for = 'retry') <= (due_us IS NOT NULL))
) STRICT;

INSERT INTO job_new (seq, id, owner_id, operation, state, params, labels, priority, title, fence, progress_percent,
  device, device_reason, notes, error, idempotency_key, idempotency_sha256, created_at, started_at, finished_at, verify,
  rank, need, wait_for, not_before, due_us, paused_at, predecessors_left, failures, deaths, space_bytes, batch, predicted,
  anew, expire_days, own_need)
SELECT seq, id, owner_id, operation, state, params, labels, priority, title, fence, progress_percent,
  device, device_reason, notes, error, idempotency_key, idempotency_sha256, created_at, started_at, finished_at, verify,
  rank, need, wait_for, not_before, due_us, paused_at, predecessors_left, failures, deaths, space_bytes, batch, predicted,
  anew, expire_days, own_need
FROM job ORDER BY seq;

DROP TABLE job;
ALTER TABLE job_new RENAME TO job;

CREATE UNIQUE INDEX job_idempotency ON job (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_keyed ON job (seq) WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_by_owner ON job (owner_id, seq);
CREATE INDEX job_by_operation ON job (owner_id, operation, seq);
CREATE INDEX job_by_device ON job (owner_id, device, seq) WHERE device IS NOT NULL;
CREATE INDEX job_by_batch ON job (batch, seq) WHERE batch IS NOT NULL;
-- Of the jobs that have not ended each stands in one of these three.
CREATE INDEX job_next ON job (need, owner_id, rank) WHERE state = 'queued' AND wait_for IS NULL;
CREATE INDEX job_held ON job (wait_for, rank, owner_id) WHERE wait_for IS NOT NULL;
CREATE INDEX job_running ON job (owner_id, seq) WHERE state = 'running';
CREATE INDEX job_timed ON job (not_before) WHERE wait_for = 'time';
CREATE INDEX job_backing_off ON job (due_us) WHERE wait_for = 'retry';
-- What ended otherwise than it should. In these words SQLite sees that a condition on one of the two is covered.
CREATE INDEX job_unsuccessful ON job (state, owner_id, seq) WHERE state = 'failed' OR state = 'cancelled';

-- As before.
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
CREATE TRIGGER step_is_life AFTER UPDATE OF state ON step WHEN NEW.state = 'done' AND OLD.state = 'running'
BEGIN
  UPDATE job SET deaths = 0 WHERE id = NEW.job_id AND deaths > 0;
END;

-- The entry before it about the same job; null for the first. What is pruned ends the chain.
ALTER TABLE event ADD COLUMN prior INTEGER;
UPDATE event SET prior = chained.prior
FROM (SELECT id, lag(id) OVER (PARTITION BY subject ORDER BY id) AS prior FROM event WHERE kind = 'job') AS chained
WHERE chained.id = event.id AND chained.prior IS NOT NULL;
UPDATE job SET last_event = told.last, asker = coalesce(told.who, '')
FROM (SELECT subject, max(id) AS last, max(iif(what = 'submit', who, NULL)) AS who
  FROM event WHERE kind = 'job' GROUP BY subject) AS told
WHERE told.subject = job.id;
DROP INDEX event_by_job;
