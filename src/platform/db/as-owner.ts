// What only the role that connected may do (make and drop database roles), in the transaction of a request, so that it
// and the change it belongs to exist both or not at all.
import type { Tx } from './database.ts';

/** Runs `work` as the role that connected and goes back to the transaction's own. A failure ends the transaction. */
export async function asOwner<T>(tx: Tx, work: () => Promise<T>): Promise<T> {
  const [scope] = await tx.query<{ role: string }>("SELECT current_setting('role') AS role");
  await tx.query("SELECT set_config('role', 'none', true)");
  const result = await work();
  await tx.query("SELECT set_config('role', $1, true)", [scope!.role]);
  return result;
}
