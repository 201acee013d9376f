// Access as an operator looks after it: a token that is shown once and works, sessions and credentials that end, tenants
// and database roles. What is a secret is nowhere once its dialog is closed.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { expectClean, openContext } from '../support/browser.ts';
import { openStage, type Stage } from './stage.ts';

const SOON = { timeout: 20_000, interval: 50 };
let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

async function open(path: string): Promise<Page> {
  const page = await stage.open(path, { permissions: ['clipboard-read', 'clipboard-write'] });
  onTestFinished(() => page.context().close());
  return page;
}

/** Copies what the dialog shows once, by its button. */
async function takeSecret(page: Page): Promise<string> {
  const dialog = page.getByRole('dialog');
  await dialog.locator('[data-secret]').waitFor();
  await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
  await dialog.getByRole('button', { name: 'Copied' }).waitFor();
  const secret = await page.evaluate(() => navigator.clipboard.readText());
  expect(await dialog.locator('[data-secret]').textContent()).not.toContain(secret);
  await dialog.getByRole('button', { name: 'Show' }).click();
  expect(await dialog.locator('[data-secret]').textContent()).toBe(secret);
  await dialog.getByRole('button', { name: 'I have it' }).click();
  await dialog.waitFor({ state: 'hidden' });
  return secret;
}

/** The secret stands in nothing that the page shows, keeps or has in its address. */
async function expectForgotten(page: Page, secret: string): Promise<void> {
  const kept = await page.evaluate(() => ({
    html: document.documentElement.outerHTML,
    storage: JSON.stringify({ ...localStorage, ...sessionStorage }),
    address: location.href,
    history: JSON.stringify(history.state),
  }));
  expect(JSON.stringify(kept)).not.toContain(secret.slice(-20));
}

const statusOf = async (token: string): Promise<number> =>
  (await fetch(`${stage.installation.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;

it('a token is made of plain words, shown once, works for what it may, and ends when it is ended', async () => {
  await stage.api('POST', '/v1/tenants', { tenant: 'acme' });
  const page = await open('/access');
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog', { name: 'New token' });
  await dialog.getByRole('button', { name: 'Make the token' }).click();
  await dialog.getByText('Say what it is for').waitFor();
  await dialog.getByText('Choose at least one thing it may do').waitFor();
  await dialog.getByLabel('What it is for').fill('laptop of ada');
  await dialog.getByLabel('Acts for').selectOption('acme');
  await dialog.getByLabel('Ends by itself in').selectOption('7 days');
  await dialog.getByLabel('add jobs').check();
  await dialog.getByLabel('see jobs, their payloads and results').check();
  await dialog.getByRole('button', { name: 'Make the token' }).click();
  const secret = await takeSecret(page);

  const { items } = await stage.api('GET', '/v1/tokens?limit=1');
  expect(items[0]).toMatchObject({ name: 'laptop of ada', tenant: 'acme', abilities: expect.any(Array) });
  expect([...items[0].abilities].sort()).toEqual(['work:enqueue', 'work:read']);
  const days = (Date.parse(items[0].expires_at) - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(7);
  await stage.api('POST', '/v1/jobs', { kind: 'reprice' }, secret);
  await expect(stage.api('GET', '/v1/agents', undefined, secret)).rejects.toThrow('403');

  const row = page.locator(`[data-row="${items[0].token_id}"]`);
  await row.getByText('May see jobs, their payloads and results; add jobs').waitFor();
  await row.getByText('tenant acme').waitFor();
  await expectForgotten(page, secret);
  const question = page.getByRole('alertdialog', { name: 'End the token laptop of ada?' });
  await row.getByRole('button', { name: 'End the token laptop of ada' }).click();
  await question.getByRole('button', { name: 'Cancel' }).click();
  await question.waitFor({ state: 'hidden' });
  expect(await statusOf(secret)).toBe(200);
  await row.getByRole('button', { name: 'End the token laptop of ada' }).click();
  await question.getByRole('button', { name: 'End it' }).click();
  await row.waitFor({ state: 'detached' });
  expect(await statusOf(secret)).toBe(401);
  await page.getByRole('button', { name: 'Show 1 ended' }).click();
  await row.getByText('Ended', { exact: true }).waitFor();
  expectClean(page);
});

it('a token that is made or ended elsewhere appears and goes by itself', async () => {
  const page = await open('/access');
  await page.locator('[data-row]').first().waitFor();
  const { token_id } = await stage.api('POST', '/v1/tokens', { name: 'from afar', abilities: ['log:read'] });
  await page.locator(`[data-row="${token_id}"]`).waitFor();
  await stage.api('DELETE', `/v1/tokens/${token_id}`);
  await page.locator(`[data-row="${token_id}"]`).waitFor({ state: 'detached' });
  expectClean(page);
});

it('a session is ended from another browser, which is signed out at once', async () => {
  const link = await stage.api('POST', '/v1/sign-in-links', {});
  const context = await openContext(stage.browser, stage.installation.url, { userAgent: 'Stolen Firefox/1' });
  onTestFinished(() => context.close());
  const stolen = await context.newPage();
  await stolen.goto(link.url);
  await stolen.locator('[data-live]').waitFor();
  const page = await open('/access?tab=sessions');
  await page.locator('[data-row]', { hasText: 'This browser' }).waitFor();
  const row = page.locator('[data-row]', { has: page.getByTitle('Stolen Firefox/1') });
  await row.getByRole('button', { name: /^End the session/ }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'End it' }).click();
  await row.waitFor({ state: 'detached' });
  await stolen.locator('[data-sign-in="ended"]').waitFor();
  await page.locator('[data-row]', { hasText: 'This browser' }).waitFor();
  expectClean(page);
  expectClean(stolen, [/status of 401/, /WebSocket/]);
});

it('an agent gets a new credential, and goes on with the old one until that is ended', async () => {
  const { token: old } = await stage.api('POST', '/v1/agents', { agent: 'scout' });
  const page = await open('/access?tab=agents');
  const row = page.locator('[data-row="scout@fleet"]');
  await row.getByRole('button', { name: 'New credential for scout' }).click();
  const secret = await takeSecret(page);
  await expectForgotten(page, secret);
  expect([await statusOf(old), await statusOf(secret)]).toEqual([200, 200]);
  await row.getByRole('button', { name: 'End the other one now' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'End it' }).click();
  await vi.waitFor(async () => expect(await row.locator('[data-credential]').count()).toBe(1), SOON);
  expect([await statusOf(old), await statusOf(secret)]).toEqual([401, 200]);
  expectClean(page);
});

it('a tenant is added, and what cannot be one is said before and after asking', async () => {
  const page = await open('/access?tab=tenants');
  await page.getByRole('button', { name: 'New tenant' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Short name').fill('Not A Slug');
  await dialog.getByRole('button', { name: 'Add the tenant' }).click();
  await dialog.getByText('at most 63').waitFor();
  await dialog.getByLabel('Short name').fill('default');
  await dialog.getByRole('button', { name: 'Add the tenant' }).click();
  await dialog.locator('[data-problem="access.tenant_exists"]').waitFor();
  await dialog.getByLabel('Short name').fill('beta');
  await dialog.getByLabel('Name', { exact: true }).fill('Beta Ltd');
  await dialog.getByRole('button', { name: 'Add the tenant' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.locator('[data-row="beta"]', { hasText: 'Beta Ltd' }).waitFor();
  expectClean(page, [/status of 409/]);
});

it('an agent gets a database role, a new password, and loses it', async () => {
  await stage.api('POST', '/v1/agents', { agent: 'reader' });
  const page = await open('/access?tab=sql');
  await page.getByText('No agent speaks SQL').waitFor();
  await page.getByRole('button', { name: 'New SQL role' }).click();
  await page.getByRole('dialog').getByLabel('For which agent').selectOption('reader@fleet');
  await page.getByRole('dialog').getByRole('button', { name: 'Make the role' }).click();
  const first = await takeSecret(page);
  expect(first).toMatch(/^postgres(ql)?:\/\//);
  await expectForgotten(page, first);
  await page.getByRole('button', { name: 'New password for reader' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'New password' }).click();
  const second = await takeSecret(page);
  expect(second).not.toBe(first);
  await page.getByRole('button', { name: 'Remove the SQL role of reader' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('No agent speaks SQL').waitFor();
  expect((await stage.api('GET', '/v1/sql-roles')).items).toEqual([]);
  expectClean(page);
});
