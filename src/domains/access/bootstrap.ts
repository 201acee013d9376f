// The first operator, without whom nobody could let anybody in: only the start of the program makes one.
import type { Call } from '../../platform/call.ts';
import { newUuid } from '../../platform/ids.ts';
import type { Log } from '../log/index.ts';
import { accessEvents } from './events.ts';
import * as store from './session-store.ts';
import type { Tokens } from './tokens.ts';

export interface FirstOperator {
  readonly id: string;
  readonly name: string;
  /** Has every ability; shown this once. */
  readonly token: string;
}

/** The operator of this name, made when missing, with a new token of all abilities. */
export async function bootstrapOperator(
  { log, tokens }: { log: Log; tokens: Tokens },
  call: Call,
  name: string,
): Promise<FirstOperator> {
  return call.write(async (tx) => {
    const { id, created } = await store.ensureOperator(tx, newUuid(), name);
    if (created) {
      await log.append(tx, call, [
        accessEvents.make('operator.created', { operator: name }, { subject: `operator:${name}` }),
      ]);
    }
    const { token } = await tokens.issueForOperator(tx, call, { id, name }, 'this machine');
    return { id, name, token };
  });
}
