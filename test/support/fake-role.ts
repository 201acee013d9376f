// A stand-in for a role, for tests of the one that keeps it: gets ready like a role and does nothing. With
// FAKE_ROLE=broken it says a word and ends.
import { processStartTime } from '../../src/platform/process/facts.ts';
import { serveHealth } from '../../src/roles/health.ts';
import { DATA_MARKER, writeRunFile } from '../../src/roles/role-file.ts';

if (process.env['FAKE_ROLE'] === 'broken') {
  process.stderr.write('the mast is broken\n');
  process.exit(3);
}
const health = await serveHealth(() => ({ role: 'engine', pid: process.pid, ready: true, database: 'answers' }));
writeRunFile(process.env[DATA_MARKER]!, 'engine', {
  role: 'engine',
  pid: process.pid,
  start_time: processStartTime(process.pid),
  started_at: new Date().toISOString(),
  health_port: health.port,
  port: null,
  url: null,
});
setInterval(() => undefined, 1e6);
