// The two database roles under which everything but migrations runs, and the checks that they cannot bypass row policies.
import type pg from 'pg';

/** This server or this user cannot carry an installation; the message says what it lacks. */
export class DatabaseUnsuitable extends Error {
  override readonly name = 'DatabaseUnsuitable';
}

const REQUEST_ROLES = ['qd_app', 'qd_system'] as const;

/**
 * Makes qd_app (a tenant's requests) and qd_system (the fleet's) where they are missing and lets the connecting role
 * act as them. Roles belong to the whole server, so several databases on it share them.
 */
export async function ensureRoles(client: pg.ClientBase): Promise<void> {
  const version = await serverVersion(client);
  if (version < 150_000)
    throw new DatabaseUnsuitable(`PostgreSQL 15 or newer is needed; this server reports ${version}`);
  for (const role of REQUEST_ROLES) {
    const { rows } = await client.query(
      `SELECT r.rolsuper OR r.rolbypassrls AS unsafe, pg_has_role(current_user, r.oid, $2) AS usable
       FROM pg_roles r WHERE r.rolname = $1`,
      [role, version >= 160_000 ? 'SET' : 'MEMBER'],
    );
    if (rows[0]?.unsafe)
      throw new DatabaseUnsuitable(
        `the database role ${role} may bypass row policies: ALTER ROLE ${role} NOBYPASSRLS NOSUPERUSER`,
      );
    if (rows[0]?.usable) continue;
    try {
      await makeUsable(client, role, rows[0] !== undefined, version);
    } catch (cause) {
      if ((cause as { code?: string }).code !== '42501') throw cause;
      throw new DatabaseUnsuitable(
        `the database user may not make the role ${role} or act as it: ALTER ROLE <user> CREATEROLE, or let an ` +
          `administrator run CREATE ROLE ${role} NOLOGIN; GRANT ${role} TO <user>`,
        { cause },
      );
    }
  }
}

async function makeUsable(client: pg.ClientBase, role: string, exists: boolean, version: number): Promise<void> {
  if (!exists) {
    // Another installation on the same server may be making it at this moment.
    await client.query(
      `DO $$ BEGIN CREATE ROLE ${role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
    );
  }
  const option = version >= 160_000 ? ' WITH SET TRUE, INHERIT FALSE' : '';
  await client.query(`GRANT ${role} TO CURRENT_USER${option}`);
}

async function serverVersion(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query("SELECT current_setting('server_version_num')::int AS version");
  return rows[0].version;
}
