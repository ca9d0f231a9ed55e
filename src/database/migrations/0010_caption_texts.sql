-- The text of assets that are captions: jobs are planned by it, also where the bytes lie in a bucket.
CREATE TABLE caption_text (
  asset_id TEXT PRIMARY KEY CHECK (asset_id GLOB 'as_*'),
  text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
