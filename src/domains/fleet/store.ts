// The SQL of the fleet room on agents and their health; what hosts write is in host/store.ts, the console in console.ts.
import type { Tx } from '../../platform/db/database.ts';
import type { Supervision } from './manifest.ts';
import type { Phase } from './states.ts';

export interface AgentRow extends Omit<Supervision, 'command' | 'cwd'> {
  readonly agent_id: string;
  readonly tenant_id: string;
  readonly tenant: string;
  readonly slug: string;
  readonly kind: 'process' | 'external' | 'llm';
  readonly created_at: Date;
  readonly declared: boolean;
  readonly declared_by: string | null;
  readonly command: string[] | null;
  readonly cwd: string | null;
  readonly desired: 'run' | 'pause' | 'stop';
  readonly desired_by: string | null;
  readonly desired_reason: string | null;
  readonly restart_generation: number;
  readonly last_seen: Date | null;
  readonly status: string | null;
  readonly job: string | null;
  readonly version: string | null;
  readonly phase: Phase | null;
  readonly running_on: string | null;
  readonly host_seen: Date | null;
  readonly pid: number | null;
  readonly process_started_at: Date | null;
  readonly restarts: number;
  readonly exit: string | null;
  readonly exited_at: Date | null;
  readonly next_start_at: Date | null;
  readonly healing_since: Date | null;
  readonly told_silent: boolean;
  readonly row_version: number;
  readonly now: Date;
}

const AGENT = `a.agent_id, a.tenant_id, t.slug AS tenant, i.slug, i.kind, i.created_at, a.declared, a.declared_by, a.command, a.cwd, a.env,
  a.secrets, a.restart, a.silence_limit_seconds, a.on_silence, a.log_cap_bytes, a.queues, a.host, a.desired, a.desired_by,
  a.desired_reason, a.restart_generation, h.last_seen, h.status, h.job, h.version, h.phase, h.host AS running_on,
  h.host_seen, h.pid, h.process_started_at, h.restarts, h.exit, h.exited_at, h.next_start_at, h.healing_since, h.told_silent,
  a.row_version + h.row_version AS row_version, clock_timestamp() AS now`;
const FROM = `fleet.agents a JOIN fleet.health_checks h USING (agent_id) JOIN access.agents i ON i.id = a.agent_id
  JOIN access.tenants t ON t.id = a.tenant_id`;

export interface AgentFilter {
  readonly ids?: readonly string[];
  readonly tenantId?: string | undefined;
  /** Name and id that the page begins behind. */
  readonly after?: { readonly slug: string; readonly id: string } | undefined;
  readonly declared?: boolean;
  readonly limit?: number;
}

/** Agents by name. */
export async function findAgents(tx: Tx, filter: AgentFilter): Promise<AgentRow[]> {
  return tx.query<AgentRow>(
    `SELECT ${AGENT} FROM ${FROM}
     WHERE ($1::uuid[] IS NULL OR a.agent_id = ANY ($1)) AND ($2::uuid IS NULL OR a.tenant_id = $2)
       AND ($3::text IS NULL OR (i.slug, a.agent_id) > ($3, $4::uuid)) AND ($5::boolean IS NULL OR a.declared = $5)
     ORDER BY i.slug, a.agent_id LIMIT $6`,
    [
      filter.ids ?? null,
      filter.tenantId ?? null,
      filter.after?.slug ?? null,
      filter.after?.id ?? null,
      filter.declared ?? null,
      filter.limit ?? null,
    ],
  );
}

export async function findAgent(tx: Tx, id: string): Promise<AgentRow | undefined> {
  return (await findAgents(tx, { ids: [id] }))[0];
}

/** As `findAgent`; nobody else changes what is wanted of it until this transaction ends. */
export async function lockAgent(tx: Tx, id: string): Promise<AgentRow | undefined> {
  await tx.query('SELECT 1 FROM fleet.agents WHERE agent_id = $1 FOR UPDATE', [id]);
  return findAgent(tx, id);
}

/** An agent that no host starts. Its columns are the ones a tenant may give. */
export async function insertAgent(
  tx: Tx,
  agent: { id: string; tenantId: string; slug: string; silenceLimitSeconds: number | null; queues: readonly string[] },
): Promise<void> {
  await tx.query(
    'INSERT INTO fleet.agents (agent_id, tenant_id, silence_limit_seconds, queues) VALUES ($1, $2, $3, $4)',
    [agent.id, agent.tenantId, agent.silenceLimitSeconds, agent.queues],
  );
  await tx.query('INSERT INTO fleet.health_checks (agent_id, tenant_id, agent) VALUES ($1, $2, $3)', [
    agent.id,
    agent.tenantId,
    agent.slug,
  ]);
}

/** Makes an agent what the manifest declares; `restart` has its process started anew. */
export async function declareAgent(
  tx: Tx,
  id: string,
  wanted: Supervision & { readonly declared_by: string },
  restart: boolean,
): Promise<void> {
  await tx.query(
    `UPDATE fleet.agents SET declared = true, command = $2, cwd = $3, env = $4, secrets = $5, restart = $6,
       silence_limit_seconds = $7, log_cap_bytes = $8, queues = $9, host = $10,
       restart_generation = restart_generation + $11, declared_by = $12, on_silence = $13, row_version = row_version + 1
     WHERE agent_id = $1`,
    [
      id,
      wanted.command,
      wanted.cwd,
      JSON.stringify(wanted.env),
      wanted.secrets,
      wanted.restart,
      wanted.silence_limit_seconds,
      wanted.log_cap_bytes,
      wanted.queues,
      wanted.host,
      restart ? 1 : 0,
      wanted.declared_by,
      wanted.on_silence,
    ],
  );
}

/** Everybody who declared an agent that is there. */
export async function findDeclarers(tx: Tx): Promise<string[]> {
  const rows = await tx.query<{ declared_by: string }>(
    'SELECT DISTINCT declared_by FROM fleet.agents WHERE declared ORDER BY declared_by',
  );
  return rows.map((row) => row.declared_by);
}

/** Health and console go with it. */
export async function deleteAgent(tx: Tx, id: string): Promise<void> {
  await tx.query('DELETE FROM fleet.agents WHERE agent_id = $1', [id]);
}

export interface Order {
  readonly desired: 'run' | 'pause' | 'stop';
  readonly by: string;
  readonly reason: string | null;
}

export async function setDesired(tx: Tx, id: string, order: Order): Promise<void> {
  await tx.query(
    `UPDATE fleet.agents SET desired = $2, desired_by = $3, desired_reason = $4, desired_at = now(),
       row_version = row_version + 1 WHERE agent_id = $1`,
    [id, order.desired, order.by, order.reason],
  );
}

export async function orderRestart(tx: Tx, id: string): Promise<void> {
  await tx.query(
    `UPDATE fleet.agents SET restart_generation = restart_generation + 1, restart_ordered_at = now(),
       row_version = row_version + 1 WHERE agent_id = $1`,
    [id],
  );
}

/**
 * Orders a new start of agents that crashed on this host, or on one that has given them up, unless they were told to stop.
 */
export async function retryCrashed(
  tx: Tx,
  hostId: string,
): Promise<{ agent_id: string; tenant_id: string; slug: string }[]> {
  return tx.query(
    `UPDATE fleet.agents a SET restart_generation = restart_generation + 1, restart_ordered_at = now(),
       row_version = a.row_version + 1
     FROM fleet.health_checks h
     WHERE h.agent_id = a.agent_id AND h.phase = 'crashed' AND h.generation = a.restart_generation
       AND a.desired <> 'stop' AND (h.host_id IS NULL OR h.host_id = $1)
     RETURNING a.agent_id, a.tenant_id, h.agent AS slug`,
    [hostId],
  );
}

export async function isPaused(tx: Tx, id: string): Promise<boolean> {
  return (await tx.query("SELECT 1 FROM fleet.agents WHERE agent_id = $1 AND desired <> 'run'", [id])).length > 0;
}

export interface Beat {
  readonly agentId: string;
  readonly status: string | undefined;
  readonly job: string | undefined;
  readonly version: string | undefined;
  readonly usage: Readonly<Record<string, number>> | undefined;
}

/** Beats of different agents; answers what is wanted of each that exists. */
export async function recordBeats(
  tx: Tx,
  beats: readonly Beat[],
): Promise<Map<string, { desired: 'run' | 'pause' | 'stop'; time: Date }>> {
  const rows = await tx.query<{ agent_id: string; desired: 'run' | 'pause' | 'stop'; time: Date }>(
    `UPDATE fleet.health_checks h
     SET last_seen = clock_timestamp(), status = coalesce(b.status, h.status), job = b.job,
         version = coalesce(b.version, h.version), usage = coalesce(b.usage, h.usage), row_version = h.row_version + 1
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[]) b (agent_id, status, job, version, usage),
          fleet.agents a
     WHERE h.agent_id = b.agent_id AND a.agent_id = b.agent_id
     RETURNING h.agent_id, a.desired, h.last_seen AS time`,
    [
      beats.map((beat) => beat.agentId),
      beats.map((beat) => beat.status ?? null),
      beats.map((beat) => beat.job ?? null),
      beats.map((beat) => beat.version ?? null),
      beats.map((beat) => (beat.usage === undefined ? null : JSON.stringify(beat.usage))),
    ],
  );
  return new Map(rows.map((row) => [row.agent_id, row]));
}

/** Other signs of life than beats. Rows in another's hands are left out: the next sign comes soon. */
export async function recordSigns(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE fleet.health_checks SET last_seen = clock_timestamp(), row_version = row_version + 1
     WHERE agent_id IN (SELECT agent_id FROM fleet.health_checks WHERE agent_id = ANY ($1)
       AND (last_seen IS NULL OR last_seen < now() - interval '1 second') FOR UPDATE SKIP LOCKED)`,
    [ids],
  );
}

/** Notes that the log was told of a silence or its end; false when somebody else did. */
export async function tellSilence(tx: Tx, id: string, silent: boolean): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE fleet.health_checks SET told_silent = $2, row_version = row_version + 1
     WHERE agent_id = $1 AND told_silent <> $2 RETURNING 1`,
    [id, silent],
  );
  return rows.length > 0;
}
