// Workers against a real server: what they hold, lose, finish and report, whatever goes away in between.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { fleetScope } from '../../src/platform/db/database.ts';
import { getUuid } from '../../src/platform/ids.ts';
import { openTestServer, type TestServer } from '../../test/support/server.ts';
import { startProxy, type TcpProxy } from '../../test/support/tcp-proxy.ts';
import {
  Ask,
  type Job,
  LeaseLost,
  type Leaving,
  Quarterdeck,
  RateLimited,
  Worker,
  type WorkerOptions,
} from './index.ts';

const PATIENCE = { timeout: 30_000, interval: 50 };
const STUBBORN = resolve(import.meta.dirname, '../../test/sdk/stubborn-worker.ts');

let t: TestServer;
let operator: Quarterdeck;
beforeAll(async () => {
  t = await openTestServer();
  operator = new Quarterdeck({ url: t.url, token: await t.operatorToken() });
  // For a while after PostgreSQL started no lease is too old.
  const isPast = `SELECT pg_postmaster_start_time() < clock_timestamp() - interval '16 s' AS past`;
  await vi.waitFor(async () => expect(await sql(isPast)).toEqual([{ past: true }]), PATIENCE);
}, 60_000);
afterAll(() => t.close());

function sql(text: string, values: readonly unknown[] = []): Promise<unknown[]> {
  return t.app.db.write(fleetScope, (tx) => tx.query<unknown>(text, values));
}

/** Lets the lease run out, as if its time had passed. */
async function expire(job: string): Promise<void> {
  await sql(`UPDATE work.jobs SET lease_until = clock_timestamp() - interval '1 ms' WHERE id = $1`, [
    getUuid('job', job, 'job'),
  ]);
}

interface Started {
  readonly lines: string[];
  readonly ended: Promise<void>;
  leave(): void;
}

let agents = 0;

/** Starts a worker in this process that leaves when the test ends; the client speaks to `url`. */
async function start(
  queue: string,
  handler: (job: Job) => Promise<unknown>,
  options: WorkerOptions = {},
  url = t.url,
): Promise<Started> {
  const agent = `worker-${++agents}`;
  const qd = new Quarterdeck({ url, agent, token: await t.agentToken(agent) });
  const leaving = new AbortController();
  const lines: string[] = [];
  const worker = new Worker({
    qd,
    queues: [queue],
    leaseSeconds: 5,
    signal: leaving.signal,
    log: (line) => lines.push(line),
    ...options,
  });
  const ended = worker.on('*', handler).run();
  ended.catch(() => undefined);
  onTestFinished(async () => {
    leaving.abort();
    await ended.catch(() => undefined);
  });
  return { lines, ended, leave: () => leaving.abort() };
}

async function add(queue: string, count = 1, more: object = {}): Promise<string[]> {
  const { jobs } = await operator.job.add({ jobs: Array.from({ length: count }, () => ({ kind: queue, ...more })) });
  return jobs.map(({ id }) => id);
}

const show = (job: string) => operator.job.show({ job });
const comesTo = (job: string, state: string) =>
  vi.waitFor(async () => expect(await show(job)).toMatchObject({ state }), PATIENCE);

/** A promise, and what keeps it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((done) => {
    open = done;
  });
  return { opened, open: () => open() };
}

describe('a worker', () => {
  it('has so many jobs in hand at once and never more, claimed together', async () => {
    const ids = await add('wide', 7);
    let running = 0;
    let most = 0;
    const three = gate();
    await start(
      'wide',
      async () => {
        most = Math.max(most, ++running);
        if (running === 3) three.open();
        await three.opened;
        running--;
      },
      { concurrency: 3 },
    );
    for (const id of ids) await comesTo(id, 'done');
    expect(most).toBe(3);
    const { items } = await operator.event.list({ event_type: 'work.job.claimed', limit: 500 });
    const claims = items.map(({ payload }) => payload['jobs'] as { id: string }[]);
    expect(claims.filter((jobs) => jobs.some(({ id }) => ids.includes(id)))[0]).toHaveLength(3);
  });

  it('keeps the lease of honest work that says nothing', async () => {
    const [id] = await add('silent');
    const end = gate();
    await start('silent', () => end.opened);
    await comesTo(id!, 'running');
    const { lease_until: first } = await show(id!);
    await vi.waitFor(async () => expect((await show(id!)).lease_until! > first!).toBe(true), PATIENCE);
    end.open();
    await comesTo(id!, 'done');
  });

  it('stops a handler whose job is cancelled, and reports nothing', async () => {
    const [id] = await add('cancelled');
    const seen: unknown[] = [];
    const { lines } = await start('cancelled', async ({ signal }) => {
      await new Promise((stopped) => signal.addEventListener('abort', stopped));
      seen.push(signal.reason);
      throw signal.reason;
    });
    await comesTo(id!, 'running');
    await operator.job.cancel({ jobs: [id!], reason: 'not wanted any more' });
    await vi.waitFor(() => expect(lines).toEqual([expect.anything(), expect.stringContaining('was lost')]), PATIENCE);
    expect(seen).toEqual([expect.any(LeaseLost)]);
    expect(seen[0]).toMatchObject({ reason: 'cancelled' });
    expect(await show(id!)).toMatchObject({ state: 'cancelled', error: 'not wanted any more' });
  });

  it('holds the channel back when its provider refuses', async () => {
    await operator.channel.set({ channel: 'provider', concurrency: 5 });
    const [id] = await add('limited', 1, { channel: 'provider' });
    await start('limited', async () => {
      throw new RateLimited(300);
    });
    await comesTo(id!, 'scheduled');
    const before = Date.now() + 200_000;
    const job = await show(id!);
    expect(Date.parse(job.run_at!)).toBeGreaterThan(before);
    expect(job.error).toContain('300 s');
    const { paused } = await operator.channel.show({ channel: 'provider' });
    expect(Date.parse(paused!.until!)).toBeGreaterThan(before);
  });

  it('asks, holds nothing meanwhile, and is told what was decided', async () => {
    const [id] = await add('asking');
    const { lines } = await start('asking', async ({ approval }) => {
      if (approval === undefined) throw new Ask('delete 3 accounts', { details: { accounts: ['a', 'b', 'c'] } });
      return { decided: approval.decision, note: approval.note };
    });
    await comesTo(id!, 'awaiting_approval');
    expect(lines).toContainEqual(`${id} (asking) asks: delete 3 accounts`);
    const { items } = await operator.approval.list({ job: id! });
    await operator.approval.decide({ approval: items[0]!.id, decision: 'approve', note: 'go on' });
    await comesTo(id!, 'done');
    expect(await show(id!)).toMatchObject({ result: { decided: 'approve', note: 'go on' } });
  });

  it('fails a job whose result is too large, and says so', async () => {
    const [id] = await add('large');
    await start('large', async () => 'x'.repeat(300_000));
    await comesTo(id!, 'dead');
    expect((await show(id!)).error).toContain('300002 bytes');
  });

  it('reports what the server cannot read as failed, and what was beside it as it was', async () => {
    const [bad, good] = await add('unreadable', 2);
    const both = gate();
    let running = 0;
    await start(
      'unreadable',
      async (job) => {
        if (++running === 2) both.open();
        await both.opened;
        return job.id === bad ? '\u0000' : 'fine';
      },
      { concurrency: 2 },
    );
    await comesTo(good!, 'done');
    await vi.waitFor(async () => expect((await show(bad!)).state).not.toBe('running'), PATIENCE);
  });

  it('finishes what is in hand when it is told to leave, and takes nothing new', async () => {
    const [first, second] = await add('leaving', 2);
    const end = gate();
    const worker = await start('leaving', () => end.opened);
    await comesTo(first!, 'running');
    worker.leave();
    end.open();
    await worker.ended;
    expect(worker.lines.at(-1)).toBe('leaves');
    expect(await show(first!)).toMatchObject({ state: 'done' });
    expect(await show(second!)).toMatchObject({ state: 'queued', attempt: 0 });
  });

  it('gives back at once what it cannot finish in time', async () => {
    const [id] = await add('given-back');
    const seen: unknown[] = [];
    const stopped = async ({ signal }: Job) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      seen.push(signal.reason);
      throw new Error('stopped in the middle');
    };
    const worker = await start('given-back', stopped, { stopSeconds: 0 });
    await comesTo(id!, 'running');
    worker.leave();
    await worker.ended;
    expect((seen as Leaving[])[0]!.name).toBe('Leaving');
    const job = await show(id!);
    expect(job).toMatchObject({ error: 'the worker left', attempt: 1 });
    expect(['queued', 'scheduled']).toContain(job.state);
    if (job.state === 'scheduled') expect(Date.parse(job.run_at!)).toBeLessThan(Date.now() + 1_000);
  });

  it('finishes and leaves when the operator stops it', async () => {
    const [id] = await add('stopped');
    const end = gate();
    const worker = await start('stopped', () => end.opened, { stopSeconds: 60 });
    await comesTo(id!, 'running');
    await operator.agent.stop({ agent: `worker-${agents}` });
    end.open();
    await worker.ended;
    expect(worker.lines.at(-1)).toBe('leaves');
    expect(await show(id!)).toMatchObject({ state: 'done' });
  });

  it('ends with the error when its token is revoked', async () => {
    const worker = await start('revoked', async () => undefined);
    const { items } = await operator.token.list({ limit: 100 });
    const mine = items.find(({ of }) => of.startsWith(`worker-${agents}`));
    await operator.token.revoke({ token_id: mine!.token_id });
    await expect(worker.ended).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a worker process', () => {
  interface Stubborn {
    readonly child: ChildProcess;
    printed(): string;
  }
  let dir: string;

  function newDirectory(): void {
    dir = mkdtempSync(join(tmpdir(), 'qd-worker-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  }

  function run(queue: string, does: 'wait' | 'block', url: string, token: string): Stubborn {
    const child = spawn(process.execPath, [STUBBORN, queue, dir, does], {
      env: { QUARTERDECK_URL: url, QUARTERDECK_TOKEN: token, QUARTERDECK_AGENT: 'stubborn' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      printed += part;
    });
    onTestFinished(() => end(child, 'SIGKILL'));
    return { child, printed: () => printed };
  }

  async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  const textOf = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : '');

  it('killed with a finished job in its outbox: the next one reports it, and the effect is there once', async () => {
    newDirectory();
    const proxy = await startProxy(t.port);
    onTestFinished(() => proxy.close());
    const token = await t.agentToken('stubborn');
    const [id] = await add('kept');
    // The claim gets through, the outcome does not.
    const url = `http://127.0.0.1:${proxy.port}`;
    const first = run('kept', 'wait', url, token);
    await vi.waitFor(() => expect(textOf('effects')).toBe(`${id}\n`), PATIENCE);
    await proxy.cut();
    writeFileSync(join(dir, 'go'), '');
    await vi.waitFor(() => expect(textOf('outcomes')).toContain(id), PATIENCE);
    await end(first.child, 'SIGKILL');
    await proxy.mend();
    const second = run('kept', 'wait', url, token);
    await comesTo(id!, 'done');
    expect(await show(id!)).toMatchObject({ result: { by: first.child.pid }, attempt: 1 });
    expect(textOf('effects')).toBe(`${id}\n`);
    await end(second.child, 'SIGTERM');
    expect(second.child.exitCode).toBe(0);
    expect(textOf('outcomes')).toBe('');
  });

  it('blocked for longer than its lease: the job is another’s, and what it says late is refused', {
    timeout: 60_000,
  }, async () => {
    newDirectory();
    const token = await t.agentToken('stubborn');
    const [id] = await add('blocked');
    const blocked = run('blocked', 'block', t.url, token);
    await vi.waitFor(() => expect(textOf('effects')).toBe(`${id}\n`), PATIENCE);
    const isOver = 'SELECT lease_until < clock_timestamp() AS over FROM work.jobs WHERE id = $1';
    const uuid = getUuid('job', id!, 'job');
    await vi.waitFor(async () => expect(await sql(isOver, [uuid])).toEqual([{ over: true }]), PATIENCE);
    await t.app.work.rescue(t.app.systemCall());
    await start('blocked', async () => 'by another');
    await comesTo(id!, 'done');
    writeFileSync(join(dir, 'go'), '');
    await vi.waitFor(() => expect(blocked.printed()).toContain('was refused (work.stale_lease)'), PATIENCE);
    expect(await show(id!)).toMatchObject({ result: 'by another', attempt: 2 });
    await end(blocked.child, 'SIGTERM');
  });
});

describe('while the network is away', () => {
  let proxy: TcpProxy;
  beforeAll(async () => {
    proxy = await startProxy(t.port);
  });
  afterAll(() => proxy.close());

  /** A job that is finished while nobody can be told, and whose lease runs out before anybody is. */
  async function finishLate(queue: string): Promise<{ id: string; worker: Started }> {
    const [id] = await add(queue);
    const end = gate();
    let ran = 0;
    const work = async () => {
      await end.opened;
      return { ran: ++ran };
    };
    const worker = await start(queue, work, {}, `http://127.0.0.1:${proxy.port}`);
    await comesTo(id!, 'running');
    await proxy.cut();
    await expire(id!);
    end.open();
    return { id: id!, worker };
  }

  it('a finished job is reported once on return, and refused when its lease ran out', async () => {
    const { id, worker } = await finishLate('late');
    await proxy.mend();
    const refused = `${id}: the outcome was refused (work.stale_lease)`;
    await vi.waitFor(() => expect(worker.lines).toContain(refused), PATIENCE);
    expect(await show(id)).toMatchObject({ state: 'running', result: null });
    worker.leave();
    await worker.ended;
    expect(worker.lines.filter((line) => line.includes('refused'))).toHaveLength(1);
  });

  // Last in this file: for a while after it no lease is too old.
  it('it counts when the centre itself was away', async () => {
    const { id } = await finishLate('in-grace');
    t.app.db.availability.noteOutageUntilNow();
    await proxy.mend();
    await comesTo(id, 'done');
    expect(await show(id)).toMatchObject({ result: { ran: 1 }, attempt: 1 });
  });
});
