// The api's HTTP server in this process, on a database and a free loopback port of its own.
import type { AppOptions } from '../../src/app.ts';
import { type ApiServerOptions, createApiServer } from '../../src/interfaces/http/server.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { openTestApp, type TestApp } from './app.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  readonly body: any;
  readonly text: string;
}

export interface TestServer extends TestApp {
  readonly url: string;
  readonly port: number;
  /** Sends JSON with a bearer token; `body` undefined sends none. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
}

export interface RequestOptions {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function openTestServer(
  options: Partial<Pick<ApiServerOptions, 'logger' | 'limits' | 'metrics'>> = {},
  more: Partial<AppOptions> = {},
): Promise<TestServer> {
  const logger = options.logger ?? createLogger('test', 'silent');
  const testApp = await openTestApp(8, logger, more);
  const server = await createApiServer({
    app: testApp.app,
    host: '127.0.0.1',
    port: 0,
    origins: {},
    webDir: '/nonexistent',
    ...options,
    logger,
  });
  const { port } = await server.listen();
  const url = `http://127.0.0.1:${port}`;
  return {
    ...testApp,
    url,
    port,
    async request(method, path, { token, body, headers } = {}) {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
    },
    async close() {
      await server.close();
      await testApp.close();
    },
  };
}
