// The host role: the agents of this machine, started, watched and adopted.
import { hostname } from 'node:os';
import { localApiUrl } from '../config/addresses.ts';
import { createHost } from '../domains/fleet/index.ts';
import { runRole } from './role.ts';

await runRole({
  role: 'host',
  connections: 3,
  async start({ app, config, logger }) {
    const host = createHost({
      app,
      dataDir: config.dataDir,
      hostName: machineName(),
      logger,
      apiUrl: localApiUrl(config),
    });
    host.start();
    return { ready: host.ready, stop: (signal) => host.stop({ agents: signal === 'SIGINT' }) };
  },
});

// As the manifest may name it.
function machineName(): string {
  const name = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return name.slice(0, 63) || 'host';
}
