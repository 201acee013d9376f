-- Batches: jobs that are waited for together. What has ended of one is counted under the lock of its row, in the
-- transaction that ends it; the one that ends the last child also adds the job that was to come after.
-- Locks are taken in one order by everybody: jobs, then batches within a batch, then batches of their own; each by id.
CREATE TABLE work.batches (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES access.tenants (id),
  name text CHECK (length(name) BETWEEN 1 AND 200),
  -- The batch of which this one is a child. No foreign key: its check would lock the parent before the jobs.
  parent_id uuid,
  -- `stopping`: what has not ended is being cancelled.
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'stopping', 'done', 'failed', 'cancelled')),
  on_failure text NOT NULL CHECK (on_failure IN ('continue', 'cancel_rest')),
  -- What is added when all has ended, as an entry of POST /v1/jobs; and the job that it became.
  on_done jsonb,
  on_done_job uuid,
  -- Children: jobs, and batches within this one.
  total int NOT NULL DEFAULT 0,
  done int NOT NULL DEFAULT 0,
  dead int NOT NULL DEFAULT 0,
  cancelled int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by text NOT NULL,
  cancelled_by text,
  cancelled_reason text,
  ended_at timestamptz,
  version int NOT NULL DEFAULT 1,
  CHECK (least(done, dead, cancelled) >= 0 AND done + dead + cancelled <= total),
  CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'failed', 'cancelled'))),
  CHECK (ended_at IS NULL OR done + dead + cancelled = total)
) WITH (fillfactor = 70);
CREATE INDEX batches_tenant ON work.batches (tenant_id, id);
CREATE INDEX batches_parent ON work.batches (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX batches_stopping ON work.batches (id) WHERE state = 'stopping';
CREATE INDEX batches_ended ON work.batches (ended_at) WHERE ended_at IS NOT NULL;
ALTER TABLE work.batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.batches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.batches TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.batches TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT,
  UPDATE (state, on_done_job, total, done, dead, cancelled, cancelled_by, cancelled_reason, ended_at, version)
  ON work.batches TO qd_app, qd_system;
GRANT DELETE ON work.batches TO qd_system;

ALTER TABLE work.jobs
  -- No foreign key: the statement that counts a job into its batch refuses one that is not there.
  ADD batch_id uuid,
  -- What its worker last said of how far it is: {"fraction", "message"}.
  ADD progress jsonb;
CREATE INDEX jobs_batch ON work.jobs (batch_id, id) WHERE batch_id IS NOT NULL;
GRANT UPDATE (progress) ON work.jobs TO qd_app, qd_system;

ALTER TABLE work.ended_jobs
  ADD batch_id uuid,
  -- References to what it made: [{"name", "uri", …}].
  ADD artifacts jsonb;
CREATE INDEX ended_jobs_batch ON work.ended_jobs (batch_id, id) WHERE batch_id IS NOT NULL;

-- What steps of a job gave, so that a further attempt need not do them again. Written under the lock of the job's row. No
-- foreign key, for the reason of work.job_payloads; the steps of a job that is done go with it, those of another that has
-- ended stay for whoever tries it again.
CREATE TABLE work.job_steps (
  job_id uuid NOT NULL,
  step text NOT NULL CHECK (length(step) BETWEEN 1 AND 200),
  tenant_id uuid NOT NULL,
  result jsonb NOT NULL,
  bytes int NOT NULL,
  attempt int NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (job_id, step)
);
CREATE INDEX job_steps_at ON work.job_steps (at);
ALTER TABLE work.job_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.job_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.job_steps TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.job_steps TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON work.job_steps TO qd_app, qd_system;

CREATE OR REPLACE VIEW work.batch_jobs WITH (security_invoker = true) AS
  SELECT j.id, j.tenant_id, j.queue, j.kind, j.state AS status, j.priority,
         coalesce(j.payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = j.id)) AS payload,
         NULL::jsonb AS result, j.unique_key, j.run_at, j.created_at, j.created_by, j.attempt, j.max_attempts, j.agent,
         j.started_at, j.lease_until, NULL::timestamptz AS ended_at, j.reason, j.error, j.channel, j.cost, j.urgent,
         j.batch_id, j.progress, NULL::jsonb AS artifacts
  FROM work.jobs j
  UNION ALL
  SELECT e.id, e.tenant_id, e.queue, e.kind, e.state, e.priority, e.payload, e.result, e.unique_key, e.run_at,
         e.created_at, e.created_by, e.attempt, e.max_attempts, e.agent, e.started_at, NULL, e.ended_at, e.reason,
         e.error, e.channel, e.cost, e.urgent, e.batch_id, NULL, e.artifacts
  FROM work.ended_jobs e;
