import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { attributeOf, type Collector, openCollector } from '../test/support/collector.ts';
import { openTestServer, type TestServer } from '../test/support/server.ts';
import { fleetScope } from './platform/db/database.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const LIMIT = { timeout: 20_000, interval: 50 };

let collector: Collector;
let server: TestServer;
let operator: string;
let agent: string;
beforeAll(async () => {
  collector = await openCollector();
  server = await openTestServer({}, { traces: { endpoint: collector.endpoint, headers: {}, ratio: 1 } });
  operator = await server.operatorToken();
  agent = await server.agentToken('scout');
});
afterAll(async () => {
  await server?.close();
  await collector?.close();
});

async function send(method: string, path: string, token: string, body: unknown, traceparent?: string) {
  const headers = traceparent === undefined ? {} : { traceparent };
  const answer = await server.request(method, path, { token, body, headers });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

async function spanNamed(name: string, traceId: string) {
  return vi.waitFor(() => {
    const found = collector.spans.find((span) => span.name === name && span.traceId === traceId);
    expect(found, `${name} in ${traceId}`).toBeDefined();
    return found!;
  }, LIMIT);
}

it('an operation and its transactions are spans of the trace that the caller brought', async () => {
  await send('POST', '/v1/events', operator, { event_type: 'price.checked', payload: {} }, TRACEPARENT);
  const operation = await spanNamed('log.event.append', TRACE);
  expect(operation).toMatchObject({ parentSpanId: SPAN, kind: 2, status: {} });
  expect(attributeOf(operation, 'http.route')).toBe('/v1/events');
  expect(attributeOf(operation, 'quarterdeck.request_id')).toMatch(/^req_/);
  const database = await vi.waitFor(() => {
    const below = collector.spans.filter((span) => span.parentSpanId === operation.spanId);
    expect(below.map(({ name }) => name)).toContain('database write');
    return below;
  }, LIMIT);
  expect(database.every((span) => span.traceId === TRACE)).toBe(true);
  expect(BigInt(operation.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(operation.startTimeUnixNano));
});

it('a job carries the trace to whoever claims it, through its attempt to what is done for it', async () => {
  const traceId = TRACE.replace('4bf9', 'aaaa');
  const added = await send('POST', '/v1/jobs', operator, { kind: 'traced' }, `00-${traceId}-${SPAN}-01`);
  const claimed = await send('POST', '/v1/jobs/claims', agent, { queues: ['traced'], wait: 0 });
  const [job] = claimed.jobs;
  expect(job.id).toBe(added.jobs[0].id);
  expect(job.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));

  await send('POST', '/v1/events', job.token, { event_type: 'work.noted', payload: {} }, job.traceparent);
  await send('POST', '/v1/jobs/completions', agent, { jobs: [{ id: job.id, lease: job.lease, outcome: 'done' }] });
  const add = await spanNamed('work.job.add', traceId);
  const attempt = await spanNamed('job traced', traceId);
  const append = await spanNamed('log.event.append', traceId);
  expect(attempt).toMatchObject({ parentSpanId: add.spanId, spanId: job.traceparent.split('-')[2], kind: 5 });
  expect(append.parentSpanId).toBe(attempt.spanId);
  expect(attributeOf(attempt, 'quarterdeck.job')).toBe(job.id);
});

it('each attempt at a job is a span of its own', async () => {
  const traceId = TRACE.replace('4bf9', 'bbbb');
  await send('POST', '/v1/jobs', operator, { kind: 'twice' }, `00-${traceId}-${SPAN}-01`);
  const first = (await send('POST', '/v1/jobs/claims', agent, { queues: ['twice'], wait: 0 })).jobs[0];
  const failed = { id: first.id, lease: first.lease, outcome: 'failed', error: 'secret-of-the-tenant' };
  await send('POST', '/v1/jobs/completions', agent, { jobs: [failed] });
  const span = await spanNamed('job twice', traceId);
  expect(span.status).toEqual({ code: 2, message: 'failed' });
  expect(JSON.stringify(collector.spans)).not.toContain('secret-of-the-tenant');
});

it('without a trace of the caller a new one begins; what waits on purpose begins none', async () => {
  const before = collector.spans.length;
  await send('POST', '/v1/jobs/claims', agent, { queues: ['nothing'], wait: 0 });
  await send('GET', '/v1/jobs', operator, undefined);
  const list = await vi.waitFor(() => {
    const found = collector.spans.slice(before).find(({ name }) => name === 'work.job.list');
    expect(found).toBeDefined();
    return found!;
  }, LIMIT);
  expect(list.parentSpanId).toBeUndefined();
  expect(collector.spans.slice(before).some(({ name }) => name === 'work.job.claim')).toBe(false);
});

it('who does not record its trace is not recorded here either, and its jobs carry none', async () => {
  const traceId = TRACE.replace('4bf9', 'cccc');
  await send('POST', '/v1/jobs', operator, { kind: 'quiet' }, `00-${traceId}-${SPAN}-00`);
  const { jobs } = await send('POST', '/v1/jobs/claims', agent, { queues: ['quiet'], wait: 0 });
  expect(jobs[0].traceparent).toBeUndefined();
  await send('GET', '/v1/me', operator, undefined, TRACEPARENT);
  await vi.waitFor(() => expect(collector.spans.some(({ name }) => name.startsWith('access.'))).toBe(true), LIMIT);
  expect(collector.spans.some((span) => span.traceId === traceId)).toBe(false);
});

it('a refusal is told by its code and is no fault; rubbish in the header begins a new trace', async () => {
  const before = collector.spans.length;
  const answer = await server.request('GET', '/v1/jobs/job_0000000000000000000000', {
    token: operator,
    headers: { traceparent: '00-what-is-this-01' },
  });
  expect(answer.status).toBe(404);
  const span = await vi.waitFor(() => {
    const found = collector.spans.slice(before).find(({ name }) => name === 'work.job.show');
    expect(found).toBeDefined();
    return found!;
  }, LIMIT);
  expect(span.status).toEqual({});
  expect(attributeOf(span, 'error.type')).toBe('work.job_not_found');
});

it('a repeat by its key adds no second trace, and gets the same answer', async () => {
  const body = { kind: 'keyed' };
  const ask = () =>
    server.request('POST', '/v1/jobs', {
      token: operator,
      body,
      headers: { traceparent: TRACEPARENT, 'idempotency-key': 'once' },
    });
  const [first, second] = [await ask(), await ask()];
  expect(second.body).toEqual(first.body);
  const rows = await server.app.db.read(fleetScope, (tx) =>
    tx.query<{ kind: string }>(`SELECT kind FROM work.job_traces WHERE kind = 'keyed'`),
  );
  expect(rows).toHaveLength(1);
});

it('a collector that never answers slows nothing', async () => {
  collector.behave = () => undefined;
  for (let number = 0; number < 50; number++) await send('GET', '/v1/me', operator, undefined);
  collector.behave = undefined;
  const { text } = await server.request('GET', '/metrics', { token: operator });
  expect(text).toContain('quarterdeck_trace_spans_total{role="test",outcome="exported"}');
});

it('where no collector is configured nothing is kept, and claims say nothing of traces', async () => {
  const plain = await openTestServer();
  try {
    const token = await plain.operatorToken();
    const headers = { traceparent: TRACEPARENT };
    await plain.request('POST', '/v1/jobs', { token, body: { kind: 'plain' }, headers });
    const worker = await plain.agentToken('plain');
    const { body } = await plain.request('POST', '/v1/jobs/claims', {
      token: worker,
      body: { queues: ['plain'], wait: 0 },
    });
    expect(body.jobs).toHaveLength(1);
    expect(body.jobs[0].traceparent).toBeUndefined();
    const rows = await plain.app.db.read(fleetScope, (tx) => tx.query('SELECT FROM work.job_traces'));
    expect(rows).toHaveLength(0);
  } finally {
    await plain.close();
  }
});
