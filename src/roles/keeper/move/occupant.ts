// Who lives in a database that is to be moved into: nobody, this installation in an earlier state, or somebody else.
import type pg from 'pg';
import { type Label, readLabel, readLogIdentity } from './label.ts';

export type Occupant =
  | { readonly kind: 'nobody' }
  /** Left by this installation, or half filled for it: may be replaced. */
  | { readonly kind: 'formerly_ours'; readonly label: Label }
  | { readonly kind: 'in_use' }
  /** Somebody else's move fills it, has filled it, or left it. */
  | { readonly kind: 'of_another'; readonly label: Label }
  /** Schemas with names of ours that Quarterdeck did not make. */
  | { readonly kind: 'foreign'; readonly schemas: readonly string[] };

/** `log`: the identity of the log that is to be moved. */
export async function findOccupant(client: pg.ClientBase, schemas: readonly string[], log: string): Promise<Occupant> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT nspname AS name FROM pg_namespace WHERE nspname = ANY ($1) ORDER BY 1',
    [schemas],
  );
  if (rows.length === 0) return { kind: 'nobody' };
  try {
    return await judge(
      client,
      rows.map(({ name }) => name),
      log,
    );
  } catch (error) {
    // Schemas that we may not even look into belong to another user.
    if ((error as { code?: string }).code === '42501') return { kind: 'in_use' };
    throw error;
  }
}

async function judge(client: pg.ClientBase, present: readonly string[], log: string): Promise<Occupant> {
  const label = await readLabel(client);
  if (label !== undefined) return { kind: label.log === log ? 'formerly_ours' : 'of_another', label };
  const { rows: ours } = await client.query(`SELECT to_regclass('platform.migrations') IS NOT NULL AS there`);
  if (!ours[0].there) return { kind: 'foreign', schemas: present };
  // Migrated, but without anything in it: what a start made that never got further.
  return (await readLogIdentity(client)) === undefined ? { kind: 'nobody' } : { kind: 'in_use' };
}
