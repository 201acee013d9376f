// Channels as an operator looks after them: budgets that change by themselves, limits with what they mean, and pauses
// that hold at once, of one channel and of everything.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { expectClean } from '../support/browser.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let worker: string;

beforeAll(async () => {
  stage = await openStage();
  worker = (await stage.api('POST', '/v1/agents', { agent: 'worker' })).token;
  await stage.api('POST', '/v1/tenants', { tenant: 'acme' });
});
afterAll(() => stage?.close());

async function open(path: string): Promise<Page> {
  const page = await stage.open(path);
  onTestFinished(() => page.context().close());
  return page;
}

const row = (page: Page, channel: string, state?: string) =>
  page.locator(`[data-channel="${channel}"]${state === undefined ? '' : `[data-state="${state}"]`}`);
const add = (channel: string, count: number) =>
  stage.api('POST', '/v1/jobs', { jobs: Array.from({ length: count }, () => ({ kind: channel, channel })) });
const claim = async (queue: string, limit = 1): Promise<unknown[]> =>
  (await stage.api('POST', '/v1/jobs/claims', { queues: [queue], limit }, worker)).jobs;

it('a channel is made and changed with a sentence that says what will hold, and its budget fills as jobs start', async () => {
  const page = await open('/channels');
  await page.getByText('No channels yet').waitFor();
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'New channel' });
  await dialog.getByLabel('Name').fill('ebay');
  await dialog.getByLabel('Most at once').fill('3');
  await dialog.getByRole('button', { name: 'Add a limit' }).click();
  await dialog.getByLabel('Most', { exact: true }).fill('5000');
  await dialog.getByLabel('Unit').selectOption({ label: 'days' });
  await dialog.getByRole('button', { name: 'Add a limit' }).click();
  await dialog.getByLabel('Most', { exact: true }).nth(1).fill('2');
  await dialog.getByText('At most 3 run at once and at most 2 in any minute').waitFor({ state: 'detached' });
  await dialog.getByText('At most 3 run at once and at most 2 start in any minute and 5,000 in any day.').waitFor();
  await dialog.getByRole('button', { name: 'Make the channel' }).click();
  await row(page, 'ebay', 'open').waitFor();
  expect(await stage.api('GET', '/v1/channels/ebay')).toMatchObject({
    concurrency: 3,
    limits: [
      { limit: 5000, window_seconds: 86_400 },
      { limit: 2, window_seconds: 60 },
    ],
  });

  await add('ebay', 5);
  await row(page, 'ebay').getByText('5', { exact: true }).waitFor();
  expect((await claim('ebay', 5)).length).toBe(2);
  await row(page, 'ebay', 'full').locator('[data-window="60"]').getByText('2 / 2').waitFor();
  await row(page, 'ebay').getByText('2 / 3').waitFor();
  // Whoever asks now meets the full window, and the server tells when there is room again.
  expect(await claim('ebay', 5)).toEqual([]);
  await row(page, 'ebay')
    .getByText(/^next job in /)
    .waitFor();
  expect(
    await row(page, 'ebay')
      .getByRole('button', { name: /^Remove ebay: 5 jobs/ })
      .isDisabled(),
  ).toBe(true);

  await row(page, 'ebay').getByRole('button', { name: 'Limits of ebay' }).click();
  const edit = page.getByRole('dialog', { name: 'Limits of ebay' });
  await edit.getByLabel('Most', { exact: true }).nth(1).fill('x');
  await edit.getByText('Each limit is a whole number from 1 on').waitFor();
  await edit.getByRole('button', { name: 'Save' }).click();
  expect(await edit.isVisible()).toBe(true);
  await edit.getByLabel('Most', { exact: true }).nth(1).fill('1');
  await edit.getByText('2 count already in this minute').waitFor();
  await edit.getByRole('button', { name: 'Leave this limit out' }).nth(1).click();
  await edit.getByRole('button', { name: 'Save' }).click();
  await row(page, 'ebay', 'open').waitFor();
  expect((await claim('ebay', 5)).length).toBe(1);
  expectClean(page);
});

it('a pause by one key with a reason stops claims at once, and is seen in another window', async () => {
  await stage.api('PUT', '/v1/channels/mail', {});
  await add('mail', 3);
  const [page, other] = [await open('/channels'), await open('/channels')];
  await row(page, 'mail').getByText('mail', { exact: true }).click();
  await page.locator('[data-channel="mail"][aria-current="true"]').waitFor();
  await page.keyboard.press('p');
  await page.getByRole('dialog', { name: 'Pause mail' }).waitFor();
  await page.keyboard.type('the server answers slowly');
  await page.keyboard.press('Enter');
  await row(page, 'mail', 'paused').getByText('the server answers slowly').waitFor();
  expect(await claim('mail')).toEqual([]);
  await row(other, 'mail', 'paused').getByText('the server answers slowly').waitFor();
  expect((await stage.api('GET', '/v1/channels/mail')).paused).toMatchObject({ reason: 'the server answers slowly' });
  await page.keyboard.press('p');
  await row(page, 'mail', 'open').waitFor();
  await row(other, 'mail', 'open').waitFor();
  expect((await claim('mail')).length).toBe(1);

  await row(page, 'mail').getByRole('button', { name: 'Pause mail' }).click();
  const dialog = page.getByRole('dialog', { name: 'Pause mail' });
  await dialog.getByLabel('Until').selectOption({ label: '1 hour from now' });
  await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
  await row(page, 'mail', 'paused')
    .getByText(/until in \d+ m/)
    .waitFor();
  await row(page, 'mail').getByRole('button', { name: 'Resume mail' }).click();
  await row(page, 'mail', 'open').waitFor();
  expectClean(page);
  expectClean(other);
});

it('pausing everything is said on every page by whom and why, and holds until it is resumed', async () => {
  await stage.api('PUT', '/v1/channels/held', {});
  await add('held', 1);
  const page = await open('/');
  await page.getByRole('button', { name: 'Pause everything' }).click();
  const dialog = page.getByRole('dialog', { name: 'Pause work' });
  await dialog.getByLabel('Why').fill('prices look wrong');
  await page.keyboard.press('Enter');
  const banner = page.locator('[data-paused="fleet"]');
  await banner.getByText('prices look wrong').waitFor();
  expect(await claim('held')).toEqual([]);
  for (const path of ['/agents', '/jobs', '/settings']) {
    await page.goto(path);
    await banner.getByText(/^since \d\d:\d\d by /).waitFor();
  }
  await page.goto('/channels');
  await banner.waitFor();
  await page.getByRole('button', { name: 'Pause work' }).click();
  await dialog.getByLabel('What').selectOption('acme');
  await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.locator('[data-paused="acme"]').waitFor();
  await banner.getByRole('button', { name: 'Resume' }).click();
  await banner.waitFor({ state: 'detached' });
  expect((await claim('held')).length).toBe(1);
  await page.locator('[data-paused="acme"]').getByRole('button', { name: 'Resume' }).click();
  await page.locator('[data-paused="acme"]').waitFor({ state: 'detached' });
  expectClean(page);
});

it('the tenant is a filter in the address; a channel is removed once nothing waits', async () => {
  await stage.api('PUT', '/v1/channels/own', { tenant: 'acme', concurrency: 1 });
  const page = await open('/channels?tenant=acme');
  await row(page, 'own').waitFor();
  expect(await page.locator('[data-channel]').count()).toBe(1);
  const copy = await open(new URL(page.url()).pathname + new URL(page.url()).search);
  await row(copy, 'own').waitFor();
  expect(await copy.locator('[data-channel]').count()).toBe(1);
  await page.getByRole('button', { name: 'Remove own' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove it' }).click();
  await page.getByText('acme has no channels').waitFor();
  await copy.getByText('acme has no channels').waitFor();
  await page.getByLabel('Tenant').selectOption('');
  await page.waitForURL((url) => url.search === '');
  await vi.waitFor(async () => expect(await page.locator('[data-channel]').count()).toBeGreaterThan(1));
  expectClean(page);
});
