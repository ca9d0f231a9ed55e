-- People come by invitation, may be disabled, and go; logins and tokens say when and where they were used.
ALTER TABLE user ADD COLUMN disabled_at TEXT;
-- Who went: their files are somebody else's or gone, their name is free. The row stays for what finished jobs name.
ALTER TABLE user ADD COLUMN deleted_at TEXT;
-- To the minute.
ALTER TABLE user ADD COLUMN last_seen_at TEXT;

ALTER TABLE session ADD COLUMN last_used_at TEXT;
-- Where it began: address, and what the browser calls itself.
ALTER TABLE session ADD COLUMN peer TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';

-- Words between blanks. Those that are there may do everything, as they always could.
ALTER TABLE token ADD COLUMN scopes TEXT NOT NULL DEFAULT 'read write jobs account admin';
ALTER TABLE token ADD COLUMN expires_at TEXT;

-- A code with which somebody sets their password: the first one, or a new one in the place of a lost one.
CREATE TABLE invitation (
  user_id TEXT PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
  code_sha256 TEXT NOT NULL UNIQUE CHECK (length(code_sha256) = 64),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL
) STRICT;
