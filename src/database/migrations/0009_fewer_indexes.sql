-- Each move of a job writes every index that it is in, and each of them is a page of the commit. Those that run are
-- found by the index of states, with the state first.
DROP INDEX job_running;
DROP INDEX job_by_state;
CREATE INDEX job_by_state ON job (state, owner_id, seq) WHERE state <> 'succeeded';
