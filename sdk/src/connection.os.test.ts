import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Answer, openScriptedServer, problem, type ScriptedServer } from '../../test/sdk/scripted-server.ts';
import { Quarterdeck, type QuarterdeckOptions } from './quarterdeck.ts';

async function serverSaying(...answers: Answer[]): Promise<ScriptedServer> {
  const server = await openScriptedServer(answers);
  onTestFinished(() => server.close());
  return server;
}

function clientOf(server: Pick<ScriptedServer, 'url'>, options: QuarterdeckOptions = {}): Quarterdeck {
  return new Quarterdeck({ url: server.url, token: 'qd_agent_secret', agent: 'pricer', ...options });
}

const added = { status: 201, body: { jobs: [{ id: 'job_1', state: 'queued', existing: false }] } };

describe('a call', () => {
  it('is one call however often it is tried: the same key, until the server takes it', async () => {
    const server = await serverSaying(problem(503, 'unavailable', true), 'hang_up', added);
    expect(await clientOf(server).job.add({ kind: 'reprice' })).toEqual(added.body);
    expect(server.asked).toHaveLength(3);
    expect(new Set(server.asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(new Set(server.asked.map(({ body }) => body))).toEqual(new Set(['{"kind":"reprice"}']));
  });

  it('has another key than the call before, or the one that it is given', async () => {
    const server = await serverSaying(added);
    const qd = clientOf(server);
    await qd.job.add({ kind: 'a' });
    await qd.job.add({ kind: 'a' });
    await qd.job.add({ kind: 'a' }, { idempotencyKey: 'mine' });
    const keys = server.asked.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe('mine');
    await qd.job.list().catch(() => undefined);
    expect(server.asked[3]!.headers['idempotency-key']).toBeUndefined();
  });

  it('belongs to a trace when it is given one, and to none otherwise', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const server = await serverSaying(added);
    const qd = clientOf(server);
    await qd.withToken('qd_job_secret', traceparent).job.add({ kind: 'a' });
    await qd.job.add({ kind: 'a' });
    expect(server.asked.map(({ headers }) => headers['traceparent'])).toEqual([traceparent, undefined]);
    expect(() => qd.withToken('qd_job_secret', 'no\r\ntrace')).toThrow('no traceparent');
  });

  it('waits as long as Retry-After says', async () => {
    const busy = { ...problem(429, 'rate_limited', true), headers: { 'retry-after': '1' } };
    const server = await serverSaying(busy, added);
    const startedAt = performance.now();
    await clientOf(server).job.add({ kind: 'a' });
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
  });

  it('fails at once when Retry-After is longer than it may try', async () => {
    const busy = { ...problem(429, 'rate_limited', true), headers: { 'retry-after': '3600' } };
    const server = await serverSaying(busy);
    await expect(clientOf(server).job.list()).rejects.toMatchObject({ code: 'rate_limited', retryable: true });
    expect(server.asked).toHaveLength(1);
  });

  it('is not tried again when the server refuses it', async () => {
    const server = await serverSaying(problem(422, 'invalid_input'));
    await expect(clientOf(server).job.add({ kind: 'A' })).rejects.toMatchObject({
      name: 'QuarterdeckError',
      code: 'invalid_input',
      status: 422,
      detail: 'it was invalid_input',
      hint: 'Do something.',
      requestId: 'req_1',
      retryable: false,
    });
    expect(server.asked).toHaveLength(1);
  });

  it('ends with a time limit when the server says nothing', async () => {
    const server = await serverSaying('never');
    const qd = clientOf(server, { timeoutMs: 50, retryForMs: 0 });
    await expect(qd.access.me()).rejects.toMatchObject({ code: 'sdk.timed_out', status: 0, retryable: true });
  });

  it('says that nobody is there, and gets through when somebody is again', async () => {
    const server = await openScriptedServer([added]);
    await server.close();
    const away = clientOf(server, { retryForMs: 0 });
    await expect(away.job.add({ kind: 'a' })).rejects.toMatchObject({ code: 'sdk.unreachable', status: 0 });
    const waiting = clientOf(server).job.add({ kind: 'a' });
    const back = await openScriptedServer([added], server.port);
    onTestFinished(() => back.close());
    expect(await waiting).toEqual(added.body);
  });

  it('tells HTML of a proxy from an answer, and follows no redirect with its token', async () => {
    const other = await serverSaying({ body: {} });
    const server = await serverSaying(
      { body: '<html>Welcome to the hotel</html>' },
      { status: 302, headers: { location: other.url }, body: '' },
      { status: 502, body: '<html>Bad gateway</html>' },
      { body: { kind: 'agent' } },
    );
    const qd = clientOf(server);
    await expect(qd.access.me()).rejects.toMatchObject({ code: 'sdk.bad_answer', status: 200 });
    await expect(qd.access.me()).rejects.toMatchObject({ code: 'sdk.bad_answer', status: 302 });
    expect(await qd.access.me()).toEqual({ kind: 'agent' });
    expect(other.asked).toEqual([]);
  });

  it('takes fields that a newer server adds', async () => {
    const newer = { body: { desired: 'run', time: 't', mood: 'fine' }, headers: { 'x-new': '1' } };
    const server = await serverSaying(newer);
    expect(await clientOf(server).agent.beat({ agent: 'pricer' })).toMatchObject({ desired: 'run' });
  });

  it('ends when its signal is aborted, while it waits for an answer and between tries', async () => {
    const server = await serverSaying('never');
    const controller = new AbortController();
    const waiting = clientOf(server).access.me({}, { signal: controller.signal });
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(clientOf(server).access.me({}, { signal: controller.signal })).rejects.toThrow('enough');
    expect(server.asked).toHaveLength(1);
  });
});

describe('a client', () => {
  it('takes address and credential from the environment, and is not made without them', () => {
    vi.stubEnv('QUARTERDECK_URL', 'http://127.0.0.1:4600/');
    vi.stubEnv('QUARTERDECK_TOKEN', 'qd_agent_x');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(new Quarterdeck().url).toBe('http://127.0.0.1:4600');
    vi.stubEnv('QUARTERDECK_TOKEN', '');
    expect(() => new Quarterdeck()).toThrow('QUARTERDECK_TOKEN');
    expect(() => new Quarterdeck({ token: 'two words' })).toThrow('no token has');
    expect(() => new Quarterdeck({ url: 'ftp://x', token: 'x' })).toThrow('no address');
  });

  it('does not show its token when it is printed', () => {
    const qd = new Quarterdeck({ url: 'http://127.0.0.1:1', token: 'qd_agent_secret' });
    expect(JSON.stringify(qd) + String(qd)).not.toContain('qd_agent_secret');
  });
});

describe('beats', () => {
  it('are sent by whoever works, one in five seconds at most', async () => {
    const server = await serverSaying({ body: { desired: 'pause', time: 't' } });
    const qd = clientOf(server);
    for (let n = 0; n < 100; n++) expect(await qd.beat('working', 'job_1')).toBe('pause');
    expect(server.asked).toHaveLength(1);
    expect(JSON.parse(server.asked[0]!.body)).toEqual({ status: 'working', job: 'job_1' });
  });

  it('do not stop the work when the server is away, but when it refuses them', async () => {
    const away = await serverSaying(problem(503, 'unavailable', true));
    expect(await clientOf(away).beat()).toBe('run');
    const refusing = await serverSaying(problem(401, 'unauthenticated'));
    await expect(clientOf(refusing).beat()).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
