// What a database says of itself while and after it is moved: a comment on the schema `platform`, so that it needs no table
// and comes and goes with the transaction that sets it. A database in ordinary use has none.
import type pg from 'pg';

export interface Label {
  /** `filling`: a move has begun to make it. `copied`: it is whole and proven. `left`: the installation went elsewhere. */
  readonly state: 'filling' | 'copied' | 'left';
  /** Of the move. */
  readonly move: string;
  /** Which log lies in it, or shall. */
  readonly log: string;
  /** ISO 8601 */
  readonly at: string;
  /** For `left`: where to, without user and password. */
  readonly to?: string;
}

const PREFIX = 'quarterdeck move ';

export async function readLabel(client: pg.ClientBase): Promise<Label | undefined> {
  const { rows } = await client.query<{ text: string | null }>(
    `SELECT obj_description(oid, 'pg_namespace') AS text FROM pg_namespace WHERE nspname = 'platform'`,
  );
  const text = rows[0]?.text;
  if (!text?.startsWith(PREFIX)) return undefined;
  try {
    return JSON.parse(text.slice(PREFIX.length)) as Label;
  } catch {
    return undefined;
  }
}

export async function setLabel(client: pg.ClientBase, label: Label | undefined): Promise<void> {
  const text = label === undefined ? 'NULL' : literal(PREFIX + JSON.stringify(label));
  await client.query(`COMMENT ON SCHEMA platform IS ${text}`);
}

// COMMENT takes no parameters.
function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** The identity of the log in a database; undefined where there is none. */
export async function readLogIdentity(client: pg.ClientBase): Promise<string | undefined> {
  const { rows: found } = await client.query(`SELECT to_regclass('log.identity') IS NOT NULL AS there`);
  if (!found[0].there) return undefined;
  const { rows } = await client.query<{ id: string }>('SELECT id::text FROM log.identity');
  return rows[0]?.id;
}
