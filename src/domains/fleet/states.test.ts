import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AgentFacts, deriveState } from './states.ts';

const now = new Date('2026-03-01T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

const external: AgentFacts = {
  now,
  kind: 'external',
  supervised: false,
  desired: 'run',
  desiredBy: null,
  desiredReason: null,
  silenceLimitSeconds: null,
  lastSeen: ago(10),
  phase: null,
  host: null,
  hostSeen: null,
  pid: null,
  startedAt: null,
  exit: null,
  exitedAt: null,
  nextStartAt: null,
  healingSince: null,
};
const running: AgentFacts = {
  ...external,
  kind: 'process',
  supervised: true,
  phase: 'running',
  host: 'harbour',
  hostSeen: ago(3),
  pid: 42,
  startedAt: ago(100),
};

test.each([
  ['never seen', { lastSeen: null }, 'unknown', 'It has never given a sign of life.'],
  ['seen within 15 minutes', { lastSeen: ago(899) }, 'healthy', 'It gives signs of life.'],
  ['unseen for longer', { lastSeen: ago(901) }, 'late', 'No sign of life for 15 min; its limit is 15 min.'],
  ['unseen for three limits', { lastSeen: ago(2_701) }, 'silent', 'No sign of life for 45 min; its limit is 15 min.'],
  ['with a limit of its own', { lastSeen: ago(61), silenceLimitSeconds: 60 }, 'late', undefined],
  ['paused', { desired: 'pause', desiredBy: 'ada', desiredReason: 'why' }, 'paused', 'Paused by ada: why.'],
  ['paused and silent', { desired: 'pause', lastSeen: ago(9_999) }, 'silent', undefined],
  ['told to stop', { desired: 'stop', desiredBy: 'ada' }, 'stopped', 'Told to stop by ada.'],
  ['started per job and quiet between jobs', { kind: 'llm', lastSeen: ago(99_999) }, 'healthy', undefined],
] as const)('an external agent: %s', (_, change, state, reason) => {
  const derived = deriveState({ ...external, ...change });
  expect(derived.state).toBe(state);
  if (reason !== undefined) expect(derived.reason).toBe(reason);
});

test.each([
  ['never started', { phase: null }, 'unknown', 'none'],
  ['running, confirmed by its host', {}, 'healthy', 'none'],
  ['running, its host away', { hostSeen: ago(16) }, 'late', 'warn'],
  ['running and quiet beyond its own limit', { silenceLimitSeconds: 60, lastSeen: ago(61) }, 'late', 'warn'],
  [
    'just started, last seen long ago',
    { silenceLimitSeconds: 60, startedAt: ago(5), lastSeen: ago(500) },
    'healthy',
    'none',
  ],
  ['between two starts', { phase: 'waiting', exit: 'exited with code 1', nextStartAt: ago(-3) }, 'late', 'none'],
  ['overdue to start', { phase: 'waiting', nextStartAt: ago(30) }, 'late', 'warn'],
  ['crashed', { phase: 'crashed', pid: null, hostSeen: ago(999) }, 'crashed', 'error'],
  ['paused but crashed', { phase: 'crashed', desired: 'pause' }, 'crashed', 'error'],
  ['paused', { desired: 'pause' }, 'paused', 'none'],
  ['ended for good', { phase: 'ended', exit: 'exited with code 0' }, 'stopped', 'none'],
  ['its host shut down', { phase: 'stopped', hostSeen: ago(9_999) }, 'stopped', 'none'],
  ['told to stop, still ending', { desired: 'stop' }, 'stopped', 'none'],
] as const)('a supervised agent: %s', (_, change, state, attention) => {
  expect(deriveState({ ...running, ...change })).toMatchObject({ state, attention });
});

test('the reason of a restart says how it ended and when it comes back', () => {
  const facts = { ...running, phase: 'waiting', exit: 'killed by SIGKILL', nextStartAt: ago(-2.5) } as const;
  expect(deriveState(facts).reason).toBe('Its process ended (killed by SIGKILL) and starts again in 2.5 s.');
});

test('whatever the facts, there is one state with one sentence, and time alone never makes an agent better', () => {
  const at = fc.option(fc.integer({ min: -100, max: 100_000 }).map(ago), { nil: null });
  const facts = fc.record({
    kind: fc.constantFrom('process', 'external', 'llm'),
    supervised: fc.boolean(),
    desired: fc.constantFrom('run', 'pause', 'stop'),
    silenceLimitSeconds: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: null }),
    lastSeen: at,
    phase: fc.constantFrom(null, 'starting', 'running', 'waiting', 'crashed', 'ended', 'stopped'),
    hostSeen: at,
    startedAt: at,
    nextStartAt: at,
    healingSince: at,
  });
  const badness = { healthy: 0, paused: 0, unknown: 1, late: 1, healing: 1, silent: 2, crashed: 3, stopped: 3 };
  fc.assert(
    fc.property(facts, fc.integer({ min: 0, max: 10_000 }), (drawn, later) => {
      const given = { ...external, ...drawn } as AgentFacts;
      const before = deriveState(given);
      const after = deriveState({ ...given, now: new Date(now.getTime() + later * 1000) });
      expect(before.reason).toMatch(/^[A-Z][^\n]*\.$/);
      expect(badness[after.state]).toBeGreaterThanOrEqual(badness[before.state]);
    }),
  );
});

test('an agent that the healer had restarted is healing until it speaks itself, unless it is worse off', () => {
  const healing = { ...running, silenceLimitSeconds: 60, lastSeen: ago(90), healingSince: ago(10), startedAt: ago(5) };
  expect(deriveState(healing)).toMatchObject({ state: 'healing', attention: 'warn' });
  expect(deriveState({ ...healing, lastSeen: ago(4) })).toMatchObject({ state: 'healthy' });
  expect(deriveState({ ...healing, phase: 'crashed' })).toMatchObject({ state: 'crashed' });
  expect(deriveState({ ...healing, lastSeen: ago(400), startedAt: ago(300), desired: 'pause' })).toMatchObject({
    state: 'silent',
  });
});
