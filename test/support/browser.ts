// A real browser for the tests of the page, and what a page must never do while it is looked at: log an error, throw,
// break the content policy, ask another origin. What the tests look at is not here.
import { deepEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

// A condition of a test, not a measurement: the machine may be busy with other things.
const LIMIT_MS = 30_000;

export interface LaunchedBrowser {
  readonly browser: Browser;
  /** Leaves no process and no file. */
  close(): Promise<void>;
}

export async function launchBrowser(): Promise<LaunchedBrowser> {
  const executablePath = process.env['QD_CHROMIUM'] || '/usr/bin/chromium';
  // Chromium leaves some of its temporary files behind, so it gets a place of its own for them.
  const dir = mkdtempSync(join(tmpdir(), 'qd-browser-'));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  try {
    // Containers often have a /dev/shm of 64 MB, in which tabs crash.
    const args = ['--disable-dev-shm-usage'];
    const browser = await chromium.launch({ executablePath, args, env: { ...process.env, TMPDIR: dir } });
    return {
      browser,
      async close() {
        await browser.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

const troublesOf = new WeakMap<BrowserContext, string[]>();

/** A context of its own (cookies, storage) at this origin, whose pages are watched from their first request on. */
export async function openContext(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: origin, ...options });
  context.setDefaultTimeout(LIMIT_MS);
  const troubles: string[] = [];
  troublesOf.set(context, troubles);
  context.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    troubles.push(`console ${message.type()}: ${message.text()} ${message.location().url}`);
  });
  context.on('weberror', (thrown) => troubles.push(`thrown: ${thrown.error().stack ?? thrown.error().message}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== origin) troubles.push(`asked: ${request.url()}`);
  });
  context.on('page', (page) => {
    page.on('crash', () => troubles.push('the page crashed'));
    page.on('dialog', (dialog) => {
      troubles.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).host !== new URL(origin).host) troubles.push(`asked: ${socket.url()}`);
    });
  });
  await context.exposeBinding('qdViolation', (_, text: string) => {
    troubles.push(`content policy: ${text}`);
  });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = (globalThis as unknown as { qdViolation(text: string): void }).qdViolation;
      report(`${event.violatedDirective} blocked ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  return context;
}

/** Nothing bad has happened in this page's context since the last look, but for what the test itself brought about. */
export function expectClean(page: Page, caused: readonly RegExp[] = []): void {
  const troubles = troublesOf.get(page.context());
  if (troubles === undefined) throw new Error('the page was not opened by openContext');
  const own = troubles.splice(0).filter((trouble) => !caused.some((pattern) => pattern.test(trouble)));
  deepEqual(own, []);
}
