-- Seals over segments of the log, the files that old partitions went to, and up to where the log was archived.

-- One row a sealed segment, in a chain: each hash covers the one before, so no link can be exchanged, left out or put in.
-- UNIQUE (prev_hash) makes it one chain, also when two engines seal at once.
CREATE TABLE log.seals (
  number bigint PRIMARY KEY CHECK (number > 0),
  from_seq bigint NOT NULL UNIQUE,
  to_seq bigint NOT NULL UNIQUE,
  rows int NOT NULL CHECK (rows >= 0),
  bytes bigint NOT NULL CHECK (bytes >= 0),
  -- The earliest and latest time among the rows; NULL: the segment is empty.
  first_at timestamptz,
  last_at timestamptz,
  rows_hash bytea NOT NULL CHECK (length(rows_hash) = 32),
  -- For each row its number and eight bytes of its hash: names the row that was changed.
  leaves bytea NOT NULL,
  prev_hash bytea NOT NULL UNIQUE CHECK (length(prev_hash) = 32),
  hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  sealed_at timestamptz NOT NULL,
  CHECK (from_seq <= to_seq)
);
-- Random bytes: compressing them costs time and saves nothing.
ALTER TABLE log.seals ALTER leaves SET STORAGE EXTERNAL;
ALTER TABLE log.seals ENABLE ROW LEVEL SECURITY;
ALTER TABLE log.seals FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON log.seals TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON log.seals TO qd_system;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON log.seals FOR EACH ROW EXECUTE FUNCTION log.refuse_change();

-- One row a partition that was written to a file. Whether it was dropped is said by log.retention.
CREATE TABLE log.archives (
  from_seq bigint PRIMARY KEY,
  to_seq bigint NOT NULL UNIQUE,
  partition text NOT NULL UNIQUE,
  -- Below the archive directory of the machine `host`.
  file text NOT NULL,
  host text NOT NULL,
  bytes bigint NOT NULL,
  rows bigint NOT NULL,
  first_at timestamptz,
  last_at timestamptz,
  first_seal bigint NOT NULL,
  last_seal bigint NOT NULL,
  -- Where in the file the frame of each seal begins, in order.
  offsets bigint[] NOT NULL,
  -- How many rows of each type, agent and tenant; a part with too many names is left out.
  counts jsonb NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK (cardinality(offsets) = last_seal - first_seal + 1)
);
ALTER TABLE log.archives ENABLE ROW LEVEL SECURITY;
ALTER TABLE log.archives FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON log.archives TO qd_system USING (true) WITH CHECK (true);
-- Changed only while the partition is still there: when its file was lost before the drop, it is written again.
GRANT SELECT, INSERT, UPDATE ON log.archives TO qd_system;

-- One row: the number of the last event in a partition that was dropped. Every reader may know it, so that none takes a missing
-- beginning for an empty one.
CREATE TABLE log.retention (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  archived_up_to bigint NOT NULL DEFAULT 0
);
INSERT INTO log.retention DEFAULT VALUES;
ALTER TABLE log.retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE log.retention FORCE ROW LEVEL SECURITY;
CREATE POLICY read_all ON log.retention FOR SELECT TO qd_app USING (true);
CREATE POLICY all_rows ON log.retention TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT ON log.retention TO qd_app, qd_system;
GRANT UPDATE (archived_up_to) ON log.retention TO qd_system;

-- Marks of times whose events were archived go with them.
GRANT DELETE ON log.time_marks TO qd_system;
