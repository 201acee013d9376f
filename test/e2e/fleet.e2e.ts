// The operator's first hour: signing in, seeing the fleet live, an agent that dies and comes back, and the few things one
// does to agents, by mouse and by keyboard. The page is never loaded again on the way.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { expectClean, openContext } from '../support/browser.ts';
import { type Crew, makeCrew } from './crew.ts';
import { openStage, type Stage } from './stage.ts';

const SOON = { timeout: 30_000, interval: 25 };

let crew: Crew;
let stage: Stage;

beforeAll(async () => {
  crew = makeCrew();
  stage = await openStage({ config: crew.config });
});

afterAll(async () => {
  await stage?.close();
  crew?.remove();
});

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

const cell = (page: Page, agent: string, state: string) =>
  page.locator(`[data-cell="${agent}"][data-state-of="${state}"]`);

async function untilAgent(agent: string, wanted: Record<string, unknown>): Promise<void> {
  await vi.waitFor(async () => expect(await stage.api('GET', `/v1/agents/${agent}`)).toMatchObject(wanted), SOON);
}

it('a one-time link signs in once, and leaves no key in the address', async () => {
  const { url, signInUrl } = stage.installation;
  const context = await openContext(stage.browser, url);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(signInUrl);
  await cell(page, 'pilot', 'healthy').waitFor();
  await cell(page, 'lookout', 'healthy').waitFor();
  expect(page.url()).toBe(`${url}/`);
  // The script of a page may not read the session.
  expect(await page.evaluate(() => document.cookie)).toBe('');
  expect(JSON.stringify(await page.evaluate(() => ({ ...localStorage, ...sessionStorage })))).not.toContain('qd_');
  expectClean(page);

  const other = await openContext(stage.browser, url);
  onTestFinished(() => other.close());
  const late = await other.newPage();
  await late.goto(signInUrl);
  await late.getByRole('heading', { name: 'This link does not work any more' }).waitFor();
  expect(await late.locator('main').textContent()).toContain('quarterdeck open');
  expect(late.url()).toBe(`${url}/`);
  expectClean(late, [/status of 401/]);
});

it('an agent that is killed is seen late and back, and the log explains it', async () => {
  const page = await openOnce('/');
  await cell(page, 'pilot', 'healthy').waitFor();
  const { pid } = await stage.api('GET', '/v1/agents/pilot');
  // The first restarts fail, so that being late lasts for seconds, however busy the machine is.
  crew.holdBack();
  onTestFinished(crew.letStart);
  process.kill(pid, 'SIGKILL');
  await cell(page, 'pilot', 'late').waitFor();
  expect(await cell(page, 'pilot', 'late').textContent()).toContain('Late');
  crew.letStart();
  await untilAgent('pilot', { state: 'healthy' });
  await cell(page, 'pilot', 'healthy').waitFor();
  const back = await stage.api('GET', '/v1/agents/pilot');
  expect(back.pid).not.toBe(pid);

  const decisions = page.locator('section', { has: page.getByRole('heading', { name: 'Last decisions' }) });
  await decisions.getByText('fleet.process.ended').first().waitFor();
  await decisions.getByText('fleet.process.started').first().waitFor();
  await page.locator('[data-cell="pilot"]').click();
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.getByRole('button', { name: 'About it' }).click();
  await page.locator('[data-cursor]', { hasText: 'fleet.process.ended' }).getByText('SIGKILL').first().waitFor();
  expectClean(page);
});

it('pause and resume act within a second, by button and by keyboard', async () => {
  const page = await openOnce('/');
  await cell(page, 'lookout', 'healthy').waitFor();
  const took: number[] = [];
  const acts = async (act: () => Promise<void>, desired: string) => {
    const begun = performance.now();
    await act();
    await untilAgent('lookout', { desired });
    await page.locator(`[data-agent="lookout"][data-state="${desired === 'pause' ? 'paused' : 'healthy'}"]`).waitFor();
    took.push(performance.now() - begun);
  };
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  const row = page.locator('[data-agent="lookout"]');
  await acts(() => row.getByRole('button', { name: 'Pause lookout' }).click(), 'pause');
  await acts(() => row.getByRole('button', { name: 'Resume lookout' }).click(), 'run');
  // Away from the button, which Enter and Space would press again.
  await page.getByRole('heading', { name: 'Agents' }).click();
  while ((await row.getAttribute('aria-current')) !== 'true') await page.keyboard.press('j');
  await acts(() => page.keyboard.press('p'), 'pause');
  await acts(() => page.keyboard.press('p'), 'run');
  // A busy machine may delay one of them, not most.
  expect(took.toSorted((a, b) => a - b)[1]).toBeLessThan(1000);
  const { items } = await stage.api('GET', '/v1/events?subject=agent:lookout&order=desc&limit=10');
  const types = items.map((item: { event_type: string }) => item.event_type);
  expect(types.filter((type: string) => type === 'fleet.agent.paused')).toHaveLength(2);
  expect(types.filter((type: string) => type === 'fleet.agent.resumed')).toHaveLength(2);
  expectClean(page);
});

it('restart asks first, starts a new process, and gives the focus back', async () => {
  const page = await openOnce('/agents/lookout');
  const pidOf = async () => (await stage.api('GET', '/v1/agents/lookout')).pid as number;
  const untilOther = (pid: number) =>
    vi.waitFor(async () => {
      const now = await pidOf();
      expect(now).not.toBe(pid);
      expect(now).not.toBeNull();
    }, SOON);

  const first = await pidOf();
  const button = page.getByRole('main').getByRole('button', { name: 'Restart' });
  await button.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('alertdialog', { name: 'Restart lookout?' });
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
  expect(await pidOf()).toBe(first);

  await button.click();
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await untilOther(first);
  const second = await pidOf();
  await page.getByText(`pid ${second}`).waitFor();

  await page.getByRole('heading', { name: 'lookout', exact: true }).click();
  await page.keyboard.press('r');
  await dialog.waitFor();
  await page.keyboard.press('Enter');
  await untilOther(second);
  await page.getByText(`pid ${await pidOf()}`).waitFor();
  expectClean(page);
});

it('the console shows what an agent prints as it prints it', async () => {
  await untilAgent('pilot', { state: 'healthy' });
  const page = await openOnce('/agents/pilot');
  const lines = page.getByRole('region', { name: 'Console of pilot' });
  await lines.getByText('pilot on deck').last().waitFor();
  for (const say of ['hoist the main sail', 'two points to starboard']) {
    await stage.api('POST', '/v1/jobs', { kind: 'order', queue: 'orders', payload: { say } });
    await lines.getByText(`order: ${say}`).waitFor();
  }
  expectClean(page);
});

it('an event from outside appears by itself, and only under filters that it matches', async () => {
  const page = await openOnce('/events');
  const other = await stage.open('/events?type=price.*');
  onTestFinished(() => other.context().close());
  await other.getByText('No event matches').waitFor();
  await stage.api('POST', '/v1/events', { event_type: 'weather.seen', payload: { sky: 'mackerel' } });
  const { events } = await stage.api('POST', '/v1/events', { event_type: 'price.checked', payload: { sku: 'A-17' } });
  await page.locator('[data-cursor]', { hasText: 'mackerel' }).waitFor();
  const row = (where: Page) => where.locator(`[data-cursor="${events[0].cursor}"]`);
  await row(page).getByText('A-17').waitFor();
  await row(other).getByText('A-17').waitFor();
  expect(await other.locator('[data-cursor]').count()).toBe(1);
  expectClean(page);
  expectClean(other);
});
