import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openTestServer, type TestServer } from '../../test/support/server.ts';
import { GiveUp, type Job, type LiveMessage, Quarterdeck, RateLimited, work } from './index.ts';

let t: TestServer;
let operator: Quarterdeck;
beforeAll(async () => {
  t = await openTestServer();
  operator = new Quarterdeck({ url: t.url, token: await t.operatorToken() });
});
afterAll(() => t.close());

async function agent(name: string, tenant?: string): Promise<Quarterdeck> {
  return new Quarterdeck({ url: t.url, token: await t.agentToken(name, tenant), agent: name });
}

describe('lists', () => {
  it('are read to their end, page after page', async () => {
    for (let n = 0; n < 7; n++) await operator.event.append({ event_type: 'sdk.page', payload: { n } });
    const numbers: unknown[] = [];
    for await (const { payload } of operator.event.listAll({ event_type: 'sdk.page', limit: 3 })) {
      numbers.push(payload['n']);
    }
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe('a create', () => {
  it('with the key of an earlier one is the earlier one', async () => {
    const options = { idempotencyKey: 'sdk-test' };
    const first = await operator.job.add({ kind: 'once' }, options);
    expect(await operator.job.add({ kind: 'once' }, options)).toEqual(first);
    await expect(operator.job.add({ kind: 'other' }, options)).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
  });
});

describe('the live feed', () => {
  async function take(feed: AsyncGenerator<LiveMessage>, count: number): Promise<LiveMessage[]> {
    const messages: LiveMessage[] = [];
    for await (const message of feed) {
      messages.push(message);
      if (messages.length === count) break;
    }
    return messages;
  }
  const numbers = (messages: readonly LiveMessage[]) =>
    messages.map((message) => (message.type === 'event' ? message.event.payload['n'] : message.type));

  it('gives what was and what comes, once and in order, and goes on where it was', async () => {
    const { as_of } = await operator.event.list({ order: 'desc', limit: 1 });
    for (let n = 0; n < 3; n++) await operator.event.append({ event_type: 'sdk.live', payload: { n } });
    const first = await take(operator.live({ topics: ['type:sdk.live'], after: as_of }), 2);
    expect(numbers(first)).toEqual([0, 1]);
    const rest = take(operator.live({ topics: ['type:sdk.live'], after: first[1]!.cursor }), 3);
    for (let n = 3; n < 5; n++) await operator.event.append({ event_type: 'sdk.live', payload: { n } });
    expect(numbers(await rest)).toEqual([2, 3, 4]);
  });

  it('says reset when continuity is broken', async () => {
    const [message] = await take(operator.live({ after: '00000000-5' }), 1);
    expect(message).toMatchObject({ type: 'reset' });
  });

  it('ends with an error when its token is revoked, without a later event', async () => {
    const { token, token_id } = await operator.token.create({ name: 'short', abilities: ['log:read'] });
    const { as_of } = await operator.event.list({ order: 'desc', limit: 1 });
    const feed = operator.withToken(token).live({ after: as_of, topics: ['type:sdk.revoked'] });
    await operator.event.append({ event_type: 'sdk.revoked', payload: { n: 1 } });
    expect((await feed.next()).value).toMatchObject({ event: { payload: { n: 1 } } });
    await operator.token.revoke({ token_id });
    await operator.event.append({ event_type: 'sdk.revoked', payload: { n: 2 } });
    await expect(feed.next()).rejects.toMatchObject({ code: 'unauthenticated', status: 401 });
  });

  it('is refused with an error for a topic that does not exist', async () => {
    await expect(operator.live({ topics: ['nonsense'] }).next()).rejects.toMatchObject({ code: 'log.bad_topic' });
  });

  it('ends quietly with its signal', async () => {
    const controller = new AbortController();
    const next = operator.live({ topics: ['type:never.comes'], signal: controller.signal }).next();
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});

describe('a worker', () => {
  /** Works until `count` jobs were in hand; answers what it printed. */
  async function worked(
    qd: Quarterdeck,
    queue: string,
    count: number,
    handler: (job: Job) => Promise<unknown>,
    concurrency = 1,
  ): Promise<string[]> {
    const leaving = new AbortController();
    const lines: string[] = [];
    let seen = 0;
    onTestFinished(() => leaving.abort());
    await work(
      [queue],
      async (job) => {
        if (++seen === count) leaving.abort();
        return handler(job);
      },
      { qd, concurrency, leaseSeconds: 5, signal: leaving.signal, log: (line) => lines.push(line) },
    );
    return lines;
  }

  it('claims, works, files events in the name of the tenant, and reports the result', async () => {
    const pricer = await agent('pricer');
    const { jobs } = await operator.job.add({
      jobs: [1, 2, 3].map((n) => ({ kind: 'reprice', payload: { n } })),
      tenant: await tenant('acme'),
    });
    const lines = await worked(pricer, 'reprice', 3, async (job) => {
      await job.keep();
      await job.emit('price.checked', { n: job.payload['n'] }, { once: 'checked' });
      await job.emit('price.checked', { n: job.payload['n'] }, { once: 'checked' });
      return { doubled: Number(job.payload['n']) * 2 };
    });
    expect(lines).toEqual(['works on reprice', 'leaves']);
    for (const [i, { id }] of jobs.entries()) {
      expect(await operator.job.show({ job: id })).toMatchObject({ state: 'done', result: { doubled: (i + 1) * 2 } });
      const { items } = await operator.event.list({ subject: `job:${id}`, event_type: 'price.checked' });
      expect(items).toMatchObject([{ tenant: 'acme', source_agent: 'pricer', payload: { n: i + 1 } }]);
    }
  });

  it('does a step once, whatever becomes of the attempt, and shows how far it is', async () => {
    const kind = 'stepwise';
    const { jobs } = await operator.job.add({ jobs: [{ kind }] });
    const done: string[] = [];
    const results: unknown[] = [];
    const handler = async (job: Job) => {
      job.progress({ fraction: 0.5, message: 'half' });
      results.push(await job.step('fetch', async () => ({ rows: done.push('fetch'), left: undefined })));
      results.push(await job.step('fetch', async () => done.push('never')));
      results.push(await job.step('nothing', async () => void done.push('nothing')));
      if (job.attempt === 1) throw new RateLimited(0);
      return job.step('send', async () => done.push('send'));
    };
    await worked(await agent('stepper'), kind, 1, handler);
    await t.app.work.queueDue(t.app.systemCall());
    await worked(await agent('stepper-too'), kind, 1, handler);
    expect(done).toEqual(['fetch', 'nothing', 'send']);
    expect(results).toEqual([{ rows: 1 }, { rows: 1 }, null, { rows: 1 }, { rows: 1 }, null]);
    expect(await operator.job.show({ job: jobs[0]!.id })).toMatchObject({ state: 'done', attempt: 2, result: 3 });
  });

  it('stops a step whose job is somebody else’s by now', async () => {
    const kind = 'taken-away';
    const { jobs } = await operator.job.add({ jobs: [{ kind }] });
    const lines = await worked(await agent('taken'), kind, 1, (job) =>
      job.step('fetch', async () => {
        await operator.job.cancel({ jobs: [job.id] });
        return 1;
      }),
    );
    expect(lines).toContain(`${jobs[0]!.id} was lost: ${jobs[0]!.id}: taken`);
    expect(await operator.job.show({ job: jobs[0]!.id })).toMatchObject({ state: 'cancelled' });
  });

  it('reports what its handler throws, and ends for good what cannot help again', async () => {
    const { jobs } = await operator.job.add({
      jobs: ['again', 'never', 'no-json'].map((kind) => ({ kind, queue: 'failing' })),
    });
    const lines = await worked(await agent('clumsy'), 'failing', 3, async ({ kind }) => {
      if (kind === 'never') throw new GiveUp('it is hopeless');
      if (kind === 'no-json') return { big: 1n };
      throw new Error('not today');
    });
    expect(lines.filter((line) => line.includes('failed'))).toHaveLength(3);
    const [again, never, noJson] = await Promise.all(jobs.map(({ id }) => operator.job.show({ job: id })));
    expect(again).toMatchObject({ error: 'not today', attempt: 1 });
    expect(again!.state).not.toBe('dead');
    expect(never).toMatchObject({ state: 'dead', error: 'it is hopeless' });
    expect(noJson!.error).toContain('BigInt');
  });

  async function tenant(name: string): Promise<string> {
    await t.agentToken('settler', name);
    return name;
  }
});
