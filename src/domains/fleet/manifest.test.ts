import { expect, test } from 'vitest';
import { agentsSection, compareSupervision, supervisionOf } from './manifest.ts';

const parse = (agent: unknown) => agentsSection.safeParse({ pricer: agent });
const problem = (agent: unknown) => {
  const { error } = parse(agent);
  return error === undefined ? undefined : `${error.issues[0]!.path.join('.')}: ${error.issues[0]!.message}`;
};

test('the example of the design is understood', () => {
  const section = agentsSection.parse({
    pricer: {
      command: ['python3', 'agents/pricer.py'],
      queues: ['prices'],
      silence_limit: '60s',
      restart: 'always',
      secrets: ['EBAY_TOKEN'],
    },
  });
  expect(supervisionOf(section['pricer']!, '/srv/fleet')).toEqual({
    command: ['python3', 'agents/pricer.py'],
    cwd: '/srv/fleet',
    env: {},
    secrets: ['EBAY_TOKEN'],
    restart: 'always',
    silence_limit_seconds: 60,
    on_silence: 'restart',
    log_cap_bytes: 52_428_800,
    queues: ['prices'],
    host: null,
  });
});

test('a line of text goes to a shell only when that is asked for', () => {
  const section = agentsSection.parse({ a: { command: 'run | tee', shell: true, cwd: 'agents' } });
  expect(supervisionOf(section['a']!, '/srv')).toMatchObject({
    command: ['/bin/sh', '-c', 'run | tee'],
    cwd: '/srv/agents',
  });
  expect(problem({ command: 'run | tee' })).toBe('pricer.command: give a list, or set `shell: true`');
  expect(problem({ command: ['a'], shell: true })).toBe('pricer.command: with `shell: true` give one line of text');
});

test.each([
  ['a command with NUL', { command: ['a\0b'] }],
  ['no command', {}],
  ['an empty command', { command: [] }],
  ['an unknown key', { command: ['a'], comand: 'b' }],
  ['a limit without a unit', { command: ['a'], silence_limit: '60' }],
  ['a limit of nothing', { command: ['a'], silence_limit: '0s' }],
  ['a limit beyond a week', { command: ['a'], silence_limit: '8d' }],
  ['a variable that the host sets', { command: ['a'], env: { QUARTERDECK_TOKEN: 'x' } }],
  ['a variable with a wrong name', { command: ['a'], env: { 'A B': 'x' } }],
  ['another restart rule', { command: ['a'], restart: 'sometimes' }],
  ['a log cap that is too small', { command: ['a'], log_cap: '1kb' }],
  ['a tenant with a path', { command: ['a'], tenant: '../x' }],
])('%s is refused', (_, agent) => {
  expect(parse(agent).success).toBe(false);
});

test('an agent name that could be a path or an option is refused', () => {
  for (const name of ['../x', '-rf', 'A', 'a b', 'a\n']) {
    expect(agentsSection.safeParse({ [name]: { command: ['true'] } }).success).toBe(false);
  }
});

test('numbers and switches in the environment become text', () => {
  const section = agentsSection.parse({ a: { command: ['x'], env: { N: 3, B: true, E: '' } } });
  expect(section['a']!.env).toEqual({ N: '3', B: 'true', E: '' });
});

test('only changes that the running process cannot take up restart it', () => {
  const { a } = agentsSection.parse({ a: { command: ['x'], env: { A: '1', B: '2' } } });
  const now = supervisionOf(a!, '/');
  expect(compareSupervision(now, { ...now, env: { B: '2', A: '1' } })).toEqual({ changed: [], restart: false });
  expect(compareSupervision(now, { ...now, queues: ['q'] })).toEqual({ changed: ['queues'], restart: false });
  expect(compareSupervision(now, { ...now, env: { A: '1' } })).toEqual({ changed: ['env'], restart: true });
});
