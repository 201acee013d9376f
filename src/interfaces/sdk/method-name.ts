// How an operation is called in the SDKs: by the last two words of its name. `work.job.add` is `qd.job.add`, and
// `fleet.status`, which has no noun, is `qd.fleet.status`.
import type { AnyOperation } from '../../platform/operation.ts';

export interface MethodName {
  /** `job`: the property of the client. */
  readonly noun: string;
  /** `add`: the method of it. */
  readonly verb: string;
  /** `JobAdd`: what the names of its types begin with. */
  readonly pascal: string;
}

export function methodName(operation: Pick<AnyOperation, 'name'>): MethodName {
  const [noun, verb] = operation.name.split('.').slice(-2) as [string, string];
  return { noun, verb, pascal: pascalCase(`${noun}_${verb}`) };
}

/** The operations that the SDKs have. Throws when two of them would have one name. */
export function sdkOperations(operations: readonly AnyOperation[]): AnyOperation[] {
  const chosen = operations.filter(({ noSdk }) => noSdk === undefined);
  const taken = new Map<string, string>();
  for (const operation of chosen) {
    const { pascal } = methodName(operation);
    const other = taken.get(pascal);
    if (other !== undefined) throw new Error(`${operation.name} and ${other} would have one name in the SDKs`);
    taken.set(pascal, operation.name);
  }
  return chosen;
}

export function pascalCase(snake: string): string {
  return snake.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export function camelCase(snake: string): string {
  return snake.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
