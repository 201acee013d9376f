// An archiver as a process of its own, which dies by SIGKILL at a step: database address, directory and step as arguments.
import { createApp } from '../../src/app.ts';
import { Archiver } from '../../src/domains/log/archive/archiver.ts';
import { createLogger } from '../../src/platform/logger.ts';

const [databaseUrl, directory, dieAt] = process.argv.slice(2);
if (!databaseUrl || !directory || !dieAt) throw new Error('name a database, a directory and a step');
const logger = createLogger('test', 'silent');
const app = createApp({ databaseUrl, connections: 3, part: 'archiver', logger, publicUrl: () => 'http://127.0.0.1' });
const archiver = new Archiver({
  db: app.db,
  log: app.log,
  call: app.systemCall(),
  directory,
  keepDays: 1,
  step: (name) => {
    if (name === dieAt) process.kill(process.pid, 'SIGKILL');
  },
});
await archiver.turn();
process.exit(0);
