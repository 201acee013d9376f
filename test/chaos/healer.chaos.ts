// A frozen agent is healed within its limit and a little more, while one that computes for minutes under a live lease is left
// alone, and the log says why.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Installation, startInstallation } from '../support/installation.ts';

// Takes a job under a long lease, then computes without a word.
const BUSY = `
const { QUARTERDECK_URL: url, QUARTERDECK_TOKEN: token } = process.env;
const body = JSON.stringify({ queues: ['long'], wait: 20, lease_seconds: 600 });
const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/json' };
for (;;) {
  const answer = await fetch(url + '/v1/jobs/claims', { method: 'POST', headers, body }).catch(() => undefined);
  if (answer?.ok && (await answer.json()).jobs.length > 0) for (;;) Math.random();
}`;
const CONFIG = `agents:
  frozen:
    command: [sh, -c, "while true; do echo alive; sleep 0.2; done"]
    silence_limit: 3s
  busy:
    command: [${JSON.stringify(process.execPath)}, --input-type=module, -e, ${JSON.stringify(BUSY)}]
    silence_limit: 3s
`;
const PATIENCE = { timeout: 60_000, interval: 100 };

describe('the healer', () => {
  it('restarts a frozen agent and leaves alone one that works', { timeout: 180_000 }, async () => {
    const installation = await startInstallation({ config: CONFIG });
    onTestFinished(() => installation.stop());
    await ask(installation, 'POST', '/v1/jobs', { kind: 'long', max_attempts: 1 });
    const busy = await vi.waitFor(async () => {
      const { items } = await ask(installation, 'GET', '/v1/jobs?state=running');
      expect(items).toHaveLength(1);
      return (await ask(installation, 'GET', '/v1/agents/busy')).pid as number;
    }, PATIENCE);
    const frozen = await vi.waitFor(async () => {
      const agent = await ask(installation, 'GET', '/v1/agents/frozen');
      expect(agent.state).toBe('healthy');
      return agent.pid as number;
    }, PATIENCE);

    process.kill(frozen, 'SIGSTOP');
    const healed = await vi.waitFor(async () => {
      const agent = await ask(installation, 'GET', '/v1/agents/frozen');
      expect([agent.state, agent.pid !== frozen]).toEqual(['healthy', true]);
      return agent.pid as number;
    }, PATIENCE);
    expect(() => process.kill(frozen, 0)).toThrow();
    expect(healed).not.toBe(frozen);

    const { items } = await ask(installation, 'GET', '/v1/events?event_type=fleet.agent.healing');
    expect(items.map(({ payload }: { payload: { agent: string } }) => payload.agent)).toEqual(['frozen']);
    expect(items[0].payload.reason).toMatch(/no sign of life for \d+ s, its limit is 3 s; restart 1 of 3/);
    // Far beyond its limit by now, and quiet.
    const { pid, restarts } = await ask(installation, 'GET', '/v1/agents/busy');
    expect([pid, restarts]).toEqual([busy, 0]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
async function ask({ url, token }: Installation, method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
