// The SQL of the healer.
import type { Tx } from '../../platform/db/database.ts';
import type { Step } from './healing.ts';

export interface WatchedRow {
  readonly agent_id: string;
  readonly tenant_id: string;
  readonly slug: string;
  readonly limit_seconds: number;
  readonly silent_seconds: number;
  readonly restarts: number;
}

/**
 * Running processes with a silence limit that are to be restarted when it is passed, and on which nothing is under way: no
 * other order waits for its host, and the healer's last one has had the agent's limit to show that it helped.
 */
export async function findWatched(tx: Tx, windowSeconds: number, only?: string): Promise<WatchedRow[]> {
  return tx.query<WatchedRow>(
    `SELECT a.agent_id, a.tenant_id, h.agent AS slug, a.silence_limit_seconds AS limit_seconds,
            extract(epoch FROM clock_timestamp() - greatest(h.last_seen, h.process_started_at))::float8 AS silent_seconds,
            (SELECT count(*) FROM fleet.healings g WHERE g.agent_id = a.agent_id AND g.step = 'restart'
               AND g.at > clock_timestamp() - make_interval(secs => $1)) AS restarts
     FROM fleet.agents a JOIN fleet.health_checks h USING (agent_id)
     WHERE a.command IS NOT NULL AND a.on_silence = 'restart' AND a.desired = 'run' AND a.silence_limit_seconds IS NOT NULL
       AND h.phase = 'running' AND h.generation = a.restart_generation AND h.process_started_at IS NOT NULL
       AND h.host_seen > clock_timestamp() - interval '15 seconds' AND ($2::uuid IS NULL OR a.agent_id = $2)
     ORDER BY a.agent_id`,
    [windowSeconds, only ?? null],
  );
}

export async function noteHealing(
  tx: Tx,
  healing: { agentId: string; tenantId: string; step: Step; reason: string },
): Promise<void> {
  await tx.query('INSERT INTO fleet.healings (agent_id, tenant_id, step, reason) VALUES ($1, $2, $3, $4)', [
    healing.agentId,
    healing.tenantId,
    healing.step,
    healing.reason,
  ]);
  await tx.query(
    'UPDATE fleet.health_checks SET healing_since = clock_timestamp(), row_version = row_version + 1 WHERE agent_id = $1',
    [healing.agentId],
  );
}

export async function forgetOldHealings(tx: Tx, days: number): Promise<void> {
  await tx.query('DELETE FROM fleet.healings WHERE at < now() - make_interval(days => $1)', [days]);
}
