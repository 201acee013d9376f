-- Who may do what: tenants, operators, the identities of agents, and their credentials. Secrets are stored as SHA-256.
CREATE SCHEMA access;
REVOKE ALL ON SCHEMA access FROM PUBLIC;
GRANT USAGE ON SCHEMA access TO qd_app, qd_system;

CREATE TABLE access.tenants (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO access.tenants (id, slug, name) VALUES (platform.fleet_tenant(), 'fleet', 'The fleet itself');
INSERT INTO access.tenants (slug, name) VALUES ('default', 'Default');
ALTER TABLE access.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE access.tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own_row ON access.tenants FOR SELECT TO qd_app USING (id = platform.tenant());
CREATE POLICY all_rows ON access.tenants TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT ON access.tenants TO qd_app, qd_system;
GRANT INSERT (id, slug, name) ON access.tenants TO qd_system;

CREATE TABLE access.operators (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$'),
  created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE access.operators ENABLE ROW LEVEL SECURITY;
ALTER TABLE access.operators FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON access.operators TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON access.operators TO qd_system;

-- Who an agent is. How it runs is the fleet room's.
CREATE TABLE access.agents (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL REFERENCES access.tenants (id),
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$'),
  kind text NOT NULL CHECK (kind IN ('process', 'external', 'llm')),
  created_at timestamptz NOT NULL DEFAULT now(),
  removed_at timestamptz,
  PRIMARY KEY (id),
  UNIQUE (tenant_id, id)
);
CREATE UNIQUE INDEX agents_slug ON access.agents (tenant_id, slug) WHERE removed_at IS NULL;
CREATE INDEX agents_by_slug ON access.agents (slug) WHERE removed_at IS NULL;
ALTER TABLE access.agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE access.agents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON access.agents TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON access.agents TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (kind, removed_at) ON access.agents TO qd_app, qd_system;

CREATE TABLE access.tokens (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('operator', 'agent')),
  tenant_id uuid NOT NULL REFERENCES access.tenants (id),
  operator_id uuid REFERENCES access.operators (id),
  agent_id uuid,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  display text NOT NULL,
  abilities text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  FOREIGN KEY (tenant_id, agent_id) REFERENCES access.agents (tenant_id, id),
  CHECK ((kind = 'operator') = (operator_id IS NOT NULL)),
  CHECK ((kind = 'agent') = (agent_id IS NOT NULL))
);
CREATE INDEX tokens_tenant ON access.tokens (tenant_id, id);
CREATE INDEX tokens_agent ON access.tokens (agent_id) WHERE revoked_at IS NULL;
ALTER TABLE access.tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE access.tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON access.tokens TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON access.tokens TO qd_system USING (true) WITH CHECK (true);
-- A tenant's requests cannot even read the hashes.
GRANT SELECT (id, kind, tenant_id, operator_id, agent_id, name, display, abilities, created_at, created_by, expires_at,
  last_used_at, revoked_at), INSERT, UPDATE (revoked_at) ON access.tokens TO qd_app;
GRANT SELECT, INSERT, UPDATE (revoked_at, last_used_at) ON access.tokens TO qd_system;

CREATE TABLE access.sign_in_links (
  hash bytea PRIMARY KEY CHECK (length(hash) = 32),
  operator_id uuid NOT NULL REFERENCES access.operators (id),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
ALTER TABLE access.sign_in_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE access.sign_in_links FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON access.sign_in_links TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON access.sign_in_links TO qd_system;

CREATE TABLE access.sessions (
  id uuid PRIMARY KEY,
  hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  operator_id uuid NOT NULL REFERENCES access.operators (id),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  user_agent text,
  address text
);
ALTER TABLE access.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE access.sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON access.sessions TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON access.sessions TO qd_system;

-- First results of requests with an Idempotency-Key, for 72 hours.
CREATE TABLE access.idempotency_keys (
  tenant_id uuid NOT NULL,
  caller_id text NOT NULL,
  key text NOT NULL,
  hash bytea NOT NULL,
  result jsonb,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, caller_id, key)
);
CREATE INDEX idempotency_keys_at ON access.idempotency_keys (at);
ALTER TABLE access.idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE access.idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON access.idempotency_keys TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON access.idempotency_keys TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (result) ON access.idempotency_keys TO qd_app, qd_system;
GRANT DELETE ON access.idempotency_keys TO qd_system;
