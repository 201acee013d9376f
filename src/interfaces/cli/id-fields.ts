// Which field of an answer another command takes to mean one of its things: `event show` takes a cursor, `agent show` a name.
import type { AnyOperation } from '../../platform/operation.ts';

/** Best first. */
export function idFields(operation: AnyOperation, all: readonly AnyOperation[]): string[] {
  const noun = operation.name.split('.').slice(0, -1).join('.');
  const show = all.find(({ name }) => name === `${noun}.show`);
  const taken = show === undefined || 'none' in show.cli ? [] : (show.cli.positional ?? []);
  const word = noun.split('.').at(-1)!;
  return [...taken, 'id', `${word}_id`, word];
}

/** The operation that lists what a field of this name can mean, as far as there is one. */
export function listFor(field: string, all: readonly AnyOperation[]): AnyOperation | undefined {
  const noun = field.replace(/_id$/, '');
  return all.find(({ name, method }) => method === 'GET' && name.endsWith(`.${noun}.list`));
}
