-- What agents with plain SQL read of jobs and of the fleet (0031-sql-roles.sql says how these views are held to who asks).
CREATE POLICY session_rows ON work.jobs FOR SELECT TO CURRENT_USER
  USING (tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t)));
CREATE POLICY session_rows ON work.job_payloads FOR SELECT TO CURRENT_USER
  USING (tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t)));
CREATE POLICY session_rows ON work.ended_jobs FOR SELECT TO CURRENT_USER
  USING (tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t)));
CREATE POLICY session_rows ON fleet.health_checks FOR SELECT TO CURRENT_USER
  USING (tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t)));

-- As work.batch_jobs, which has the rights of whoever asks: a role for plain SQL has none on what it reads.
CREATE VIEW plain_sql.batch_jobs WITH (security_barrier = true) AS
  SELECT j.id, j.tenant_id, j.queue, j.kind, j.state AS status, j.priority,
         coalesce(j.payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = j.id)) AS payload,
         NULL::jsonb AS result, j.unique_key, j.run_at, j.created_at, j.created_by, j.attempt, j.max_attempts, j.agent,
         j.started_at, j.lease_until, NULL::timestamptz AS ended_at, j.reason, j.error, j.channel, j.cost, j.urgent
  FROM work.jobs j WHERE j.tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t))
  UNION ALL
  SELECT e.id, e.tenant_id, e.queue, e.kind, e.state, e.priority, e.payload, e.result, e.unique_key, e.run_at,
         e.created_at, e.created_by, e.attempt, e.max_attempts, e.agent, e.started_at, NULL, e.ended_at, e.reason,
         e.error, e.channel, e.cost, e.urgent
  FROM work.ended_jobs e WHERE e.tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t));

-- Without what is between the server and its hosts.
CREATE VIEW plain_sql.health_checks WITH (security_barrier = true) AS
  SELECT h.agent_id, h.tenant_id, h.agent, h.last_seen, h.status, h.job, h.version, h.usage, h.phase, h.host,
         h.process_started_at, h.restarts, h.exit, h.exited_at, h.next_start_at
  FROM fleet.health_checks h WHERE h.tenant_id = ANY (ARRAY(SELECT t.id FROM access.sql_tenants t));
