-- Steps as rows: each has its own state and fence and, while its job may need it again, its result on disk.

CREATE TABLE step (
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  -- In the order of the plan, from 0 on.
  position INTEGER NOT NULL CHECK (position >= 0),
  title TEXT NOT NULL,
  -- Names of the steps that must be done before.
  needs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(needs)),
  state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed')),
  -- Counts attempts at this step: whoever ends one must name the value that it began with.
  fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0),
  device TEXT,
  device_reason TEXT,
  encoder TEXT,
  proof TEXT CHECK (proof IS NULL OR json_valid(proof)),
  checks TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(checks)),
  -- SHA-256 of the work that was done and of what it was done on.
  fingerprint TEXT CHECK (fingerprint IS NULL OR length(fingerprint) = 64),
  -- Files on disk with size and SHA-256; null when nothing of it is kept.
  result TEXT CHECK (result IS NULL OR json_valid(result)),
  started_at TEXT,
  finished_at TEXT,
  PRIMARY KEY (job_id, name),
  CHECK (state <> 'running' OR (fence > 0 AND started_at IS NOT NULL)),
  CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL)),
  CHECK (result IS NULL OR (state = 'done' AND fingerprint IS NOT NULL))
) STRICT;
-- The few steps whose files are kept, among those of all jobs that ever ran.
CREATE INDEX step_kept ON step (job_id) WHERE result IS NOT NULL;

-- What jobs of before knew. Of the work of those that had not ended nothing was kept.
INSERT INTO step (job_id, name, position, title, state, fence, device, device_reason, encoder, proof, checks,
  started_at, finished_at)
SELECT id, name, position, title, state, iif(state = 'pending', 0, 1),
  iif(state = 'pending', NULL, device), iif(state = 'pending', NULL, device_reason), encoder, proof, checks,
  iif(state = 'pending', NULL, started_at), iif(state = 'pending', NULL, finished_at)
FROM (
  SELECT job.id, job.started_at, job.finished_at, old.key AS position,
    old.value ->> 'name' AS name,
    old.value ->> 'title' AS title,
    iif(job.state IN ('succeeded', 'failed', 'cancelled') AND old.value ->> 'state' IN ('done', 'failed'),
      old.value ->> 'state', 'pending') AS state,
    old.value ->> 'device' AS device,
    old.value ->> 'deviceReason' AS device_reason,
    old.value ->> 'encoder' AS encoder,
    nullif(old.value -> 'proof', 'null') AS proof,
    coalesce(old.value -> 'checks', '[]') AS checks
  FROM job, json_each(job.steps) AS old
);
ALTER TABLE job DROP COLUMN steps;

-- Whoever moves a job, its steps move along: a job that does not run has no running step; what succeeded or was
-- cancelled keeps no results; what is queued again begins with what is kept. A migration that builds `job` anew
-- has to make this again.
CREATE TRIGGER step_follows_job AFTER UPDATE OF state ON job
WHEN NEW.state <> OLD.state AND NEW.state <> 'running'
BEGIN
  UPDATE step SET state = 'pending', started_at = NULL WHERE job_id = NEW.id AND state = 'running';
  UPDATE step SET result = NULL
    WHERE job_id = NEW.id AND result IS NOT NULL AND NEW.state IN ('succeeded', 'cancelled');
  UPDATE step SET state = 'pending', device = NULL, device_reason = NULL, encoder = NULL, proof = NULL, checks = '[]',
      fingerprint = NULL, started_at = NULL, finished_at = NULL
    WHERE job_id = NEW.id AND NEW.state = 'queued'
      AND (state = 'failed' OR (state = 'done' AND result IS NULL));
END;

-- Sentences on an attempt: what of earlier ones it could use.
ALTER TABLE attempt ADD COLUMN notes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(notes));

-- How its outputs are proven; null: as the setting says when it runs.
ALTER TABLE job ADD COLUMN verify TEXT CHECK (verify IN ('quick', 'full'));
