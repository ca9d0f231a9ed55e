-- Lists of a library of 100,000: by kind without a look at the others, and by a part of the name without one at the
-- rows whose names do not fit.
CREATE INDEX asset_names ON asset (owner_id, state, id, name);
CREATE INDEX asset_kinds ON asset (owner_id, state, kind, id);
DROP INDEX asset_by_owner;
