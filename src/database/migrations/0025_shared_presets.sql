-- Presets that everybody may use; they stay their owner's.
ALTER TABLE preset ADD COLUMN shared INTEGER NOT NULL DEFAULT 0 CHECK (shared IN (0, 1));
CREATE INDEX preset_shared ON preset (name) WHERE shared = 1;
