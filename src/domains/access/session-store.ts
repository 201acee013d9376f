// SQL of operators, the links that sign them in and the sessions that come of it.
import type { Tx } from '../../platform/db/database.ts';

/** The operator of this name, made when missing. */
export async function ensureOperator(tx: Tx, id: string, name: string): Promise<{ id: string; created: boolean }> {
  const [row] = await tx.query<{ id: string }>(
    'INSERT INTO access.operators (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING id',
    [id, name],
  );
  if (row !== undefined) return { id: row.id, created: true };
  const [existing] = await tx.query<{ id: string }>('SELECT id FROM access.operators WHERE name = $1', [name]);
  return { id: existing!.id, created: false };
}

export async function insertLink(tx: Tx, hash: Buffer, operatorId: string, minutes: number): Promise<Date> {
  await tx.query('DELETE FROM access.sign_in_links WHERE expires_at < now()');
  const [row] = await tx.query<{ expires_at: Date }>(
    `INSERT INTO access.sign_in_links (hash, operator_id, expires_at)
     VALUES ($1, $2, now() + make_interval(mins => $3)) RETURNING expires_at`,
    [hash, operatorId, minutes],
  );
  return row!.expires_at;
}

/** Uses a link up; undefined when it is unknown, used or expired. */
export async function takeLink(tx: Tx, hash: Buffer): Promise<{ id: string; name: string } | undefined> {
  const [row] = await tx.query<{ id: string; name: string }>(
    `WITH taken AS (DELETE FROM access.sign_in_links WHERE hash = $1 AND expires_at > now() RETURNING operator_id)
     SELECT o.id, o.name FROM taken JOIN access.operators o ON o.id = taken.operator_id`,
    [hash],
  );
  return row;
}

export async function insertSession(
  tx: Tx,
  session: { id: string; hash: Buffer; operatorId: string; days: number; userAgent?: string; address?: string },
): Promise<Date> {
  const [row] = await tx.query<{ expires_at: Date }>(
    `INSERT INTO access.sessions (id, hash, operator_id, expires_at, user_agent, address)
     VALUES ($1, $2, $3, now() + make_interval(days => $4), $5, $6) RETURNING expires_at`,
    [
      session.id,
      session.hash,
      session.operatorId,
      session.days,
      session.userAgent?.slice(0, 300) ?? null,
      session.address ?? null,
    ],
  );
  return row!.expires_at;
}

export interface SessionRow {
  readonly id: string;
  readonly operator: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly user_agent: string | null;
  readonly address: string | null;
}

/** Those that are still valid, newest first. */
export async function listSessions(tx: Tx, before: string | undefined, limit: number): Promise<SessionRow[]> {
  return tx.query<SessionRow>(
    `SELECT s.id, o.name AS operator, s.created_at, s.expires_at, s.user_agent, s.address
     FROM access.sessions s JOIN access.operators o ON o.id = s.operator_id
     WHERE s.expires_at > now() AND ($1::uuid IS NULL OR s.id < $1) ORDER BY s.id DESC LIMIT $2`,
    [before ?? null, limit],
  );
}

/** Ends a session; answers whose it was, or undefined when there is none. */
export async function takeSession(tx: Tx, id: string): Promise<string | undefined> {
  const [row] = await tx.query<{ operator: string }>(
    `WITH ended AS (DELETE FROM access.sessions WHERE id = $1 AND expires_at > now() RETURNING operator_id)
     SELECT o.name AS operator FROM ended JOIN access.operators o ON o.id = ended.operator_id`,
    [id],
  );
  return row?.operator;
}

export async function deleteSession(tx: Tx, id: string): Promise<boolean> {
  return (await tx.query('DELETE FROM access.sessions WHERE id = $1 RETURNING 1', [id])).length > 0;
}

export async function forgetOldSessions(tx: Tx): Promise<void> {
  await tx.query("DELETE FROM access.sessions WHERE expires_at < now() - interval '1 day'");
}
