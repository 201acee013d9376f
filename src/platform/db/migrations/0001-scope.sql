-- The tenant of a transaction, as qd.tenant says. Row policies believe it from the role qd_app only: other roles get no
-- policy that uses it. Empty or absent means no tenant, which matches no row.
CREATE FUNCTION platform.tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('qd.tenant', true), '')::uuid $$;

-- The tenant that stands for the fleet itself: rows of no client. A constant, so that keys need no NULL.
CREATE FUNCTION platform.fleet_tenant() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$;

REVOKE ALL ON SCHEMA platform FROM PUBLIC;
GRANT USAGE ON SCHEMA platform TO qd_app, qd_system;
GRANT SELECT ON platform.migrations TO qd_system;
