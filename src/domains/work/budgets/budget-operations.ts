// What the outside may ask about budgets, and how jobs state what they may use and what they have used.
import { z } from 'zod';
import { agentAddress, page, pageLimit, slug } from '../../../platform/fields.ts';
import { operation } from '../../../platform/operation.ts';

const MOST_USD = 1_000_000_000;
const MOST_COUNT = 50_000_000_000;

/** What a job may use when nobody says otherwise: no run is without an end. */
export const DEFAULT_JOB_BUDGET = { usd: 50, tokens: 50_000_000, calls: 20_000 } as const;

const usd = z.number().max(MOST_USD).describe('US dollars; counted in millionths');
const count = z.int().max(MOST_COUNT);

/** What an attempt has used since it began. */
export const usage = z
  .strictObject({
    usd: usd.min(0).optional(),
    tokens: count.min(0).optional(),
    calls: count.min(0).optional(),
  })
  .describe('What this attempt has used so far, in all: a report that comes twice counts nothing twice');
export type Usage = z.output<typeof usage>;

const limits = {
  usd: usd.min(0.000_001).optional(),
  tokens: count.min(1).optional(),
  calls: count.min(1).optional(),
};

/** What a job may use, all its attempts together. */
export const jobBudget = z
  .strictObject(limits)
  .describe(
    `Most that all its attempts may use; what is not given is ${DEFAULT_JOB_BUDGET.usd} USD, 50 million tokens, 20,000 calls`,
  );
export type JobBudget = z.output<typeof jobBudget>;

const used = z.object({ limit: z.number().nullable().describe('null: no limit'), spent: z.number() });
const windows = z.enum(['hour', 'day', 'month', 'total']);

/** As `job show` tells it. */
export const jobUsage = z.object({ usd: used, tokens: used, calls: used });

const inTenant = slug.optional().describe('Whose budget; default: the caller’s own tenant, or the fleet');
const address = z.strictObject({ budget: slug, tenant: inTenant });

const budget = z.object({
  budget: z.string(),
  tenant: z.string().describe('Whose jobs count; `fleet`: those of all, unless it is of one agent'),
  agent: z.string().nullable().describe('Only what this agent uses counts'),
  window: windows,
  usd: used,
  tokens: used,
  calls: used,
  percent: z.number().describe('Of the limit of which most is spent'),
  since: z.string().describe('When the window under way began, in UTC'),
  until: z.string().nullable().describe('When it ends; null: never'),
  warned: z.boolean().describe('80 % are spent'),
  exhausted: z
    .boolean()
    .describe('Nothing is handed out and nothing runs on until the window ends or the limit is raised'),
  version: z.int(),
});
export type BudgetItem = z.output<typeof budget>;

export const setBudget = operation({
  name: 'work.budget.set',
  summary: 'Limit the money, tokens and calls that the fleet, a tenant or an agent uses in a window',
  ability: 'work:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/budgets/{budget}',
  input: address.extend({
    agent: agentAddress.optional().describe('Only what this agent uses counts, for whichever tenant it works'),
    window: windows.describe('Begins with the hour, day or month of UTC; `total`: never anew'),
    ...limits,
  }),
  output: budget,
  errors: [
    'access.tenant_not_found',
    'access.agent_not_found',
    'access.agent_ambiguous',
    'work.budget_without_limit',
    'work.budget_of_another',
    'work.too_many_budgets',
  ],
  next: { operation: 'work.budget.list' },
  cli: {
    words: 'budget set',
    positional: ['budget'],
    example: 'quarterdeck budget set daily --window day --usd 25 --tokens 5000000',
  },
  example: { budget: 'daily', window: 'day', usd: 25 },
});

export const listBudgets = operation({
  name: 'work.budget.list',
  summary: 'Budgets with what is spent of them in the window under way',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/budgets',
  input: z.strictObject({ tenant: slug.optional(), after: z.string().max(128).optional(), limit: pageLimit }),
  output: page(budget),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'budget list',
    columns: ['budget', 'tenant', 'agent', 'window', 'percent', 'usd.spent', 'usd.limit', 'exhausted', 'until'],
    example: 'quarterdeck budget list',
  },
});

export const removeBudget = operation({
  name: 'work.budget.remove',
  summary: 'Remove a budget; what it held back goes on',
  ability: 'work:write',
  effect: 'destroy',
  method: 'DELETE',
  path: '/v1/budgets/{budget}',
  input: address,
  output: z.object({ budget: z.string(), removed: z.boolean() }),
  errors: ['access.tenant_not_found', 'work.budget_not_found'],
  cli: { words: 'budget remove', positional: ['budget'], example: 'quarterdeck budget remove daily' },
  example: { budget: 'daily' },
});

export const budgetOperations = { setBudget, listBudgets, removeBudget };
