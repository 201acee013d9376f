// Closes a database for good when its installation leaves, and opens it again when the move did not get as far as the
// switch. Closed, it refuses every change as a server that only reads does, also from programs of other machines that
// were waiting for us to let go of the tables: what they hear is that it is unavailable.
import type pg from 'pg';
import type { CatalogTable } from '../../../platform/db/copy/catalog.ts';
import { type Label, setLabel } from './label.ts';

const TRIGGER = 'moved_away';

/** Inside the transaction that holds the tables. */
export async function closeDatabase(
  client: pg.ClientBase,
  tables: readonly CatalogTable[],
  label: Label,
): Promise<void> {
  await client.query(`CREATE FUNCTION platform.refuse_moved() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'this database was left: the installation was moved elsewhere' USING
        ERRCODE = 'read_only_sql_transaction', HINT = 'Connect to the database that the installation uses now.';
    END $$`);
  for (const { name, parent } of tables) {
    if (parent !== null) continue;
    await client.query(
      `CREATE TRIGGER ${TRIGGER} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${name}
       FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_moved()`,
    );
  }
  await setLabel(client, label);
}

/** Undoes it; nothing happens where it is open. */
export async function reopenDatabase(client: pg.ClientBase): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('DROP FUNCTION IF EXISTS platform.refuse_moved() CASCADE');
    await setLabel(client, undefined);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
