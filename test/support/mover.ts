// Moves the database of a stopped installation, as a process of its own that kills itself with -9 when the move begins the
// phase named: node mover.ts <data directory> <target> [<phase>]
import { randomUUID } from 'node:crypto';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { moveStopped } from '../../src/roles/keeper/move/stopped-move.ts';

const [dataDir, to = '', phase] = process.argv.slice(2);

await moveStopped({
  config: readConfig({ flags: { data: dataDir }, env: {}, cwd: '/' }),
  request: {
    id: randomUUID(),
    to: to === 'embedded' ? { kind: 'embedded' } : { kind: 'own', url: to },
    dryRun: false,
  },
  logger: createLogger('mover', 'silent'),
  events: {
    tell(progress) {
      if (progress.phase === phase) process.kill(process.pid, 'SIGKILL');
    },
    planned: () => undefined,
    signal: new AbortController().signal,
  },
});
process.exit(0);
