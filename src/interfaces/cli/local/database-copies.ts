// `quarterdeck database copies|restore-copy`: the copies of the embedded database that upgrades leave.
import { z } from 'zod';
import type { Copy } from '../../../platform/db/embedded/copies.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';
import { table } from '../show.ts';
import { findDataDir, placeInput } from './place.ts';

const copyName = z.string().min(1).max(200).describe('Name of a copy, as `database copies` lists it');

export const listDatabaseCopies = localOperation({
  name: 'database.copies',
  summary: 'The copies of the embedded database that were made before upgrades, newest first',
  input: z.strictObject(placeInput),
  cli: { words: 'database copies', example: 'quarterdeck database copies' },
  async run(place, output) {
    const { listCopies } = await import('../../../platform/db/embedded/copies.ts');
    const { layoutOf } = await import('../../../platform/db/embedded/layout.ts');
    const { dataDir, exists } = await findDataDir(place);
    const items = exists ? listCopies(layoutOf(dataDir)).map(shown) : [];
    if (output.json) output.out(JSON.stringify({ items, data_dir: dataDir }));
    else if (items.length === 0) output.say(`there are no copies in ${dataDir}`);
    else output.out(table(items, ['name', 'reason', 'version', 'postgres', 'made_at', 'bytes']));
    return exitCodes.ok;
  },
});

export const restoreDatabaseCopy = localOperation({
  name: 'database.restore_copy',
  summary: 'Put a copy in the place of the embedded database, which is kept as a copy itself; nothing may run',
  input: z.strictObject({ name: copyName, ...placeInput }),
  cli: {
    words: 'database restore-copy',
    positional: ['name'],
    example: 'quarterdeck database restore-copy 0.1.0-20260302T081500Z',
  },
  async run({ name, ...place }, output) {
    const { takeBack } = await import('../../../roles/keeper/way-back.ts');
    const { getCopy } = await import('../../../platform/db/embedded/copies.ts');
    const { layoutOf } = await import('../../../platform/db/embedded/layout.ts');
    const { EmbeddedFailure } = await import('../../../platform/db/embedded/failure.ts');
    const { refusalOf } = await import('./refusals.ts');
    const { dataDir, exists } = await findDataDir(place);
    try {
      if (!exists) {
        const hint = 'Name the directory of the installation with --data.';
        throw new EmbeddedFailure('copy_not_found', `there is no data directory ${dataDir}`, { hint });
      }
      getCopy(layoutOf(dataDir), name);
      const { copy, setAside } = await takeBack(dataDir, name, () => undefined);
      if (output.json) output.out(JSON.stringify({ restored: shown(copy), set_aside: setAside, data_dir: dataDir }));
      else {
        output.say(`the database is as it was on ${copy.made_at}; what was there is kept as ${setAside}`);
        output.say(`start it with version ${copy.version}: a newer one would bring it up to date again`);
      }
      return exitCodes.ok;
    } catch (error) {
      throw refusalOf(error);
    }
  },
});

function shown({ name, reason, version, postgres, made_at, bytes, migrations }: Copy) {
  return { name, reason, version, postgres, made_at, bytes, migrations };
}
