// From the moment an event is posted to the moment its row stands in the page of a real browser, by each transport, beside
// two floors of the same run: the part of it that the page itself takes, and a bare page that writes a row for whatever a
// bare WebSocket brings. Needs a Chromium (QD_CHROMIUM, else /usr/bin/chromium) and the built page (bin/test page).
// Command: node bench/browser.ts
import { createServer } from 'node:http';
import type { BrowserContext, Page } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { launchBrowser } from '../test/support/browser.ts';
import { clockMs, noteSightings, sightings, untilSeen } from '../test/support/sightings.ts';
import { ms, print, quantile } from './figures.ts';
import { openClient } from './http.ts';
import { startInstallation } from './installation.ts';

const SAMPLES = 200;
const APART_MS = 50;
const VIEWPORT = { width: 1440, height: 900 };

/** Sends one event and answers its cursor. */
type Send = (n: number) => Promise<string>;

async function measure(page: Page, send: Send): Promise<{ took: number[]; seen: Record<string, number> }> {
  await noteSightings(page);
  const sent: Record<string, number> = {};
  let last = '';
  for (let n = 0; n < SAMPLES; n++) {
    const at = clockMs();
    last = await send(n);
    sent[last] = at;
    await new Promise((resolve) => setTimeout(resolve, APART_MS));
  }
  await untilSeen(page, last);
  const seen = await sightings(page);
  const took = Object.entries(sent).flatMap(([cursor, at]) => (seen[cursor] === undefined ? [] : [seen[cursor] - at]));
  if (took.length !== SAMPLES) throw new Error(`${took.length} of ${SAMPLES} stood in the page`);
  return { took, seen };
}

// The page's own sockets note when a message came in, before the page itself looks at it.
const noteMessages = `
  const received = (globalThis.qdReceived = {});
  globalThis.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        const cursor = /"type":"event".*?"cursor":"([^"]+)"/.exec(data)?.[1];
        if (cursor !== undefined) received[cursor] = performance.timeOrigin + performance.now();
      });
    }
  };`;

const barePage = `<!doctype html><title>floor</title><script>
  new WebSocket('ws://' + location.host).onmessage = ({ data }) => {
    const row = document.createElement('div');
    row.dataset.cursor = row.textContent = data;
    document.body.prepend(row);
  };
</script><body>`;

async function measureFloor(open: () => Promise<BrowserContext>): Promise<number[]> {
  const http = createServer((_, response) => response.setHeader('content-type', 'text/html').end(barePage));
  const sockets = new WebSocketServer({ server: http });
  const connected = new Promise((resolve) => sockets.once('connection', resolve));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as { port: number };
  const context = await open();
  try {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    await connected;
    const { took } = await measure(page, async (n) => {
      for (const socket of sockets.clients) socket.send(String(n));
      return String(n);
    });
    return took;
  } finally {
    await context.close();
    sockets.close();
    http.close();
  }
}

async function block(context: BrowserContext, ways: readonly string[]): Promise<void> {
  if (ways.includes('ws')) await context.routeWebSocket('**/v1/live', (socket) => socket.close());
  const isStream = (url: URL) => url.pathname === '/v1/live' && !url.searchParams.has('wait');
  if (ways.includes('sse')) await context.route(isStream, (route) => route.abort());
}

const installation = await startInstallation();
const client = openClient(installation.url, installation.token, 1);
const { browser, close } = await launchBrowser();
try {
  const rows: string[][] = [[`${SAMPLES} events, ${1000 / APART_MS}/s`, 'p50', 'p95']];
  const add = (name: string, took: readonly number[]) =>
    rows.push([name, ms(quantile(took, 0.5)), ms(quantile(took, 0.95))]);

  const signedIn = await browser.newContext({ viewport: VIEWPORT });
  const first = await signedIn.newPage();
  await first.goto(installation.signInUrl);
  await first.locator('[data-live]').waitFor();
  const storageState = await signedIn.storageState();
  await signedIn.close();

  for (const { name, badge, blocked } of [
    { name: 'WebSocket', badge: 'Live', blocked: [] },
    { name: 'server-sent events', badge: 'Live (SSE)', blocked: ['ws'] },
    { name: 'long polls', badge: 'Polling', blocked: ['ws', 'sse'] },
  ]) {
    const type = `bench.browser_${blocked.length}`;
    const context = await browser.newContext({ viewport: VIEWPORT, storageState });
    await context.addInitScript(noteMessages);
    await block(context, blocked);
    const page = await context.newPage();
    await page.goto(`${installation.url}/events?type=${type}`);
    await page.locator(`[data-live="${badge}"]`).waitFor();
    const { took, seen } = await measure(page, async (n) => {
      const answer = await client.post('/v1/events', JSON.stringify({ event_type: type, payload: { n } }));
      return (JSON.parse(answer) as { events: [{ cursor: string }] }).events[0].cursor;
    });
    add(`posted → row, by ${name}`, took);
    if (blocked.length === 0) {
      const received = (await page.evaluate('qdReceived')) as Record<string, number>;
      const own = Object.entries(received).flatMap(([cursor, at]) =>
        seen[cursor] === undefined ? [] : [seen[cursor] - at],
      );
      add('  of it the page: message → row', own);
    }
    await context.close();
  }
  add('floor: bare WebSocket → bare page', await measureFloor(() => browser.newContext({ viewport: VIEWPORT })));
  print(rows);
} finally {
  client.close();
  await close();
  await installation.stop();
}
