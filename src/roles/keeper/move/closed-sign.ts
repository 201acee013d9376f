// What stands in for the api while the database is moved: every request hears, as when the database is away, that nothing
// was changed and to come again.
import { createServer } from 'node:http';
import type { Logger } from '../../../platform/logger.ts';
import { platformErrors } from '../../../platform/platform-errors.ts';

const RETRY_AFTER_SECONDS = '2';

/** Takes it down again; resolves when the port is free. Where it cannot listen, callers find nobody, which says the same. */
export async function hangClosedSign(host: string, port: number, logger: Logger): Promise<() => Promise<void>> {
  const { code, status, message, hint, retryable } = platformErrors.unavailable();
  const type = `urn:quarterdeck:error:${code}`;
  const body = JSON.stringify({ type, title: code, status, code, detail: message, hint, retryable });
  const server = createServer((_request, response) => {
    response.writeHead(status, {
      'content-type': 'application/problem+json',
      'retry-after': RETRY_AFTER_SECONDS,
      'cache-control': 'no-store',
      connection: 'close',
    });
    response.end(body);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', (error) => {
      logger.warn({ err: error }, 'nothing answers on the port of the api during the move');
      resolve(false);
    });
    server.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port }, () => resolve(true));
  });
  return async () => {
    if (!listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
}
