// Why a limit holds: the count of what a channel uses is a statement after its lock. Two claims meet at the lock; with
// the function of the migration the second sees what the first has taken, with each of two plausible other ones it does not.
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openTestWork, type TestWork } from '../../../../test/support/work.ts';
import { operations } from '../operations.ts';

let w: TestWork;
let first: pg.Client;
let second: pg.Client;
let admin: pg.Client;
beforeAll(async () => {
  w = await openTestWork();
  first = await connect();
  second = await connect();
  admin = await connect(w.t.database.adminUrl);
});
afterAll(async () => {
  await Promise.all([first.end(), second.end(), admin.end()]);
  await w.close();
});

async function connect(url = w.t.database.url): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

let channels = 0;

/** How many jobs two claims, of two queues, get that meet at the lock of a channel which allows one. */
async function takenByTwo(): Promise<number> {
  const channel = `lock-${++channels}`;
  const operator = await w.operator();
  await w.work.channels.set(operator, operations.setChannel.input.parse({ channel, concurrency: 1 }));
  await w.add(operator, { jobs: [`${channel}-a`, `${channel}-b`].map((kind) => ({ kind, channel })) });
  const claim = async (client: pg.Client, queue: string) => {
    await client.query('BEGIN');
    await client.query('SET LOCAL ROLE qd_system');
    const { rows } = await client.query(
      `SELECT id FROM work.claim(ARRAY[$1], 1, gen_random_uuid(), 'one', 60, ARRAY[sha256('a'::bytea)])`,
      [queue],
    );
    return rows.length;
  };
  const firstTook = await claim(first, `${channel}-a`);
  let waits = true;
  const secondTook = claim(second, `${channel}-b`).finally(() => {
    waits = false;
  });
  await vi.waitFor(
    async () => {
      const { rows } = await admin.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      expect(rows.length > 0 || !waits).toBe(true);
    },
    { timeout: 5_000, interval: 20 },
  );
  await first.query('COMMIT');
  const taken = firstTook + (await secondTook);
  await second.query('COMMIT');
  return taken;
}

it('lets the second claim see what the first has taken', async () => {
  expect(await takenByTwo()).toBe(1);
});

it('would hand out one too many if lock and count were one statement, or without the lock', async () => {
  const { rows } = await admin.query(`SELECT pg_get_functiondef('work.channel_room'::regproc) AS definition`);
  for (const lock of ['FOR NO KEY UPDATE', '']) {
    await admin.query(
      `CREATE OR REPLACE FUNCTION work.channel_room(channels bigint[], needs bigint[], wait boolean)
         RETURNS TABLE (channel_id bigint, jobs bigint, cost bigint) LANGUAGE sql VOLATILE SECURITY DEFINER AS $$
           WITH held AS MATERIALIZED (SELECT * FROM work.channels c WHERE c.id = ANY (channels) ${lock})
           SELECT h.id, h.concurrency - (SELECT count(*) FROM work.jobs j WHERE j.channel_id = h.id AND j.state = 'running'),
                  NULL::bigint FROM held h $$`,
    );
    expect(await takenByTwo()).toBe(2);
  }
  await admin.query(rows[0].definition);
  expect(await takenByTwo()).toBe(1);
});
