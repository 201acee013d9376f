// Taking over a server that outlived its keeper, after making sure that it is the one of this cluster and that it answers.
import type { Ground } from './ground.ts';
import type { RunningServer } from './leftovers.ts';
import type { Log } from './log.ts';
import { readPidFile } from './pid-file.ts';
import { adopt, isReady, type Postmaster } from './postmaster.ts';
import { adminUrlOf, withConnection } from './provision.ts';

/** The running server, or undefined when it has to be stopped and started anew. */
export async function takeOver(
  ground: Ground,
  running: RunningServer,
  demandedPort: number | undefined,
  log: Log,
): Promise<Postmaster | undefined> {
  const { cluster } = ground.layout;
  if (!(await isReady({ cluster, log }, running))) return undefined;
  const port = readPidFile(cluster)?.port;
  if (port === undefined || (demandedPort !== undefined && demandedPort !== port)) return undefined;
  try {
    const directory = await withConnection(adminUrlOf(port, ground.superuserPassword), async (admin) => {
      const { rows } = await admin.query<{ data_directory: string }>('SHOW data_directory');
      return rows[0]?.data_directory;
    });
    // It differs when the data directory was moved under the running server: then every path it knows is wrong.
    if (directory !== cluster) return undefined;
  } catch (error) {
    // It hangs or refuses us. A new start shows whether that passes.
    log('warn', 'the running database does not answer', { pid: running.pid, reason: String(error) });
    return undefined;
  }
  return adopt(running.pid, running.startTime, port);
}
