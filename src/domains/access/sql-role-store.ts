// SQL of the database roles with which agents speak plain SQL. What acts on the roles themselves runs as the owner; what
// they may do is in migrations/0031-sql-roles.sql.
import { asOwner } from '../../platform/db/as-owner.ts';
import { type Database, fleetScope, ownerScope, type Tx } from '../../platform/db/database.ts';

export interface SqlRoleRow {
  readonly role_name: string;
  readonly tenant_id: string;
  readonly agent_id: string;
  readonly agent: string;
  readonly created_at: Date;
  readonly password_at: Date;
  readonly is_ready: boolean;
}

const ROLE = `role_name, tenant_id, agent_id, agent, created_at, password_at,
  EXISTS (SELECT FROM pg_roles p WHERE p.rolname = role_name) AS is_ready`;

export async function listSqlRoles(
  tx: Tx,
  filter: {
    readonly after?: { readonly agent: string; readonly role: string } | undefined;
    readonly tenantId?: string | undefined;
    readonly limit: number;
  },
): Promise<SqlRoleRow[]> {
  return tx.query<SqlRoleRow>(
    `SELECT ${ROLE} FROM access.sql_roles
     WHERE removed_at IS NULL AND ($1::uuid IS NULL OR tenant_id = $1)
       AND ($2::text IS NULL OR (agent, role_name) > ($2, $3::text))
     ORDER BY agent, role_name LIMIT $4`,
    [filter.tenantId ?? null, filter.after?.agent ?? null, filter.after?.role ?? null, filter.limit],
  );
}

/** The role of an agent, locked against another change; undefined when it has none. */
export async function lockSqlRole(tx: Tx, agentId: string): Promise<SqlRoleRow | undefined> {
  const [row] = await tx.query<SqlRoleRow>(
    `SELECT ${ROLE} FROM access.sql_roles WHERE agent_id = $1 AND removed_at IS NULL FOR UPDATE`,
    [agentId],
  );
  return row;
}

export async function insertSqlRole(
  tx: Tx,
  role: { name: string; tenantId: string; agentId: string; agent: string; createdBy: string },
): Promise<SqlRoleRow> {
  const [row] = await tx.query<SqlRoleRow>(
    `INSERT INTO access.sql_roles (role_name, tenant_id, agent_id, agent, created_by) VALUES ($1, $2, $3, $4, $5)
     RETURNING ${ROLE}`,
    [role.name, role.tenantId, role.agentId, role.agent, role.createdBy],
  );
  return row!;
}

export async function notePassword(tx: Tx, name: string): Promise<SqlRoleRow> {
  const [row] = await tx.query<SqlRoleRow>(
    `UPDATE access.sql_roles SET password_at = now() WHERE role_name = $1 RETURNING ${ROLE}`,
    [name],
  );
  return row!;
}

/** From the commit on the role sees and does nothing, whatever its sessions are at. */
export async function markRemoved(tx: Tx, name: string): Promise<Date> {
  const [row] = await tx.query<{ removed_at: Date }>(
    'UPDATE access.sql_roles SET removed_at = now() WHERE role_name = $1 RETURNING removed_at',
    [name],
  );
  return row!.removed_at;
}

/** Makes the database role, or gives it this password. Error QD002: there are as many as may be. */
export async function makeDatabaseRole(tx: Tx, name: string, verifier: string, most: number): Promise<void> {
  await asOwner(tx, () => tx.query('SELECT access.make_sql_role($1, $2, $3)', [name, verifier, most]));
}

/** The name under which this program is connected. */
export async function databaseUser(db: Database): Promise<string> {
  const [row] = await db.read<{ name: string }[]>(ownerScope, (tx) => tx.query('SELECT session_user::text AS name'));
  return row!.name;
}

export async function endSessions(db: Database, name: string): Promise<number> {
  const [row] = await db.write<{ ended: number }[]>(ownerScope, (tx) =>
    tx.query('SELECT access.end_sql_sessions($1) AS ended', [name]),
  );
  return row!.ended;
}

/** Names of removed roles of which the database may still know. */
export async function findRemoved(db: Database): Promise<string[]> {
  const rows = await db.read<{ role_name: string }[]>(fleetScope, (tx) =>
    tx.query('SELECT role_name FROM access.sql_roles WHERE removed_at IS NOT NULL ORDER BY removed_at LIMIT 100'),
  );
  return rows.map((row) => row.role_name);
}

/** Shuts a removed role out, ends its sessions, drops it and forgets it; killed in between, it is done again. */
export async function dropDatabaseRole(db: Database, name: string): Promise<void> {
  await db.write(ownerScope, (tx) => tx.query('SELECT access.shut_sql_role_out($1)', [name]));
  await endSessions(db, name);
  await db.write(ownerScope, (tx) => tx.query('SELECT access.drop_sql_role($1)', [name]));
  await db.write(fleetScope, (tx) =>
    tx.query('DELETE FROM access.sql_roles WHERE role_name = $1 AND removed_at IS NOT NULL', [name]),
  );
}

/** Agents whose roles may have sessions. */
export async function findHolders(db: Database): Promise<Pick<SqlRoleRow, 'role_name' | 'tenant_id' | 'agent'>[]> {
  return db.read(fleetScope, (tx) => tx.query('SELECT role_name, tenant_id, agent FROM access.sql_roles'));
}

export interface OverdueSession {
  readonly pid: number;
  readonly role: string;
  readonly started_at: string;
  readonly reason: 'transaction' | 'lock';
}

/**
 * Sessions of these roles with a transaction older than `seconds`, or with an advisory lock that is not the log's: nothing
 * they may do takes one. Locks on the log are ended by the log's own loop.
 */
export async function findOverdue(db: Database, roles: readonly string[], seconds: number): Promise<OverdueSession[]> {
  return db.read(ownerScope, (tx) =>
    tx.query(
      `SELECT pid, role, started_at, CASE WHEN holds THEN 'lock' ELSE 'transaction' END AS reason FROM (
         SELECT a.pid, a.usename AS role, a.backend_start::text AS started_at,
                a.xact_start < clock_timestamp() - make_interval(secs => $2) AS lasts,
                EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted
                        AND (l.objsubid <> 1 OR l.classid::bigint >> 16 <> 20804)) AS holds
         FROM pg_stat_activity a WHERE a.usename = ANY ($1)) session
       WHERE lasts OR holds`,
      [roles, seconds],
    ),
  );
}

/** Ends a session unless another has its process number by now. */
export async function endSession(db: Database, session: OverdueSession): Promise<void> {
  await db.write(ownerScope, (tx) =>
    tx.query(
      `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.pid = $1 AND a.backend_start = $2::timestamptz`,
      [session.pid, session.started_at],
    ),
  );
}

/** The number up to which the log can be read now. */
export async function readableUpTo(db: Database): Promise<number> {
  const [row] = await db.read<{ horizon: number }[]>(fleetScope, (tx) => tx.query('SELECT log.horizon() AS horizon'));
  return row!.horizon;
}
