-- Titles and labels of jobs, to be searched by any part of three characters or more. It is filled behind the jobs
-- (`jobs/search-index.ts`): a job that was just asked for does not wait for it, and is found without it.
CREATE VIRTUAL TABLE job_search USING fts5 (text, tokenize = 'trigram', content = '', contentless_delete = 1);

-- One row: jobs up to this number stand in the index.
CREATE TABLE job_search_mark (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL CHECK (seq >= 0)
) STRICT;
INSERT INTO job_search_mark VALUES (1, 0);
