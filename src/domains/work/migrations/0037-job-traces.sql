-- The trace to which the request belonged that added a job, so that whoever claims it goes on with it. Written only where a
-- collector is configured. A table of its own: the row of the job stays as small as it is. No foreign key: a check for each
-- job that ends would cost everybody; what has lost its job is swept (work.traces).
CREATE TABLE work.job_traces (
  job_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  kind text NOT NULL,
  traceparent text NOT NULL CHECK (length(traceparent) = 55),
  added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  claimed_at timestamptz
);
CREATE INDEX job_traces_added ON work.job_traces (added_at);
ALTER TABLE work.job_traces ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.job_traces FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.job_traces TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.job_traces TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT (job_id, tenant_id, kind, traceparent), UPDATE (claimed_at), DELETE ON work.job_traces TO qd_app, qd_system;
