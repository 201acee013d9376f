-- How agents run: what is wanted of each (fleet.agents), what is known of it (fleet.health_checks), what it printed last
-- (fleet.console_chunks). Who an agent is stands in access.agents. Display states are derived when reading.
CREATE SCHEMA fleet;
REVOKE ALL ON SCHEMA fleet FROM PUBLIC;
GRANT USAGE ON SCHEMA fleet TO qd_app, qd_system;

CREATE TABLE fleet.agents (
  agent_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  -- True when quarterdeck.yaml decides about it.
  declared boolean NOT NULL DEFAULT false,
  -- NULL: nobody starts it for the fleet. A list, never a shell line.
  command text[] CHECK (cardinality(command) BETWEEN 1 AND 200),
  cwd text,
  -- Not for secrets: those are named in `secrets` and taken from the host's own environment.
  env jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(env) = 'object'),
  secrets text[] NOT NULL DEFAULT '{}',
  restart text NOT NULL DEFAULT 'always' CHECK (restart IN ('always', 'on-failure', 'never')),
  silence_limit_seconds double precision CHECK (silence_limit_seconds BETWEEN 1 AND 604800),
  log_cap_bytes bigint NOT NULL DEFAULT 52428800 CHECK (log_cap_bytes >= 65536),
  queues text[] NOT NULL DEFAULT '{}',
  -- Only the host of this name may run it; NULL: whichever comes first.
  host text,
  desired text NOT NULL DEFAULT 'run' CHECK (desired IN ('run', 'pause', 'stop')),
  desired_by text,
  desired_reason text,
  desired_at timestamptz NOT NULL DEFAULT now(),
  -- Each growth asks the host to end the process and start it anew.
  restart_generation int NOT NULL DEFAULT 0,
  restart_ordered_at timestamptz,
  row_version int NOT NULL DEFAULT 1,
  UNIQUE (tenant_id, agent_id),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES access.agents (tenant_id, id)
);
ALTER TABLE fleet.agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.agents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON fleet.agents TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON fleet.agents TO qd_system USING (true) WITH CHECK (true);
-- What runs on a host's machine is decided by the fleet alone: a tenant can neither give nor change a command.
GRANT SELECT, DELETE,
  INSERT (agent_id, tenant_id, silence_limit_seconds, queues),
  UPDATE (desired, desired_by, desired_reason, desired_at, restart_generation, restart_ordered_at, row_version)
  ON fleet.agents TO qd_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON fleet.agents TO qd_system;

-- One row an agent, rewritten by every beat: half of each page stays free, so that a beat touches no index.
CREATE TABLE fleet.health_checks (
  agent_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  agent text NOT NULL,
  -- The last sign of life: a beat, a line printed, a call with its token; for a supervised agent without a silence limit
  -- also its host's word that the process runs.
  last_seen timestamptz,
  status text,
  job text,
  version text,
  usage jsonb,
  -- What its host knows of the process. `waiting`: to be started again at next_start_at; `crashed`: the breaker is open;
  -- `ended`: ended and not to be restarted.
  phase text CHECK (phase IN ('starting', 'running', 'waiting', 'crashed', 'ended', 'stopped')),
  -- The claim: host_id holds it, confirmed at host_seen, so that a second host starts no second copy.
  host_id uuid,
  host text,
  host_seen timestamptz,
  pid int,
  process_started_at timestamptz,
  restarts int NOT NULL DEFAULT 0,
  exit text,
  exited_at timestamptz,
  next_start_at timestamptz,
  -- The restart_generation that the phase answers to, and the number of the host's last report.
  generation int NOT NULL DEFAULT 0,
  report bigint NOT NULL DEFAULT 0,
  -- Whether the log was told that this agent went silent.
  told_silent boolean NOT NULL DEFAULT false,
  row_version int NOT NULL DEFAULT 1,
  FOREIGN KEY (tenant_id, agent_id) REFERENCES fleet.agents (tenant_id, agent_id) ON DELETE CASCADE
) WITH (fillfactor = 50);
ALTER TABLE fleet.health_checks ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.health_checks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON fleet.health_checks TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON fleet.health_checks TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT (agent_id, tenant_id, agent) ON fleet.health_checks TO qd_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON fleet.health_checks TO qd_system;

-- The newest output of supervised processes by byte offset; the complete files stay on the host. A chunk whose text is
-- shorter than its range stands for output that was left out, and says so.
CREATE TABLE fleet.console_chunks (
  agent_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  start_offset bigint NOT NULL CHECK (start_offset >= 0),
  end_offset bigint NOT NULL CHECK (end_offset > start_offset),
  bytes bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (agent_id, start_offset),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES fleet.agents (tenant_id, agent_id) ON DELETE CASCADE
);
ALTER TABLE fleet.console_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.console_chunks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON fleet.console_chunks TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON fleet.console_chunks TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT ON fleet.console_chunks TO qd_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON fleet.console_chunks TO qd_system;
