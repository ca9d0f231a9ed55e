-- Where each attempt ran and what really ran there; jobs that wait for a device; the switch that pauses work.

ALTER TABLE attempt ADD COLUMN device_reason TEXT;
ALTER TABLE attempt ADD COLUMN proof TEXT CHECK (proof IS NULL OR json_valid(proof));

-- Jobs that may be claimed, with their sort columns: as before, and those that wait for a device too.
DROP INDEX job_queued;
CREATE INDEX job_claimable ON job (priority DESC, id) WHERE state IN ('queued', 'waiting');

-- One row: what the box does with its queue. Survives a restart, because a person said it.
CREATE TABLE work_mode (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  mode TEXT NOT NULL CHECK (mode IN ('running', 'paused', 'draining')),
  changed_at TEXT NOT NULL
) STRICT;
