-- Jobs: what waits or runs is hot and small (work.jobs), what has ended is history (work.ended_jobs, by weeks).
CREATE SCHEMA work;
REVOKE ALL ON SCHEMA work FROM PUBLIC;
GRANT USAGE ON SCHEMA work TO qd_app, qd_system;

-- A lane is a queue of a tenant. A worker of one queue never reads another's backlog. Lanes are never removed, so their
-- ids may be remembered; what later divides a queue further divides its lanes.
CREATE TABLE work.lanes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES access.tenants (id),
  queue text NOT NULL CHECK (length(queue) BETWEEN 1 AND 63),
  UNIQUE (tenant_id, queue),
  UNIQUE (tenant_id, id)
);
CREATE INDEX lanes_queue ON work.lanes (queue);
ALTER TABLE work.lanes ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.lanes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.lanes TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.lanes TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT (tenant_id, queue) ON work.lanes TO qd_app, qd_system;

-- Every row is rewritten a few times within seconds and then deleted: pages keep room for the new versions, and the
-- vacuum comes by the thousand rows, not by a share of a table that is usually empty.
CREATE TABLE work.jobs (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  lane_id bigint NOT NULL,
  queue text NOT NULL,
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 63),
  state text NOT NULL CHECK (state IN ('scheduled', 'queued', 'running')),
  priority int NOT NULL,
  -- NULL: it is larger than 2 kB and stands in work.job_payloads.
  payload jsonb,
  unique_key text CHECK (length(unique_key) BETWEEN 1 AND 200),
  -- Not before this moment; for what is queued, since when it may run.
  run_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by text NOT NULL,
  attempt int NOT NULL DEFAULT 0,
  max_attempts int NOT NULL,
  -- Who holds it, or held it last.
  agent_id uuid,
  agent text,
  started_at timestamptz,
  -- The fence: attempt and randomness. Every write of a run must show it.
  lease text,
  lease_until timestamptz,
  token_hash bytea CHECK (length(token_hash) = 32),
  -- The agent that lost it does not get it again before this moment.
  avoid_agent_id uuid,
  avoid_until timestamptz,
  reason text,
  error text,
  version int NOT NULL DEFAULT 1,
  FOREIGN KEY (tenant_id, lane_id) REFERENCES work.lanes (tenant_id, id),
  CHECK (attempt BETWEEN 0 AND max_attempts),
  CHECK (num_nulls(lease, lease_until, token_hash) = CASE state WHEN 'running' THEN 0 ELSE 3 END),
  CHECK (state <> 'running' OR num_nulls(agent_id, agent, started_at) = 0)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX jobs_queued ON work.jobs (lane_id, priority, id) WHERE state = 'queued';
CREATE INDEX jobs_due ON work.jobs (run_at) WHERE state = 'scheduled';
CREATE INDEX jobs_leases ON work.jobs (lease_until) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_unique_key ON work.jobs (tenant_id, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX jobs_tenant ON work.jobs (tenant_id, id);
ALTER TABLE work.jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.jobs TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.jobs TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE,
  UPDATE (state, run_at, attempt, agent_id, agent, started_at, lease, lease_until, token_hash, avoid_agent_id,
    avoid_until, reason, error, version)
  ON work.jobs TO qd_app, qd_system;

-- Payloads above 2 kB, out of the rows that are rewritten. No foreign key to the job: the statements that add and end
-- jobs are the only ones that write here, and a check for each job that ends would cost more than it finds.
CREATE TABLE work.job_payloads (
  job_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  payload jsonb NOT NULL
);
ALTER TABLE work.job_payloads ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.job_payloads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.job_payloads TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.job_payloads TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON work.job_payloads TO qd_app, qd_system;

-- What has ended never un-ends: nobody may update or delete here; retention drops whole weeks.
CREATE TABLE work.ended_jobs (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  queue text NOT NULL,
  kind text NOT NULL,
  state text NOT NULL CHECK (state IN ('done', 'dead', 'cancelled')),
  priority int NOT NULL,
  payload jsonb NOT NULL,
  result jsonb,
  unique_key text,
  run_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  attempt int NOT NULL,
  max_attempts int NOT NULL,
  agent_id uuid,
  agent text,
  started_at timestamptz,
  ended_at timestamptz NOT NULL,
  reason text,
  error text,
  version int NOT NULL,
  PRIMARY KEY (id, ended_at)
) PARTITION BY RANGE (ended_at);
CREATE INDEX ended_jobs_tenant ON work.ended_jobs (tenant_id, id);
CREATE INDEX ended_jobs_dead ON work.ended_jobs (id) WHERE state = 'dead';
CREATE INDEX ended_jobs_dead_at ON work.ended_jobs (ended_at) WHERE state = 'dead';
ALTER TABLE work.ended_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.ended_jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.ended_jobs TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.ended_jobs TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON work.ended_jobs TO qd_app, qd_system;

-- Makes the partition of this week and of the `ahead` weeks to come; returns how many it made. Run by the owner. Weeks
-- begin on Monday, UTC.
CREATE FUNCTION work.ensure_partitions(ahead int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  week timestamp;
  part text;
  made int := 0;
BEGIN
  -- Two engines may do this at once; the second finds nothing left to do.
  PERFORM pg_advisory_xact_lock(7310581);
  FOR i IN 0..ahead LOOP
    week := date_trunc('week', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(weeks => i);
    part := 'ended_jobs_' || to_char(week, 'IYYY"w"IW');
    CONTINUE WHEN to_regclass(format('work.%I', part)) IS NOT NULL;
    EXECUTE format('CREATE TABLE work.%I PARTITION OF work.ended_jobs FOR VALUES FROM (%L) TO (%L)',
      part, week AT TIME ZONE 'UTC', (week + interval '1 week') AT TIME ZONE 'UTC');
    EXECUTE format('ALTER TABLE work.%I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE work.%I FORCE ROW LEVEL SECURITY', part);
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;
REVOKE ALL ON FUNCTION work.ensure_partitions(int) FROM PUBLIC;

-- How many jobs were added and ended, a row per queue and minute: the history is never counted. Writers only append
-- changes, so that two completions of one queue never wait for each other; a loop folds them in. Readers add both up.
CREATE TABLE work.minute_counts (
  tenant_id uuid NOT NULL,
  queue text NOT NULL,
  minute timestamptz NOT NULL,
  added bigint NOT NULL DEFAULT 0,
  done bigint NOT NULL DEFAULT 0,
  dead bigint NOT NULL DEFAULT 0,
  failed_attempts bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, queue, minute)
) WITH (fillfactor = 80);
CREATE INDEX minute_counts_minute ON work.minute_counts (minute);
ALTER TABLE work.minute_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.minute_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.minute_counts FOR SELECT TO qd_app USING (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.minute_counts TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT ON work.minute_counts TO qd_app, qd_system;
GRANT INSERT, UPDATE, DELETE ON work.minute_counts TO qd_system;

CREATE TABLE work.count_changes (
  tenant_id uuid NOT NULL,
  queue text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  added int NOT NULL DEFAULT 0,
  done int NOT NULL DEFAULT 0,
  dead int NOT NULL DEFAULT 0,
  failed_attempts int NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
ALTER TABLE work.count_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.count_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.count_changes TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.count_changes TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON work.count_changes TO qd_app, qd_system;
-- FOR UPDATE asks for the right to update one column at least.
GRANT UPDATE (at), DELETE ON work.count_changes TO qd_system;

-- Hands out up to `most` queued jobs of these queues under a new lease, by priority, then age; hashes[n] is the hash of
-- the token of the nth. The first look is at the head of each lane, by one index probe; a lane whose head is not among
-- the best `reach` cannot hold one of them. Candidates are read without a lock and locked one after the other, in order,
-- until there are enough: so a claim never locks a job that it does not take. Those that another claim holds at this
-- moment are passed over; when all candidates were such and there may be more, the look reaches further.
-- The settings pin the plan to the two indexes: estimates for a table that is empty most of the time are worthless.
CREATE FUNCTION work.claim(queues text[], most int, claimer uuid, claimer_name text, lease_seconds int, hashes bytea[])
RETURNS TABLE (place int, id uuid, tenant_id uuid, queue text, kind text, priority int, attempt int, max_attempts int,
  payload jsonb, created_at timestamptz, lease text, lease_until timestamptz)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  reach int := most + 32;
  candidates uuid[];
  taken uuid[];
BEGIN
  -- A claim that is forgotten in a crash would hand out the same attempt twice.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  FOR try IN 1..3 LOOP
    SELECT array_agg(c.id ORDER BY c.priority, c.id) INTO candidates FROM (
      SELECT near.priority, near.id
      FROM (
        SELECT l.id
        FROM work.lanes l CROSS JOIN LATERAL (
          SELECT j.priority, j.id FROM work.jobs j WHERE j.lane_id = l.id AND j.state = 'queued'
          ORDER BY j.priority, j.id LIMIT 1
        ) head
        WHERE l.queue = ANY (queues)
        ORDER BY head.priority, head.id LIMIT reach
      ) lane CROSS JOIN LATERAL (
        SELECT j.priority, j.id FROM work.jobs j
        WHERE j.lane_id = lane.id AND j.state = 'queued'
          AND (j.avoid_agent_id IS DISTINCT FROM claimer OR j.avoid_until <= clock_timestamp())
        ORDER BY j.priority, j.id LIMIT reach
      ) near
      ORDER BY near.priority, near.id LIMIT reach
    ) c;
    SELECT array_agg(t.id) INTO taken FROM (
      SELECT j.id FROM unnest(candidates) WITH ORDINALITY AS c (id, place) JOIN work.jobs j ON j.id = c.id
      WHERE j.state = 'queued' ORDER BY c.place LIMIT most FOR UPDATE OF j SKIP LOCKED
    ) t;
    EXIT WHEN taken IS NOT NULL OR candidates IS NULL OR cardinality(candidates) < reach;
    reach := reach * 8;
  END LOOP;
  RETURN QUERY
    UPDATE work.jobs j SET
      state = 'running', attempt = j.attempt + 1, agent_id = claimer, agent = claimer_name,
      started_at = clock_timestamp(),
      lease = (j.attempt + 1) || '.' || replace(gen_random_uuid()::text, '-', ''),
      lease_until = clock_timestamp() + make_interval(secs => lease_seconds),
      token_hash = hashes[c.place], avoid_agent_id = NULL, avoid_until = NULL, version = j.version + 1
    FROM unnest(taken) WITH ORDINALITY AS c (id, place)
    WHERE j.id = c.id
    RETURNING c.place::int, j.id, j.tenant_id, j.queue, j.kind, j.priority, j.attempt, j.max_attempts,
      coalesce(j.payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = j.id)), j.created_at, j.lease,
      j.lease_until;
END $$;
REVOKE ALL ON FUNCTION work.claim(text[], int, uuid, text, int, bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.claim(text[], int, uuid, text, int, bytea[]) TO qd_app, qd_system;

-- Jobs as an operator asks for them in plain SQL. The checks on `state` let the planner leave the history out when what
-- waits or runs is asked for.
CREATE VIEW work.batch_jobs WITH (security_invoker = true) AS
  SELECT j.id, j.tenant_id, j.queue, j.kind, j.state AS status, j.priority,
         coalesce(j.payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = j.id)) AS payload,
         NULL::jsonb AS result, j.unique_key, j.run_at, j.created_at, j.created_by, j.attempt, j.max_attempts, j.agent,
         j.started_at, j.lease_until, NULL::timestamptz AS ended_at, j.reason, j.error
  FROM work.jobs j
  UNION ALL
  SELECT e.id, e.tenant_id, e.queue, e.kind, e.state, e.priority, e.payload, e.result, e.unique_key, e.run_at,
         e.created_at, e.created_by, e.attempt, e.max_attempts, e.agent, e.started_at, NULL, e.ended_at, e.reason, e.error
  FROM work.ended_jobs e;
GRANT SELECT ON work.batch_jobs TO qd_app, qd_system;

SELECT work.ensure_partitions(4);
