-- The event log: append-only, partitioned by ranges of seq, readable without gaps while writers run.
CREATE SCHEMA log;
REVOKE ALL ON SCHEMA log FROM PUBLIC;
GRANT USAGE ON SCHEMA log TO qd_app, qd_system;

-- One row: which log this is. Part of the epoch, so that a log copied elsewhere is another log.
CREATE TABLE log.identity (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
INSERT INTO log.identity DEFAULT VALUES;
ALTER TABLE log.identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE log.identity FORCE ROW LEVEL SECURITY;
CREATE POLICY read_all ON log.identity FOR SELECT USING (true);
GRANT SELECT ON log.identity TO qd_app, qd_system;

-- CACHE 1 is a condition of gapless reading: a cached value would be drawn under a floor taken earlier.
CREATE SEQUENCE log.event_seq AS bigint CACHE 1 NO CYCLE;
GRANT SELECT ON SEQUENCE log.event_seq TO qd_app, qd_system;

-- Draws the next number *after* taking a shared lock whose key carries a floor: every number of this transaction is
-- above it. A reader that looks at last_value, then at the floors held, then reads up to the smaller of both misses
-- nothing, whatever the order of commits. The lock goes with the transaction or the savepoint that took it, and so does
-- the remembered floor (a setting is rolled back with them): it saves lock table entries and the look at the sequence,
-- while the lock itself is asked for each time. A floor that somebody set by hand is refused, not believed: what counts
-- is that it lies below every number drawn under it. Key: 16 bits 'QD', 48 bits floor.
CREATE FUNCTION log.next_seq() RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
DECLARE
  remembered text := pg_catalog.current_setting('qd.log_floor', true);
  floor bigint;
  seq bigint;
BEGIN
  IF remembered IS NULL OR remembered = '' THEN
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO floor FROM log.event_seq s;
    PERFORM pg_catalog.set_config('qd.log_floor', floor::text, true);
  ELSE
    floor := remembered::bigint;
  END IF;
  PERFORM pg_catalog.pg_advisory_xact_lock_shared((20804::bigint << 48) | floor);
  seq := pg_catalog.nextval('log.event_seq');
  IF floor < 0 OR floor >= seq THEN
    RAISE EXCEPTION 'number % of the log lies not above its floor %', seq, floor USING
      ERRCODE = 'insufficient_privilege', HINT = 'log.event_seq needs CACHE 1; qd.log_floor is not for setting by hand';
  END IF;
  RETURN seq;
END $$;
REVOKE ALL ON FUNCTION log.next_seq() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.next_seq() TO qd_app, qd_system;

CREATE TABLE log.event_log (
  seq bigint NOT NULL DEFAULT log.next_seq(),
  id text NOT NULL DEFAULT gen_random_uuid()::text CHECK (length(id) BETWEEN 1 AND 64),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  tenant_id uuid NOT NULL DEFAULT coalesce(platform.tenant(), platform.fleet_tenant()),
  event_type text NOT NULL CHECK (length(event_type) BETWEEN 1 AND 100),
  source_agent text NOT NULL CHECK (length(source_agent) BETWEEN 1 AND 200),
  subject text CHECK (length(subject) <= 200),
  payload jsonb NOT NULL DEFAULT '{}',
  correlation_id text CHECK (length(correlation_id) <= 64),
  causation_id text CHECK (length(causation_id) <= 64),
  PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);
CREATE INDEX event_log_tenant ON log.event_log (tenant_id, seq);
CREATE INDEX event_log_subject ON log.event_log (subject, seq) WHERE subject IS NOT NULL;
CREATE INDEX event_log_correlation ON log.event_log (correlation_id, seq) WHERE correlation_id IS NOT NULL;
CREATE INDEX event_log_at ON log.event_log USING brin (at);
ALTER TABLE log.event_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE log.event_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON log.event_log TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON log.event_log TO qd_system USING (true) WITH CHECK (true);
-- No UPDATE, no DELETE, and neither seq nor at can be supplied.
GRANT SELECT, INSERT (id, tenant_id, event_type, source_agent, subject, payload, correlation_id, causation_id)
  ON log.event_log TO qd_app, qd_system;

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON log.event_log
  FOR EACH ROW EXECUTE FUNCTION log.refuse_change();

-- Makes partitions until `ready` of them lie wholly above the last number; returns how many it made. Run by the owner.
CREATE FUNCTION log.ensure_partitions(ready int, size bigint DEFAULT 10000000) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  last bigint;
  next_lo bigint;
  made int := 0;
  part text;
BEGIN
  -- Two engines may do this at once; the second finds nothing left to do.
  PERFORM pg_advisory_xact_lock(7310580);
  SELECT s.last_value INTO last FROM log.event_seq s;
  LOOP
    SELECT coalesce(max(p.upper_bound), 1) INTO next_lo FROM log.partition_bounds() p;
    EXIT WHEN (SELECT count(*) FROM log.partition_bounds() p WHERE p.lower_bound > last) >= ready;
    part := 'event_log_' || lpad((((next_lo - 1) / size) + 1)::text, 6, '0');
    EXECUTE format('CREATE TABLE log.%I PARTITION OF log.event_log FOR VALUES FROM (%s) TO (%s)',
      part, next_lo, next_lo + size);
    EXECUTE format('ALTER TABLE log.%I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE log.%I FORCE ROW LEVEL SECURITY', part);
    made := made + 1;
    EXIT WHEN made > 100;
  END LOOP;
  RETURN made;
END $$;

-- The bounds as the catalogue has them: the truth about where a row can go.
CREATE FUNCTION log.partition_bounds() RETURNS TABLE (name text, lower_bound bigint, upper_bound bigint)
LANGUAGE sql STABLE AS $$
  SELECT c.relname::text,
         (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\d+)''?\)'))[1]::bigint,
         (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''?(\d+)''?\)'))[1]::bigint
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'log.event_log'::regclass
$$;
REVOKE ALL ON FUNCTION log.ensure_partitions(int, bigint), log.partition_bounds() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.partition_bounds() TO qd_app, qd_system;

-- Ids that senders chose, for 72 hours: partitions cannot hold a unique key over all of them.
CREATE TABLE log.event_ids (
  tenant_id uuid NOT NULL,
  id text NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX event_ids_at ON log.event_ids (at);
ALTER TABLE log.event_ids ENABLE ROW LEVEL SECURITY;
ALTER TABLE log.event_ids FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON log.event_ids TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON log.event_ids TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON log.event_ids TO qd_app, qd_system;
GRANT DELETE ON log.event_ids TO qd_system;

-- Ends the statement that would write other content under a known id; the detail carries the id.
CREATE FUNCTION log.refuse_reuse(id text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event id was used for another event' USING ERRCODE = 'QD001', DETAIL = id;
END $$;
REVOKE ALL ON FUNCTION log.refuse_reuse(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.refuse_reuse(text) TO qd_system;

-- Which number was current at which moment, one row a minute: turns a time into a range of seq.
CREATE TABLE log.time_marks (at timestamptz PRIMARY KEY, seq bigint NOT NULL);
ALTER TABLE log.time_marks ENABLE ROW LEVEL SECURITY;
ALTER TABLE log.time_marks FORCE ROW LEVEL SECURITY;
CREATE POLICY read_all ON log.time_marks FOR SELECT TO qd_app USING (true);
CREATE POLICY all_rows ON log.time_marks TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT ON log.time_marks TO qd_app, qd_system;
GRANT INSERT ON log.time_marks TO qd_system;

-- Which log this is and how it came to be: changes when the server is restored or fails over (its timeline) or is
-- another one, so that a cursor of before is never taken for one of now.
CREATE FUNCTION log.epoch() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT pg_catalog.left(pg_catalog.md5(pg_catalog.concat_ws('/', c.system_identifier,
           pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8), d.oid, i.id)), 8)
  FROM pg_catalog.pg_control_system() c, pg_catalog.pg_database d, log.identity i
  WHERE d.datname = pg_catalog.current_database()
$$;

-- The number up to which everything that will ever be visible is visible. Volatile plpgsql under READ COMMITTED: each
-- statement sees a snapshot of its own, and last_value is read before the floors. The rows are to be read by a later
-- statement, never in the same one.
CREATE FUNCTION log.horizon() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  last bigint;
  floor bigint;
BEGIN
  SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last FROM log.event_seq s;
  SELECT min(((l.classid::bigint & 65535) << 32) | l.objid::bigint) INTO floor
  FROM pg_locks l
  WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid::bigint >> 16 = 20804
    AND l.mode = 'ShareLock' AND l.granted
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
  RETURN least(last, floor);
END $$;
REVOKE ALL ON FUNCTION log.epoch(), log.horizon() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.epoch(), log.horizon() TO qd_app, qd_system;

SELECT log.ensure_partitions(3);
