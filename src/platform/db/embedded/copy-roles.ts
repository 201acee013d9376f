// Roles belong to the server, not to a database, so they are copied apart from the rows: those that are not made by
// PostgreSQL, by us, or by the migrations, with their passwords as kept (no password is known), settings, memberships and
// what they were granted. Both sides speak as superuser to the installation's database.
import type { Client } from 'pg';

// A list as its setting keeps it is quoted already.
const LISTS = `('search_path', 'local_preload_libraries', 'session_preload_libraries', 'temp_tablespaces')`;
const OURS = `('postgres', 'quarterdeck')`;

const ROLES = `
  SELECT rolname AS name, format('CREATE ROLE %I %s %s %s %s %s %s %s CONNECTION LIMIT %s PASSWORD %s VALID UNTIL %L', rolname,
    CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
    CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END,
    CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
    CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
    CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END, rolconnlimit,
    coalesce(quote_literal(rolpassword), 'NULL'), coalesce(rolvaliduntil, 'infinity')) AS statement
  FROM pg_authid WHERE rolname !~ '^pg_' AND rolname NOT IN ${OURS} ORDER BY rolname`;

const MEMBERSHIPS = `
  SELECT format('GRANT %I TO %I WITH ADMIN %s, INHERIT %s, SET %s', r.rolname, m.rolname,
    a.admin_option::text, a.inherit_option::text, a.set_option::text) AS statement
  FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
  WHERE m.rolname !~ '^pg_' AND m.rolname <> 'postgres' ORDER BY r.rolname, m.rolname`;

const SETTINGS = `
  SELECT format('ALTER %s SET %s = %s',
    CASE WHEN s.setrole = 0 THEN format('DATABASE %I', d.datname)
         WHEN s.setdatabase = 0 THEN format('ROLE %I', r.rolname)
         ELSE format('ROLE %I IN DATABASE %I', r.rolname, d.datname) END,
    split_part(one, '=', 1),
    CASE WHEN split_part(one, '=', 1) IN ${LISTS} THEN substr(one, strpos(one, '=') + 1)
         ELSE quote_literal(substr(one, strpos(one, '=') + 1)) END) AS statement
  FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) one
    LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
  WHERE s.setdatabase = 0 OR d.datname = current_database()`;

// Rights that the migrations gave are there already; giving them twice changes nothing.
const GRANTS = `
  SELECT format('GRANT %s%s ON %s TO %I%s', a.privilege_type, o.columns, o.object, r.rolname,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS statement
  FROM (
    SELECT format('DATABASE %I', datname) AS object, '' AS columns, datacl AS acl FROM pg_database
    WHERE datname = current_database()
    UNION ALL
    SELECT format('SCHEMA %I', nspname), '', nspacl FROM pg_namespace
    UNION ALL
    SELECT format('%s %I.%I', CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname), '', c.relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT c.relispartition
    UNION ALL
    SELECT format('TABLE %I.%I', n.nspname, c.relname), format(' (%I)', t.attname), t.attacl
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT c.relispartition
    UNION ALL
    SELECT format('ROUTINE %s', p.oid::regprocedure), '', p.proacl FROM pg_proc p
  ) o CROSS JOIN aclexplode(o.acl) a JOIN pg_roles r ON r.oid = a.grantee
  WHERE r.rolname !~ '^pg_' AND r.rolname NOT IN ${OURS}`;

/** Answers how many roles were made. The schema is the same on both sides. */
export async function copyRoles(source: Client, target: Client): Promise<number> {
  // Names come out with their schemas.
  await source.query(`SET search_path = ''`);
  const { rows: there } = await target.query<{ name: string }>('SELECT rolname AS name FROM pg_roles');
  const present = new Set(there.map(({ name }) => name));
  const { rows } = await source.query<{ name: string; statement: string }>(ROLES);
  const missing = rows.filter(({ name }) => !present.has(name));
  await target.query('BEGIN');
  for (const { statement } of missing) await target.query(statement);
  for (const part of [MEMBERSHIPS, SETTINGS, GRANTS]) {
    const { rows: statements } = await source.query<{ statement: string }>(part);
    for (const { statement } of statements) await target.query(statement);
  }
  await target.query('COMMIT');
  return missing.length;
}
