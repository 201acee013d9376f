// `config explain` and `config check`: which value won, where it came from, what is wrong, and no secret.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runQuarterdeck } from '../../../../test/support/installation.ts';
import { settingKeys } from '../../../config/settings.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-config-'));
  return () => rmSync(dir, { recursive: true, force: true });
});

const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runQuarterdeck(['config', ...words], env, dir);
const manifest = (text: string, mode = 0o600) => {
  writeFileSync(join(dir, 'quarterdeck.yaml'), text);
  chmodSync(join(dir, 'quarterdeck.yaml'), mode);
};

describe('config explain', () => {
  it('says of every setting where it came from, the strongest place winning', async () => {
    manifest('log_level: debug\napi_port: 4601\nrelay_port: 3501\n');
    const env = { QUARTERDECK_API_PORT: '4602', QUARTERDECK_DATA: '/srv/env' };
    const { exitCode, stdout } = await run(['explain', '--data', '/srv/flag', '--json'], env);
    expect(exitCode).toBe(0);
    const { items } = JSON.parse(stdout) as { items: { key: string; value: string; origin: string; what: string }[] };
    expect(items.map(({ key }) => key)).toEqual(settingKeys);
    expect(items.every(({ what }) => what.length > 5)).toBe(true);
    const of = (wanted: string) => items.find(({ key }) => key === wanted);
    expect(of('data')).toMatchObject({ value: '/srv/flag', origin: '--data' });
    expect(of('api_port')).toMatchObject({ value: '4602', origin: 'QUARTERDECK_API_PORT' });
    expect(of('relay_port')).toMatchObject({ value: '3501', origin: 'quarterdeck.yaml:3' });
    expect(of('log_level')).toMatchObject({ value: 'debug', origin: 'quarterdeck.yaml:1' });
    expect(of('edge_port')).toMatchObject({ value: '8080', origin: 'default' });
  });

  it('never shows a secret, right or wrong', async () => {
    for (const url of ['postgres://ada:geheim@db.example/deck', 'mysql://ada:geheim@db.example/deck']) {
      const { stdout, stderr } = await run(['explain'], { DATABASE_URL: url });
      expect(stdout).toMatch(/database_url +(\[masked\]|wrong, see below) +DATABASE_URL/);
      expect(stdout + stderr).not.toContain('geheim');
    }
  });

  it('goes on where a start would be refused, and says why', async () => {
    manifest('bind: 0.0.0.0\n');
    const { exitCode, stdout, stderr } = await run(['explain'], { QUARTERDECK_API_PORT: 'many' });
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/bind +0\.0\.0\.0 +quarterdeck\.yaml:1/);
    expect(stderr).toContain('wrong: QUARTERDECK_API_PORT: api_port: expected a port number, found "many"');
    const together = await run(['explain', 'bind']);
    expect(together.exitCode).toBe(2);
    expect(together.stderr).toContain('wrong: quarterdeck.yaml:1: bind: expected an address of this machine only');
  });

  it('explains one setting with every way to set it, and names the nearest of one that is none', async () => {
    const { exitCode, stdout } = await run(['explain', 'api_port']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Set it with --api-port, QUARTERDECK_API_PORT, api_port: in quarterdeck.yaml');
    expect(await run(['explain', 'api_prot'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('Did you mean api_port?'),
    });
  });
});

describe('config check', () => {
  it('is 0 where a start would be accepted', async () => {
    manifest('agents:\n  one:\n    command: [sh, -c, "exit 0"]\n');
    const { exitCode, stdout } = await run(['check', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, agents: 1, problems: [], advice: [] });
  });

  it('is 2 with the line of everything that is wrong', async () => {
    manifest('api_port: x\nagents:\n  one:\n    comand: [sh]\n');
    const { exitCode, stdout } = await run(['check']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('quarterdeck.yaml:1: api_port');
    expect(stdout).toContain('quarterdeck.yaml:4: agents.one.comand: unknown key');
    expect((await run(['check', '--config', 'missing.yaml'])).exitCode).toBe(2);
  });

  it('warns of secrets that others can read, without showing them, and of programs that are missing', async () => {
    const text = 'agents:\n  one:\n    command: [no-such-program]\n    env: {API_KEY: geheim}\n';
    manifest(text, 0o644);
    const { exitCode, stdout } = await run(['check']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('agents.one: its program no-such-program is not there now');
    expect(stdout).toContain('(mode 644) and holds what sounds like a secret: agents.one.env.API_KEY');
    expect(stdout).not.toContain('geheim');
    manifest(text, 0o600);
    expect((await run(['check'])).stdout).not.toContain('secret');
  });
});
