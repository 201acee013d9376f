// Every page in every theme at every width, with a fleet and without: usable by everybody, and quiet in the console.
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { agentStates } from '../../src/domains/fleet/operations.ts';
import { expectClean, openContext } from '../support/browser.ts';
import { sideways, unreachable, violations } from './audit.ts';
import { type OpenOptions, openStage, type Stage } from './stage.ts';

const viewports = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
  { width: 390, height: 844 },
];

interface Place {
  readonly path: string;
  /** Stands in the page when it has what it shows. */
  readonly shows: string;
  /** What the browser says although nothing is wrong. */
  readonly says?: RegExp;
}

/** As a link of the page does, without loading it again. */
async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((address) => {
    history.pushState(null, '', address);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);
}

/** Goes everywhere in one context and judges each place. */
async function judge(page: Page, places: readonly Place[]): Promise<void> {
  for (const { path, shows, says } of places) {
    await go(page, path);
    await page.locator(shows).first().waitFor();
    expect(await violations(page), path).toEqual([]);
    expect(await sideways(page), path).toEqual([]);
    expectClean(page, says === undefined ? [] : [says]);
  }
}

describe('with a fleet', () => {
  const chatter = `console.log('\\u001b[1;32mready\\u001b[0m and \\u001b[31mred\\u001b[0m'); setInterval(() => console.log('still here'), 1000);`;
  let stage: Stage;
  let cursor: string;
  let job: string;

  beforeAll(async () => {
    stage = await openStage({
      config: JSON.stringify({ agents: { chatter: { command: ['node', '-e', chatter] } } }),
    });
    for (const agent of agentStates) await stage.api('POST', '/v1/agents', { agent });
    job = await deadJob();
    await stage.api('POST', '/v1/tenants', { tenant: 'acme', name: 'Acme Ltd' });
    await stage.api('POST', '/v1/tokens', { name: 'ci', abilities: ['log:read', 'log:append', 'work:read'] });
    await stage.api('POST', '/v1/sql-roles', { agent: 'worker' });
    await makeWork();
    const payload = { sku: 'A-17', price: 12.5, tags: ['new', null, true] };
    const { events } = await stage.api('POST', '/v1/events', {
      event_type: 'price.checked',
      payload,
      subject: 'sku:A-17',
    });
    cursor = events[0].cursor;
  });
  afterAll(() => stage?.close());

  /** Channels and schedules in every state, and work that is paused. */
  async function makeWork(): Promise<void> {
    const windows = [1, 2].map((limit) => ({ limit, window_seconds: 3600 * limit }));
    await stage.api('PUT', '/v1/channels/ebay', { concurrency: 4, limits: windows });
    await stage.api('PUT', '/v1/channels/mail', {});
    await stage.api('PUT', '/v1/channels/mail/pause', { reason: 'the server answers slowly' });
    await stage.api('POST', '/v1/jobs', { kind: 'list', channel: 'ebay' });
    await stage.api('PUT', '/v1/schedules/nightly', {
      cron: '0 3 * * *',
      zone: 'Asia/Tokyo',
      job: { kind: 'reprice' },
    });
    await stage.api('PUT', '/v1/schedules/often', { every_seconds: 86_400, job: { kind: 'beat' } });
    await stage.api('PUT', '/v1/schedules/held', { cron: '* * * * *', job: { kind: 'beat' } });
    await stage.api('PUT', '/v1/schedules/held/pause', { reason: 'the shop is closed' });
    await stage.api('PUT', '/v1/work/pause', { tenant: 'acme', reason: 'the site is down' });
  }

  /** Something that needs the operator. */
  async function deadJob(): Promise<string> {
    await stage.api('POST', '/v1/jobs', { kind: 'reprice', queue: 'prices', max_attempts: 1 });
    await stage.api('POST', '/v1/jobs', { kind: 'wait', queue: 'later' });
    const { token } = await stage.api('POST', '/v1/agents', { agent: 'worker' });
    const { jobs } = await stage.api('POST', '/v1/jobs/claims', { queues: ['prices'] }, token);
    const outcome = {
      id: jobs[0].id,
      lease: jobs[0].lease,
      outcome: 'failed',
      error: '429 Too Many Requests',
      retry: false,
    };
    await stage.api('POST', '/v1/jobs/completions', { jobs: [outcome] }, token);
    return jobs[0].id;
  }

  /** Each agent that is named like a state is shown in that state. */
  const inEveryState = (context: BrowserContext) =>
    context.route(
      (url) => /^\/v1\/agents(\/[^/]+)?$/.test(url.pathname),
      async (route) => {
        if (route.request().method() !== 'GET') return route.continue();
        const staged = (item: { agent: string }) =>
          agentStates.some((state) => state === item.agent) ? { ...item, state: item.agent } : item;
        try {
          const response = await route.fetch();
          const body = await response.json();
          const json = Array.isArray(body.items) ? { ...body, items: body.items.map(staged) } : staged(body);
          await route.fulfill({ response, json });
        } catch {
          // The page was closed meanwhile.
        }
      },
    );

  async function open({ onTestFinished }: TestContext, path: string, options: OpenOptions = {}): Promise<Page> {
    const page = await stage.open(path, { reducedMotion: 'reduce', prepare: inEveryState, ...options });
    onTestFinished(() => page.context().close());
    return page;
  }

  const places = (): Place[] => [
    { path: '/', shows: '[data-cell="silent"][data-state-of="silent"]' },
    { path: '/agents', shows: '[data-agent="silent"]' },
    { path: '/agents?peek=crashed', shows: 'dl' },
    { path: '/agents/chatter', shows: '[data-console] >> text=still here' },
    { path: '/agents/chatter?tab=events&of=about', shows: '[data-cursor]' },
    { path: '/agents/chatter?tab=facts', shows: 'dl' },
    { path: '/agents/paused', shows: 'h1:has-text("paused")' },
    { path: '/events', shows: '[data-cursor]' },
    { path: `/events?peek=${cursor}`, shows: '[data-event]' },
    { path: '/jobs', shows: '[data-job]' },
    { path: `/jobs?peek=${job}`, shows: '[data-facts]' },
    { path: `/jobs/${job}`, shows: '[data-step="work.job.completed"]' },
    { path: '/jobs?channel=ebay', shows: '[data-job]' },
    { path: '/channels', shows: '[data-channel="mail"][data-state="paused"]' },
    { path: '/schedules', shows: '[data-lane="nightly"] [data-tick]' },
    { path: '/access', shows: '[data-row]' },
    { path: '/access?tab=agents', shows: '[data-credential]' },
    { path: '/access?tab=sessions', shows: '[data-row]' },
    { path: '/access?tab=tenants', shows: '[data-row="acme"]' },
    { path: '/access?tab=sql', shows: '[data-row]' },
    { path: '/settings', shows: '[data-part="api"]' },
    { path: '/docs', shows: '[data-operation="work.job.list"]' },
    { path: '/docs?operation=work.job.list', shows: '[data-operation-view]' },
    { path: '/docs?operation=work.job.add', shows: '[data-field="jobs[].kind"]' },
    { path: '/nowhere', shows: 'text=There is no such page' },
  ];

  it.for(viewports)('every page is clean at $width × $height', async (viewport, test) => {
    await judge(await open(test, '/', { viewport }), places());
  });

  it.for([viewports[0]!, viewports.at(-1)!])(
    'what opens over a page is clean at $width × $height',
    async (viewport, test) => {
      const page = await open(test, '/agents/chatter', { viewport });
      const overlays: [open: () => Promise<unknown>, shown: string][] = [
        [() => page.keyboard.press('Control+k'), '[cmdk-root]'],
        [() => page.keyboard.press('?'), '[role=dialog] h3'],
        [() => page.getByRole('button', { name: /^Theme/ }).click(), '[role=menu]'],
        [() => page.getByRole('button', { name: /^Operator menu/ }).click(), '[role=menu]'],
        [() => page.getByRole('button', { name: 'Restart' }).click(), '[role=alertdialog]'],
      ];
      await page.getByText('still here').first().waitFor();
      for (const [show, shown] of overlays) {
        await show();
        await page.locator(shown).first().waitFor();
        expect(await violations(page), shown).toEqual([]);
        expect(await sideways(page), shown).toEqual([]);
        await page.keyboard.press('Escape');
        await page.locator(shown).first().waitFor({ state: 'hidden' });
      }
      expectClean(page);
    },
  );

  it.for([viewports[0]!, viewports.at(-1)!])(
    'the forms of the pages are clean at $width × $height, also with what is wrong in them',
    async (viewport, test) => {
      const page = await open(test, '/access', { viewport });
      const forms: [path: string, button: string, submit: string, shows: string][] = [
        ['/channels', 'New channel', 'Make the channel', 'Lower-case letters, digits and . _ - between them'],
        ['/schedules', 'New schedule', 'Make the schedule', 'Lower-case letters, digits and . _ - between them'],
        ['/access', 'New token', 'Make the token', 'Say what it is for'],
        ['/access?tab=tenants', 'New tenant', 'Add the tenant', 'Lower-case letters, digits and . _ - between them'],
        ['/access?tab=sql', 'New SQL role', 'Make the role', 'Choose an agent'],
      ];
      for (const [path, button, submit, shows] of forms) {
        await go(page, path);
        await page.getByRole('button', { name: button }).click();
        const dialog = page.getByRole('dialog', { name: button });
        await dialog.getByRole('button', { name: submit }).click();
        await dialog.locator('p', { hasText: shows }).first().waitFor();
        expect(await violations(page), path).toEqual([]);
        expect(await sideways(page), path).toEqual([]);
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'hidden' });
      }
      expectClean(page);
    },
  );

  it.for([
    { where: 'at a width of 320', viewport: { width: 320, height: 640 } },
    { where: 'at 200 % of 1440 × 900', viewport: { width: 720, height: 450 } },
  ])('every control can be reached $where', async ({ viewport }, test) => {
    const page = await open(test, '/', { viewport });
    for (const { path, shows } of places()) {
      await page.goto(path);
      await page.locator(shows).first().waitFor();
      expect(await sideways(page), path).toEqual([]);
      // A sheet covers the page that it belongs to.
      const isCovered = (await page.locator('[role=dialog]').count()) > 0;
      if (!isCovered) expect(await unreachable(page), path).toEqual([]);
    }
    expectClean(page);
  });

  it('without colours every state is told by a word', async (test) => {
    const page = await open(test, '/');
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setEmulatedVisionDeficiency', { type: 'achromatopsia' });
    const words = agentStates.map((state) => [state, `${state[0]!.toUpperCase()}${state.slice(1)}`] as const);
    for (const [state, word] of words) {
      await page
        .getByRole('main')
        .getByRole('link', { name: `${state} ${word}` })
        .waitFor();
    }
    await page.goto('/agents');
    for (const [state, word] of words)
      await page.getByRole('row', { name: new RegExp(`^${word} ${state} `) }).waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto('/agents');
    for (const [state, word] of words) {
      await page.locator(`li[data-agent="${state}"]`).getByText(word, { exact: true }).waitFor();
    }
  });

  it('who wants no motion gets none', async (test) => {
    const page = await open(test, '/');
    for (const { path, shows } of places()) {
      await go(page, path);
      await page.locator(shows).first().waitFor();
      const moving = await page.evaluate(() =>
        [...document.querySelectorAll('*')].flatMap((element) => {
          const { animationDuration, transitionDuration, transitionProperty } = getComputedStyle(element);
          const durations =
            transitionProperty === 'none' ? animationDuration : `${animationDuration},${transitionDuration}`;
          const longest = Math.max(...durations.split(',').map(Number.parseFloat));
          return longest > 0.001 ? [element.outerHTML.slice(0, 120)] : [];
        }),
      );
      expect(moving, path).toEqual([]);
    }
  });
});

describe('without anything', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage?.close());

  const places: Place[] = [
    { path: '/', shows: 'text=Three steps to a living fleet' },
    { path: '/agents', shows: 'text=No agents yet' },
    { path: '/agents/nobody', shows: 'text=To all agents', says: /status of 404/ },
    { path: '/events', shows: '[data-cursor]' },
    { path: '/events?type=no.such', shows: 'text=No event matches' },
    { path: '/jobs', shows: 'text=No jobs yet' },
    { path: '/jobs?queue=none', shows: 'text=No job matches' },
    { path: '/jobs/job_0000000000000000000001', shows: 'text=To all jobs', says: /status of 404/ },
    { path: '/channels', shows: 'text=No channels yet' },
    { path: '/schedules', shows: 'text=No schedules yet' },
    { path: '/access?tab=agents', shows: 'text=No agent has a credential' },
    { path: '/access?tab=sql', shows: 'text=No agent speaks SQL' },
    { path: '/docs?q=nothing-is-called-so', shows: 'text=Nothing is called' },
    { path: '/docs?operation=no.such', shows: 'text=This server has no operation' },
  ];

  it.for(viewports)('every page is clean at $width × $height', async (viewport, { onTestFinished }) => {
    const page = await stage.open('/', { viewport, reducedMotion: 'reduce' });
    onTestFinished(() => page.context().close());
    await judge(page, places);
  });

  it.for(viewports)('the sign-in page is clean at $width × $height', async (viewport, { onTestFinished }) => {
    const context = await openContext(stage.browser, stage.installation.url, { viewport, reducedMotion: 'reduce' });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto('/');
    await judge(page, [{ path: '/', shows: 'text=Sign in with a one-time link', says: /status of 401/ }]);
  });
});
