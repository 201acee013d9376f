// What the server tells of itself: settings with where each comes from, parts that answer, and the API reference.
import { execFileSync } from 'node:child_process';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { expectClean } from '../support/browser.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ env: { QUARTERDECK_LOG_LEVEL: 'debug' }, config: 'relay_port: 3999\nagents: {}\n' });
});
afterAll(() => stage?.close());

async function open(path: string): Promise<Page> {
  const page = await stage.open(path, { permissions: ['clipboard-read', 'clipboard-write'] });
  onTestFinished(() => page.context().close());
  return page;
}

it('each setting says what holds and who said so', async () => {
  const page = await open('/settings');
  const setting = (key: string) => page.locator(`[data-setting="${key}"]`);
  await setting('api_port').waitFor();
  const expected = [
    ['api_port', 'flag', '--api-port'],
    ['log_level', 'environment', 'QUARTERDECK_LOG_LEVEL'],
    ['relay_port', 'manifest', 'quarterdeck.yaml:1'],
    ['bind', 'default', '127.0.0.1'],
    ['database_url', 'default', 'not set'],
  ] as const;
  for (const [key, origin, text] of expected) {
    expect(await setting(key).getAttribute('data-origin'), key).toBe(origin);
    expect(await setting(key).textContent(), key).toContain(text);
  }
  // The embedded database has a password; nobody sees it, nor the address with it.
  const { settings } = await stage.api('GET', '/v1/server');
  expect(settings.find((one: { setting: string }) => one.setting === 'database_url').value).toBeNull();
  expect(await page.locator('main').textContent()).not.toContain('postgres://');
  await page.getByLabel('Only what is not the default').check();
  await setting('bind').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.getByLabel('Filter settings').fill('verbosity of nothing');
  await page.getByText('No setting matches.').waitFor();
  expectClean(page);
});

it('a part that is killed is seen to be another one', async () => {
  const page = await open('/settings');
  const engine = page.locator('[data-part="engine"][data-ready="true"]');
  await engine.waitFor();
  const { pid } = (await stage.installation.processes()).find(({ name }) => name === 'engine')!;
  await engine.getByText(`pid ${pid}`).waitFor();
  process.kill(pid, 'SIGKILL');
  await engine.getByText(`pid ${pid}`).waitFor({ state: 'detached' });
  await engine.waitFor();
  expectClean(page);
});

it('a theme is chosen for this browser and stays', async () => {
  const page = await open('/settings');
  await page.getByText('High contrast', { exact: true }).click();
  expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('contrast');
  await page.reload();
  await page.getByRole('radio', { name: 'High contrast' }).waitFor();
  expect(await page.getByRole('radio', { name: 'High contrast' }).isChecked()).toBe(true);
  await page.getByLabel('Single-letter keys').uncheck();
  await page.getByRole('heading', { name: 'Settings', exact: true }).click();
  await page.keyboard.press('g');
  await page.keyboard.press('b');
  expect(new URL(page.url()).pathname).toBe('/settings');
  expectClean(page);
});

it('every operation of the server is found, linked to, and shown with what it takes and answers', async () => {
  const page = await open('/docs');
  const { paths } = await stage.api('GET', '/v1/openapi.json');
  const count = Object.values(paths).reduce((sum: number, methods) => sum + Object.keys(methods as object).length, 0);
  // The page asks for the document by itself, and draws it when it is there.
  await page
    .locator('[data-operation]')
    .nth(count - 1)
    .waitFor();
  expect(await page.locator('[data-operation]').count()).toBe(count);
  await page.keyboard.press('/');
  await page.keyboard.type('access.tenant_exists');
  await page.locator('[data-operation="access.tenant.create"]').click();
  await page.waitForURL(/operation=access\.tenant\.create/);
  const view = page.locator('[data-operation-view="access.tenant.create"]');
  await view.getByText('A tenant {tenant} exists already').waitFor();
  await view.locator('[data-field="tenant"]').first().waitFor();
  const copy = await open(page.url().slice(stage.installation.url.length));
  await copy.locator('[data-operation-view="access.tenant.create"]').waitFor();
  expect(await copy.locator('[data-operation]').count()).toBe(1);
  expectClean(page);
  expectClean(copy);
});

it('the example for curl works as it stands, and the others are those of the SDKs and the command line', async () => {
  const page = await open('/docs?operation=work.job.add');
  const snippet = (language: string) => page.locator(`[data-snippet="${language}"]`);
  const command = (await snippet('curl').textContent())!;
  const answer = execFileSync('sh', ['-c', command], {
    env: { PATH: process.env['PATH'], QUARTERDECK_TOKEN: stage.installation.token },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 20_000,
  });
  expect(JSON.parse(String(answer)).jobs[0]).toMatchObject({ state: 'queued' });
  for (const [button, language, text] of [
    ['Command line', 'cli', 'quarterdeck job add reprice'],
    ['TypeScript', 'typescript', "qd.job.add({ kind: 'reprice'"],
    ['Python', 'python', 'qd.job.add(kind="reprice"'],
  ] as const) {
    await page.getByRole('button', { name: button }).click();
    expect(await snippet(language).textContent()).toContain(text);
  }
  expectClean(page);
});

it('what changes nothing is tried from the page, and refusals are shown as they are', async () => {
  const page = await open('/docs?operation=work.job.list');
  await page.getByLabel('limit', { exact: true }).fill('1');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.locator('[data-try="answered"]').getByText('next_cursor').waitFor();
  await page.getByLabel('state', { exact: true }).fill('asleep');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.locator('[data-try="refused"] [data-problem="invalid_input"]').waitFor();
  await page.goto('/docs?operation=work.job.add');
  await page.locator('[data-operation-view]').waitFor();
  expect(await page.getByRole('button', { name: 'Ask' }).count()).toBe(0);
  expectClean(page, [/status of 422/]);
});
