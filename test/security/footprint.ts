// The content of all our tables as one value per table, so that a test can say that nothing changed.
import pg from 'pg';

export const ownSchemas = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'public') AND n.nspname NOT LIKE 'pg\\_%'`;

/** Written by every use of a credential, as it must be; the latter up to a second later. */
const ALLOWED = ['last_used_at', 'last_seen'];

export interface Footprint {
  /** Number of rows and a hash of them, per table. */
  take(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/** Of all rows, or of the rows of one tenant. */
export async function openFootprint(adminUrl: string, tenant?: string): Promise<Footprint> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const { rows: tables } = await admin.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${ownSchemas}
       AND ($1::text IS NULL OR EXISTS (
         SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
     ORDER BY 1`,
    [tenant ?? null],
  );
  const where =
    tenant === undefined ? '$2::text IS NULL' : 't.tenant_id = (SELECT id FROM access.tenants WHERE slug = $2)';
  const text = tables
    .map(
      ({ name }) => `SELECT '${name}' AS name, count(*) || ' rows, ' ||
        coalesce(sum(hashtextextended((to_jsonb(t) - $1::text[])::text, 0)::numeric), 0) AS content FROM ${name} t WHERE ${where}`,
    )
    .join(' UNION ALL ');
  return {
    async take() {
      const { rows } = await admin.query<{ name: string; content: string }>(text, [ALLOWED, tenant ?? null]);
      return Object.fromEntries(rows.map(({ name, content }) => [name, content]));
    },
    close: () => admin.end(),
  };
}
