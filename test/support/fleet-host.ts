// A host as a process of its own, which tests can kill: database address, data directory and host name as arguments. It
// says "ready" in a line; SIGTERM leaves its agents running, SIGINT ends them.
import { createApp } from '../../src/app.ts';
import { createHost } from '../../src/domains/fleet/index.ts';
import { createLogger } from '../../src/platform/logger.ts';

const [databaseUrl, dataDir, hostName] = process.argv.slice(2);
if (!databaseUrl || !dataDir || !hostName) throw new Error('name a database, a data directory and a host');
const apiUrl = 'http://127.0.0.1:4600';
const logger = createLogger('host', 'warn');
const app = createApp({ databaseUrl, connections: 3, part: 'host', logger, publicUrl: () => apiUrl });
const host = createHost({ app, dataDir, hostName, logger, apiUrl });
const end = async (agents: boolean) => {
  await host.stop({ agents });
  await app.stop();
  process.exit(0);
};
process.on('SIGTERM', () => void end(false));
process.on('SIGINT', () => void end(true));
app.start();
host.start();
await host.ready;
process.stdout.write('ready\n');
