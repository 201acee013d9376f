-- batch_jobs for roles of plain SQL has the columns that work.batch_jobs got with batches.
CREATE OR REPLACE VIEW plain_sql.batch_jobs WITH (security_barrier = true) AS
  SELECT j.id, j.tenant_id, j.queue, j.kind, j.state AS status, j.priority,
         coalesce(j.payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = j.id)) AS payload,
         NULL::jsonb AS result, j.unique_key, j.run_at, j.created_at, j.created_by, j.attempt, j.max_attempts, j.agent,
         j.started_at, j.lease_until, NULL::timestamptz AS ended_at, j.reason, j.error, j.channel, j.cost, j.urgent,
         j.batch_id, j.progress, NULL::jsonb AS artifacts
  FROM work.jobs j WHERE j.tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t))
  UNION ALL
  SELECT e.id, e.tenant_id, e.queue, e.kind, e.state, e.priority, e.payload, e.result, e.unique_key, e.run_at,
         e.created_at, e.created_by, e.attempt, e.max_attempts, e.agent, e.started_at, NULL, e.ended_at, e.reason,
         e.error, e.channel, e.cost, e.urgent, e.batch_id, NULL, e.artifacts
  FROM work.ended_jobs e WHERE e.tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t));
