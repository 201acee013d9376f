// Schedules as an operator looks after them: made with a preview that is true to the zone, run, paused, made up for.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { expectClean } from '../support/browser.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

async function open(path: string): Promise<Page> {
  const page = await stage.open(path);
  onTestFinished(() => page.context().close());
  return page;
}

const row = (page: Page, schedule: string, state?: string) =>
  page.locator(`[data-schedule="${schedule}"]${state === undefined ? '' : `[data-state="${state}"]`}`);
const jobsOf = async (schedule: string): Promise<unknown[]> =>
  (await stage.api('GET', `/v1/jobs?schedule=${schedule}`)).items;

it('a schedule made on the page adds its job, and its jobs are one link away', async () => {
  const page = await open('/schedules');
  await page.getByText('No schedules yet').waitFor();
  await page.getByRole('button', { name: 'New schedule' }).click();
  const dialog = page.getByRole('dialog', { name: 'New schedule' });
  await dialog.getByLabel('Name').fill('often');
  await dialog.getByLabel('It comes').selectOption('every');
  await dialog.getByLabel('Every').fill('10');
  await dialog.getByLabel('Unit').selectOption({ label: 'seconds' });
  await dialog.getByText('Every 10 seconds').waitFor();
  await dialog.getByRole('button', { name: 'Make the schedule' }).click();
  await dialog.getByText('Lower-case letters, digits and . _ - between them').waitFor();
  await dialog.getByLabel('Kind of job').fill('reprice');
  await dialog.getByLabel('Payload').fill('{"sku":"A-1"}');
  await dialog.getByRole('button', { name: 'Make the schedule' }).click();
  await row(page, 'often', 'active').waitFor();
  await page.locator('[data-lane="often"]').waitFor();
  await row(page, 'often').getByRole('link', { name: 'its job' }).waitFor({ timeout: 60_000 });
  expect((await jobsOf('often')).length).toBeGreaterThan(0);
  await row(page, 'often').getByRole('link', { name: 'Jobs of often' }).click();
  await page.waitForURL(/\/jobs\?schedule=often/);
  await page.locator('[data-job]').first().waitFor();
  const job = await page.locator('[data-job]').first().getAttribute('data-job');
  expect(await stage.api('GET', `/v1/jobs/${job}`)).toMatchObject({ schedule: 'often', payload: { sku: 'A-1' } });
  await stage.api('DELETE', '/v1/schedules/often');
  expectClean(page);
});

it('while a cron line is typed the server says when it comes, through a change of the clocks, or what is wrong', async () => {
  const page = await open('/schedules');
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'New schedule' });
  await dialog.getByLabel('Name').fill('spring');
  const preview = dialog.locator('[data-preview]');
  await dialog.getByLabel('Time zone').fill('Europe/Berlin');
  // The Sundays of March and October: between any two of those months the clocks change.
  await dialog.getByLabel('Cron line').fill('30 4 * 3,10 sun');
  const { ticks } = await stage.api('GET', '/v1/schedule-previews?cron=30+4+*+3,10+sun&zone=Europe/Berlin&count=6');
  await preview.getByText(ticks[0].local).waitFor();
  expect(await preview.locator('time').allTextContents()).toEqual(ticks.map((tick: { local: string }) => tick.local));
  expect(await preview.getByText('the clocks change before it').count()).toBe(1);
  await dialog.getByLabel('Cron line').fill('61 4 * * *');
  await preview.locator('.text-err').waitFor();
  await dialog.getByLabel('Kind of job').fill('reprice');
  await dialog.getByRole('button', { name: 'Make the schedule' }).click();
  await dialog.locator('[data-problem="work.cron_invalid"]').waitFor();
  await dialog.getByLabel('Cron line').fill('30 4 * * *');
  await dialog.getByRole('button', { name: 'Make the schedule' }).click();
  await row(page, 'spring', 'active')
    .getByText(/04:30 Europe\/Berlin/)
    .waitFor();
  await vi.waitFor(async () => expect(await page.locator('[data-lane="spring"] [data-tick]').count()).toBe(1));
  expectClean(page, [/status of 4(00|22)/]);
});

it('is run, paused with a reason, edited without losing what the form does not show, and made up for after a count', async () => {
  const job = { kind: 'nightly', priority: 7, cost: 1, payload: { sku: 'B-2' } };
  await stage.api('PUT', '/v1/schedules/nightly', { cron: '0 3 * * *', zone: 'UTC', overlap: 'allow', job });
  const page = await open('/schedules');
  await row(page, 'nightly').getByText('nightly', { exact: true }).first().click();
  await page.locator('[data-schedule="nightly"][aria-current="true"]').waitFor();
  await page.keyboard.press('r');
  await page.getByRole('button', { name: 'Show it' }).waitFor();
  expect(await jobsOf('nightly')).toHaveLength(1);

  await page.keyboard.press('p');
  await page.getByRole('dialog', { name: 'Pause nightly' }).getByLabel('Why').waitFor();
  await page.keyboard.type('the shop is closed');
  await page.keyboard.press('Enter');
  await row(page, 'nightly', 'paused').getByText('the shop is closed').waitFor();
  await page.keyboard.press('p');
  await row(page, 'nightly', 'active').waitFor();

  await page.keyboard.press('e');
  const edit = page.getByRole('dialog', { name: 'Schedule nightly' });
  await edit.getByLabel('Cron line').fill('15 3 * * *');
  await edit.getByRole('button', { name: 'Save' }).click();
  await row(page, 'nightly').getByText('15 3 * * *').waitFor();
  expect(await stage.api('GET', '/v1/schedules/nightly')).toMatchObject({ cron: '15 3 * * *', overlap: 'allow', job });

  await row(page, 'nightly').getByRole('button', { name: 'Make up for nightly in a past time' }).click();
  const dialog = page.getByRole('dialog', { name: 'Make up for nightly' });
  await dialog.getByLabel('From').fill('2026-01-01T00:00');
  await dialog.getByLabel('To').fill('2026-01-09T00:00');
  await dialog.getByRole('button', { name: 'Count' }).click();
  await dialog.locator('[data-counted="8"]').waitFor();
  expect(await jobsOf('nightly')).toHaveLength(1);
  await dialog.getByRole('button', { name: 'Add 8 jobs' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await jobsOf('nightly')).toHaveLength(9);

  await row(page, 'nightly').getByRole('button', { name: 'Remove nightly' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove it' }).click();
  await row(page, 'nightly').waitFor({ state: 'detached' });
  expect(await jobsOf('nightly')).toHaveLength(9);
  expectClean(page);
});
