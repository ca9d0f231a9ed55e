-- A person may want the next run of a job on the CPU alone. While they do, `need` is 'cpu', so that the job waits with
-- those that want the processor, and this is what its first step wants by itself.
ALTER TABLE job ADD COLUMN own_need TEXT CHECK (own_need IN ('cpu', 'gpu'));
