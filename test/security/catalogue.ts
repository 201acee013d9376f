// The rules of the database schema, checked in PostgreSQL's own catalogue: so a table, view or function that somebody
// adds later is checked without being named here. What may break a rule is listed with its reason.
import type pg from 'pg';
import { ownSchemas } from './footprint.ts';

const REQUEST_ROLES = ['qd_app', 'qd_system'];

const WITHOUT_ROW_SECURITY: Readonly<Record<string, string>> = {
  'platform.migrations': 'which migrations ran: nobody’s data, and qd_app has no right on it',
};

const SECURITY_DEFINERS: Readonly<Record<string, string>> = {
  'access.append_in_plain_sql': 'the only way of a role for plain SQL into the log; it decides by who signed in',
  'work.channel_room': 'counts what all tenants use of a channel; it answers numbers only',
  'work.note_grant': 'counts what a claim took of a channel that it holds locked',
  'work.spend': 'charges what a worker used to budgets of its tenant and of the fleet; it answers nothing',
  'work.spent_out': 'tells a claim whose budget is used up; it answers ids of tenants only',
  'work.hold_back': 'a worker’s word pauses the channel of a job that it held, also one of the fleet',
  'work.judge_anew': 'lets the next claim judge a full channel anew, also one of the fleet; it answers nothing',
  'log.next_seq': 'draws from a sequence that nobody may draw from directly',
  'log.epoch': 'reads the server’s identity',
};

/** What roles for plain SQL reach, and what it is decided by: test/security/plain-sql.db.test.ts tries to get past it. */
const OWNERS_VIEWS: Readonly<Record<string, string>> = {
  'access.sql_session': 'shows the one row of who signed in',
  'access.sql_tenants': 'shows the tenants of who signed in',
  'plain_sql.event_log': 'shows no row at all',
  'plain_sql.batch_jobs': 'shows rows of the tenants of who signed in',
  'plain_sql.health_checks': 'shows rows of the tenants of who signed in',
};

/** Unique keys of tenant tables that hold neither tenant_id nor a uuid, so that their refusal could tell of others. */
const GLOBAL_KEYS: Readonly<Record<string, string>> = {
  'access.sql_roles_pkey': 'over 100 random bits that this program draws; nobody may supply it',
  'access.tokens_hash_key': 'SHA-256 of 178 random bits: nobody meets another’s',
  'log.event_log_pkey': 'a number that the server draws; nobody may supply it',
  'work.budgets_pkey': 'a number that the server draws; nobody may supply it',
  'work.channels_pkey': 'a number that the server draws; nobody may supply it',
  'work.lanes_pkey': 'a number that the server draws; nobody may supply it',
};

const SECOND_POLICIES: Readonly<Record<string, string>> = {
  'work.channels fleet_rows': 'for reading only: the fleet’s channels serve the jobs of all tenants',
  'work.pauses fleet_row': 'for reading only: a pause of the fleet holds for all tenants',
};

const KEYS_ACROSS: Readonly<Record<string, string>> = {
  'lanes_channel_id_fkey on work.lanes': 'a tenant’s lane may lead to a channel of the fleet',
};

interface Rule {
  readonly what: string;
  /** Rows are what breaks the rule; `$1` is not used. */
  readonly sql: string;
  readonly allowed?: Readonly<Record<string, string>>;
}

const RELATION = `format('%s.%s', n.nspname, c.relname)`;
const FROM_RELATIONS = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`;
const HAS_TENANT = `EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped)`;

const rules: readonly Rule[] = [
  {
    what: 'has row security enabled and forced',
    sql: `SELECT ${RELATION} AS name ${FROM_RELATIONS} WHERE c.relkind IN ('r', 'p') AND ${ownSchemas}
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`,
    allowed: WITHOUT_ROW_SECURITY,
  },
  {
    // A partition is reached through its parent; without a policy and without rights of its own it answers nothing.
    what: 'has a policy, or no right for anybody',
    sql: `SELECT ${RELATION} AS name ${FROM_RELATIONS} WHERE c.relkind IN ('r', 'p') AND ${ownSchemas}
          AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
          AND (NOT c.relispartition OR EXISTS (
            SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner))`,
    allowed: WITHOUT_ROW_SECURITY,
  },
  {
    what: 'holds a tenant’s requests to tenant_id = platform.tenant(), reading and writing',
    sql: `SELECT ${RELATION} AS name ${FROM_RELATIONS} WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND ${ownSchemas} AND ${HAS_TENANT} AND NOT EXISTS (
            SELECT FROM pg_policies p WHERE p.schemaname = n.nspname AND p.tablename = c.relname
              AND p.roles = ARRAY['qd_app'::name] AND p.permissive = 'PERMISSIVE'
              AND p.qual = '(tenant_id = platform.tenant())'
              AND (p.with_check = '(tenant_id = platform.tenant())' OR (p.cmd = 'SELECT' AND NOT (
                has_any_column_privilege('qd_app', c.oid, 'INSERT, UPDATE') OR has_table_privilege('qd_app', c.oid, 'DELETE')))))`,
  },
  {
    what: 'has no second policy that would open it to a tenant’s requests',
    sql: `SELECT format('%s.%s %s', p.schemaname, p.tablename, p.policyname) AS name FROM pg_policies p
          JOIN pg_class c ON c.oid = format('%I.%I', p.schemaname, p.tablename)::regclass
          JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE ${ownSchemas} AND ${HAS_TENANT} AND p.roles && ARRAY['qd_app', 'public']::name[]
            AND (p.qual IS DISTINCT FROM '(tenant_id = platform.tenant())'
              OR coalesce(p.with_check, p.qual) <> '(tenant_id = platform.tenant())')`,
    allowed: SECOND_POLICIES,
  },
  {
    what: 'is a view with the rights of whoever asks',
    sql: `SELECT ${RELATION} AS name ${FROM_RELATIONS} WHERE c.relkind = 'v' AND ${ownSchemas}
          AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false)`,
    allowed: OWNERS_VIEWS,
  },
  {
    what: 'is no materialized view, which would ignore row security',
    sql: `SELECT ${RELATION} AS name ${FROM_RELATIONS} WHERE c.relkind = 'm' AND ${ownSchemas}`,
  },
  {
    what: 'is no function with the rights of its owner',
    sql: `SELECT format('%s.%s', n.nspname, p.proname) AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
          WHERE p.prosecdef AND ${ownSchemas}`,
    allowed: SECURITY_DEFINERS,
  },
  {
    what: 'is no function with the rights of its owner that everybody may call',
    sql: `SELECT format('%s.%s', n.nspname, p.proname) AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
            aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
          WHERE p.prosecdef AND a.grantee = 0 AND ${ownSchemas}`,
  },
  {
    what: 'is a schema that is closed to PUBLIC',
    sql: `SELECT n.nspname AS name FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
          WHERE a.grantee = 0 AND ${ownSchemas}`,
  },
  {
    what: 'gives PUBLIC no right',
    sql: `SELECT ${RELATION} AS name ${FROM_RELATIONS}, aclexplode(c.relacl) a WHERE a.grantee = 0 AND ${ownSchemas}`,
  },
  {
    what: 'lets the request roles make nothing in our schemas',
    sql: `SELECT n.nspname || ' ' || r.rolname AS name FROM pg_namespace n, pg_roles r
          WHERE ${ownSchemas} AND r.rolname = ANY ('{${REQUEST_ROLES.join()}}') AND has_schema_privilege(r.oid, n.oid, 'CREATE')`,
  },
  {
    what: 'lets nobody empty, reference or put triggers on a table',
    sql: `SELECT ${RELATION} || ' ' || r.rolname AS name ${FROM_RELATIONS}, pg_roles r
          WHERE c.relkind IN ('r', 'p') AND ${ownSchemas} AND r.rolname = ANY ('{${REQUEST_ROLES.join()}}')
            AND has_table_privilege(r.oid, c.oid, 'TRUNCATE, REFERENCES, TRIGGER')`,
  },
  {
    what: 'lets nobody change or delete what the log holds',
    sql: `SELECT ${RELATION} || ' ' || r.rolname AS name ${FROM_RELATIONS}, pg_roles r
          WHERE n.nspname = 'log' AND c.relname LIKE 'event\\_log%' AND c.relkind IN ('r', 'p')
            AND r.rolname = ANY ('{${REQUEST_ROLES.join()}}')
            AND (has_any_column_privilege(r.oid, c.oid, 'UPDATE') OR has_table_privilege(r.oid, c.oid, 'DELETE'))`,
  },
  {
    what: 'lets nobody choose the number or the time of an event',
    sql: `SELECT a.attname || ' ' || r.rolname AS name FROM pg_attribute a, pg_roles r
          WHERE a.attrelid = 'log.event_log'::regclass AND a.attname IN ('seq', 'at')
            AND r.rolname = ANY ('{${REQUEST_ROLES.join()}}')
            AND has_column_privilege(r.oid, a.attrelid, a.attname, 'INSERT')`,
  },
  {
    what: 'lets nobody draw or set the numbers of the log',
    sql: `SELECT r.rolname AS name FROM pg_roles r WHERE r.rolname = ANY ('{${REQUEST_ROLES.join()}}')
            AND has_sequence_privilege(r.oid, 'log.event_seq', 'USAGE, UPDATE')`,
  },
  {
    what: 'is a role that can neither pass over row security nor sign in nor make others',
    sql: `SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ('{${REQUEST_ROLES.join()}}')
            AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication)`,
  },
  {
    what: 'is a request role that is member of no other',
    sql: `SELECT r.rolname AS name FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
          WHERE r.rolname = ANY ('{${REQUEST_ROLES.join()}}')`,
  },
  {
    what: 'is a unique key that holds the tenant or a uuid',
    sql: `SELECT format('%s.%s', n.nspname, i.relname) AS name ${FROM_RELATIONS}
          JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
          WHERE x.indisunique AND NOT c.relispartition AND ${ownSchemas} AND ${HAS_TENANT} AND NOT EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (x.indkey)
              AND (a.attname = 'tenant_id' OR a.atttypid = 'uuid'::regtype))`,
    allowed: GLOBAL_KEYS,
  },
  {
    what: 'is a foreign key between tenant tables that holds the tenant',
    sql: `SELECT format('%s on %s', k.conname, k.conrelid::regclass) AS name ${FROM_RELATIONS}
          JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0
          WHERE ${ownSchemas} AND ${HAS_TENANT}
            AND EXISTS (SELECT FROM pg_attribute f WHERE f.attrelid = k.confrelid AND f.attname = 'tenant_id')
            AND NOT EXISTS (
              SELECT FROM unnest(k.conkey, k.confkey) AS pair (own, other)
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.own AND a.attname = 'tenant_id'
              JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.other AND b.attname = 'tenant_id')`,
    allowed: KEYS_ACROSS,
  },
  {
    what: 'is a tenant_id that is never missing',
    sql: `SELECT ${RELATION} AS name ${FROM_RELATIONS} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
          WHERE c.relkind IN ('r', 'p') AND ${ownSchemas} AND NOT a.attnotnull`,
  },
];

/** What breaks a rule, each in one line; and what is allowed to break one and does not. */
export async function catalogueProblems(admin: pg.Client): Promise<string[]> {
  const problems: string[] = [];
  for (const { what, sql, allowed = {} } of rules) {
    const { rows } = await admin.query<{ name: string }>(sql);
    const names = rows.map(({ name }) => name);
    problems.push(...names.filter((name) => allowed[name] === undefined).map((name) => `${name} breaks: ${what}`));
    problems.push(
      ...Object.keys(allowed)
        .filter((name) => !names.includes(name))
        .map((name) => `${name} needs no leave: ${what}`),
    );
  }
  return problems;
}
