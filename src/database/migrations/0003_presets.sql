-- Named parameters of people's own. Those that come with Kinomill are in the executable.

CREATE TABLE preset (
  id TEXT PRIMARY KEY CHECK (id GLOB 'ps_*'),
  owner_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
  name TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  operation TEXT NOT NULL,
  -- As they were given: defaults that a later Kinomill has hold for them too.
  params TEXT NOT NULL CHECK (json_valid(params)),
  -- Counts changes: whoever changes it must name the version that they saw.
  version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  UNIQUE (owner_id, name)
) STRICT;
