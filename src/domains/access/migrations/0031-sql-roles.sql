-- Database roles with which agents speak plain SQL. Such a role has no right on any table of ours: it reaches the views
-- of the schema plain_sql, and what these show is decided by who signed in (session_user), which no setting and no
-- SET ROLE changes. Two things hold a view to it, each by itself: the condition in the view, and row policies for the
-- owner of the views. The condition alone holds where the owner inherits qd_system (PostgreSQL 15) or passes over row
-- policies (some hosted servers); the policies alone hold where a condition is forgotten.

CREATE TABLE access.sql_roles (
  role_name text PRIMARY KEY CHECK (role_name ~ '^qd_sql_[a-z0-9]{20}$'),
  tenant_id uuid NOT NULL,
  agent_id uuid NOT NULL,
  -- Its name, which never changes: the source of what it appends.
  agent text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  password_at timestamptz NOT NULL DEFAULT now(),
  -- From then on it sees and does nothing; the row goes when the database role is gone.
  removed_at timestamptz,
  FOREIGN KEY (tenant_id, agent_id) REFERENCES access.agents (tenant_id, id)
);
CREATE UNIQUE INDEX sql_roles_agent ON access.sql_roles (agent_id) WHERE removed_at IS NULL;
ALTER TABLE access.sql_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE access.sql_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON access.sql_roles TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON access.sql_roles TO qd_system USING (true) WITH CHECK (true);
CREATE POLICY session_rows ON access.sql_roles FOR SELECT TO CURRENT_USER
  USING (role_name = session_user AND removed_at IS NULL);
GRANT SELECT, INSERT (role_name, tenant_id, agent_id, agent, created_by), UPDATE (password_at, removed_at)
  ON access.sql_roles TO qd_app, qd_system;
GRANT DELETE ON access.sql_roles TO qd_system;

-- Who signed in with a role for plain SQL: one row, or none.
CREATE VIEW access.sql_session WITH (security_barrier = true) AS
  SELECT s.tenant_id, s.agent FROM access.sql_roles s WHERE s.role_name = session_user AND s.removed_at IS NULL;

CREATE POLICY session_rows ON access.tenants FOR SELECT TO CURRENT_USER
  USING (EXISTS (SELECT FROM access.sql_session s WHERE s.tenant_id IN (id, platform.fleet_tenant())));

-- The tenants whose rows it sees: its own; an agent of the fleet sees all, as by its token.
CREATE VIEW access.sql_tenants WITH (security_barrier = true) AS
  SELECT t.id FROM access.tenants t JOIN access.sql_session s ON s.tenant_id IN (t.id, platform.fleet_tenant());

-- What stands in this schema is what roles for plain SQL reach: a view with a trigger for INSERT takes rows, every other
-- is read.
CREATE SCHEMA plain_sql;
REVOKE ALL ON SCHEMA plain_sql FROM PUBLIC;

CREATE POLICY session_rows ON log.event_log FOR INSERT TO CURRENT_USER WITH CHECK (
  EXISTS (SELECT FROM access.sql_session s WHERE s.tenant_id = event_log.tenant_id AND s.agent = event_log.source_agent));

-- For INSERT only. Its columns are what a writer may state; id, seq, at and the tenant are none of them, and of
-- source_agent it is only remembered that it was given.
CREATE VIEW plain_sql.event_log (event_type, source_agent, payload, subject, correlation_id, causation_id) AS
  SELECT NULL::text, NULL::text, NULL::jsonb, NULL::text, NULL::text, NULL::text WHERE false;
ALTER VIEW plain_sql.event_log ALTER COLUMN payload SET DEFAULT '{}';

CREATE FUNCTION access.append_in_plain_sql() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  who record;
BEGIN
  SELECT s.tenant_id, s.agent INTO who FROM access.sql_session s;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the role % is no agent''s', session_user USING ERRCODE = 'insufficient_privilege',
      HINT = 'It was removed. Let an operator make another: quarterdeck access sql-role <agent>.';
  END IF;
  PERFORM log.check_event(NEW.event_type, NEW.subject, NEW.payload, NEW.correlation_id, NEW.causation_id);
  -- Readers hand an event on as soon as it is visible; after a crash it must still be there.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  INSERT INTO log.event_log (tenant_id, event_type, source_agent, subject, payload, correlation_id, causation_id)
  VALUES (who.tenant_id, NEW.event_type, who.agent, NEW.subject, NEW.payload, NEW.correlation_id, NEW.causation_id);
  NEW.source_agent := who.agent;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION access.append_in_plain_sql() FROM PUBLIC;
CREATE TRIGGER append INSTEAD OF INSERT ON plain_sql.event_log
  FOR EACH ROW EXECUTE FUNCTION access.append_in_plain_sql();

-- Makes the database role of this name, or gives the one there is this password and its settings anew. Run by the owner,
-- who becomes a member of it, to see and end its sessions without being a superuser.
CREATE FUNCTION access.make_sql_role(role_name text, verifier text, most int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  is_new boolean := NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role_name);
  setting text;
BEGIN
  -- Rights are kept in one row a view, which two makers at once would both want to change; and what is kept there has a
  -- limit of a few hundred roles.
  PERFORM pg_advisory_xact_lock(7310582);
  IF is_new AND most <= (SELECT count(DISTINCT a.grantee) - 1 FROM pg_namespace n, aclexplode(n.nspacl) a
                         WHERE n.nspname = 'plain_sql') THEN
    RAISE EXCEPTION 'too many roles for plain SQL' USING ERRCODE = 'QD002';
  END IF;
  IF is_new THEN
    EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role_name);
  END IF;
  EXECUTE format('ALTER ROLE %I LOGIN CONNECTION LIMIT 5 PASSWORD %L', role_name, verifier);
  IF current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE format('GRANT %I TO CURRENT_USER WITH INHERIT TRUE, SET FALSE', role_name);
  ELSE
    EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
  END IF;
  -- A role may change its own settings, also for good, so all of them begin anew here. They are for programs that err;
  -- whoever lifts them is ended by a loop of the engine.
  EXECUTE format('ALTER ROLE %I RESET ALL', role_name);
  EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL', role_name, current_database());
  FOREACH setting IN ARRAY ARRAY['search_path = plain_sql', 'statement_timeout = ''30s''', 'lock_timeout = ''5s''',
    'idle_in_transaction_session_timeout = ''5s''', 'default_transaction_isolation = ''read committed'''] LOOP
    EXECUTE format('ALTER ROLE %I SET %s', role_name, setting);
  END LOOP;
  IF NOT has_database_privilege(role_name, current_database(), 'CONNECT') THEN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA plain_sql TO %I', role_name);
  PERFORM access.grant_plain_sql(role_name);
END $$;

-- What stands in plain_sql, for one role. A later migration that adds a view calls it for all.
CREATE FUNCTION access.grant_plain_sql(role_name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  view record;
BEGIN
  FOR view IN
    SELECT c.relname AS name, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid) AS takes_rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'plain_sql' AND c.relkind = 'v'
  LOOP
    EXECUTE format('GRANT %s ON plain_sql.%I TO %I', CASE WHEN view.takes_rows THEN 'INSERT' ELSE 'SELECT' END,
      view.name, role_name);
  END LOOP;
END $$;

-- Ends every session of a role and waits for them to be gone; answers how many there were.
CREATE FUNCTION access.end_sql_sessions(role_name text) RETURNS int LANGUAGE sql AS $$
  SELECT count(pg_terminate_backend(a.pid, 2000))::int FROM pg_stat_activity a WHERE a.usename = role_name
$$;

-- Nobody signs in as it any more. Run by the owner, as what follows.
CREATE FUNCTION access.shut_sql_role_out(role_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role_name) THEN
    EXECUTE format('ALTER ROLE %I NOLOGIN PASSWORD NULL', role_name);
  END IF;
END $$;

-- Removes a role that may no longer sign in, with what it owns (large objects, temporary tables); the last of several
-- steps, and harmless when it comes again.
CREATE FUNCTION access.drop_sql_role(role_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role_name) THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(7310582);
  EXECUTE format('DROP OWNED BY %I', role_name);
  EXECUTE format('DROP ROLE %I', role_name);
EXCEPTION
  -- It owns something in another database of this server. It stays without password, sign-in and rights.
  WHEN dependent_objects_still_exist THEN RETURN;
END $$;
REVOKE ALL ON FUNCTION access.make_sql_role(text, text, int), access.grant_plain_sql(text),
  access.end_sql_sessions(text), access.shut_sql_role_out(text), access.drop_sql_role(text) FROM PUBLIC;
