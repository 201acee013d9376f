// Everything that migrations make, as lines of text that are equal when the schema is: read from the catalogue, without ids
// and without anything that depends on when or how often it was made.
import type pg from 'pg';

const OURS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;
// Privileges have no order of their own.
const acl = (column: string) => `(SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(${column}) a)`;

const QUERIES = [
  `SELECT 'schema', n.nspname, pg_get_userbyid(n.nspowner), ${acl('n.nspacl')} FROM pg_namespace n WHERE ${OURS}`,
  `SELECT c.relkind, c.oid::regclass::text, pg_get_userbyid(c.relowner), ${acl('c.relacl')}, c.relrowsecurity,
     c.relforcerowsecurity, c.reloptions, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid),
     CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, obj_description(c.oid, 'pg_class')
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS}`,
  `SELECT 'column', c.oid::regclass::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
     a.attgenerated, a.attisdropped, pg_get_expr(d.adbin, d.adrelid), ${acl('a.attacl')}, a.attoptions, a.attstorage,
     a.attcompression, col_description(c.oid, a.attnum)
   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE ${OURS} AND a.attnum > 0`,
  `SELECT 'constraint', k.conrelid::regclass::text, k.conname, pg_get_constraintdef(k.oid), k.convalidated
   FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE ${OURS}`,
  `SELECT 'index', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisunique
   FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS}`,
  `SELECT 'function', CASE WHEN p.prokind = 'a' THEN p.oid::regprocedure::text ELSE pg_get_functiondef(p.oid) END,
     pg_get_userbyid(p.proowner), ${acl('p.proacl')}
   FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${OURS}`,
  `SELECT 'trigger', pg_get_triggerdef(t.oid), t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} AND NOT t.tgisinternal`,
  `SELECT 'policy', p.polrelid::regclass::text, p.polname, p.polcmd, p.polpermissive,
     (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END, ' ' ORDER BY 1) FROM unnest(p.polroles) r),
     pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid) FROM pg_policy p`,
  `SELECT 'sequence', s.seqrelid::regclass::text, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqcache, s.seqcycle
   FROM pg_sequence s`,
  `SELECT 'type', t.oid::regtype::text, t.typtype, (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e
     WHERE e.enumtypid = t.oid) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${OURS}`,
  `SELECT 'extension', extname, extversion FROM pg_extension`,
  `SELECT 'event trigger', evtname, evtevent, evtfoid::regproc::text FROM pg_event_trigger`,
  `SELECT 'default privileges', pg_get_userbyid(defaclrole), defaclnamespace::regnamespace::text, defaclobjtype, ${acl('defaclacl')}
   FROM pg_default_acl`,
  `SELECT 'setting', coalesce(pg_get_userbyid(nullif(setrole, 0)), ''), setconfig::text FROM pg_db_role_setting s
   JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()`,
];

/** Sorted, with the migrations that the database says it has. */
export async function dumpSchema(client: pg.ClientBase): Promise<string> {
  const lines: string[] = [];
  await client.query(`SET search_path = ''`);
  for (const text of QUERIES) {
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
    lines.push(...rows.map((row) => JSON.stringify(row)));
  }
  const { rows } = await client.query<unknown[]>({ text: APPLIED_THERE, rowMode: 'array' });
  if (rows[0]?.[0] === true) {
    const applied = await client.query<unknown[]>({ text: APPLIED, rowMode: 'array' });
    lines.push(...applied.rows.map((row) => JSON.stringify(row)));
  }
  return lines.sort().join('\n');
}

const APPLIED_THERE = `SELECT to_regclass('platform.migrations') IS NOT NULL`;
const APPLIED = `SELECT 'applied', number, name, checksum FROM platform.migrations`;
