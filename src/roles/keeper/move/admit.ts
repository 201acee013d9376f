// Before an installation uses a database: whether it is the one that it lives in. Settles what a killed move has left, and
// refuses a database that the installation has left, or that is half made.
import type pg from 'pg';
import { DatabaseRefused } from '../prepare.ts';
import { reopenDatabase } from './closing.ts';
import { connectTo } from './connect.ts';
import { readJournal, removeJournal } from './journal.ts';
import { type Label, readLabel, setLabel } from './label.ts';
import { dropPrepared, readPlace } from './place.ts';

/** What it did, for the log; undefined when there was nothing to settle. Throws DatabaseRefused. */
export async function admitDatabase(dataDir: string, url: string): Promise<string | undefined> {
  const journal = readJournal(dataDir);
  const client = await connectTo(url);
  try {
    const label = await readLabel(client);
    const settled = label === undefined ? undefined : await settle(client, label, dataDir);
    if (journal === undefined) return settled;
    dropPrepared(dataDir);
    removeJournal(dataDir);
    return settled ?? `the move to ${journal.to} did not come to its end: nothing was moved`;
  } finally {
    await client.end();
  }
}

async function settle(client: pg.ClientBase, label: Label, dataDir: string): Promise<string> {
  const isWhereItWent = readPlace(dataDir)?.move === label.move;
  const wasItsOwn = readJournal(dataDir)?.id === label.move;
  if (label.state === 'copied' && isWhereItWent) {
    await setLabel(client, undefined);
    return 'the move is complete: this database is the one in use';
  }
  if (label.state === 'left' && wasItsOwn && !isWhereItWent) {
    await reopenDatabase(client);
    return 'the move was interrupted before the switch: this database is open again';
  }
  if (label.state === 'left') {
    throw new DatabaseRefused(
      `this database was left on ${label.at}: the installation was moved to ${label.to ?? 'another one'}. ` +
        'Start it there: without DATABASE_URL, or, where secrets/database.json was lost, with that address in it',
    );
  }
  throw new DatabaseRefused(
    `this database was made by a move on ${label.at} that did not come to its end, so the installation is still where it was. ` +
      'Start it there, and move it again',
  );
}
