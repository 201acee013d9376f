// The SQL of hosts: what they are to run, the claims that keep a second host away, what they saw, what agents printed.
import type { Tx } from '../../../platform/db/database.ts';
import { MANIFEST } from '../declared.ts';
import type { Phase } from '../states.ts';
import type { NewChunk } from './console-tail.ts';
import type { Report } from './record.ts';

export interface HostIdentity {
  /** Of the data directory: the next host there inherits the claims. */
  readonly id: string;
  readonly name: string;
}

export interface Wanted {
  readonly agent_id: string;
  readonly tenant_id: string;
  readonly tenant: string;
  readonly slug: string;
  readonly kind: 'process' | 'external' | 'llm';
  readonly created_at: Date;
  readonly command: string[];
  readonly cwd: string;
  readonly env: Record<string, string>;
  readonly secrets: string[];
  readonly restart: 'always' | 'on-failure' | 'never';
  readonly log_cap_bytes: number;
  readonly desired: 'run' | 'pause' | 'stop';
  readonly restart_generation: number;
  /** Declared by an example. */
  readonly of_example: boolean;
  readonly phase: Phase | null;
  readonly generation: number;
  readonly report: number;
  readonly host_id: string | null;
  /** Offset up to which the database has the console. */
  readonly console_end: number;
}

/** Agents that this host may run; those that another host of the same right holds are among them. */
export async function findWanted(tx: Tx, host: HostIdentity): Promise<Wanted[]> {
  return tx.query<Wanted>(
    `SELECT a.agent_id, a.tenant_id, t.slug AS tenant, i.slug, i.kind, i.created_at, a.command, a.cwd, a.env, a.secrets,
            a.restart, a.log_cap_bytes, a.desired, a.restart_generation, coalesce(a.declared_by <> $2, false) AS of_example,
            h.phase, h.generation, h.report, h.host_id,
            coalesce((SELECT end_offset FROM fleet.console_chunks c WHERE c.agent_id = a.agent_id
                      ORDER BY start_offset DESC LIMIT 1), 0) AS console_end
     FROM fleet.agents a JOIN fleet.health_checks h USING (agent_id) JOIN access.agents i ON i.id = a.agent_id
     JOIN access.tenants t ON t.id = a.tenant_id
     WHERE a.command IS NOT NULL AND (a.host IS NULL OR a.host = $1)`,
    [host.name, MANIFEST],
  );
}

/**
 * Takes or confirms the claim on an agent; false when another host has it. The claim of a host that was silent for 15
 * seconds goes over, but not while it may still run the process: two copies are worse than none, so that takes the word
 * of an operator (a restart ordered after the silence began).
 */
export async function claim(tx: Tx, host: HostIdentity, agentId: string): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE fleet.health_checks h SET host_id = $2, host = $3, host_seen = clock_timestamp(), row_version = h.row_version + 1
     FROM fleet.agents a
     WHERE h.agent_id = $1 AND a.agent_id = $1 AND (a.host IS NULL OR a.host = $3)
       AND (h.host_id IS NULL OR h.host_id = $2
            OR (h.host_seen < now() - interval '15 seconds'
                AND (coalesce(h.phase NOT IN ('starting', 'running'), true) OR a.restart_ordered_at > h.host_seen)))
     RETURNING 1`,
    [agentId, host.id, host.name],
  );
  return rows.length > 0;
}

/** Begins a start under the claim; answers the number of the last report. */
export async function beginStart(tx: Tx, agentId: string, generation: number): Promise<number> {
  const [row] = await tx.query<{ report: number }>(
    `UPDATE fleet.health_checks SET phase = 'starting', generation = $2, next_start_at = NULL,
       row_version = row_version + 1 WHERE agent_id = $1 RETURNING report`,
    [agentId, generation],
  );
  return row!.report;
}

/** Confirms all claims of this host at once; a running process without a silence limit is seen by that. */
export async function confirm(tx: Tx, host: HostIdentity, ids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE fleet.health_checks h SET host_seen = clock_timestamp(), row_version = h.row_version + 1,
       last_seen = CASE WHEN h.phase = 'running' AND a.silence_limit_seconds IS NULL THEN clock_timestamp()
                        ELSE h.last_seen END
     FROM fleet.agents a WHERE a.agent_id = h.agent_id AND h.host_id = $1 AND h.agent_id = ANY ($2)`,
    [host.id, ids],
  );
}

/** Writes a report; `stale` when it is known already or another host has the agent, `gone` when the agent is removed. */
export async function recordReport(
  tx: Tx,
  host: HostIdentity,
  agentId: string,
  report: Report,
): Promise<'new' | 'stale' | 'gone'> {
  const rows = await tx.query(
    `UPDATE fleet.health_checks SET report = $3, phase = $4, generation = $5, pid = $6, exit = coalesce($7, exit),
       exited_at = coalesce($8::timestamptz, exited_at), next_start_at = $9,
       restarts = restarts + CASE WHEN $11 AND process_started_at IS NOT NULL THEN 1 ELSE 0 END,
       process_started_at = coalesce($10::timestamptz, process_started_at),
       last_seen = CASE WHEN $11 THEN clock_timestamp() ELSE last_seen END,
       status = CASE WHEN $6::int IS NULL THEN NULL ELSE status END, job = CASE WHEN $6::int IS NULL THEN NULL ELSE job END,
       host_id = CASE WHEN $12 THEN NULL ELSE host_id END, host_seen = clock_timestamp(), row_version = row_version + 1
     WHERE agent_id = $1 AND host_id = $2 AND report < $3 RETURNING 1`,
    [
      agentId,
      host.id,
      report.number,
      report.phase,
      report.generation,
      report.pid,
      report.exit,
      report.exitedAt,
      report.nextStartAt,
      report.startedAt,
      report.started,
      report.release,
    ],
  );
  if (rows.length > 0) return 'new';
  const known = await tx.query('SELECT 1 FROM fleet.health_checks WHERE agent_id = $1', [agentId]);
  return known.length > 0 ? 'stale' : 'gone';
}

export interface Printed {
  readonly agentId: string;
  readonly chunks: readonly NewChunk[];
}

/**
 * Writes what agents printed and forgets what is older than the newest `retained` bytes. A chunk that grew, or that is
 * written again because the outcome was not known, replaces the one at its offset.
 */
export async function writeConsole(tx: Tx, printed: readonly Printed[], retained: number): Promise<void> {
  const rows = printed.flatMap(({ agentId, chunks }) => chunks.map((chunk) => ({ agentId, ...chunk })));
  await tx.query(
    `INSERT INTO fleet.console_chunks (agent_id, tenant_id, start_offset, end_offset, bytes)
     SELECT n.agent_id, a.tenant_id, n.start_offset, n.end_offset, n.bytes
     FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[]) n (agent_id, start_offset, end_offset, bytes)
     JOIN fleet.agents a USING (agent_id)
     ON CONFLICT (agent_id, start_offset) DO UPDATE SET end_offset = EXCLUDED.end_offset, bytes = EXCLUDED.bytes`,
    [
      rows.map((row) => row.agentId),
      rows.map((row) => row.start),
      rows.map((row) => row.end),
      rows.map((row) => row.bytes),
    ],
  );
  await tx.query(
    `DELETE FROM fleet.console_chunks c USING unnest($1::uuid[], $2::bigint[]) o (agent_id, oldest)
     WHERE c.agent_id = o.agent_id AND c.start_offset < o.oldest`,
    [
      printed.map(({ agentId }) => agentId),
      printed.map(({ chunks }) => Math.max(0, (chunks.at(-1)?.end ?? 0) - retained)),
    ],
  );
}
