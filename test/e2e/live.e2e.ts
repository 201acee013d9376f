// The live feed on screen: by every transport, through a kill of the api and a database that stands still, always without
// loading the page again and without losing a row.
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { quantile } from '../../bench/figures.ts';
import { expectClean } from '../support/browser.ts';
import { clockMs, noteSightings, sightings, untilSeen } from '../support/sightings.ts';
import { openStage, type Stage } from './stage.ts';

const SAMPLES = 100;
// What the browser says of a connection that a test cut.
const CUT = [/console error: (Failed to load resource|WebSocket connection)/];

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage?.close());

async function open(path: string, blocked: readonly ('ws' | 'sse')[] = []): Promise<Page> {
  const page = await stage.open(path, {
    prepare: async (context) => {
      if (blocked.includes('ws')) await context.routeWebSocket('**/v1/live', (socket) => socket.close());
      // A poll says how long it waits, an event stream does not.
      const isStream = (url: URL) => url.pathname === '/v1/live' && !url.searchParams.has('wait');
      if (blocked.includes('sse')) await context.route(isStream, (route) => route.abort());
    },
  });
  onTestFinished(() => page.context().close());
  await page.evaluate(() => document.documentElement.setAttribute('data-first-load', ''));
  return page;
}

const badge = (page: Page, text: string | RegExp) => page.locator('button[data-live]').filter({ hasText: text });

/** Every text that the badge shows from now on. */
async function noteBadge(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const shown: string[] = [];
    const look = () => {
      const text = document.querySelector<HTMLElement>('button[data-live]')?.dataset['live'];
      if (text !== undefined && shown.at(-1) !== text) shown.push(text);
    };
    look();
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      attributes: true,
      attributeFilter: ['data-live'],
    });
    Object.assign(globalThis, { qdBadge: shown });
  });
  return () => page.evaluate(() => (globalThis as unknown as { qdBadge: string[] }).qdBadge);
}

/** Posts an event until it is acknowledged, however often the server is away. */
async function postSurely(type: string, n: number): Promise<string> {
  const body = { id: `${type}:${n}`, event_type: type, payload: { n } };
  return vi.waitFor(async () => (await stage.api('POST', '/v1/events', body)).events[0].cursor as string, {
    timeout: 60_000,
    interval: 100,
  });
}

/** The rows of a list from top to bottom: it builds only those that can be seen, so it is scrolled through. */
async function rowsOf(page: Page): Promise<string[]> {
  return page.getByRole('region', { name: 'Events' }).evaluate(async (box) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const rows = new Map<number, string>();
    box.scrollTop = 0;
    for (;;) {
      for (let frames = 0; frames < 3; frames++) await frame();
      for (const row of box.querySelectorAll<HTMLElement>('[data-cursor]')) {
        rows.set(row.getBoundingClientRect().top + box.scrollTop, row.dataset['cursor']!);
      }
      if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1) break;
      box.scrollTop += box.clientHeight / 2;
    }
    return [...rows].sort(([a], [b]) => a - b).map(([, cursor]) => cursor);
  });
}

async function logged(type: string): Promise<string[]> {
  const { items } = await stage.api('GET', `/v1/events?event_type=${type}&order=desc&limit=500`);
  return items.map((item: { cursor: string }) => item.cursor);
}

for (const { name, shown, blocked } of [
  { name: 'WebSocket', shown: 'Live', blocked: [] },
  { name: 'server-sent events, when the WebSocket is blocked', shown: 'Live (SSE)', blocked: ['ws'] },
  { name: 'polling, when both are blocked', shown: 'Polling', blocked: ['ws', 'sse'] },
] as const) {
  it(`events arrive by ${name}`, async () => {
    const type = `e2e.by_${blocked.length}`;
    const page = await open(`/events?type=${type}`, blocked);
    await badge(page, shown)
      .and(page.locator(`[data-live="${shown}"]`))
      .waitFor();
    await page.getByText('No event matches').waitFor();
    await noteSightings(page);
    const sent: Record<string, number> = {};
    for (let n = 0; n < SAMPLES; n++) {
      const at = clockMs();
      const cursor = await postSurely(type, n);
      sent[cursor] = at;
      // Of many that arrive together the list builds only as many rows as fit.
      if (n % 10 === 9) await untilSeen(page, cursor);
    }
    const seen = await sightings(page);
    const took = Object.entries(sent).map(([cursor, at]) => seen[cursor]! - at);
    process.stdout.write(
      `event → row by ${shown}: p50 ${quantile(took, 0.5).toFixed(0)} ms, p95 ${quantile(took, 0.95).toFixed(0)} ms of ${SAMPLES}\n`,
    );
    expect(await rowsOf(page)).toEqual(await logged(type));
    expectClean(page, blocked.length === 0 ? [] : CUT);
  });
}

it('no row is lost or doubled when the api is killed in the middle of a stream', async () => {
  const type = 'e2e.stream';
  const page = await open(`/events?type=${type}`);
  await page.locator('[data-live="Live"]').waitFor();
  const shown = await noteBadge(page);
  await noteSightings(page);
  const total = 150;
  for (let n = 0; n < total; n++) {
    if (n === 50 || n === 100) {
      const api = (await stage.installation.processes()).find((part) => part.name === 'api');
      process.kill(api!.pid, 'SIGKILL');
      if (n === 50) await badge(page, 'Reconnecting').waitFor();
    }
    await postSurely(type, n);
  }
  const wanted = await logged(type);
  expect(wanted).toHaveLength(total);
  await untilSeen(page, wanted[0]!);
  await page.locator('[data-live="Live"]').waitFor();
  expect(await rowsOf(page)).toEqual(wanted);
  expect((await shown()).map((text) => text.replace(/ \(.*/, ''))).toEqual(
    expect.arrayContaining(['Live', 'Reconnecting', 'Live']),
  );
  expect(await page.locator('[data-first-load]').count()).toBe(1);
  expectClean(page, CUT);
});

it('a database that stands still is said, and all comes back by itself', async () => {
  const type = 'e2e.still';
  const page = await open(`/events?type=${type}`);
  await page.locator('[data-live="Live"]').waitFor();
  await page.getByText('No event matches').waitFor();
  const postgres = (await stage.installation.processes()).find((part) => part.name === 'postgres')!.pid;
  const stopped = [postgres, ...childrenOf(postgres)];
  const go = (signal: NodeJS.Signals) => {
    for (const pid of stopped) {
      try {
        process.kill(pid, signal);
      } catch {
        // A backend that has ended since.
      }
    }
  };
  onTestFinished(() => go('SIGCONT'));
  const refused = page.waitForResponse((response) => response.status() === 503);
  go('SIGSTOP');
  await badge(page, /Reconnecting|Stale/).waitFor();
  await refused;
  go('SIGCONT');
  await noteSightings(page);
  const cursor = await postSurely(type, 1);
  await untilSeen(page, cursor);
  await page.locator('[data-live="Live"]').waitFor();
  expect(await rowsOf(page)).toEqual(await logged(type));
  expect(await page.locator('[data-first-load]').count()).toBe(1);
  expectClean(page, CUT);
});

/** Each backend leads a group of its own, so the group of the server is not enough. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
