// One PostgreSQL for a whole run of the database tests: the server of TEST_DATABASE_URL, else a scratch cluster of the
// embedded binaries. Databases for single files are made from it in database.ts.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { SUPERUSER } from '../../src/platform/db/embedded/initdb.ts';
import { startScratchCluster } from '../../src/platform/db/embedded/scratch.ts';

declare module 'vitest' {
  interface ProvidedContext {
    pg: {
      host: string;
      port: number;
      /** Who may create databases and roles, as it stands in an address: `name` or `name:password`, percent-encoded. */
      superuser: string;
    };
  }
}

/** Vitest's global set-up: what it gives back is called at the end of the run, also of a failed one. */
export default async function startCluster(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) {
    const { hostname, port, username, password } = new URL(given);
    const superuser = password ? `${username}:${password}` : username;
    project.provide('pg', { host: hostname, port: Number(port || 5432), superuser });
    return async () => {};
  }
  const cluster = await startScratchCluster({ dir: mkdtempSync(join(tmpdir(), 'qd-test-pg-')) });
  project.provide('pg', { host: cluster.host, port: cluster.port, superuser: SUPERUSER });
  return () => cluster.stop();
}
