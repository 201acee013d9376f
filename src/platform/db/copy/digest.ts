// What a table holds, in a few bytes: the number of its rows and the sum of their hashes, which is the same in whatever
// order they lie. Counted by the server itself, so nothing of the table is in our memory.
import type pg from 'pg';
import type { CatalogTable } from './catalog.ts';

export interface TableDigest {
  readonly rows: number;
  /** Equal when the rows are; a hash of 128 bits a row, added up. */
  readonly sum: string;
}

/** Under the settings of `hold.ts`: what a value looks like as text must not depend on the session. */
export async function digestTable(client: pg.ClientBase, table: CatalogTable): Promise<TableDigest> {
  const columns = table.columns.map(({ name }) => name).join(', ');
  // SHA-256 and not MD5, which a server in FIPS mode refuses.
  const word = (from: number) => `sum(('x' || encode(substr(h, ${from}, 8), 'hex'))::bit(64)::bigint::numeric)`;
  const { rows } = await client.query<{ rows: string; high: string | null; low: string | null }>(
    `SELECT count(*)::text AS rows, ${word(1)}::text AS high, ${word(9)}::text AS low
     FROM (SELECT sha256(convert_to(ROW(${columns})::text, 'UTF8')) AS h FROM ONLY ${table.name}) hashed`,
  );
  const { rows: count, high, low } = rows[0]!;
  return { rows: Number(count), sum: `${high ?? 0}/${low ?? 0}` };
}
