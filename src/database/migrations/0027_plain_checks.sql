-- Attempts and steps are written with each job: their CHECKs, like those of jobs (migration 26), have no IN of more than
-- two values any more, of which SQLite makes a table each time. It changes no CHECK, so both are made anew.

DROP TRIGGER step_follows_job;

CREATE TABLE attempt_new (
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  fence INTEGER NOT NULL CHECK (fence > 0),
  device TEXT NOT NULL,
  outcome TEXT NOT NULL
    CHECK (outcome = 'running' OR outcome = 'succeeded' OR outcome = 'failed'
      OR outcome = 'cancelled' OR outcome = 'interrupted'),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  started_at TEXT NOT NULL,
  finished_at TEXT,
  device_reason TEXT,
  proof TEXT CHECK (proof IS NULL OR json_valid(proof)),
  -- Sentences: what of earlier attempts it could use.
  notes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(notes)),
  PRIMARY KEY (job_id, fence),
  CHECK ((outcome = 'running') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO attempt_new (job_id, fence, device, outcome, error, started_at, finished_at, device_reason, proof, notes)
SELECT job_id, fence, device, outcome, error, started_at, finished_at, device_reason, proof, notes
FROM attempt ORDER BY job_id, fence;
DROP TABLE attempt;
ALTER TABLE attempt_new RENAME TO attempt;

CREATE TABLE step_new (
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  -- In the order of the plan, from 0 on.
  position INTEGER NOT NULL CHECK (position >= 0),
  title TEXT NOT NULL,
  -- Names of the steps that must be done before.
  needs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(needs)),
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'running' OR state = 'done' OR state = 'failed'),
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
  CHECK ((state = 'done' OR state = 'failed') = (finished_at IS NOT NULL)),
  CHECK (result IS NULL OR (state = 'done' AND fingerprint IS NOT NULL))
) STRICT;

INSERT INTO step_new (job_id, name, position, title, needs, state, fence, device, device_reason, encoder, proof, checks,
  fingerprint, result, started_at, finished_at)
SELECT job_id, name, position, title, needs, state, fence, device, device_reason, encoder, proof, checks,
  fingerprint, result, started_at, finished_at
FROM step ORDER BY job_id, position;
DROP TABLE step;
ALTER TABLE step_new RENAME TO step;

-- The few steps whose files are kept, among those of all jobs that ever ran.
CREATE INDEX step_kept ON step (job_id) WHERE result IS NOT NULL;

CREATE TRIGGER step_is_life AFTER UPDATE OF state ON step WHEN NEW.state = 'done' AND OLD.state = 'running'
BEGIN
  UPDATE job SET deaths = 0 WHERE id = NEW.job_id AND deaths > 0;
END;

-- Whoever moves a job, its steps move along: a job that does not run has no running step; what succeeded or was
-- cancelled keeps no results; what is queued again begins with what is kept. Most jobs succeed, and have one UPDATE of
-- it. A migration that builds `job` anew has to make these again.
CREATE TRIGGER step_ends_with_job AFTER UPDATE OF state ON job
WHEN NEW.state <> OLD.state AND (NEW.state = 'succeeded' OR NEW.state = 'cancelled')
BEGIN
  UPDATE step SET state = iif(state = 'running', 'pending', state),
      started_at = iif(state = 'running', NULL, started_at), result = NULL
    WHERE job_id = NEW.id AND (state = 'running' OR result IS NOT NULL);
END;
CREATE TRIGGER step_returns_with_job AFTER UPDATE OF state ON job
WHEN NEW.state <> OLD.state AND (NEW.state = 'failed'
  OR ((NEW.state = 'queued' OR NEW.state = 'waiting') AND OLD.state <> 'queued' AND OLD.state <> 'waiting'))
BEGIN
  UPDATE step SET state = 'pending', started_at = NULL WHERE job_id = NEW.id AND state = 'running';
  UPDATE step SET state = 'pending', device = NULL, device_reason = NULL, encoder = NULL, proof = NULL, checks = '[]',
      fingerprint = NULL, started_at = NULL, finished_at = NULL
    WHERE job_id = NEW.id AND NEW.state <> 'failed'
      AND (state = 'failed' OR (state = 'done' AND result IS NULL));
END;
