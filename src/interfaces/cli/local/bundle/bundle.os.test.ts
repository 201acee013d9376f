import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Installation, runQuarterdeck, startInstallation } from '../../../../../test/support/installation.ts';
import { listenerPort } from '../../../../../test/support/listener.ts';

function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-bundle-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

interface Bundle {
  readonly file: string;
  readonly contents: { readonly name: string; readonly bytes: number }[];
  readonly missing: { readonly name: string; readonly why: string }[];
  /** Text of each file in the archive, by the tar of the system. */
  readonly texts: Readonly<Record<string, string>>;
}

async function bundle(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Bundle> {
  const dir = scratch();
  const file = join(dir, 'report.tar.gz');
  const { exitCode, stdout, stderr } = await runQuarterdeck(['--json', 'bundle', file, ...words], env, dir);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  execFileSync('tar', ['-xzf', file, '-C', dir]);
  const root = join(dir, 'quarterdeck-bundle');
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(root, name)).isFile(),
  );
  const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
  return { ...(JSON.parse(stdout) as Bundle), texts };
}

const formsOf = (text: string) => [
  text,
  encodeURIComponent(text),
  JSON.stringify(text).slice(1, -1),
  Buffer.from(text).toString('base64'),
  Buffer.from(text).toString('hex'),
];

describe('of an installation', () => {
  const planted = 'C4n4ry/of+an"agent\\key=0123456789';
  const payload = 'CANARY-of-a-payload';
  let installation: Installation;
  beforeAll(async () => {
    installation = await startInstallation();
    const send = (path: string, body: object) =>
      fetch(installation.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await send('/v1/jobs', { kind: 'report', payload: { text: payload } })).status).toBe(201);
    expect((await send('/v1/events', { event_type: 'price.checked', payload: { text: payload } })).status).toBe(201);
    const secrets = join(installation.dataDir, 'secrets');
    const owner = readFileSync(join(secrets, 'postgres.owner'), 'utf8').trim();
    for (const secret of [planted, installation.token, owner]) {
      const lines = formsOf(secret).map((form) =>
        JSON.stringify({ level: 'error', time: 'now', msg: `it said ${form} there` }),
      );
      appendFileSync(join(installation.dataDir, 'logs', 'api.log'), `${lines.join('\n')}\n`);
      appendFileSync(join(installation.dataDir, 'logs', 'engine.stderr.log'), `${formsOf(secret).join('\n')}\n`);
    }
  });
  afterAll(() => installation.stop());

  const env = () => ({ QUARTERDECK_DATA: installation.dataDir, AGENT_API_KEY: planted });

  it('says how everything is, and holds no secret and no payload in any form', async () => {
    const { texts, missing, file } = await bundle([], env());
    expect(missing).toEqual([]);
    expect(Object.keys(texts)).toEqual(
      expect.arrayContaining([
        'contents.json',
        'program.json',
        'settings.json',
        'parts.json',
        'disk.json',
        'logs/api.log',
        'database/tables.json',
      ]),
    );
    expect(JSON.parse(texts['parts.json']!).map(({ part }: { part: string }) => part)).toContain('database');
    expect(JSON.parse(texts['database/jobs.json']!)).toEqual([{ state: 'queued', count: 1 }]);
    expect(JSON.parse(texts['database/migrations.json']!).length).toBeGreaterThan(5);
    expect(texts['logs/api.log']).toContain('it said');
    expect(statSync(file, { throwIfNoEntry: false })?.mode ?? 0).toSatisfy((mode: number) => (mode & 0o077) === 0);
    const secrets = readdirSync(join(installation.dataDir, 'secrets')).map((name) =>
      readFileSync(join(installation.dataDir, 'secrets', name), 'utf8').trim(),
    );
    const all = Object.values(texts).join('\n');
    for (const secret of [planted, payload, installation.token, ...secrets]) {
      // Not even most of it: the last characters of base64 may stand for what is behind it.
      for (const form of formsOf(secret).map((text) => text.slice(0, -4)))
        expect(all.includes(form), `${form} is in the bundle`).toBe(false);
    }
  });

  it('is made when nothing runs, and says what is missing', async () => {
    const keeper = installation.keeper;
    keeper.kill('SIGTERM');
    await new Promise((resolve) => keeper.once('exit', resolve));
    const { texts, missing } = await bundle([], env());
    expect(JSON.parse(texts['parts.json']!)).toEqual([]);
    expect(texts['logs/api.log']).toContain('it said');
    expect(missing).toEqual([{ name: 'database', why: 'the embedded database does not run' }]);
  });
});

describe('with little to go by', () => {
  it('without a data directory it says what there is', async () => {
    const { texts, missing } = await bundle(['--data', '/nowhere/at/all']);
    expect(Object.keys(texts).sort()).toEqual(['contents.json', 'program.json', 'settings.json']);
    expect(missing).toEqual([{ name: 'the rest', why: 'there is no data directory /nowhere/at/all' }]);
  });

  it('a database that takes connections and never answers does not hold it up', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    const port = await listenerPort(server);
    onTestFinished(() => {
      server.close();
    });
    const data = join(scratch(), 'data');
    mkdirSync(data);
    const url = `postgres://ada:hunter2hunter2@127.0.0.1:${port}/deck`;
    const { texts, missing } = await bundle(['--data', data], { DATABASE_URL: url });
    expect(missing.map(({ name }) => name)).toContain('database/server.json');
    expect(JSON.stringify([texts, missing])).not.toContain('hunter2hunter2');
  });

  it('a manifest that is wrong is a part of the report', async () => {
    const dir = scratch();
    const manifest = join(dir, 'quarterdeck.yaml');
    writeFileSync(manifest, 'api_port: seven\n');
    const data = join(dir, 'data');
    mkdirSync(data);
    const { texts } = await bundle(['--config', manifest], { QUARTERDECK_DATA: data });
    expect(JSON.parse(texts['settings.json']!)).toMatchObject({ problems: [{ key: 'api_port' }] });
  });

  it('a file that is there is not written over, and with --list none is', async () => {
    const dir = scratch();
    const file = join(dir, 'mine.tar.gz');
    writeFileSync(file, 'mine');
    const { exitCode } = await runQuarterdeck(['bundle', file, '--data', dir], {}, dir);
    expect([exitCode, readFileSync(file, 'utf8')]).toEqual([5, 'mine']);
    const listed = await runQuarterdeck(['bundle', join(dir, 'other'), '--list', '--data', dir], {}, dir);
    expect(listed).toMatchObject({ exitCode: 0, stdout: '', stderr: expect.stringContaining('program.json') });
    expect(existsSync(join(dir, 'other'))).toBe(false);
  });
});
