import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { startProxy, type TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { nextAnnouncement } from '../signals.ts';
import { Database, fleetScope, ownerScope } from './database.ts';

let t: TestDatabase;
let proxy: TcpProxy;
/** One connection, through the proxy. */
let db: Database;

beforeEach(async () => {
  t = await openTestDatabase();
  const url = new URL(t.url);
  proxy = await startProxy(Number(url.port), url.hostname);
  url.host = `127.0.0.1:${proxy.port}`;
  db = new Database({ url: url.href, connections: 1, name: 'test' });
  await t.db.write(ownerScope, async (tx) => {
    await tx.query('CREATE TABLE public.notes (text text PRIMARY KEY)');
    await tx.query('GRANT SELECT, INSERT ON public.notes TO qd_system');
  });
});
afterEach(async () => {
  await db.close();
  await proxy.close();
  await t.close();
});

const note = (text: string) => ['INSERT INTO public.notes VALUES ($1)', [text]] as const;
const notes = async () =>
  (await t.db.read(ownerScope, (tx) => tx.query<{ text: string }>('SELECT text FROM public.notes'))).map(
    ({ text }) => text,
  );

describe('a connection that ends', () => {
  it('in the middle of a change: nothing was changed, and that is what is said', async () => {
    const change = db.write(fleetScope, async (tx) => {
      await tx.query(...note('a'));
      const lost = nextAnnouncement('database.connection_lost', 5_000);
      await proxy.cut();
      await lost;
    });
    await expect(change).rejects.toMatchObject({ code: 'unavailable' });
    expect(await notes()).toEqual([]);
  });

  it('while the COMMIT is under way: nobody knows, and that is what is said', async () => {
    await t.db.write(ownerScope, async (tx) => {
      await tx.query(`CREATE FUNCTION public.linger() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$`);
      await tx.query(`CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON public.notes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.linger()`);
    });
    const committing = Promise.withResolvers<void>();
    const change = db.write(fleetScope, async (tx) => {
      await tx.query(...note('a'));
      // After this function COMMIT leaves; then the connection is cut.
      setTimeout(committing.resolve, 0);
    });
    change.catch(() => undefined);
    await committing.promise;
    await proxy.cut();
    await expect(change).rejects.toMatchObject({ code: 'outcome_unknown', retryable: true });
  });

  it('is replaced by the next change, without anybody starting anything', async () => {
    await db.write(fleetScope, (tx) => tx.query(...note('a')));
    const lost = nextAnnouncement('database.connection_lost', 5_000);
    await proxy.cut();
    await lost;
    await expect(db.write(fleetScope, (tx) => tx.query(...note('b')))).rejects.toMatchObject({ code: 'unavailable' });
    await proxy.mend();
    await db.write(fleetScope, (tx) => tx.query(...note('c')));
    expect(await notes()).toEqual(['a', 'c']);
  });
});

describe('a change that failed', () => {
  it('reaches no later transaction: what of it goes on is refused', async () => {
    const slow = Promise.withResolvers<void>();
    const strays: Promise<unknown>[] = [];
    const failed = db.write(fleetScope, async (tx) => {
      strays.push(slow.promise.then(() => tx.query(...note('stray'))));
      await tx.query('SELECT 1/0');
    });
    await expect(failed).rejects.toMatchObject({ code: '22012' });
    await db.write(fleetScope, async (tx) => {
      slow.resolve();
      await expect(strays[0]).rejects.toThrow('the transaction is over');
      await tx.query(...note('b'));
    });
    expect(await notes()).toEqual(['b']);
  });
});

describe('the watch', () => {
  it('ends what is under way when the database goes away, refuses at once, and finds it back', async () => {
    const answers = nextAnnouncement('database.answers', 5_000);
    db.availability.start();
    await answers;
    const changes: string[] = [];
    db.availability.onChange((change) => changes.push(change.is));
    const away = nextAnnouncement('database.away', 5_000);
    // It holds the only connection and would wait for ever.
    const stuck = db.read(fleetScope, async (tx) => {
      await tx.query('SELECT 1');
      await new Promise(() => undefined);
    });
    stuck.catch(() => undefined);
    await proxy.cut();
    await away;
    await expect(stuck).rejects.toMatchObject({ code: 'unavailable' });
    await expect(db.read(fleetScope, (tx) => tx.query('SELECT 1'))).rejects.toMatchObject({ code: 'unavailable' });
    expect(db.availability.answersSince).toBeUndefined();
    const back = nextAnnouncement('database.back', 5_000);
    await proxy.mend();
    await back;
    expect(await db.read(fleetScope, (tx) => tx.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
    expect(changes).toEqual(['away', 'back']);
  });
});
