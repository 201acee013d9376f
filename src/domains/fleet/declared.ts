// Makes the fleet equal to the `agents` section of a file, in one transaction with its events. What the file does not name
// and did not declare itself is left alone.
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { TenantDirectory } from '../../platform/tenants.ts';
import type { Access } from '../access/index.ts';
import type { Log } from '../log/index.ts';
import { fleetEvents } from './events.ts';
import { type AgentsSection, compareSupervision, type Supervision, supervisionOf } from './manifest.ts';
import * as store from './store.ts';

export interface DeclaredOptions {
  readonly access: Access;
  readonly log: Log;
  readonly tenants: TenantDirectory;
}

/** The operator's own file, as declarer. */
export const MANIFEST = 'quarterdeck.yaml';

export interface ApplyOptions {
  /** Directory that relative paths of the file start at. */
  readonly baseDir: string;
  /** Whose section it is: it decides about what it declared. The operator's manifest unless stated. */
  readonly declarer?: string;
  /** Only answers the plan. */
  readonly dryRun?: boolean;
}

export interface PlanStep {
  readonly action: 'create' | 'change' | 'remove';
  readonly agent: string;
  readonly tenant: string;
  /** Fields that change. */
  readonly changed: readonly string[];
  /** Whether its process is ended and started anew, or only ended. */
  readonly restart: boolean;
}

interface Wanted {
  readonly slug: string;
  readonly tenant: string;
  readonly tenantId: string;
  readonly supervision: Supervision;
}

/** Answers what was done, nothing when the fleet was so already. Throws `access.tenant_not_found`. */
export async function applyAgents(
  parts: DeclaredOptions,
  call: Call,
  section: AgentsSection,
  options: ApplyOptions,
): Promise<PlanStep[]> {
  const declarer = options.declarer ?? MANIFEST;
  const wanted = await Promise.all(
    Object.entries(section).map(async ([slug, agent]) => ({
      slug,
      tenant: agent.tenant,
      tenantId: await parts.tenants.getId(call, agent.tenant),
      supervision: supervisionOf(agent, options.baseDir),
    })),
  );
  if (options.dryRun === true)
    return call.read(async (tx) => (await planOf(tx, declarer, wanted)).map(({ step }) => step));
  return call.write(async (tx) => {
    // Two starts with the same file meet here, the second finds nothing left to do.
    await tx.query("SELECT pg_advisory_xact_lock(hashtext('fleet.apply'))");
    const plan = await planOf(tx, declarer, wanted);
    for (const { step, row, want } of plan) {
      if (step.action === 'remove') await remove(parts, tx, call, row!);
      else await declare(parts, tx, call, { step, row, want: want!, declarer });
    }
    return plan.map(({ step }) => step);
  });
}

interface Planned {
  readonly step: PlanStep;
  readonly row?: store.AgentRow | undefined;
  readonly want?: Wanted;
}

async function planOf(tx: Tx, declarer: string, wanted: readonly Wanted[]): Promise<Planned[]> {
  const rows = await store.findAgents(tx, {});
  const keyOf = (slug: string, tenantId: string) => `${slug}@${tenantId}`;
  const known = new Map(rows.map((row) => [keyOf(row.slug, row.tenant_id), row]));
  const plan: Planned[] = [];
  for (const want of wanted) {
    const key = keyOf(want.slug, want.tenantId);
    const row = known.get(key);
    known.delete(key);
    const step = stepFor(want, row, declarer);
    if (step !== undefined) plan.push({ step, row, want });
  }
  for (const row of known.values()) {
    if (row.declared_by !== declarer) continue;
    const step: PlanStep = { action: 'remove', agent: row.slug, tenant: row.tenant, changed: [], restart: false };
    plan.push({ step, row });
  }
  return plan;
}

function stepFor(want: Wanted, row: store.AgentRow | undefined, declarer: string): PlanStep | undefined {
  const { slug: agent, tenant } = want;
  if (row === undefined) return { action: 'create', agent, tenant, changed: [], restart: false };
  const { command, cwd } = row;
  if (!row.declared || command === null || cwd === null) {
    return { action: 'change', agent, tenant, changed: ['declared'], restart: true };
  }
  const { changed, restart } = compareSupervision({ ...row, command, cwd }, want.supervision);
  if (row.declared_by !== declarer) changed.push('declared_by');
  return changed.length === 0 ? undefined : { action: 'change', agent, tenant, changed, restart };
}

async function declare(
  { access, log }: DeclaredOptions,
  tx: Tx,
  call: Call,
  { step, row, want, declarer }: { step: PlanStep; row: store.AgentRow | undefined; want: Wanted; declarer: string },
): Promise<void> {
  const { slug, tenantId } = want;
  const supervision = { ...want.supervision, declared_by: declarer };
  if (row === undefined) {
    const { id } = await access.agents.create(tx, call, { slug, tenantId, kind: 'process' });
    await store.insertAgent(tx, { id, tenantId, slug, silenceLimitSeconds: null, queues: [] });
    await store.declareAgent(tx, id, supervision, false);
    return;
  }
  await store.declareAgent(tx, row.agent_id, supervision, step.restart);
  if (row.kind !== 'process') await access.agents.setKind(tx, row.agent_id, 'process');
  await log.append(tx, call, [
    fleetEvents.make(
      'agent.changed',
      { agent: slug, changed: [...step.changed], restart: step.restart },
      { subject: `agent:${slug}`, tenantId },
    ),
  ]);
}

/** Takes an agent out of the fleet; its host ends the process when it notices. */
export async function remove(
  { access }: Pick<DeclaredOptions, 'access'>,
  tx: Tx,
  call: Call,
  row: store.AgentRow,
): Promise<void> {
  await store.deleteAgent(tx, row.agent_id);
  await access.agents.remove(tx, call, { id: row.agent_id, tenant_id: row.tenant_id, slug: row.slug });
}
