// Transactions commit out of order, and no reader ever skips one. Each condition that makes this true is also removed
// once, and then the same schedule must lose an event: a test that cannot fail is no test.
import fc from 'fast-check';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyIn } from '../../../test/support/copy-in.ts';
import { openTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { LogReader } from '../../../test/support/log-reader.ts';
import { fleetScope } from '../../platform/db/database.ts';
import { readNext } from './store.ts';

let t: TestDatabase;
let opened: pg.Client[] = [];
beforeEach(async () => {
  t = await openTestDatabase();
});
afterEach(async () => {
  for (const client of opened) await client.end();
  opened = [];
  await t.close();
});

const INSERT = `INSERT INTO log.event_log (event_type, source_agent) VALUES ('x.y', 'writer')`;

async function connect(url = t.adminUrl): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  opened.push(client);
  return client;
}

const newReader = (read = readAsTheTailDoes) => new LogReader(read);

async function readAsTheTailDoes(after: number): Promise<number[]> {
  const { rows } = await t.db.read(fleetScope, (tx) => readNext(tx, after, 1000));
  return rows.map((row) => row.seq);
}

async function allRows(): Promise<number[]> {
  const client = await connect();
  const { rows } = await client.query('SELECT seq FROM log.event_log ORDER BY seq');
  return rows.map((row) => Number(row.seq));
}

async function sabotage(sql: string): Promise<void> {
  await (await connect()).query(sql);
}

/** The earlier number commits after the later one was read. */
async function lateCommit(reader: LogReader): Promise<void> {
  const [a, b] = [await connect(), await connect()];
  await a.query('BEGIN');
  await a.query(INSERT);
  await b.query(INSERT);
  await reader.poll();
  await a.query('COMMIT');
  await reader.poll();
}

const nextSeqWith = (body: string) => `CREATE OR REPLACE FUNCTION log.next_seq() RETURNS bigint LANGUAGE plpgsql
  VOLATILE SECURITY DEFINER AS $$ DECLARE f bigint; n bigint; BEGIN ${body} RETURN n; END $$`;
const FLOOR = `f := coalesce(pg_sequence_last_value('log.event_seq'), 0);`;
const LOCK = 'PERFORM pg_advisory_xact_lock_shared((20804::bigint << 48) | f);';
const DRAW = `n := nextval('log.event_seq');`;
const PAUSE = `PERFORM pg_sleep(coalesce(nullif(current_setting('test.pause', true), ''), '0')::float);`;

describe('a late commit', () => {
  it('is never skipped', async () => {
    const reader = newReader();
    await lateCommit(reader);
    expect(reader.got).toEqual(await allRows());
  });

  it('would be skipped by a reader that follows seq alone', async () => {
    const reader = newReader(async (after) => {
      const rows = await t.db.read(fleetScope, (tx) =>
        tx.query<{ seq: number }>('SELECT seq FROM log.event_log WHERE seq > $1 ORDER BY seq', [after]),
      );
      return rows.map((row) => row.seq);
    });
    await lateCommit(reader);
    expect(reader.got).not.toEqual(await allRows());
  });

  it('would be skipped if the writer took no lock', async () => {
    await sabotage(nextSeqWith(DRAW));
    const reader = newReader();
    await lateCommit(reader);
    expect(reader.got).not.toEqual(await allRows());
  });
});

describe('a number drawn before its lock is held', () => {
  async function pausedBetween(order: string): Promise<LogReader> {
    await sabotage(nextSeqWith(order));
    const [a, b] = [await connect(), await connect()];
    const reader = newReader();
    await a.query("SET test.pause = '0.4'");
    const inserting = a.query(INSERT);
    // The pause begins after the first of the two steps; b goes through meanwhile.
    await sequenceOrLockTaken(b);
    await b.query(INSERT);
    await reader.poll();
    await inserting;
    await reader.poll();
    return reader;
  }

  async function sequenceOrLockTaken(client: pg.Client): Promise<void> {
    for (let i = 0; i < 1000; i++) {
      const { rows } =
        await client.query(`SELECT s.is_called OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS taken FROM log.event_seq s`);
      if (rows[0].taken) return;
    }
    throw new Error('the paused writer never got there');
  }

  it('does not happen: the lock comes first, and a pause between the two loses nothing', async () => {
    const reader = await pausedBetween(`${FLOOR} ${LOCK} ${PAUSE} ${DRAW}`);
    expect(reader.got).toEqual(await allRows());
  });

  it('would be skipped if the number came first', async () => {
    const reader = await pausedBetween(`${FLOOR} ${DRAW} ${PAUSE} ${LOCK}`);
    expect(reader.got).not.toEqual(await allRows());
  });
});

describe('numbers cached by a session', () => {
  async function twoSessions(): Promise<LogReader> {
    const [a, b] = [await connect(), await connect()];
    const reader = newReader();
    await a.query(INSERT);
    await b.query(INSERT);
    await reader.poll();
    await a.query(INSERT);
    await reader.poll();
    return reader;
  }

  it('do not exist: with CACHE 1 nothing is skipped', async () => {
    expect((await twoSessions()).got).toEqual(await allRows());
  });

  it('are refused with CACHE 32', async () => {
    await sabotage('ALTER SEQUENCE log.event_seq CACHE 32');
    await expect(twoSessions()).rejects.toThrow('not above its floor');
  });

  it('would be skipped with CACHE 32 if nobody compared them with the floor', async () => {
    await sabotage(nextSeqWith(`${FLOOR} ${LOCK} ${DRAW}`));
    await sabotage('ALTER SEQUENCE log.event_seq CACHE 32');
    expect((await twoSessions()).got).not.toEqual(await allRows());
  });
});

describe('a savepoint that is rolled back frees its lock', () => {
  async function schedule(reader: LogReader): Promise<void> {
    const [a, b] = [await connect(), await connect()];
    await a.query('BEGIN');
    await a.query('SAVEPOINT s');
    await a.query(INSERT);
    await a.query('ROLLBACK TO SAVEPOINT s');
    await a.query(INSERT);
    await b.query(INSERT);
    await reader.poll();
    await a.query('COMMIT');
    await reader.poll();
  }

  it('and the next number takes it again', async () => {
    const reader = newReader();
    await schedule(reader);
    expect(reader.got).toEqual(await allRows());
  });

  it('which a function that remembers its lock would miss', async () => {
    await sabotage('CREATE SEQUENCE log.remembered; GRANT ALL ON SEQUENCE log.remembered TO PUBLIC');
    // A sequence is the one memory that a rolled back savepoint does not take back.
    await sabotage(
      nextSeqWith(`${FLOOR} IF (SELECT last_value FROM log.remembered) <> txid_current() THEN
        PERFORM setval('log.remembered', txid_current()); ${LOCK} END IF; ${DRAW}`),
    );
    const reader = newReader();
    await schedule(reader);
    expect(reader.got).not.toEqual(await allRows());
  });
});

describe('the three reads of a reader', () => {
  // While the reader pauses, the earlier number commits that was open when it began.
  async function commitDuringRead(read: (after: number) => Promise<number[]>): Promise<LogReader> {
    const [a, b] = [await connect(), await connect()];
    await a.query('BEGIN');
    await a.query(INSERT);
    await b.query(INSERT);
    const reader = newReader(read);
    const polling = reader.poll();
    await a.query('SELECT pg_sleep(0.15)');
    await a.query('COMMIT');
    await polling;
    await reader.poll();
    return reader;
  }

  const separate = async (after: number) =>
    t.db.read(fleetScope, async (tx) => {
      await tx.query('SELECT pg_sleep(0.4)');
      const { rows } = await readNext(tx, after, 100);
      return rows.map((row) => row.seq);
    });

  it('are separate statements, each with a snapshot of its own', async () => {
    const reader = await commitDuringRead(separate);
    expect(reader.got).toEqual(await allRows());
  });

  it('would skip in one statement', async () => {
    const reader = await commitDuringRead((after) =>
      t.db.read(fleetScope, async (tx) => {
        const rows = await tx.query<{ seq: number }>(
          `WITH paused AS MATERIALIZED (SELECT pg_sleep(0.4)),
                h AS MATERIALIZED (SELECT log.horizon() AS seq FROM paused)
           SELECT e.seq FROM log.event_log e, h WHERE e.seq > $1 AND e.seq <= h.seq ORDER BY e.seq`,
          [after],
        );
        return rows.map((row) => row.seq);
      }),
    );
    expect(reader.got).not.toEqual(await allRows());
  });

  it('would skip in one snapshot (REPEATABLE READ)', async () => {
    const client = await connect();
    const reader = await commitDuringRead(async (after) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query('SELECT pg_sleep(0.4)');
      const horizon = await client.query('SELECT log.horizon() AS seq');
      const { rows } = await client.query('SELECT seq FROM log.event_log WHERE seq > $1 AND seq <= $2 ORDER BY seq', [
        after,
        horizon.rows[0].seq,
      ]);
      await client.query('COMMIT');
      return rows.map((row) => Number(row.seq));
    });
    expect(reader.got).not.toEqual(await allRows());
  });

  it('would skip if the floors were read before the last number', async () => {
    const horizonFunction = (first: string, second: string) => `CREATE OR REPLACE FUNCTION log.horizon() RETURNS bigint
      LANGUAGE plpgsql VOLATILE AS $$ DECLARE l bigint; f bigint; BEGIN ${first} PERFORM pg_sleep(0.4); ${second}
      RETURN least(l, f); END $$`;
    const last = `l := coalesce(pg_sequence_last_value('log.event_seq'), 0);`;
    const floors = `SELECT min(((k.classid::bigint & 65535) << 32) | k.objid::bigint) INTO f FROM pg_locks k
      WHERE k.locktype = 'advisory' AND k.classid::bigint >> 16 = 20804;`;
    const run = async () => {
      const [a, b] = [await connect(), await connect()];
      await a.query('BEGIN');
      const reader = newReader();
      const polling = reader.poll();
      await b.query('SELECT pg_sleep(0.15)');
      await a.query(INSERT);
      await b.query(INSERT);
      await polling;
      await a.query('COMMIT');
      await reader.poll();
      return reader.got;
    };
    await sabotage(horizonFunction(last, floors));
    expect(await run()).toEqual(await allRows());
    await sabotage(horizonFunction(floors, last));
    const before = (await allRows()).length;
    expect((await run()).filter((seq) => seq > before)).not.toEqual((await allRows()).filter((seq) => seq > before));
  });
});

describe('what does not delay the feed', () => {
  async function openElsewhereAndIdleHere(): Promise<LogReader> {
    const other = await openTestDatabase();
    try {
      const [elsewhere, idle, writer] = [await connect(other.adminUrl), await connect(), await connect()];
      await elsewhere.query('BEGIN');
      await elsewhere.query(INSERT);
      await idle.query('BEGIN');
      await idle.query('CREATE TABLE public.held (x int)');
      await writer.query(INSERT);
      const reader = newReader();
      await reader.poll();
      await elsewhere.query('ROLLBACK');
      return reader;
    } finally {
      await other.close();
    }
  }

  it('is a transaction that writes no event, or writes events in another database', async () => {
    expect((await openElsewhereAndIdleHere()).got).toHaveLength(1);
  });

  it('would delay it if the reader did not look at the database of a floor', async () => {
    await sabotage(`CREATE OR REPLACE FUNCTION log.horizon() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
      DECLARE l bigint; f bigint; BEGIN
      l := coalesce(pg_sequence_last_value('log.event_seq'), 0);
      SELECT min(((k.classid::bigint & 65535) << 32) | k.objid::bigint) INTO f FROM pg_locks k
      WHERE k.locktype = 'advisory' AND k.classid::bigint >> 16 = 20804;
      RETURN least(l, f); END $$`);
    expect((await openElsewhereAndIdleHere()).got).toEqual([]);
  });
});

describe('a floor that was set by hand', () => {
  it.each(['-1', '281474976710655', '99'])('is refused: %s', async (floor) => {
    const writer = await connect();
    await writer.query(`SET qd.log_floor = '${floor}'`);
    await expect(writer.query(INSERT)).rejects.toThrow('not above its floor');
  });

  it('hides nothing when it lies too low', async () => {
    const [a, b] = [await connect(), await connect()];
    await a.query(INSERT);
    await a.query(`SET qd.log_floor = '0'`);
    await a.query('BEGIN');
    await a.query(INSERT);
    await b.query(INSERT);
    const reader = newReader();
    await reader.poll();
    await a.query('COMMIT');
    await reader.poll();
    expect(reader.got).toEqual(await allRows());
  });
});

describe('many events in one transaction', () => {
  it('hold one lock only, so that a bulk load does not exhaust the lock table', async () => {
    const writer = await connect();
    await writer.query('BEGIN');
    await copyIn(
      writer,
      'COPY log.event_log (event_type, source_agent) FROM STDIN',
      Array.from({ length: 20_000 }, () => 'bulk.row\tloader\n').join(''),
    );
    const { rows } = await writer.query(
      `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`,
    );
    expect(rows[0].n).toBe(1);
    const reader = newReader();
    await reader.poll();
    expect(reader.got).toEqual([]);
    await writer.query('COMMIT');
    await reader.poll();
    expect(reader.got).toHaveLength(1000);
  });
});

type Step = readonly [writer: number, action: 'insert' | 'copy' | 'savepoint' | 'rollbackTo' | 'commit' | 'rollback'];

describe('random schedules of writers', () => {
  it('lose nothing and keep the order', async () => {
    const writers = [await connect(), await connect(), await connect(), await connect()];
    const step = fc.tuple(
      fc.nat(writers.length - 1),
      fc.constantFrom('insert', 'insert', 'copy', 'savepoint', 'rollbackTo', 'commit', 'commit', 'rollback'),
    ) as fc.Arbitrary<Step>;
    const reader = newReader();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const open = new Set<number>();
        const saved = new Set<number>();
        for (const [writer, action] of steps) {
          await take(writers[writer]!, writer, action, open, saved);
          await reader.poll();
        }
        for (const writer of open) await writers[writer]!.query('COMMIT');
        await reader.poll();
        expect(reader.got).toEqual(await allRowsBy(writers[0]!));
      }),
      { numRuns: 40 },
    );
  });

  async function allRowsBy(client: pg.Client): Promise<number[]> {
    const { rows } = await client.query('SELECT seq FROM log.event_log ORDER BY seq');
    return rows.map((row) => Number(row.seq));
  }

  async function take(
    client: pg.Client,
    writer: number,
    action: Step[1],
    open: Set<number>,
    saved: Set<number>,
  ): Promise<void> {
    const isEnd = action === 'commit' || action === 'rollback';
    if (!open.has(writer)) {
      if (isEnd || action === 'rollbackTo') return;
      await client.query('BEGIN');
      open.add(writer);
    }
    switch (action) {
      case 'insert':
        await client.query(INSERT);
        break;
      case 'copy':
        await copyIn(client, 'COPY log.event_log (event_type, source_agent) FROM STDIN', 'c.opy\tw\nc.opy\tw\n');
        break;
      case 'savepoint':
        await client.query('SAVEPOINT s');
        saved.add(writer);
        break;
      case 'rollbackTo':
        if (saved.has(writer)) await client.query('ROLLBACK TO SAVEPOINT s');
        break;
      case 'commit':
      case 'rollback':
        await client.query(action);
        open.delete(writer);
        saved.delete(writer);
    }
  }

  it('lose nothing when they really run at the same time', async () => {
    const reader = newReader();
    let writing = true;
    const write = async (client: pg.Client) => {
      for (let i = 0; i < 60; i++) {
        await client.query('BEGIN');
        for (let k = Math.random() * 4; k > 0; k--) await client.query(INSERT);
        if (i % 5 === 0) await client.query('SAVEPOINT s');
        await client.query(INSERT);
        if (i % 5 === 0) await client.query('ROLLBACK TO SAVEPOINT s');
        await client.query(i % 7 === 0 ? 'ROLLBACK' : 'COMMIT');
      }
    };
    const read = async () => {
      while (writing) await reader.poll();
    };
    const reading = read();
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect()));
    await Promise.all(clients.map(write));
    writing = false;
    await reading;
    await reader.poll();
    expect(reader.got).toEqual(await allRows());
    expect(reader.got.length).toBeGreaterThan(500);
  });
});
