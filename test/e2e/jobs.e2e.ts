// Jobs as an operator follows them: a list that changes by itself, filters that are addresses, and one job with its steps.
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

/** Opens a page and holds it to being the same document until the test ends. */
async function openOnce(path: string): Promise<Page> {
  const page = await stage.open(path);
  await page.evaluate(() => document.documentElement.setAttribute('data-first-load', ''));
  onTestFinished(async () => {
    const isSame = await page.locator('[data-first-load]').count();
    await page.context().close();
    expect(isSame, 'the page was loaded again').toBe(1);
  });
  return page;
}

const add = async (job: object): Promise<string> => (await stage.api('POST', '/v1/jobs', job)).jobs[0].id;
const claim = async (queue: string) =>
  (await stage.api('POST', '/v1/jobs/claims', { queues: [queue], limit: 10 }, worker)).jobs;
const complete = (job: { id: string; lease: string }, outcome: object) =>
  stage.api('POST', '/v1/jobs/completions', { jobs: [{ id: job.id, lease: job.lease, ...outcome }] }, worker);
const row = (page: Page, job: string, state?: string) =>
  page.locator(`[data-job="${job}"]${state === undefined ? '' : `[data-state="${state}"]`}`);
const idsOf = (page: Page) =>
  page.locator('[data-job]').evaluateAll((rows) => rows.map((one) => one.getAttribute('data-job')));

it('a job is seen to come, to be taken and to end, and its page tells each step', async () => {
  const page = await openOnce('/jobs?queue=prices');
  await page.getByText('No job matches').waitFor();
  const [first, second] = [
    await add({ kind: 'reprice', queue: 'prices', payload: { sku: 'A-17' } }),
    await add({ kind: 'reprice', queue: 'prices', max_attempts: 1 }),
  ];
  await row(page, first, 'queued').waitFor();
  await row(page, second, 'queued').waitFor();
  const jobs = await claim('prices');
  await row(page, first, 'running').getByText('worker').waitFor();
  await complete(
    jobs.find((job: { id: string }) => job.id === first),
    { outcome: 'done', result: { price: 12.5 } },
  );
  await complete(
    jobs.find((job: { id: string }) => job.id === second),
    { outcome: 'failed', error: '429 from ebay' },
  );
  await row(page, first, 'done').waitFor();
  await row(page, second, 'dead').getByText('429 from ebay').waitFor();

  await row(page, first).getByRole('link').click();
  await page.getByRole('heading', { name: 'reprice' }).waitFor();
  const steps = page.locator('[data-step]');
  await vi.waitFor(async () => expect(await steps.count()).toBe(3), { timeout: 20_000 });
  expect(await steps.evaluateAll((list) => list.map((one) => one.getAttribute('data-step')))).toEqual([
    'work.job.added',
    'work.job.claimed',
    'work.job.completed',
  ]);
  // Both were taken together, so this step is told from the event of a batch.
  expect(await steps.nth(1).textContent()).toContain('Taken by worker, attempt 1 with 1 other');
  await page.locator('pre', { hasText: 'A-17' }).waitFor();
  await page.locator('pre', { hasText: '12.5' }).waitFor();
  await page.getByRole('link', { name: 'worker' }).click();
  await page.getByRole('heading', { name: 'worker' }).waitFor();
  expectClean(page);
});

it('the page of a job changes by itself', async () => {
  const job = await add({ kind: 'watch', queue: 'watched' });
  const page = await openOnce(`/jobs/${job}`);
  const head = (state: string) => page.locator(`header[data-state="${state}"]`);
  await head('queued').waitFor();
  const [held] = await claim('watched');
  await head('running').waitFor();
  await page.getByText('Lease until').waitFor();
  await complete(held, { outcome: 'failed', error: 'not today', retry: true });
  await head('scheduled').waitFor();
  await page.locator('[data-step="work.job.completed"]').getByText('tried again at').waitFor();
  expectClean(page);
});

it('a job is hurried, cancelled and tried again from its page, by button and by key', async () => {
  const job = await add({ kind: 'steer', queue: 'steered', payload: { sku: 'B-2' } });
  const page = await openOnce(`/jobs/${job}`);
  const head = (state: string) => page.locator(`header[data-state="${state}"]`);
  await head('queued').waitFor();
  await page.getByRole('button', { name: 'Make urgent' }).click();
  await page.locator('[data-step="work.job.changed"]').waitFor();
  expect(await stage.api('GET', `/v1/jobs/${job}`)).toMatchObject({ urgent: true, state: 'queued' });
  await page.getByRole('heading', { name: 'steer' }).click();
  await page.keyboard.press('x');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel', exact: true }).click();
  expect((await stage.api('GET', `/v1/jobs/${job}`)).state).toBe('queued');
  await page.keyboard.press('x');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel the job' }).click();
  await head('cancelled').waitFor();
  await page.locator('[data-step="work.job.cancelled"]').waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('button', { name: 'Show it' }).click();
  await head('queued').waitFor();
  await page.getByText('Tries again').waitFor();
  const again = page.url().split('/').at(-1)!;
  expect(await stage.api('GET', `/v1/jobs/${again}`)).toMatchObject({ replay_of: job, payload: { sku: 'B-2' } });
  expectClean(page);
});

it('a filter is an address: typed, chosen, copied and taken back, and what is none is said', async () => {
  const wanted = await add({ kind: 'mail.send', queue: 'mail' });
  const [other] = [await add({ kind: 'mail.sort', queue: 'mail' }), await add({ kind: 'mail.send', queue: 'fax' })];
  const page = await openOnce('/jobs');
  await row(page, other!).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('status:late');
  await page.keyboard.press('Enter');
  await page.getByText('“status:” is not a filter').waitFor();
  await page.getByLabel('Filter jobs').fill('queue:mail kind:mail.send');
  await page.keyboard.press('Enter');
  await vi.waitFor(async () => expect(await idsOf(page)).toEqual([wanted]), { timeout: 20_000 });
  await page.getByRole('button', { name: 'Queued' }).click();
  await page.waitForURL(/state=queued/);
  await row(page, wanted).waitFor();

  const copy = await stage.open(page.url().slice(stage.installation.url.length));
  onTestFinished(() => copy.context().close());
  await vi.waitFor(async () => expect(await idsOf(copy)).toEqual([wanted]), { timeout: 20_000 });

  await page.getByRole('button', { name: 'Remove the filter queue:mail' }).click();
  await vi.waitFor(async () => expect(await idsOf(page)).toHaveLength(2), { timeout: 20_000 });
  await page.getByRole('button', { name: 'Dead' }).click();
  await page.getByText('No job matches').waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await row(page, other!).waitFor();
  expectClean(page);
});

it('the list is walked, peeked into and opened by keys', async () => {
  const jobs = [await add({ kind: 'keys', queue: 'keys' }), await add({ kind: 'keys', queue: 'keys' })];
  const page = await openOnce('/');
  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await page.getByLabel('Filter jobs').fill('queue:keys');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await row(page, jobs[0]!).waitFor();
  await page.keyboard.press('j');
  await page.locator(`[data-job="${jobs[1]}"][aria-current="true"]`).waitFor();
  await page.keyboard.press('j');
  await page.locator(`[data-job="${jobs[0]}"][aria-current="true"]`).waitFor();
  await page.keyboard.press('Space');
  await page.locator(`[data-facts="${jobs[0]}"]`).waitFor();
  await page.keyboard.press('k');
  await page.locator(`[data-facts="${jobs[1]}"]`).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Copy the id of the job').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/jobs/${jobs[1]}`);
  await page.locator('[data-timeline]').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForURL('**/jobs');
  expectClean(page);
});

it('older jobs come as one scrolls, each once, and newer ones do not push what is read', async () => {
  const jobs = Array.from({ length: 250 }, () => ({ kind: 'many', queue: 'many' }));
  const added = (await stage.api('POST', '/v1/jobs', { jobs })).jobs.map(({ id }: { id: string }) => id);
  const page = await openOnce('/jobs?queue=many');
  const list = page.getByRole('region', { name: 'Jobs' });
  const seen = new Set<string | null>();
  await page.locator('[data-job]').first().waitFor();
  await vi.waitFor(
    async () => {
      for (const id of await idsOf(page)) seen.add(id);
      await list.evaluate((box) => box.scrollBy(0, 500));
      expect(seen.size).toBe(250);
    },
    { timeout: 60_000, interval: 20 },
  );
  expect([...seen].sort()).toEqual(added.sort());
  const middle = await page.evaluate(async () => {
    for (let frames = 0; frames < 3; frames++) await new Promise((resolve) => requestAnimationFrame(resolve));
    const at = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('[data-job]');
    return at?.getAttribute('data-job') ?? '';
  });
  const before = await row(page, middle).boundingBox();
  const late = await add({ kind: 'many', queue: 'many' });
  const pill = page.getByRole('button', { name: '1 new job' });
  await pill.waitFor();
  expect(await row(page, middle).boundingBox()).toEqual(before);
  await pill.click();
  await row(page, late).waitFor();
  expectClean(page);
});

it('what cannot be renewed stays, and is called old', async () => {
  const job = await add({ kind: 'kept', queue: 'kept' });
  const page = await openOnce('/jobs?queue=kept');
  await row(page, job).waitFor();
  await page.route('**/v1/jobs*', (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({ code: 'unavailable', detail: 'The database does not answer', retryable: true }),
    }),
  );
  await page.locator('[data-not-renewed]', { hasText: 'The database does not answer' }).waitFor();
  await row(page, job).waitFor();
  await page.unroute('**/v1/jobs*');
  await page.locator('[data-not-renewed]').waitFor({ state: 'detached' });
  await page.route('**/v1/jobs*', (route) => route.abort());
  await page.getByLabel('Filter jobs').fill('queue:never-seen');
  await page.keyboard.press('Enter');
  await page.locator('[data-problem="unreachable"]').waitFor();
  await page.unroute('**/v1/jobs*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('No job matches').waitFor();
  expectClean(page, [/503/, /ERR_FAILED/]);
});
