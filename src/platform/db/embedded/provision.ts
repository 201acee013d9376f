// The installation's own role and database in a cluster. Every step can be done again, so that a start killed between
// any two of them is completed by the next one.
import { Client } from 'pg';
import { SUPERUSER } from './initdb.ts';
import { ensureSecret, ownerSecretFile, scramVerifier } from './secrets.ts';

const OWNER = 'quarterdeck';

const CONNECT_LIMIT_MS = 10_000;

/** The superuser's address. */
export function adminUrlOf(port: number, password: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
}

/** The address of the installation's own role and database. */
export function ownerUrlOf(port: number, password: string): string {
  return `postgres://${OWNER}:${password}@127.0.0.1:${port}/${OWNER}`;
}

/** Runs something on one connection, which is closed in any case. */
export async function withConnection<Result>(url: string, run: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_LIMIT_MS });
  // The server may end any moment; without a listener the lost connection would end our process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

export interface ProvisionPlan {
  port: number;
  adminUrl: string;
  /** Directory of the password files. */
  secrets: string;
  /** A cluster made just now has nothing of ours, and trying would leave a failed sign-in in its log. */
  isNew: boolean;
}

/** Makes sure of role and database and gives back the owner's address. */
export async function provision({ port, adminUrl, secrets, isNew }: ProvisionPlan): Promise<string> {
  const password = ensureSecret(ownerSecretFile(secrets));
  const url = ownerUrlOf(port, password);
  if (isNew || !(await isProvisioned(url))) await withConnection(adminUrl, (admin) => complete(admin, password));
  return url;
}

// The usual start: one connection as the owner, none as the superuser. The grants come last, so they prove the rest.
async function isProvisioned(url: string): Promise<boolean> {
  try {
    return await withConnection(url, async (owner) => {
      const { rows } = await owner.query<{ is_complete: boolean }>(`
        SELECT pg_has_role('pg_monitor', 'member') AND pg_has_role('pg_signal_backend', 'member')
           AND pg_has_role('pg_use_reserved_connections', 'member')
           AND (SELECT datdba = current_user::regrole FROM pg_database WHERE datname = current_database())
            AS is_complete`);
      return rows[0]?.is_complete === true;
    });
  } catch (error) {
    if (NOT_YET.has((error as { code?: string }).code ?? '')) return false;
    throw error;
  }
}

// No such role or another password (also when the file of the password was lost and made again), no such database.
const NOT_YET = new Set(['28P01', '28000', '3D000']);

async function complete(admin: Client, password: string): Promise<void> {
  const attributes = `LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS NOREPLICATION PASSWORD '${scramVerifier(password)}'`;
  const role = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [OWNER]);
  await admin.query(`${role.rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE ${OWNER} ${attributes}`);

  const database = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [OWNER]);
  // Cannot run in a transaction; killed in the middle it leaves no database.
  if (database.rowCount === 0) await admin.query(`CREATE DATABASE ${OWNER} OWNER ${OWNER}`);
  else await admin.query(`ALTER DATABASE ${OWNER} OWNER TO ${OWNER}`);

  // To see and end sessions of other roles that hold the log back (a transaction that is left open for long).
  // And to get a connection when agents with roles of their own hold all that are not reserved.
  await admin.query(`GRANT pg_monitor, pg_signal_backend, pg_use_reserved_connections TO ${OWNER}`);
}
