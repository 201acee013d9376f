// The SQL of channels, of pauses and of the shares of tenants. What a channel may still grant is judged by the functions
// of the migration, under its lock; what is read here is for people.
import type { Tx } from '../../../platform/db/database.ts';

export interface Limit {
  readonly limit: number;
  readonly window_seconds: number;
}

export interface ChannelRow {
  readonly id: number;
  readonly tenant_id: string;
  readonly name: string;
  readonly concurrency: number | null;
  readonly limits: readonly Limit[];
  readonly paused_at: Date | null;
  readonly paused_until: Date | null;
  readonly paused_by: string | null;
  readonly paused_reason: string | null;
  readonly next_at: Date | null;
  readonly declared_by: string | null;
  readonly version: number;
}

// A pause or a full window whose time has come is over, without anybody writing so.
const COLUMNS = `c.id, c.tenant_id, c.name, c.concurrency, c.limits,
  CASE WHEN coalesce(c.paused_until > clock_timestamp(), true) THEN c.paused_at END AS paused_at, c.paused_until,
  c.paused_by, c.paused_reason, CASE WHEN c.next_at > clock_timestamp() THEN c.next_at END AS next_at, c.declared_by,
  c.version`;

/** The channel of this name of one of these tenants, the first of them first. */
export async function findChannels(
  tx: Tx,
  names: readonly string[],
  tenantIds: readonly string[],
): Promise<Map<string, ChannelRow>> {
  if (names.length === 0) return new Map();
  const rows = await tx.query<ChannelRow>(
    `SELECT DISTINCT ON (c.name) ${COLUMNS} FROM work.channels c
     WHERE c.name = ANY ($1) AND c.tenant_id = ANY ($2) AND c.removed_at IS NULL
     ORDER BY c.name, array_position($2::uuid[], c.tenant_id)`,
    [names, tenantIds],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

export async function lockChannel(tx: Tx, name: string, tenantId: string): Promise<ChannelRow | undefined> {
  const [row] = await tx.query<ChannelRow>(
    `SELECT ${COLUMNS} FROM work.channels c WHERE c.name = $1 AND c.tenant_id = $2 AND c.removed_at IS NULL
     FOR NO KEY UPDATE`,
    [name, tenantId],
  );
  return row;
}

/** Makes the channel where it is missing. */
export async function ensureChannel(tx: Tx, name: string, tenantId: string): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO work.channels (tenant_id, name) VALUES ($1, $2)
     ON CONFLICT (tenant_id, name) WHERE removed_at IS NULL DO NOTHING RETURNING 1`,
    [tenantId, name],
  );
  return rows.length > 0;
}

/** A window that was full may have room under the new limits, so the moment is judged anew by the next claim. */
export async function updateLimits(
  tx: Tx,
  id: number,
  concurrency: number | null,
  limits: readonly Limit[],
): Promise<void> {
  await tx.query(
    'UPDATE work.channels SET concurrency = $2, limits = $3::jsonb, next_at = NULL, version = version + 1 WHERE id = $1',
    [id, concurrency, JSON.stringify(limits)],
  );
}

const toJudge = new WeakMap<Tx, Set<number>>();

/**
 * Full channels are judged anew by the next claim, because another job may be first on them now. They are locked at the
 * end, when every lock on a job and every unique key is had, and in the order of ids: so nobody waits crosswise.
 */
export function judgeAnew(tx: Tx, ids: readonly number[]): void {
  if (ids.length === 0) return;
  let channels = toJudge.get(tx);
  if (channels === undefined) {
    const noted = new Set<number>();
    channels = noted;
    toJudge.set(tx, noted);
    tx.beforeCommit(async () => {
      toJudge.delete(tx);
      await tx.query('SELECT work.judge_anew($1)', [[...noted]]);
    });
  }
  for (const id of ids) channels.add(id);
}

export async function declaredChannels(tx: Tx, declarer: string): Promise<ChannelRow[]> {
  return tx.query<ChannelRow>(
    `SELECT ${COLUMNS} FROM work.channels c WHERE c.declared_by = $1 AND c.removed_at IS NULL ORDER BY c.id`,
    [declarer],
  );
}

export async function setDeclarer(tx: Tx, id: number, declarer: string | null): Promise<void> {
  await tx.query('UPDATE work.channels SET declared_by = $2, version = version + 1 WHERE id = $1', [id, declarer]);
}

/** The largest cost among the jobs that have not ended: one that runs may have to start once more. */
export async function largestCost(tx: Tx, channelId: number): Promise<number> {
  const [row] = await tx.query<{ cost: number }>(
    `SELECT coalesce(max(j.cost), 0) AS cost FROM work.lanes l JOIN work.jobs j ON j.lane_id = l.id
     WHERE l.channel_id = $1`,
    [channelId],
  );
  return row!.cost;
}

export async function pauseChannel(
  tx: Tx,
  id: number,
  pause: { until: Date | undefined; by: string; reason: string | undefined },
): Promise<void> {
  await tx.query(
    `UPDATE work.channels SET paused_at = clock_timestamp(), paused_until = $2, paused_by = $3, paused_reason = $4,
       version = version + 1 WHERE id = $1`,
    [id, pause.until ?? null, pause.by, pause.reason ?? null],
  );
}

export const HELD_BACK = 'a provider refuses more until then';

/** Pauses a channel for so long on a worker's word; a pause that lasts longer stays. Run by whoever holds a job of it. */
export async function holdBack(
  tx: Tx,
  id: number,
  seconds: number,
  by: string,
): Promise<{ name: string; paused_until: Date } | undefined> {
  const [row] = await tx.query<{ name: string; paused_until: Date }>('SELECT * FROM work.hold_back($1, $2, $3, $4)', [
    id,
    seconds,
    by,
    HELD_BACK,
  ]);
  return row;
}

export async function resumeChannel(tx: Tx, id: number): Promise<void> {
  await tx.query(
    `UPDATE work.channels SET paused_at = NULL, paused_until = NULL, paused_by = NULL, paused_reason = NULL,
       version = version + 1 WHERE id = $1`,
    [id],
  );
}

/** Whether a job that has not ended belongs to the channel. */
export async function isInUse(tx: Tx, channelId: number): Promise<boolean> {
  const rows = await tx.query(
    'SELECT FROM work.lanes l JOIN work.jobs j ON j.lane_id = l.id WHERE l.channel_id = $1 LIMIT 1',
    [channelId],
  );
  return rows.length > 0;
}

/** A job that is added at this very moment finds no bounds and no pause left, which nobody could lift any more. */
export async function removeChannel(tx: Tx, id: number): Promise<void> {
  await tx.query(
    `UPDATE work.channels SET removed_at = clock_timestamp(), concurrency = NULL, limits = '[]', next_at = NULL,
       paused_at = NULL, paused_until = NULL, paused_by = NULL, paused_reason = NULL, version = version + 1
     WHERE id = $1`,
    [id],
  );
}

export async function listChannels(
  tx: Tx,
  query: { after: number | undefined; tenantIds: readonly string[] | undefined; limit: number },
): Promise<ChannelRow[]> {
  return tx.query<ChannelRow>(
    `SELECT ${COLUMNS} FROM work.channels c
     WHERE c.removed_at IS NULL AND c.id > $1 AND ($2::uuid[] IS NULL OR c.tenant_id = ANY ($2)) ORDER BY c.id LIMIT $3`,
    [query.after ?? 0, query.tenantIds ?? null, query.limit],
  );
}

export interface UsageRow {
  readonly id: number;
  readonly running: number;
  readonly queued: number;
  /** In the order of the channel's limits. */
  readonly used: readonly number[];
}

/** What of these channels is used at this moment, by the jobs of all tenants: to be read in the scope of the fleet. */
export async function readUsage(tx: Tx, ids: readonly number[]): Promise<Map<number, UsageRow>> {
  const rows = await tx.query<UsageRow>(
    `SELECT c.id,
            (SELECT count(*) FROM work.jobs j WHERE j.channel_id = c.id AND j.state = 'running') AS running,
            (SELECT count(*) FROM work.lanes l JOIN work.jobs j ON j.lane_id = l.id AND j.state = 'queued'
             WHERE l.channel_id = c.id) AS queued,
            ARRAY(SELECT coalesce((
                    SELECT sum(g.cost) FROM work.channel_grants g
                    WHERE g.channel_id = c.id AND g.window_seconds = w.window_seconds
                      AND g.slot >= floor(extract(epoch FROM clock_timestamp()) * 64 / w.window_seconds)::bigint - 64
                  ), 0)::float8
                  FROM jsonb_array_elements(c.limits) WITH ORDINALITY AS e (one, place),
                       jsonb_to_record(e.one) AS w (window_seconds int) ORDER BY e.place) AS used
     FROM work.channels c WHERE c.id = ANY ($1)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Grants that no window counts any more. */
export async function forgetOldGrants(tx: Tx, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM work.channel_grants WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM work.channel_grants
       WHERE slot < floor(extract(epoch FROM clock_timestamp()) * 64 / window_seconds)::bigint - 128 LIMIT $1))
     RETURNING 1`,
    [limit],
  );
  return rows.length;
}

export interface PauseRow {
  readonly tenant_id: string;
  readonly paused_at: Date;
  readonly paused_by: string;
  readonly reason: string | null;
}

/** Pauses a tenant, or all with the fleet's; a second pause leaves the first as it is. Answers whether it is new. */
export async function pauseTenant(
  tx: Tx,
  tenantId: string,
  by: string,
  reason: string | undefined,
): Promise<{ pause: PauseRow; isNew: boolean }> {
  const made = await tx.query<PauseRow>(
    `INSERT INTO work.pauses (tenant_id, paused_by, reason) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
     RETURNING tenant_id, paused_at, paused_by, reason`,
    [tenantId, by, reason ?? null],
  );
  if (made[0] !== undefined) return { pause: made[0], isNew: true };
  const [pause] = await listPauses(tx, [tenantId]);
  return { pause: pause!, isNew: false };
}

export async function resumeTenant(tx: Tx, tenantId: string): Promise<boolean> {
  return (await tx.query('DELETE FROM work.pauses WHERE tenant_id = $1 RETURNING 1', [tenantId])).length > 0;
}

/** The pauses of these tenants, or all. */
export async function listPauses(tx: Tx, tenantIds?: readonly string[]): Promise<PauseRow[]> {
  return tx.query<PauseRow>(
    `SELECT tenant_id, paused_at, paused_by, reason FROM work.pauses
     WHERE $1::uuid[] IS NULL OR tenant_id = ANY ($1) ORDER BY paused_at`,
    [tenantIds ?? null],
  );
}

export async function setWeight(tx: Tx, tenantId: string, weight: number): Promise<void> {
  await tx.query(
    `INSERT INTO work.shares (tenant_id, weight) VALUES ($1, $2)
     ON CONFLICT (tenant_id) DO UPDATE SET weight = excluded.weight`,
    [tenantId, weight],
  );
}
