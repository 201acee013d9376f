// Text from outside that tries to be more than text: markup, scripts, terminal sequences, characters that hide or turn
// around what is read. The page shows it as the text it is, and nothing of it happens.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { expectClean } from '../support/browser.ts';
import { openStage, type Stage } from './stage.ts';

const MARKUP = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;
const TURNED = 'invoice\u202egnp.exe'; // shown as invoiceexe.png where it is obeyed
const HIDDEN = 'pay\u200bpal\u2066\ufeff';
const TERMINAL =
  '\\u001b]0;taken\\u0007\\u001b]8;;https://evil.example/\\u0007click\\u001b]8;;\\u0007\\u001b[2J\\u001b[1;31mred\\u001b[0m\\u009b31m';

let stage: Stage;

beforeAll(async () => {
  const prints = `console.log(${JSON.stringify(`${MARKUP} ${TURNED} ${HIDDEN}`)}); console.log('${TERMINAL} end'); setInterval(() => {}, 1000);`;
  stage = await openStage({ config: JSON.stringify({ agents: { loudmouth: { command: ['node', '-e', prints] } } }) });
});
afterAll(() => stage?.close());

async function open(path: string): Promise<Page> {
  const page = await stage.open(path);
  onTestFinished(() => page.context().close());
  return page;
}

/** Nothing of what was sent has become an element, a link or an act. */
async function expectInert(page: Page): Promise<void> {
  const found = await page.evaluate(() => ({
    title: document.title,
    alien: [...document.querySelectorAll('img, iframe, object, embed, form, body script')].map(
      (element) => element.outerHTML,
    ),
    handlers: [...document.querySelectorAll('*')].filter((element) => element.hasAttribute('onerror')).length,
    links: [...document.querySelectorAll('a')]
      .map((link) => link.href)
      .filter((href) => !href.startsWith(location.origin)),
    // Both would change what is read around them. Titles and names are read too.
    controls: [...document.querySelectorAll('*')].flatMap((element) =>
      [...element.attributes, ...element.childNodes]
        .filter((node) => node.nodeType !== Node.ELEMENT_NODE)
        .map((node) => node.nodeValue ?? '')
        .filter((text) => /(?![\n\t])[\p{Cc}\p{Cf}]/u.test(text)),
    ),
  }));
  expect(found).toEqual({
    title: expect.not.stringContaining('taken'),
    alien: [],
    handlers: 0,
    links: [],
    controls: [],
  });
  expectClean(page);
}

it('what an event says stays text, in the list, in the drawer and on the Bridge', async () => {
  const said = {
    event_type: 'mail.received',
    subject: `mail:${TURNED}${HIDDEN}`,
    payload: { [MARKUP]: MARKUP, name: TURNED, hidden: HIDDEN, nested: [{ [TURNED]: HIDDEN }] },
  };
  const { events } = await stage.api('POST', '/v1/events', said);
  const page = await open('/events?type=mail.received');
  const row = page.locator(`[data-cursor="${events[0].cursor}"]`);
  await row.getByText('<img src=x').waitFor();
  await row.getByText('\\u{202e}').first().waitFor();
  await expectInert(page);
  await row.getByText('<img src=x').click();
  const drawer = page.locator(`aside:has([data-event="${events[0].cursor}"])`);
  await drawer.getByText('\\u{202e}').first().waitFor();
  await drawer.getByText('\\u{200b}').first().waitFor();
  expect(await drawer.locator('pre').textContent()).toContain(`"${MARKUP.replaceAll('"', '\\"')}"`);
  await expectInert(page);
  // As a filter it stands in the address and in a chip.
  await drawer.getByRole('button', { name: /^Only about/ }).click();
  await row.waitFor();
  await expectInert(page);
  await page.keyboard.press('g');
  await page.keyboard.press('b');
  await page.getByText('mail.received').first().waitFor();
  await expectInert(page);
});

it('what an agent prints stays text, and sequences for a terminal do nothing', async () => {
  const page = await open('/agents/loudmouth');
  const lines = page.getByRole('region', { name: 'Console of loudmouth' });
  await lines.getByText('<img src=x').waitFor();
  await lines.getByText('\\u{202e}').first().waitFor();
  const text = (await lines.textContent()) ?? '';
  expect(text).toContain(MARKUP);
  expect(text).toContain('clickred end');
  expect(text).not.toContain('evil.example');
  await expectInert(page);
  await page.getByLabel('Find in what is loaded').fill('<img src=x onerror');
  await lines.locator('.hit').first().waitFor();
  await expectInert(page);
});

it('what an agent says of itself stays text', async () => {
  const { token } = await stage.api('POST', '/v1/agents', { agent: 'liar' });
  const beat = { status: `${MARKUP.slice(0, 60)} ${TURNED} ${HIDDEN}`, version: `1.0 ${TURNED}` };
  await stage.api('POST', '/v1/agents/liar/beats', beat, token);
  await stage.api('PUT', '/v1/agents/liar/pause', { reason: `because ${TURNED} ${MARKUP}` });
  const page = await open('/agents');
  const row = page.locator('[data-agent="liar"]');
  await row.getByText('<img src=x').waitFor();
  await expectInert(page);
  for (const path of ['/agents?peek=liar', '/agents/liar?tab=facts', '/']) {
    await page.goto(path);
    await page.getByText('liar').first().waitFor();
    if (path !== '/') await page.getByText('<img src=x').first().waitFor();
    await expectInert(page);
  }
});

it('what a job failed with stays text where it needs the operator, in the list and on its own page', async () => {
  await stage.api('POST', '/v1/jobs', {
    kind: 'pay',
    queue: 'hostile',
    max_attempts: 1,
    payload: { [MARKUP]: TURNED },
  });
  const { token } = await stage.api('POST', '/v1/agents', { agent: 'payer' });
  const { jobs } = await stage.api('POST', '/v1/jobs/claims', { queues: ['hostile'] }, token);
  const error = `${MARKUP} ${TURNED} ${HIDDEN}`;
  const outcome = { id: jobs[0].id, lease: jobs[0].lease, outcome: 'failed', error, retry: false };
  const path = `/jobs/${jobs[0].id}`;
  await stage.api('POST', '/v1/jobs/completions', { jobs: [outcome] }, token);
  const page = await open('/');
  await page.locator('[data-need]').getByText('<img src=x').waitFor();
  await expectInert(page);
  await page.goto('/jobs?queue=hostile');
  await page.locator(`[data-job="${jobs[0].id}"]`).getByText('<img src=x').waitFor();
  await expectInert(page);
  await page.goto(path);
  await page.locator('[data-step="work.job.completed"]').getByText('<img src=x').waitFor();
  await page.locator('pre').getByText('\\u{202e}').first().waitFor();
  await expectInert(page);
});

it('what names and addresses say stays text where access is looked after', async () => {
  const name = `${MARKUP.slice(0, 40)} ${TURNED}`;
  await stage.api('POST', '/v1/tokens', { name, abilities: ['log:read'] });
  await stage.api('POST', '/v1/tenants', { tenant: 'loud', name: `${TURNED} ${HIDDEN} ${MARKUP}` });
  const page = await open('/access');
  await page.locator('[data-row]').getByText('<img src=x').waitFor();
  await page.getByRole('button', { name: /^End the token <img/ }).click();
  await page.getByRole('alertdialog').getByText('\\u{202e}').waitFor();
  await expectInert(page);
  await page.goto('/access?tab=tenants');
  await page.locator('[data-row="loud"]').getByText('<img src=x').waitFor();
  await expectInert(page);
  for (const path of [`/docs?q=${encodeURIComponent(MARKUP)}`, `/docs?operation=${encodeURIComponent(MARKUP)}`]) {
    await page.goto(path);
    await page.getByText('<img src=x').first().waitFor();
    await expectInert(page);
  }
});

it('what operators give as reasons stays text where work is looked after, and on every page where all of it is paused', async () => {
  const reason = `${MARKUP} ${TURNED} ${HIDDEN}`;
  await stage.api('PUT', '/v1/channels/loud', {});
  await stage.api('PUT', '/v1/channels/loud/pause', { reason });
  const job = { kind: 'shout', payload: { [MARKUP]: TURNED } };
  await stage.api('PUT', '/v1/schedules/loud', { cron: '0 3 * * *', job });
  await stage.api('PUT', '/v1/schedules/loud/pause', { reason });
  await stage.api('PUT', '/v1/work/pause', { reason });
  const page = await open('/channels');
  await page.locator('[data-channel="loud"]').getByText('<img src=x').waitFor();
  await page.locator('[data-paused="fleet"]').getByText('\\u{202e}').waitFor();
  await expectInert(page);
  await page.goto('/schedules');
  await page.locator('[data-schedule="loud"]').getByText('<img src=x').waitFor();
  await expectInert(page);
  await stage.api('DELETE', '/v1/work/pause');
});
