-- Approvals: what a job waits for until an operator has decided. The job's row is always locked before the approval's.
CREATE TABLE work.approvals (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES access.tenants (id),
  -- No foreign key: a job that ends leaves its table, and the decision stays.
  job_id uuid NOT NULL,
  queue text NOT NULL,
  kind text NOT NULL,
  -- The attempt that asked; 0: the job was added with it, and does not start before.
  attempt int NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'withdrawn')),
  summary text NOT NULL CHECK (length(summary) BETWEEN 1 AND 500),
  details jsonb,
  -- SHA-256 of what is decided on: kind, payload, summary and details.
  digest text NOT NULL CHECK (length(digest) = 64),
  -- Operators who may decide; NULL: all.
  deciders text[],
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  decided_by text,
  note text CHECK (length(note) <= 2000),
  -- When a claim was told of the decision: no later one is told of it again.
  used_at timestamptz,
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  CHECK (used_at IS NULL OR state = 'approved')
);
CREATE INDEX approvals_tenant ON work.approvals (tenant_id, id);
CREATE INDEX approvals_job ON work.approvals (job_id);
CREATE UNIQUE INDEX approvals_pending ON work.approvals (job_id) WHERE state = 'pending';
CREATE INDEX approvals_expiring ON work.approvals (expires_at) WHERE state = 'pending';
CREATE INDEX approvals_unused ON work.approvals (job_id) WHERE state = 'approved' AND used_at IS NULL;
CREATE INDEX approvals_decided ON work.approvals (decided_at) WHERE decided_at IS NOT NULL;
ALTER TABLE work.approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.approvals TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.approvals TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (state, decided_at, decided_by, note, used_at) ON work.approvals TO qd_app, qd_system;
GRANT DELETE ON work.approvals TO qd_system;
