import { expect, it } from 'vitest';
import { environmentOf, readConfig, readRoleConfig } from './config.ts';
import { explainSettings, serverFacts } from './server-facts.ts';

const env = { QUARTERDECK_LOG_LEVEL: 'debug', DATABASE_URL: 'postgres://deck:hunter2@db.example.com:5432/deck' };
const config = readConfig({ flags: { api_port: 0, data: '/srv/deck' }, env, cwd: '/' });

it('a role tells where each setting came from, although it has all of them from its keeper', () => {
  const explained = explainSettings(readRoleConfig(environmentOf(config)));
  const of = (key: string) => explained.find(({ setting }) => setting === key);
  expect(explained).toEqual(explainSettings(config));
  expect(of('api_port')).toMatchObject({ value: '0', origin: 'flag', place: '--api-port', default: '4600' });
  expect(of('log_level')).toMatchObject({ value: 'debug', origin: 'environment', place: 'QUARTERDECK_LOG_LEVEL' });
  expect(of('bind')).toMatchObject({ value: '127.0.0.1', origin: 'default', place: 'default' });
  expect(of('public_url')).toMatchObject({ value: null, origin: 'default' });
});

it('a secret setting shows where it came from and nothing of its value', async () => {
  const facts = await serverFacts(config, async () => []);
  expect(facts.database).toBe('own');
  expect(JSON.stringify(facts)).not.toContain('hunter2');
  expect(JSON.stringify(facts)).not.toContain('db.example.com:5432/deck');
  expect(facts.settings.find(({ setting }) => setting === 'database_url')).toMatchObject({
    value: null,
    origin: 'environment',
    is_masked: true,
  });
});

it('origins that cannot be read are those of the environment, which is what the role sees', () => {
  for (const text of ['', '{', '[]', '{"bind":{"from":"elsewhere","place":1}}']) {
    const role = readRoleConfig({ ...environmentOf(config), QUARTERDECK_SETTINGS_FROM: text });
    expect(role.origins.bind, text).toEqual({ from: 'environment', place: 'QUARTERDECK_BIND' });
  }
});
