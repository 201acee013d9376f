import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readExposition, seriesValue } from '../../../test/support/exposition.ts';
import { openTestServer, type TestServer } from '../../../test/support/server.ts';
import { jobReadings } from '../../metrics.ts';
import { platformErrors } from '../../platform/platform-errors.ts';

let server: TestServer;
let operator: string;
beforeAll(async () => {
  server = await openTestServer({ metrics: { dataDir: tmpdir(), neighbours: async () => [], freshMs: 0 } });
  operator = await server.operatorToken();
});
afterAll(() => server?.close());

const look = (token?: string) => server.request('GET', '/metrics', { token });
async function numbers() {
  const { status, text } = await look(operator);
  expect(status, text).toBe(200);
  return readExposition(text);
}

async function makeToken(abilities: readonly string[], tenant?: string): Promise<string> {
  const name = `scrape-${abilities.join('-').replaceAll(':', '-')}-${tenant ?? 'fleet'}`;
  const body = { name, abilities, ...(tenant === undefined ? {} : { tenant }) };
  const made = await server.request('POST', '/v1/tokens', { token: operator, body });
  expect(made.status, made.text).toBe(201);
  return made.body.token;
}

it('the answer is the text format of Prometheus, with every family once', async () => {
  const answer = await look(operator);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const families = readExposition(answer.text);
  expect([...families.keys()]).toEqual(
    expect.arrayContaining([
      'quarterdeck_data_free_bytes',
      'quarterdeck_database_up',
      'quarterdeck_database_oldest_transaction_seconds',
      'quarterdeck_database_size_bytes',
      'quarterdeck_log_events_total',
      'quarterdeck_log_unreadable_events',
      'quarterdeck_oldest_queued_job_seconds',
      'quarterdeck_wakeups_listening',
    ]),
  );
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: answer.text, encoding: 'utf8' });
  // Where promtool is installed it has the last word.
  if (promtool.error === undefined) expect(promtool.stdout + promtool.stderr).toBe('');
});

it('requests are counted by operation and status, and timed', async () => {
  await server.request('GET', '/v1/me', { token: operator });
  await server.request('GET', '/v1/me');
  await server.request('GET', '/nothing/here');
  const families = await numbers();
  const count = (operation: string, status: string) =>
    seriesValue(families, 'quarterdeck_http_requests_total', { operation, status });
  const me = [...families.get('quarterdeck_http_requests_total')!.samples].find(({ labels }) =>
    labels['operation']!.startsWith('access.'),
  )!;
  expect(count(me.labels['operation']!, '200')).toBeGreaterThanOrEqual(1);
  expect(count(me.labels['operation']!, '401')).toBe(1);
  expect(count('none', '404')).toBe(1);
  expect(
    seriesValue(families, 'quarterdeck_http_request_seconds_count', { operation: me.labels['operation']! }),
  ).toBeGreaterThanOrEqual(2);
});

it('jobs, agents and events are told of, without any name of theirs', async () => {
  await server.agentToken('secret-agent-name', 'secret-client');
  await server.request('POST', '/v1/jobs', {
    token: operator,
    body: { kind: 'reprice', payload: { sku: 'secret-payload' } },
  });
  const text = await vi.waitFor(async () => {
    const { text } = await look(operator);
    expect(seriesValue(readExposition(text), 'quarterdeck_jobs', { queue: 'reprice', state: 'queued' })).toBe(1);
    return text;
  }, 15_000);
  expect(text).not.toContain('secret');
  expect(text).not.toContain(operator);
  const families = readExposition(text);
  expect(seriesValue(families, 'quarterdeck_log_events_total')).toBeGreaterThan(0);
  expect(families.get('quarterdeck_agents')!.samples.reduce((sum, { value }) => sum + value, 0)).toBe(1);
});

it('only a credential of the fleet with metrics:read may look', async () => {
  expect((await look()).status).toBe(401);
  expect((await look('nonsense')).status).toBe(401);
  expect((await look(await server.agentToken('scout'))).status).toBe(403);
  expect((await look(await makeToken(['fleet:read', 'work:read', 'log:read']))).status).toBe(403);
  expect((await look(await makeToken(['metrics:read'], 'secret-client'))).status).toBe(403);
  const narrow = await makeToken(['metrics:read']);
  expect((await look(narrow)).status).toBe(200);
  expect((await server.request('GET', '/v1/jobs', { token: narrow })).status).toBe(403);
});

it('while the database is away, who looked before still gets the numbers of the process', async () => {
  const narrow = await makeToken(['metrics:read']);
  expect((await look(narrow)).status).toBe(200);
  const never = await makeToken(['metrics:read', 'fleet:read']);
  const { app } = server;
  app.access.credentials.forgetAll();
  const away = vi.spyOn(app.db.availability, 'check').mockImplementation(() => {
    throw platformErrors.unavailable();
  });
  const since = vi.spyOn(app.db.availability, 'awaySince', 'get').mockReturnValue(1);
  try {
    const families = await vi.waitFor(async () => {
      const { status, text } = await look(narrow);
      expect(status).toBe(200);
      const read = readExposition(text);
      expect(seriesValue(read, 'quarterdeck_scrape_whole')).toBe(0);
      return read;
    }, 15_000);
    expect(seriesValue(families, 'quarterdeck_database_up', { role: 'test' })).toBe(0);
    expect(families.has('quarterdeck_jobs')).toBe(false);
    expect((await look(never)).status).toBe(503);
  } finally {
    away.mockRestore();
    since.mockRestore();
  }
  expect((await look(narrow)).status).toBe(200);
});

it('an open transaction is told of by its age', async () => {
  const client = new pg.Client({ connectionString: server.database.url });
  await client.connect();
  await client.query('BEGIN; SELECT 1');
  try {
    await vi.waitFor(async () => {
      expect(seriesValue(await numbers(), 'quarterdeck_database_oldest_transaction_seconds')).toBeGreaterThan(1);
    }, 20_000);
  } finally {
    await client.query('ROLLBACK');
    await client.end();
  }
});

it('many queues are counted in few series, and none is left out', () => {
  const queues = Array.from({ length: 500 }, (_, i) => ({ queue: `q${i}`, queued: i, running: 1 }));
  const readings = jobReadings(queues);
  expect(readings.length).toBe(51 * 2);
  const queued = readings.filter(({ labels }) => labels?.['state'] === 'queued');
  expect(queued.reduce((sum, { value }) => sum + value, 0)).toBe((499 * 500) / 2);
  expect(queued[0]?.labels?.['queue']).toBe('q499');
});
