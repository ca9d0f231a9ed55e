-- A job that succeeds at once writes ten pages to the log of the database, and not fourteen.
-- Its last attempt stands in its own row: only attempts that ended otherwise, or have others after them, need one.
-- Rows of attempts that succeeded before this stay where they are.
ALTER TABLE job ADD COLUMN attempt_proof TEXT CHECK (attempt_proof IS NULL OR json_valid(attempt_proof));
-- Sentences: what of earlier attempts it could use.
ALTER TABLE job ADD COLUMN attempt_notes TEXT CHECK (attempt_notes IS NULL OR json_valid(attempt_notes));
-- Null where it began with the run.
ALTER TABLE job ADD COLUMN attempt_started_at TEXT;

UPDATE job SET device = running.device, device_reason = running.device_reason, attempt_proof = running.proof,
  attempt_notes = running.notes, attempt_started_at = running.started_at
FROM attempt AS running
WHERE job.state = 'running' AND running.job_id = job.id AND running.fence = job.fence AND running.outcome = 'running';
DELETE FROM attempt WHERE outcome = 'running' AND job_id IN (SELECT id FROM job WHERE state = 'running');

-- Those in the line and those that run stand in one index. It has all that a count needs, so that nothing but the index
-- is read.
DROP INDEX job_next;
DROP INDEX job_running;
CREATE INDEX job_line ON job (need, state, owner_id, rank, wait_for)
  WHERE wait_for IS NULL AND (state = 'queued' OR state = 'running');

-- Indexes for lists alone are filled behind the jobs, many at once, as that of their texts is: those up to the mark
-- stand in them.
ALTER TABLE job ADD COLUMN filed INTEGER NOT NULL DEFAULT 1 CHECK (filed IN (0, 1));
DROP INDEX job_by_operation;
CREATE INDEX job_by_operation ON job (owner_id, operation, seq) WHERE filed = 1;
DROP INDEX job_by_device;
CREATE INDEX job_by_device ON job (owner_id, device, seq) WHERE filed = 1 AND device IS NOT NULL;
