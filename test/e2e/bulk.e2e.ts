// The same thing done to all jobs of a filter: counted and frozen first, then seen to happen, job by job.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { expectClean } from '../support/browser.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let worker: string;

beforeAll(async () => {
  stage = await openStage();
  worker = (await stage.api('POST', '/v1/agents', { agent: 'worker' })).token;
});
afterAll(() => stage?.close());

async function open(path: string): Promise<Page> {
  const page = await stage.open(path);
  onTestFinished(() => page.context().close());
  return page;
}

const add = (jobs: readonly object[]) => stage.api('POST', '/v1/jobs', { jobs });

async function makeDead(queue: string, count: number): Promise<void> {
  await add(Array.from({ length: count }, () => ({ kind: queue, queue, max_attempts: 1 })));
  for (let left = count; left > 0; ) {
    const { jobs } = await stage.api('POST', '/v1/jobs/claims', { queues: [queue], limit: 500 }, worker);
    const outcomes = jobs.map(({ id, lease }: { id: string; lease: string }) => ({ id, lease, outcome: 'failed' }));
    await stage.api('POST', '/v1/jobs/completions', { jobs: outcomes }, worker);
    left -= jobs.length;
  }
}

it('1,000 dead jobs are tried again: the count is frozen, each has its outcome, and later ones stay', async () => {
  await makeDead('many', 1000);
  const page = await open('/jobs?queue=many&state=dead');
  await page.getByRole('button', { name: 'Try all again' }).click();
  const dialog = page.getByRole('dialog', { name: 'Try all jobs of the filter again' });
  await dialog.getByText('1,000 jobs match').waitFor();
  await dialog.getByText('state:dead  queue:many').waitFor();
  await makeDead('many', 1);
  const go = dialog.getByRole('button', { name: 'Try 1,000 again' });
  expect(await go.isDisabled()).toBe(true);
  await dialog.getByLabel('Type 1000 to go on').fill('1000');
  await go.click();
  await dialog.locator('[data-bulk="all"]').getByText('1,000 tried again').waitFor({ timeout: 60_000 });
  expect(await dialog.locator('[data-outcome="done"]').count()).toBe(1000);
  expect((await stage.api('GET', '/v1/work/summary')).queues).toContainEqual({
    queue: 'many',
    queued: 1000,
    running: 0,
  });
  const rest = await stage.api('POST', '/v1/jobs/replays', { filter: { queue: 'many' }, dry_run: true });
  expect(rest.matched).toBe(1);
  expectClean(page);
});

it('what has a key that another job holds is neither counted nor tried again', async () => {
  await add([{ kind: 'keyed', queue: 'keyed', unique_key: 'k', max_attempts: 1 }]);
  const { jobs } = await stage.api('POST', '/v1/jobs/claims', { queues: ['keyed'] }, worker);
  await stage.api(
    'POST',
    '/v1/jobs/completions',
    { jobs: [{ id: jobs[0].id, lease: jobs[0].lease, outcome: 'failed' }] },
    worker,
  );
  await makeDead('keyed', 2);
  await add([{ kind: 'keyed', queue: 'later', unique_key: 'k' }]);
  const page = await open('/jobs?queue=keyed');
  await page.getByRole('button', { name: 'Try all again' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Try 2 again' }).click();
  await dialog.locator('[data-bulk="all"]').getByText('2 tried again').waitFor();
  const outcomes = dialog.locator('[data-outcome]');
  expect(await outcomes.evaluateAll((list) => list.map((one) => one.getAttribute('data-outcome')))).toEqual([
    'done',
    'done',
  ]);
  expectClean(page);
});

it('cancelling all can be stopped: what was done stays done, and the rest waits', async () => {
  await stage.api('PUT', '/v1/channels/slow', {});
  await add(Array.from({ length: 500 }, () => ({ kind: 'slow', channel: 'slow' })));
  const page = await open('/jobs?channel=slow');
  let answers = 0;
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/v1/jobs/cancellations', async (route) => {
    // The count, and two pages; the third waits until the operator has stopped it.
    if (++answers === 4) await held;
    await route.continue();
  });
  await page.getByRole('button', { name: 'Cancel all' }).click();
  const dialog = page.getByRole('dialog', { name: 'Cancel all jobs of the filter' });
  await dialog.getByLabel('Type 500 to go on').fill('500');
  await dialog.getByLabel('Why').fill('asked for');
  await dialog.getByRole('button', { name: 'Cancel 500' }).click();
  await dialog.getByText(/^200 of 500/).waitFor();
  await dialog.getByRole('button', { name: 'Stop' }).click();
  release();
  await dialog.locator('[data-bulk="stopped"]').getByText('300 cancelled').waitFor();
  expect(await dialog.locator('[data-outcome="done"]').count()).toBe(300);
  expect(await stage.api('GET', '/v1/channels/slow')).toMatchObject({ queued: 200 });
  const [one] = (await stage.api('GET', '/v1/jobs?channel=slow&state=cancelled&limit=1')).items;
  expect(one.error).toBe('asked for');
  expectClean(page);
});

it('a copied address shows the same rows in a new window, by channel and by schedule too', async () => {
  await stage.api('PUT', '/v1/channels/shop', {});
  await add([{ kind: 'a', channel: 'shop' }, { kind: 'b', channel: 'shop' }, { kind: 'a' }]);
  const idsOf = (page: Page) =>
    page.locator('[data-job]').evaluateAll((rows) => rows.map((one) => one.getAttribute('data-job')));
  const page = await open('/jobs');
  await page.getByLabel('Filter jobs').fill('channel:shop');
  await page.keyboard.press('Enter');
  await vi.waitFor(async () => expect(await idsOf(page)).toHaveLength(2), { timeout: 20_000 });
  expect(await page.locator('[data-job]').first().textContent()).toContain('shop');
  const copy = await open(page.url().slice(stage.installation.url.length));
  await vi.waitFor(async () => expect(await idsOf(copy)).toEqual(await idsOf(page)), { timeout: 20_000 });
  expect(await idsOf(copy)).toHaveLength(2);
  await page.getByLabel('Filter jobs').fill('schedule:nobody');
  await page.keyboard.press('Enter');
  await page.waitForURL(/schedule=nobody/);
  await page.getByText('No job matches').waitFor();
  expectClean(page);
});
