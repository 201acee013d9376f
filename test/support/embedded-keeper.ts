// A stand-in for the keeper that tests can kill: starts the embedded server of the data directory named first, says its
// facts in one line, and stays until it is ended. With "once" as second word it stops the server and leaves.
import { startEmbedded } from '../../src/platform/db/embedded/server.ts';

const [dataDir, mode] = process.argv.slice(2);
if (!dataDir) throw new Error('name a data directory');
const server = await startEmbedded({ dataDir, log: () => {} });
process.stdout.write(`${JSON.stringify({ pid: server.pid, port: server.port, adopted: server.adopted })}\n`);
if (mode === 'once') await server.stop();
else setInterval(() => {}, 1e6);
