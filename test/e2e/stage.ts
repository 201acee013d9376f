// What a browser test plays on: an installation, a browser, and a session in it. Closing it leaves nothing, whatever failed.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser, openContext } from '../support/browser.ts';
import { type Installation, type InstallationOptions, startInstallation } from '../support/installation.ts';

export interface Stage {
  readonly installation: Installation;
  readonly browser: Browser;
  /** Asks the API from outside with the operator's token, or another one. Throws when it is refused. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  api(method: string, path: string, body?: unknown, token?: string): Promise<any>;
  /** A signed-in page in a context of its own; `prepare` sees the context before the first request. */
  open(path: string, options?: OpenOptions): Promise<Page>;
  close(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  readonly prepare?: (context: BrowserContext) => Promise<unknown>;
}

export async function openStage(options: InstallationOptions = {}): Promise<Stage> {
  const started = await Promise.allSettled([startInstallation(options), launchBrowser()]);
  const [installation, launched] = started;
  const close = async () => {
    if (launched.status === 'fulfilled') await launched.value.close();
    if (installation.status === 'fulfilled') await installation.value.stop();
  };
  if (installation.status === 'rejected' || launched.status === 'rejected') {
    await close();
    throw started.find((part) => part.status === 'rejected')?.reason;
  }
  const { url, token: operator } = installation.value;
  const { browser } = launched.value;

  const api: Stage['api'] = async (method, path, body, token = operator) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };

  // One link for all contexts: signing in is limited to ten times a minute.
  let session: Promise<BrowserContextOptions['storageState']> | undefined;
  const signIn = async () => {
    const link = await api('POST', '/v1/sign-in-links', {});
    const context = await openContext(browser, url);
    const page = await context.newPage();
    await page.goto(link.url);
    await page.locator('[data-live]').waitFor();
    const state = await context.storageState();
    await context.close();
    return state;
  };

  return {
    installation: installation.value,
    browser,
    api,
    close,
    async open(path, { prepare, ...context } = {}) {
      session ??= signIn();
      const storageState = (await session)!;
      const opened = await openContext(browser, url, { storageState, ...context });
      await prepare?.(opened);
      const page = await opened.newPage();
      await page.goto(path);
      await page.locator('[data-live]').waitFor();
      return page;
    },
  };
}
