// A migrated database of its own for a test file, copied from a template that the first file of the run makes. The owner
// is no superuser, as in an installation.
import { createHash, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { inject } from 'vitest';
import { Database } from '../../src/platform/db/database.ts';
import { migrate, readMigrations } from '../../src/platform/db/migrate.ts';

export interface TestDatabase {
  readonly db: Database;
  readonly url: string;
  /** As superuser, for looking at what no role of the application may see. */
  readonly adminUrl: string;
  close(): Promise<void>;
}

const OWNER = 'qd_test_owner';
const OWNER_PASSWORD = 'test';
const source = fileURLToPath(new URL('../../src', import.meta.url));

export async function openTestDatabase(connections = 5): Promise<TestDatabase> {
  const name = `qd_${randomBytes(6).toString('hex')}`;
  const template = await ensureTemplate();
  await asAdmin('postgres', (admin) => admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER ${OWNER}`));
  const db = new Database({ url: ownerUrl(name), connections, name: 'test' });
  return {
    db,
    url: ownerUrl(name),
    adminUrl: adminUrl(name),
    async close() {
      await db.close();
      // Roles belong to the whole server: those of agents would stay behind.
      const roles = await asAdmin(name, (admin) => admin.query('SELECT role_name FROM access.sql_roles'));
      await asAdmin('postgres', async (admin) => {
        await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
        for (const { role_name } of roles.rows) await admin.query(`DROP ROLE IF EXISTS ${role_name}`);
      });
    },
  };
}

/** An empty, not yet migrated database. */
export async function openEmptyDatabase(): Promise<{ url: string; adminUrl: string; close(): Promise<void> }> {
  const name = `qd_${randomBytes(6).toString('hex')}`;
  await asAdmin('postgres', async (admin) => {
    await ensureOwner(admin);
    await admin.query(`CREATE DATABASE ${name} OWNER ${OWNER}`);
  });
  return {
    url: ownerUrl(name),
    adminUrl: adminUrl(name),
    close: () =>
      asAdmin('postgres', (admin) => admin.query(`DROP DATABASE ${name} WITH (FORCE)`)).then(() => undefined),
  };
}

// Several files start at once: the first one through the lock makes the template, the others find it.
async function ensureTemplate(): Promise<string> {
  const migrations = await readMigrations(source);
  const hash = createHash('sha256')
    .update(migrations.map((m) => m.checksum).join())
    .digest('hex');
  const template = `qd_template_${hash.slice(0, 12)}`;
  await asAdmin('postgres', async (admin) => {
    await admin.query('SELECT pg_advisory_lock(4711)');
    const { rows } = await admin.query('SELECT datallowconn FROM pg_database WHERE datname = $1', [template]);
    if (rows[0]?.datallowconn === false) return;
    await admin.query(`DROP DATABASE IF EXISTS ${template}`);
    await ensureOwner(admin);
    await admin.query(`CREATE DATABASE ${template} OWNER ${OWNER}`);
    await migrate(ownerUrl(template), migrations);
    // No stray connection may block the copies.
    await admin.query(`ALTER DATABASE ${template} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  });
  return template;
}

async function ensureOwner(admin: pg.Client): Promise<void> {
  await admin.query(
    `DO $$ BEGIN CREATE ROLE ${OWNER} LOGIN CREATEROLE PASSWORD '${OWNER_PASSWORD}';
     EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
  );
}

async function asAdmin<T>(database: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: adminUrl(database) });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function adminUrl(database: string): string {
  const { host, port, superuser } = inject('pg');
  return `postgres://${superuser}@${host}:${port}/${database}`;
}

function ownerUrl(database: string): string {
  const { host, port } = inject('pg');
  return `postgres://${OWNER}:${OWNER_PASSWORD}@${host}:${port}/${database}`;
}
