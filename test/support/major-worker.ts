// Starts the embedded server of a data directory, whose cluster may be of the major version before, in a process that tests
// can kill; says every line of its log.
import { fileURLToPath } from 'node:url';
import { startEmbedded } from '../../src/platform/db/embedded/server.ts';
import { readMigrations } from '../../src/platform/db/migrate.ts';

const [dataDir] = process.argv.slice(2);
if (!dataDir) throw new Error('name a data directory');
const migrations = () => readMigrations(fileURLToPath(new URL('../../src', import.meta.url)));
const server = await startEmbedded({
  dataDir,
  log: (_level, message) => process.stdout.write(`${message}\n`),
  upgrade: { migrations, version: '0.0.9' },
});
await server.stop();
