// What the running server says of itself. The room knows none of it: the process that answers hands it in.
import type { Call } from '../../platform/call.ts';
import type { OutputOf } from '../../platform/operation.ts';
import { accessErrors } from '../access/index.ts';
import type { showServer } from './operations.ts';

export type ServerFacts = OutputOf<typeof showServer>;
export type DescribeServer = () => Promise<ServerFacts>;

/** The machine's directories and addresses are no tenant's business. */
export function serverFor(call: Call, describe: DescribeServer): Promise<ServerFacts> {
  if (call.scope.kind !== 'fleet') throw accessErrors.fleet_only();
  return describe();
}
