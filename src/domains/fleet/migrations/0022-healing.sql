-- The healer: what it did for agents that gave no sign of life, so that it does not try for ever and everybody can read why.
ALTER TABLE fleet.agents ADD on_silence text NOT NULL DEFAULT 'restart' CHECK (on_silence IN ('restart', 'report'));
-- Since when the healer waits for a sign of life after what it did.
ALTER TABLE fleet.health_checks ADD healing_since timestamptz;

CREATE TABLE fleet.healings (
  agent_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  step text NOT NULL CHECK (step IN ('restart', 'pause')),
  reason text NOT NULL,
  PRIMARY KEY (agent_id, at),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES fleet.agents (tenant_id, agent_id) ON DELETE CASCADE
);
ALTER TABLE fleet.healings ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.healings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON fleet.healings FOR SELECT TO qd_app USING (tenant_id = platform.tenant());
CREATE POLICY all_rows ON fleet.healings TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT ON fleet.healings TO qd_app;
GRANT SELECT, INSERT, DELETE ON fleet.healings TO qd_system;
