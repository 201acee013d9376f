// The token that lies in the data directory, over versions that know more abilities.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startInstallation } from '../../../test/support/installation.ts';
import { abilities } from '../../domains/access/index.ts';

it('gives a token of all abilities where the one of before lacks some, which goes on as it was', async () => {
  const installation = await startInstallation({ args: ['--only', 'api'] });
  onTestFinished(() => installation.stop());
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  const ask = async (token: string, path: string, init: RequestInit = {}): Promise<any> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return (await fetch(`http://127.0.0.1:${portNow}${path}`, { ...init, headers })).json();
  };
  let portNow = new URL(installation.url).port;
  const body = JSON.stringify({ name: 'narrow', abilities: ['log:read'] });
  const { token: narrow } = await ask(installation.token, '/v1/tokens', { method: 'POST', body });
  writeFileSync(join(installation.dataDir, 'operator.token'), `${narrow}\n`);
  const ended = new Promise((resolve) => installation.keeper.once('exit', resolve));
  installation.keeper.kill('SIGTERM');
  await ended;
  const next = await startInstallation({ dataDir: installation.dataDir, args: ['--only', 'api'] });
  onTestFinished(() => next.stop());
  portNow = new URL(next.url).port;
  expect(next.token).not.toBe(narrow);
  expect((await ask(next.token, '/v1/me')).abilities).toEqual(expect.arrayContaining([...abilities]));
  expect((await ask(narrow, '/v1/me')).abilities).toEqual(['log:read']);
});
