import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { headersIn } from './config/settings.ts';
import { type ConfigProblem, ConfigRefused, environmentOf, readConfig, readRoleConfig, withExample } from './config.ts';

const dir = mkdtempSync(join(tmpdir(), 'qd-config-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let files = 0;

function manifest(text: string): string {
  const file = `m${files++}.yaml`;
  writeFileSync(join(dir, file), text);
  return file;
}

function read(text: string | undefined, rest: { flags?: Record<string, unknown>; env?: Record<string, string> } = {}) {
  const file = text === undefined ? undefined : manifest(text);
  return readConfig({ flags: rest.flags ?? {}, env: rest.env ?? {}, cwd: dir, file });
}

function problemsOf(action: () => unknown): readonly ConfigProblem[] {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigRefused) return error.problems;
    throw error;
  }
  throw new Error('it was accepted');
}

function problemOf(text: string): ConfigProblem & { line: number } {
  const [problem] = problemsOf(() => read(text));
  return { ...problem!, line: Number(problem!.place.split(':').at(-1)) };
}

describe('where a value comes from', () => {
  it('a flag outranks the environment, that the manifest, that the default; each value knows its origin', () => {
    const text = 'api_port: 1001\nrelay_port: 1002\nedge_port: 1003\n';
    const config = read(text, {
      flags: { api_port: 3001 },
      env: { QUARTERDECK_API_PORT: '2001', QUARTERDECK_RELAY_PORT: '2002' },
    });
    expect(config).toMatchObject({ apiPort: 3001, relayPort: 2002, edgePort: 1003, bind: '127.0.0.1' });
    expect(config.origins.api_port).toEqual({ from: 'flag', place: '--api-port' });
    expect(config.origins.relay_port).toEqual({ from: 'environment', place: 'QUARTERDECK_RELAY_PORT' });
    expect(config.origins.edge_port.from).toBe('manifest');
    expect(config.origins.edge_port.place).toMatch(/^m\d+\.yaml:3$/);
    expect(config.origins.bind.from).toBe('default');
  });

  it('an empty variable counts as not set', () => {
    expect(read(undefined, { env: { QUARTERDECK_BIND: '', DATABASE_URL: '' } })).toMatchObject({
      bind: '127.0.0.1',
      databaseUrl: undefined,
    });
  });

  it('relative directories count from the manifest that names them, else from where the start is typed', () => {
    expect(read('data: kept\n').dataDir).toBe(join(dir, 'kept'));
    expect(read(undefined, { flags: { data: 'kept' } }).dataDir).toBe(join(dir, 'kept'));
    expect(read('agents: { a: { command: [x], cwd: work } }').agents['a']!.cwd).toBe(join(dir, 'work'));
    expect(read('agents: { a: { command: [x] } }').agents['a']!.cwd).toBe(dir);
  });

  it('no manifest is none; one that was asked for and is not there is refused', () => {
    expect(readConfig({ flags: {}, env: {}, cwd: dir }).manifests).toEqual([]);
    const [problem] = problemsOf(() => readConfig({ flags: {}, env: {}, cwd: dir, file: 'absent.yaml' }));
    expect(problem).toEqual({ place: 'absent.yaml', expected: 'cannot be read (ENOENT)' });
  });

  it('the result cannot be changed, not even deep inside', () => {
    const config = read('agents: { a: { command: [x] } }');
    expect(() => Object.assign(config, { apiPort: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.agents['a']!, { restart: 'never' })).toThrow(TypeError);
  });

  it('a role gets the very same settings from its environment', () => {
    const config = read('bind: 0.0.0.0\npublic_url: https://deck.example.com/\nlog_level: debug\n', {
      env: { DATABASE_URL: 'postgres://u:p@db:5432/q' },
    });
    const { origins: _, manifests: __, ...settings } = config;
    expect(readRoleConfig(environmentOf(config))).toMatchObject(settings);
    expect(config.publicUrl).toBe('https://deck.example.com');
  });
});

describe('a wrong manifest is refused with file, line, key, value seen and what was expected', () => {
  it.each([
    ['a wrong type', '\napi_port: soon\n', { line: 2, key: 'api_port', seen: '"soon"', expected: 'a port number' }],
    ['out of range', 'api_port: 70000\n', { line: 1, key: 'api_port', seen: '70000' }],
    ['an unknown key', 'bind: 127.0.0.1\nagnets: {}\n', { line: 2, key: 'agnets' }],
    [
      'an unknown key of an agent',
      'agents:\n  pricer:\n    command: [x]\n    queue: prices\n',
      { line: 4, key: 'agents.pricer.queue' },
    ],
    [
      'a value deep inside',
      'agents:\n  pricer:\n    command: [x]\n    silence_limit: soon\n',
      { line: 4, key: 'agents.pricer.silence_limit', seen: '"soon"', expected: 'a duration like 60s, 5m, 2h or 1d' },
    ],
    ['an item of a list', 'agents:\n  a:\n    command:\n      - x\n      - 5\n', { line: 3, key: 'agents.a.command' }],
    [
      'something missing',
      'bind: ::1\nagents:\n  pricer: {}\n',
      { line: 3, key: 'agents.pricer.command', seen: 'nothing' },
    ],
    ['a NUL character', 'data: "a\\0b"\n', { line: 1, key: 'data' }],
    ['a list where keys belong', '- a\n', { line: 1, key: '(the whole file)' }],
  ])('%s', (_, text, expected) => {
    expect(problemOf(text)).toMatchObject(expected);
  });

  it.each([
    ['a duplicate key', 'bind: ::1\nbind: ::1\n', 2, /unique/],
    ['a tag', 'data: !!js/function "x"\n', 1, /tag/i],
    ['two documents', 'bind: ::1\n---\nbind: ::1\n', 2, /multiple documents/],
    ['no YAML', 'bind: [\n', 2, /./],
    ['brackets without end', `data: ${'['.repeat(20_000)}`, 1, /./],
    ['a key that is no text', '? [a, b]\n: 1\n', 1, /keys/i],
  ])('%s', (_, text, line, expected) => {
    const problem = problemOf(text);
    expect(problem.line).toBe(line);
    expect(problem.expected).toMatch(expected);
  });

  it('aliases that unfold to millions of values', () => {
    const rows = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i++) {
      const before = String.fromCharCode(96 + i);
      const name = String.fromCharCode(97 + i);
      rows.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`);
    }
    expect(problemOf(rows.join('\n')).expected).toMatch(/alias/i);
  });

  it('everything that is wrong at once', () => {
    const problems = problemsOf(() => read('api_port: x\nedge_port: y\nnonsense: 1\n'));
    expect(problems.map(({ key }) => key).sort()).toEqual(['api_port', 'edge_port', 'nonsense']);
  });

  it('the message names the known keys where one is unknown', () => {
    expect(problemOf('agnets: {}\n').expected).toContain('agents');
    expect(problemOf('agents: { a: { command: [x], queue: y } }\n').expected).toContain('queues');
  });
});

describe('secrets in what is wrong', () => {
  it('are masked', () => {
    const problems = [
      ...problemsOf(() => read(undefined, { env: { DATABASE_URL: 'mysql://u:hunter2@db/q' } })),
      ...problemsOf(() => read('agents: { a: { command: [x], env: { KEY: [hunter2] } } }')),
      ...problemsOf(() => read('agents: { a: { command: [x], secrets: hunter2 } }')),
    ];
    expect(problems).toHaveLength(3);
    for (const problem of problems) {
      expect(problem.seen).toBe('[masked]');
      expect(JSON.stringify(problem)).not.toContain('hunter2');
    }
  });
});

describe('listening beyond this machine', () => {
  it.each(['0.0.0.0', '192.0.2.7', '::'])('on %s is refused without https or an explicit word', (bind) => {
    const [problem] = problemsOf(() => read(undefined, { flags: { bind } }));
    expect(problem).toMatchObject({ place: '--bind', key: 'bind', seen: JSON.stringify(bind) });
    expect(() => read(undefined, { flags: { bind, public_url: 'http://deck.example.com' } })).toThrow(ConfigRefused);
    expect(read(undefined, { flags: { bind, public_url: 'https://deck.example.com' } }).bind).toBe(bind);
    expect(read(undefined, { flags: { bind }, env: { QUARTERDECK_INSECURE_BIND: 'true' } }).bind).toBe(bind);
  });

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('%s is this machine', (bind) => {
    expect(read(undefined, { flags: { bind } }).bind).toBe(bind);
  });
});

describe('an example', () => {
  const main = () => read('agents: { a: { command: [x] } }');

  it('brings its agents', () => {
    const file = join(dir, manifest('agents: { b: { command: [y] } }'));
    const config = withExample(main(), 'demo', file, 'second');
    expect(Object.keys(config.agents)).toEqual(['a']);
    expect(Object.keys(config.examples['demo']!)).toEqual(['b']);
  });

  it('is refused where a name of its tenant is taken, and where it has settings', () => {
    const same = join(dir, manifest('agents:\n  a: { command: [y] }'));
    expect(problemsOf(() => withExample(main(), 'demo', same, 'second'))[0]).toMatchObject({
      place: 'second:2',
      seen: 'a',
    });
    const apart = join(dir, manifest('agents:\n  a: { command: [y], tenant: demo }'));
    expect(Object.keys(withExample(main(), 'demo', apart, 'second').examples)).toEqual(['demo']);
    const settings = join(dir, manifest('api_port: 1'));
    expect(problemsOf(() => withExample(main(), 'demo', settings, 'second'))[0]).toMatchObject({ key: 'api_port' });
  });
});

describe('where traces go', () => {
  it('is told to a role as it was given, and nowhere unless it was', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://traces.example.com/otlp',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret,x-team=deck',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    };
    const role = readRoleConfig(environmentOf(read(undefined, { env })));
    expect(role).toMatchObject({ otlpEndpoint: 'https://traces.example.com/otlp', traceRatio: 0.25 });
    expect(headersIn(role.otlpHeaders!)).toEqual({ authorization: 'Bearer secret', 'x-team': 'deck' });
    expect(read(undefined)).toMatchObject({ otlpEndpoint: undefined, otlpHeaders: undefined, traceRatio: 1 });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'traces.example.com:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://user:secret@traces.example.com'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'secret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=secret%0d%0ahost: evil'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half'],
  ])('%s=%s is refused', (name, value) => {
    const [problem] = problemsOf(() => read(undefined, { env: { [name]: value } }));
    expect(problem!.place).toBe(name);
    if (name.endsWith('HEADERS')) expect(JSON.stringify(problem)).not.toContain('secret');
  });
});
