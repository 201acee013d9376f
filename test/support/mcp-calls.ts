// How each tool is called once so that it works: the operation's example, with the ids of things that were made here.
import type { McpClient } from './mcp-client.ts';

export interface ToolWorld {
  readonly operator: McpClient;
  /** With the token of an agent, for what only agents may do. */
  readonly agent: McpClient;
}

interface Held {
  readonly id: string;
  readonly lease: string;
}

interface ToolCall {
  readonly as?: 'agent';
  input(world: ToolWorld): Promise<Readonly<Record<string, unknown>>>;
}

const QUEUE = 'tool-calls';

let names = 0;

/** Whoever calls every tool a second time makes other things. */
function newName(what: string): string {
  return `${what}-${++names}`;
}

/** Where the example alone would not do. `pricer` is there and supervised. */
const calls: Readonly<Record<string, ToolCall>> = {
  tenant_add: { input: async () => ({ tenant: newName('client') }) },
  agent_add: { input: async () => ({ agent: newName('scout'), kind: 'external' }) },
  access_sql_role_remove: {
    input: async ({ operator }) => {
      const agent = newName('plain');
      await made(operator, 'agent_add', { agent });
      await made(operator, 'access_sql_role', { agent });
      return { agent };
    },
  },
  event_show: { input: async ({ operator }) => ({ cursor: await newCursor(operator) }) },
  token_revoke: { input: async ({ operator }) => ({ token_id: await newTokenId(operator) }) },
  job_show: { input: async ({ operator }) => ({ job: await newJob(operator) }) },
  job_claim: {
    as: 'agent',
    input: async ({ operator }) => {
      await newJob(operator);
      return { queues: [QUEUE] };
    },
  },
  job_renew: { as: 'agent', input: async (world) => ({ jobs: [await holdJob(world)] }) },
  job_complete: {
    as: 'agent',
    input: async (world) => ({ jobs: [{ ...(await holdJob(world)), outcome: 'done' }] }),
  },
  job_change: { input: async ({ operator }) => ({ job: await newJob(operator), priority: 1 }) },
  approval_show: { input: newApproval },
  job_step: {
    as: 'agent',
    input: async (world) => {
      const { id, lease } = await holdJob(world);
      return { job: id, lease, step: 'fetched', result: { rows: 12 } };
    },
  },
  job_steps: { input: async ({ operator }) => ({ job: await newJob(operator) }) },
  batch_add: { input: async (world) => ({ ...(await newBatch(world)), jobs: [{ kind: 'reprice' }] }) },
  batch_close: { input: newBatch },
  batch_cancel: { input: newBatch },
  batch_show: { input: newBatch },
  budget_remove: { input: newBudget },
  channel_show: { input: newChannel },
  channel_pause: { input: newChannel },
  channel_resume: { input: newChannel },
  channel_remove: { input: newChannel },
  schedule_show: { input: newSchedule },
  schedule_pause: { input: newSchedule },
  schedule_resume: { input: newSchedule },
  schedule_run: { input: newSchedule },
  schedule_backfill: {
    input: async (world) => ({
      ...(await newSchedule(world)),
      since: '2026-03-01T00:00:00Z',
      until: '2026-03-02T00:00:00Z',
    }),
  },
  schedule_remove: { input: newSchedule },
  // Not of everything: the tools that come after need jobs.
  work_pause: { input: newClient },
  agent_remove: {
    input: async ({ operator }) => {
      const agent = newName('leaver');
      await made(operator, 'agent_add', { agent });
      return { agent };
    },
  },
};

/** What went wrong, one line a tool; empty when every tool was called and answered. */
export async function callEveryTool(
  world: ToolWorld,
  examples: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): Promise<string[]> {
  const wrong: string[] = [];
  const tools = await world.operator.tools();
  for (const { name } of tools) {
    const call = calls[name];
    const by = world[call?.as ?? 'operator'];
    try {
      const { isError, text, data } = await by.call(name, (await call?.input(world)) ?? examples.get(name) ?? {});
      if (isError) wrong.push(`${name}: ${text}`);
      if (JSON.stringify(data) !== text) wrong.push(`${name}: its text is not its data`);
    } catch (error) {
      wrong.push(`${name}: ${(error as Error).message}`);
    }
  }
  const names = tools.map(({ name }) => name);
  wrong.push(...[...examples.keys()].filter((name) => !names.includes(name)).map((name) => `${name}: not listed`));
  return wrong;
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
async function made(client: McpClient, name: string, input: Readonly<Record<string, unknown>>): Promise<any> {
  const { isError, text, data } = await client.call(name, input);
  if (isError) throw new Error(`${name}: ${text}`);
  return data;
}

async function newJob(operator: McpClient): Promise<string> {
  return (await made(operator, 'job_add', { kind: 'reprice', queue: QUEUE })).jobs[0].id;
}

async function holdJob({ operator, agent }: ToolWorld): Promise<Held> {
  await newJob(operator);
  const { id, lease } = (await made(agent, 'job_claim', { queues: [QUEUE] })).jobs[0];
  return { id, lease };
}

async function newApproval({ operator }: ToolWorld): Promise<{ approval: string }> {
  const approval = { summary: 'refund 40 euro' };
  const { jobs } = await made(operator, 'job_add', { kind: 'refund', queue: QUEUE, approval });
  const { items } = await made(operator, 'approval_list', { job: jobs[0].id });
  return { approval: items[0].id };
}

async function newBudget({ operator }: ToolWorld): Promise<{ budget: string }> {
  const budget = newName('budget');
  await made(operator, 'budget_set', { budget, window: 'total', calls: 1_000_000 });
  return { budget };
}

async function newChannel({ operator }: ToolWorld): Promise<{ channel: string }> {
  const channel = newName('channel');
  await made(operator, 'channel_set', { channel });
  return { channel };
}

async function newSchedule({ operator }: ToolWorld): Promise<{ schedule: string }> {
  const schedule = newName('schedule');
  await made(operator, 'schedule_set', { schedule, cron: '0 3 * * *', job: { kind: 'reprice' } });
  return { schedule };
}

async function newBatch({ operator }: ToolWorld): Promise<{ batch: string }> {
  const { batch } = await made(operator, 'batch_create', { open: true });
  return { batch };
}

async function newClient({ operator }: ToolWorld): Promise<{ tenant: string }> {
  const tenant = newName('paused');
  await made(operator, 'tenant_add', { tenant });
  return { tenant };
}

async function newCursor(operator: McpClient): Promise<string> {
  return (await made(operator, 'event_add', { event_type: 'tool.tried' })).events[0].cursor;
}

async function newTokenId(operator: McpClient): Promise<string> {
  const agent = newName('short-lived');
  await made(operator, 'agent_add', { agent });
  const { items } = await made(operator, 'token_list', { limit: 10 });
  return items.find((token: { of: string }) => token.of === agent).token_id;
}
