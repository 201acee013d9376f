// The api role: operations over HTTP, the live feed, the page.
import { fileURLToPath } from 'node:url';
import type { App } from '../app.ts';
import { localApiUrl } from '../config/addresses.ts';
import { createApiServer } from '../interfaces/http/server.ts';
import { neighbourMetrics } from './neighbours.ts';
import { runRole } from './role.ts';

// Another process may have ended them. All are forgotten, not only those named: looking them up again is one query each.
const ENDINGS = new Set(['access.token.revoked', 'access.operator.signed_out']);

function forgetEndedCredentials(app: App): void {
  app.log.tail.listen({
    events(batch) {
      if (batch.some(({ item }) => ENDINGS.has(item.event_type))) app.access.credentials.forgetAll();
    },
    reset: () => app.access.credentials.forgetAll(),
  });
}

const webDir = fileURLToPath(new URL('../../web/dist', import.meta.url));

await runRole({
  role: 'api',
  connections: 10,
  async start({ app, config, logger }) {
    app.wakeups.on('log', () => app.log.tail.wake());
    app.log.tail.start();
    forgetEndedCredentials(app);
    const server = await createApiServer({
      app,
      host: config.bind,
      port: config.apiPort,
      origins: { publicUrl: config.publicUrl, anyAddress: config.insecureBind },
      webDir,
      metrics: { dataDir: config.dataDir, neighbours: () => neighbourMetrics(config.dataDir, 'api') },
      logger,
    });
    const { port } = await server.listen();
    return { port, url: localApiUrl({ ...config, apiPort: port }), stop: () => server.close() };
  },
});
