-- Schedules: what adds jobs by itself. A row is its own clock: `next_at` moves on in the transaction that adds the job, so
-- no tick is acted on twice, whoever else looks, and none is forgotten while nobody does.
CREATE TABLE work.schedules (
  tenant_id uuid NOT NULL REFERENCES access.tenants (id),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  cron text CHECK (length(cron) <= 200),
  every_seconds int CHECK (every_seconds >= 1),
  once_at timestamptz,
  zone text NOT NULL,
  -- What is added, as an entry of POST /v1/jobs.
  job jsonb NOT NULL,
  catch_up text NOT NULL CHECK (catch_up IN ('skip', 'once', 'all')),
  overlap text NOT NULL CHECK (overlap IN ('skip', 'queue', 'allow')),
  jitter_seconds int NOT NULL CHECK (jitter_seconds BETWEEN 0 AND 86400),
  -- Intervals count from here.
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- NULL: it never comes again.
  next_at timestamptz,
  last_tick timestamptz,
  last_job uuid,
  paused_at timestamptz,
  paused_by text,
  paused_reason text,
  -- Which file declares it, if one does.
  declared_by text,
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, name),
  CHECK (num_nonnulls(cron, every_seconds, once_at) = 1)
);
CREATE INDEX schedules_due ON work.schedules (next_at) WHERE paused_at IS NULL AND next_at IS NOT NULL;
ALTER TABLE work.schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.schedules TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.schedules TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON work.schedules TO qd_app, qd_system;

-- By which schedule a job was added.
ALTER TABLE work.jobs ADD schedule text;
CREATE INDEX jobs_schedule ON work.jobs (tenant_id, schedule) WHERE schedule IS NOT NULL;
ALTER TABLE work.ended_jobs ADD schedule text;

-- Channels that a file declares.
ALTER TABLE work.channels ADD declared_by text;
GRANT UPDATE (declared_by) ON work.channels TO qd_app, qd_system;
