// The verbs of budgets: what may be used in a window, and what follows when workers say what they used.
import type { Wakeups } from '../../../platform/bus/wakeups.ts';
import type { Call } from '../../../platform/call.ts';
import type { Tx } from '../../../platform/db/database.ts';
import type { OutputOf, ParsedInput } from '../../../platform/operation.ts';
import { platformErrors } from '../../../platform/platform-errors.ts';
import { FLEET_SLUG, FLEET_TENANT, type TenantDirectory } from '../../../platform/tenants.ts';
import type { Access } from '../../access/index.ts';
import { workErrors } from '../errors.ts';
import { workEvents } from '../events.ts';
import type { LeaseGrace } from '../grace.ts';
import { settle, type Tellers } from '../settle.ts';
import { type EndingRow, type Hold, lockHeld } from '../store.ts';
import {
  type BudgetItem,
  DEFAULT_JOB_BUDGET,
  type JobBudget,
  type listBudgets,
  type removeBudget,
  type setBudget,
  type Usage,
} from './budget-operations.ts';
import * as store from './budget-store.ts';

export interface BudgetsOptions extends Tellers {
  readonly wakeups: Wakeups;
  readonly access: Access;
  readonly tenants: TenantDirectory;
}

/** What the holder of a job says that the attempt has used. */
export interface Reported {
  readonly job: EndingRow;
  readonly usage: Usage | undefined;
}

const MILLIONTHS = 1_000_000;
const MOST_BUDGETS = 500;
const TOLD_AT_ONCE = 100;

export class Budgets {
  readonly #options: BudgetsOptions;

  constructor(options: BudgetsOptions) {
    this.#options = options;
  }

  /** Throws `work.budget_without_limit`, `work.budget_of_another`, `work.too_many_budgets`, `access.agent_not_found`. */
  async set(call: Call, input: ParsedInput<typeof setBudget>): Promise<BudgetItem> {
    const { access, wakeups } = this.#options;
    const { budget: name, window: span, usd, tokens, calls } = input;
    if (usd === undefined && tokens === undefined && calls === undefined) throw workErrors.budget_without_limit();
    const tenantId = await this.#home(call, input.tenant);
    const limits = { usd: usd === undefined ? null : millionths(usd), tokens: tokens ?? null, calls: calls ?? null };
    const row = await call.write(async (tx) => {
      const found = input.agent === undefined ? undefined : await access.agents.get(tx, input.agent);
      const agent = found && { id: found.id, name: `${found.slug}@${found.tenant}` };
      const made = await store.ensureBudget(tx, { name, tenantId, agent, span, limits });
      if (made && (await store.countBudgets(tx, tenantId)) > MOST_BUDGETS) {
        throw workErrors.too_many_budgets({ most: MOST_BUDGETS });
      }
      const before = await store.lockBudget(tx, name, tenantId);
      if (before.agent_id !== (agent?.id ?? null)) {
        throw workErrors.budget_of_another({ budget: name, of: before.agent ?? 'no single agent' });
      }
      if (!made && isSame(before, span, limits)) return before;
      if (!made) await store.updateLimits(tx, before.id, span, limits);
      const payload = {
        ...namesOf({ ...before }),
        window: span,
        usd: usd ?? null,
        tokens: tokens ?? null,
        calls: calls ?? null,
      };
      const event = workEvents.make('budget.set', payload, { subject: `budget:${name}`, tenantId });
      await this.#options.log.append(tx, call, [event]);
      await store.judgeBudget(tx, before.id);
      tx.afterCommit(() => wakeups.notify('work'));
      return (await store.findBudget(tx, name, tenantId))!;
    });
    return (await this.#items([row]))[0]!;
  }

  async list(call: Call, input: ParsedInput<typeof listBudgets>): Promise<OutputOf<typeof listBudgets>> {
    const tenantId = input.tenant === undefined ? undefined : await this.#home(call, input.tenant);
    const after = Number(input.after ?? 0);
    if (!Number.isSafeInteger(after)) {
      throw platformErrors.invalid_input({
        problem: '`after` is not what an earlier answer gave',
        errors: [{ field: 'after', message: 'give next_cursor of the page before' }],
      });
    }
    const as_of = await this.#options.log.asOf(call);
    const rows = await call.read((tx) => store.listBudgets(tx, { after, tenantId, limit: input.limit }));
    return {
      items: await this.#items(rows),
      next_cursor: rows.length === input.limit ? String(rows.at(-1)!.id) : null,
      as_of,
    };
  }

  /** Throws `work.budget_not_found`. */
  async remove(call: Call, input: ParsedInput<typeof removeBudget>): Promise<OutputOf<typeof removeBudget>> {
    const { log, wakeups } = this.#options;
    const tenantId = await this.#home(call, input.tenant);
    return call.write(async (tx) => {
      const { budget } = input;
      if (!(await store.removeBudget(tx, budget, tenantId))) throw workErrors.budget_not_found({ budget });
      const event = workEvents.make('budget.removed', { budget }, { subject: `budget:${budget}`, tenantId });
      await log.append(tx, call, [event]);
      tx.afterCommit(() => wakeups.notify('work'));
      return { budget, removed: true };
    });
  }

  /**
   * Counts what the holders of jobs, whose rows this transaction holds locked, say that they used. Answers the jobs that
   * have used all that they may themselves.
   */
  async report(tx: Tx, call: Call, reported: readonly Reported[]): Promise<Set<string>> {
    const reports = reported.flatMap(({ job, usage }) =>
      usage === undefined
        ? []
        : [{ job_id: job.id, tenant_id: job.tenant_id, attempt: job.attempt, ...amountsOf(usage) }],
    );
    if (reports.length === 0) return new Set();
    const noted = await store.noteUsage(tx, reports, limitsOf({}));
    const tenantOf = new Map(reports.map((report) => [report.job_id, report.tenant_id]));
    const uses = noted.flatMap(({ job_id, over: _, ...more }) =>
      more.usd + more.tokens + more.calls === 0
        ? []
        : [{ ...more, tenant_id: tenantOf.get(job_id)!, agent_id: call.caller.id }],
    );
    await store.spend(tx, uses);
    return new Set(noted.filter(({ over }) => over).map(({ job_id }) => job_id));
  }

  /** As `report`, of jobs that are renewed: those that the agent holds. */
  async reportHeld(
    tx: Tx,
    call: Call,
    holds: readonly (Hold & { readonly usage?: Usage | undefined })[],
    grace: LeaseGrace,
  ): Promise<Set<string>> {
    const telling = new Map(holds.flatMap(({ id, usage }) => (usage === undefined ? [] : [[id, usage] as const])));
    if (telling.size === 0) return new Set();
    // All of them, also those that say nothing: jobs are locked before budgets, by everybody.
    const held = await lockHeld(tx, holds, call.caller.id, grace);
    const once = [...new Map(held.map((job) => [job.id, job])).values()];
    return this.report(
      tx,
      call,
      once.map((job) => ({ job, usage: telling.get(job.id) })),
    );
  }

  /** Tells the log of budgets that are nearly or wholly spent; true when there may be more. */
  async tell(call: Call): Promise<boolean> {
    return call.write(async (tx) => {
      const rows = await store.takeUntold(tx, TOLD_AT_ONCE);
      if (rows.length > 0) await this.#options.log.append(tx, call, crossingEvents(rows));
      return rows.length === TOLD_AT_ONCE;
    });
  }

  /** Ends jobs in the middle of their run, because what they may use is used up. */
  async stop(tx: Tx, call: Call, holds: readonly Hold[], grace: LeaseGrace): Promise<void> {
    if (holds.length === 0) return;
    const held = await lockHeld(tx, holds, call.caller.id, grace);
    if (held.length === 0) return;
    const once = [...new Map(held.map((job) => [job.id, job])).values()];
    tx.beforeCommit(() => store.commitSurely(tx));
    await settle(
      tx,
      call,
      this.#options,
      once.map((job) => ({ job, outcome: { kind: 'budget' }, error: USED_UP })),
    );
    tx.afterCommit(() => this.#options.wakeups.notify('work'));
  }

  async #home(call: Call, tenant: string | undefined): Promise<string> {
    if (tenant === FLEET_SLUG && call.scope.kind === 'fleet') return FLEET_TENANT;
    return this.#options.access.tenants.home(call, tenant, 'fleet');
  }

  async #items(rows: readonly store.BudgetRow[]): Promise<BudgetItem[]> {
    const slugs = await this.#options.tenants.slugs(rows.map((row) => row.tenant_id));
    return rows.map((row) => {
      const tenant = row.tenant_id === FLEET_TENANT ? FLEET_SLUG : (slugs.get(row.tenant_id) ?? row.tenant_id);
      return { ...budgetItem(row), tenant };
    });
  }
}

export const USED_UP = 'what it may use is used up: its own budget, or one of `quarterdeck budget list`';

/** What a job may use, in the store's units. */
export function limitsOf(budget: JobBudget): store.Amounts {
  return amountsOf({ ...DEFAULT_JOB_BUDGET, ...definedOf(budget) });
}

/** What a job used and may use, as it is shown. */
export function jobUsageOf(row: store.JobUsageRow) {
  return {
    usd: { limit: row.usd_limit / MILLIONTHS, spent: row.usd / MILLIONTHS },
    tokens: { limit: row.tokens_limit, spent: row.tokens },
    calls: { limit: row.calls_limit, spent: row.calls },
  };
}

function definedOf(budget: JobBudget): JobBudget {
  return Object.fromEntries(Object.entries(budget).filter(([, value]) => value !== undefined));
}

function amountsOf({ usd = 0, tokens = 0, calls = 0 }: Usage): store.Amounts {
  return { usd: millionths(usd), tokens, calls };
}

function millionths(usd: number): number {
  return Math.round(usd * MILLIONTHS);
}

function isSame(row: store.BudgetRow, span: string, { usd, tokens, calls }: store.Limits): boolean {
  const { usd_limit, tokens_limit, calls_limit } = row;
  return row.span === span && usd_limit === usd && tokens_limit === tokens && calls_limit === calls;
}

function namesOf({ name, agent }: { readonly name: string; readonly agent: string | null }) {
  return { budget: name, ...(agent === null ? {} : { agent }) };
}

function crossingEvents(rows: readonly store.UntoldRow[]) {
  return rows.flatMap((row) =>
    row.untold.map(({ what, metric, spent, most, until }) => {
      const unit = metric === 'usd' ? MILLIONTHS : 1;
      const end = until === null ? {} : { until: new Date(until).toISOString() };
      const payload = { ...namesOf(row), metric, spent: spent / unit, limit: most / unit, ...end };
      const of = { subject: `budget:${row.name}`, tenantId: row.tenant_id };
      return workEvents.make(what === 'warned' ? 'budget.warned' : 'budget.exhausted', payload, of);
    }),
  );
}

function budgetItem(row: store.BudgetRow): Omit<BudgetItem, 'tenant'> {
  const share = (spent: number, limit: number | null) => (limit === null ? 0 : (spent / limit) * 100);
  const money = (value: number | null) => (value === null ? null : value / MILLIONTHS);
  const { usd_limit, tokens_limit, calls_limit } = row;
  const percent = Math.max(share(row.usd, usd_limit), share(row.tokens, tokens_limit), share(row.calls, calls_limit));
  return {
    budget: row.name,
    agent: row.agent,
    window: row.span,
    usd: { limit: money(usd_limit), spent: row.usd / MILLIONTHS },
    tokens: { limit: tokens_limit, spent: row.tokens },
    calls: { limit: calls_limit, spent: row.calls },
    percent: Math.round(percent * 10) / 10,
    since: row.since.toISOString(),
    until: row.until?.toISOString() ?? null,
    warned: row.warned,
    exhausted: row.exhausted,
    version: row.version,
  };
}
