-- How each person looks at the library.
CREATE TABLE library_view (
  user_id TEXT PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
  layout TEXT NOT NULL CHECK (layout IN ('grid', 'list'))
) STRICT, WITHOUT ROWID;

-- Which codecs there are is found by steps from one to the next, and each of them in the order of age.
CREATE INDEX asset_codecs ON asset (owner_id, state, codec, id);
