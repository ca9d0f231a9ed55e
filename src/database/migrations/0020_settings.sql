-- What admins say of the settings on the page, below what file and environment say.
CREATE TABLE setting (
  key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 100),
  -- JSON; null: back to the default. The row stays, so that it is known since when.
  value TEXT CHECK (value IS NULL OR json_valid(value)),
  -- Of its last change. It counts over all settings: whoever changes one names the count that they saw.
  revision INTEGER NOT NULL UNIQUE CHECK (revision > 0),
  changed_at TEXT NOT NULL,
  -- The name as it was then: people go, and what they did stays told.
  changed_by TEXT NOT NULL
) STRICT;

-- Who did what in an admin's role, or to their own account. The oldest rows go.
CREATE TABLE act (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  -- No foreign key, for the same reason; "" for the command line.
  who_id TEXT NOT NULL,
  who TEXT NOT NULL,
  -- Label of the token with which a program came in the person's name.
  token TEXT,
  kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
  subject TEXT NOT NULL,
  detail TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX act_by_subject ON act (subject, id);
