import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from '../../../../test/support/app.ts';
import { openSmallLog, type SmallLog } from '../../../../test/support/small-log.ts';
import type { Call } from '../../../platform/call.ts';
import { fleetScope } from '../../../platform/db/database.ts';
import { LogAudit } from '../audit.ts';
import { SegmentDigest, sealHash } from './canonical.ts';
import { sealNext } from './sealer.ts';
import * as store from './store.ts';

let t: TestApp;
let small: SmallLog;
let audit: LogAudit;
let call: Call;
let numbers: number[];
let seals: store.SealOutline[];

beforeAll(async () => {
  t = await openTestApp();
  small = await openSmallLog(t, 1_000, 3);
  // Numbers that were drawn and rolled back leave gaps, into which somebody might put rows.
  for (let i = 0; i < 12; i++) {
    await small.fill(1, 5);
    await small.admin.query('BEGIN');
    await small.fill(1, 1 + (i % 3));
    await small.admin.query('ROLLBACK');
  }
  await small.seal(8);
  audit = new LogAudit(t.app.log, undefined);
  call = t.app.systemCall();
  const { rows } = await small.admin.query('SELECT seq FROM log.event_log ORDER BY seq');
  seals = await t.app.db.read(fleetScope, (tx) => store.sealsWithin(tx, 0, 1_000_000));
  numbers = rows.map(({ seq }) => Number(seq)).filter((seq) => seq <= seals.at(-1)!.to_seq);
  for (const table of ['event_log', 'seals']) {
    await small.admin.query(`CREATE TABLE public.saved_${table} AS TABLE log.${table}`);
  }
  // Triggers are for the application; a superuser passes them by.
  await small.admin.query('SET session_replication_role = replica');
});
afterAll(async () => {
  await small?.close();
  await t?.close();
});

async function verifyAll(head?: string, limit = 3): Promise<{ found: string[]; seals: number }> {
  const found: string[] = [];
  let count = 0;
  for (let after: number | null = 0; after !== null; ) {
    const answer = await audit.verify(call, { after, limit, head });
    expect(answer.intact).toBe(answer.problems.length === 0);
    found.push(...answer.problems.map((one) => `${one.kind} ${one.seal} ${one.cursor?.split('-')[1] ?? '-'}`));
    count += answer.seals;
    after = answer.next_after;
  }
  return { found, seals: count };
}

async function restored<T>(tamper: () => Promise<unknown>, look: () => Promise<T>): Promise<T> {
  await tamper();
  try {
    return await look();
  } finally {
    await small.admin.query('BEGIN');
    for (const table of ['event_log', 'seals']) {
      await small.admin.query(`DELETE FROM log.${table}`);
      await small.admin.query(`INSERT INTO log.${table} SELECT * FROM public.saved_${table}`);
    }
    await small.admin.query('COMMIT');
  }
}

const run = (sql: string, values: unknown[] = []) => small.admin.query(sql, values);
const sealOf = (seq: number) => seals.find(({ to_seq }) => seq <= to_seq)!.number;

it('a log that nobody touched is intact, looked at in pages of any size', async () => {
  expect(seals.length).toBeGreaterThan(6);
  expect(await verifyAll()).toEqual({ found: [], seals: seals.length });
  expect(await verifyAll(undefined, 1)).toEqual({ found: [], seals: seals.length });
  const { head } = await audit.head(call);
  expect(await verifyAll(head!)).toEqual({ found: [], seals: seals.length });
});

// Each changes whatever row it meets: some have no subject.
const CHANGES = [
  `payload = payload || '{"n": 0.5}'`,
  `payload = jsonb_set(payload, '{exact}', '12345678901234567890.11')`,
  `at = at + interval '1 microsecond'`,
  `source_agent = 'somebody'`,
  `event_type = 'week.forged'`,
  `subject = CASE WHEN subject IS NULL THEN 'x' END`,
  `correlation_id = ''`,
  `causation_id = 'x'`,
  `id = id || '-'`,
  'tenant_id = gen_random_uuid()',
];

describe('rows tampered with', () => {
  it('are found and named, wherever and however many they are', async () => {
    const free = Array.from({ length: seals.at(-1)!.to_seq }, (_, i) => i + 1).filter((seq) => !numbers.includes(seq));
    expect(free.length).toBeGreaterThan(5);
    const tampering = fc.record({
      changed: fc.uniqueArray(fc.tuple(fc.constantFrom(...numbers), fc.nat(CHANGES.length - 1)), {
        maxLength: 3,
        selector: ([seq]) => seq,
      }),
      deleted: fc.uniqueArray(fc.constantFrom(...numbers), { maxLength: 3 }),
      inserted: fc.uniqueArray(fc.constantFrom(...free), { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(tampering, async ({ changed, deleted, inserted }) => {
        const stays = changed.filter(([seq]) => !deleted.includes(seq));
        const expected = [
          ...stays.map(([seq]) => ({ seq, word: 'row_changed' })),
          ...deleted.map((seq) => ({ seq, word: 'row_deleted' })),
          ...inserted.map((seq) => ({ seq, word: 'row_inserted' })),
        ].sort((a, b) => a.seq - b.seq);
        const tamper = async () => {
          for (const [seq, i] of stays) await run(`UPDATE log.event_log SET ${CHANGES[i]} WHERE seq = $1`, [seq]);
          await run('DELETE FROM log.event_log WHERE seq = ANY ($1)', [deleted]);
          for (const seq of inserted) {
            await run(`INSERT INTO log.event_log (seq, event_type, source_agent) VALUES ($1, 'week.forged', 'x')`, [
              seq,
            ]);
          }
        };
        const { found } = await restored(tamper, () => verifyAll());
        expect(found).toEqual(expected.map(({ seq, word }) => `${word} ${sealOf(seq)} ${seq}`));
      }),
      { numRuns: 25 },
    );
  });

  it.each(CHANGES)('also by %s alone', async (change) => {
    const seq = numbers[13]!;
    const { found } = await restored(
      () => run(`UPDATE log.event_log SET ${change} WHERE seq = $1`, [seq]),
      () => verifyAll(),
    );
    expect(found).toEqual([`row_changed ${sealOf(seq)} ${seq}`]);
  });
});

describe('seals tampered with', () => {
  const columns = [
    'from_seq = from_seq - 1',
    'to_seq = to_seq + 1',
    'rows = rows + 1',
    'bytes = bytes + 1',
    `first_at = first_at - interval '1 day'`,
    'last_at = NULL',
    `rows_hash = sha256('x')`,
    `leaves = leaves || '\\x00'`,
    `leaves = ''`,
    `prev_hash = sha256('x')`,
    `hash = sha256('x')`,
    `sealed_at = sealed_at + interval '1 microsecond'`,
  ];
  it.each(columns)('are named: %s', async (change) => {
    for (const number of [1, 4, seals.length]) {
      const { found } = await restored(
        async () => {
          // Neighbours must not hinder the change.
          await run('ALTER TABLE log.seals DROP CONSTRAINT IF EXISTS seals_to_seq_key');
          await run(`UPDATE log.seals SET ${change} WHERE number = $1`, [number]);
        },
        () => verifyAll(),
      );
      expect(found).toContain(`seal_changed ${number} -`);
      expect(found.every((problem) => [number, number + 1].includes(Number(problem.split(' ')[1])))).toBe(true);
    }
  });

  it('are missed when they are taken out of the middle or the beginning', async () => {
    for (const number of [1, 5]) {
      const { found } = await restored(
        () => run('DELETE FROM log.seals WHERE number = $1', [number]),
        () => verifyAll(),
      );
      expect(found).toEqual([`seal_missing ${number} -`]);
    }
  });

  it('show a changed row also where its leaf and its hash were changed with it', async () => {
    const seq = numbers[13]!;
    const number = sealOf(seq);
    const { found } = await restored(
      () => forge(seq, number, number),
      () => verifyAll(),
    );
    expect(found).toEqual([`seal_changed ${number + 1} -`]);
  });
});

describe('what only a head that was kept elsewhere shows', () => {
  const headOf = ({ number, hash }: store.SealOutline) => `${number}-${hash.toString('hex')}`;

  it('the end cut off, at any place, with the seals of it', async () => {
    const head = headOf(seals.at(-1)!);
    for (const last of [seals.at(-2)!, seals[3]!]) {
      const cut = async () => {
        await run('DELETE FROM log.event_log WHERE seq > $1', [last.to_seq]);
        await run('DELETE FROM log.seals WHERE number > $1', [last.number]);
      };
      expect((await restored(cut, () => verifyAll())).found).toEqual([]);
      const { found } = await restored(cut, () => verifyAll(head));
      expect(found).toEqual([`tail_missing ${seals.length} ${last.to_seq}`]);
      const { found: byHash } = await restored(cut, () => verifyAll(head.split('-')[1]));
      expect(byHash).toEqual(['head_unknown null -']);
    }
  });

  it('everything cut off', async () => {
    const { found } = await restored(
      async () => {
        await run('DELETE FROM log.event_log');
        await run('DELETE FROM log.seals');
      },
      () => verifyAll(headOf(seals[2]!)),
    );
    expect(found).toEqual(['tail_missing 3 -']);
  });

  it('a row changed and all seals from there on made anew', async () => {
    const seq = numbers[20]!;
    const tamper = () => forge(seq, sealOf(seq), seals.length);
    expect((await restored(tamper, () => verifyAll())).found).toEqual([]);
    const { found } = await restored(tamper, () => verifyAll(headOf(seals.at(-1)!)));
    expect(found).toEqual([`head_unknown ${seals.length} -`]);
    // A head from before the change still holds.
    expect((await restored(tamper, () => verifyAll(headOf(seals[0]!)))).found).toEqual([]);
  });

  it('a head that is none is refused', async () => {
    for (const head of ['', 'x', '1-ab', `0-${'a'.repeat(64)}`, 'A'.repeat(64)]) {
      await expect(audit.verify(call, { after: 0, limit: 1, head })).rejects.toMatchObject({ code: 'log.bad_head' });
    }
  });
});

it('another tenant’s credential is refused, whatever it asks', async () => {
  const mine = t.app.call(await t.operatorCaller('acme'));
  const refusal = { code: 'log.fleet_only' };
  await expect(audit.head(mine)).rejects.toMatchObject(refusal);
  await expect(audit.verify(mine, { after: 0, limit: 1 })).rejects.toMatchObject(refusal);
  await expect(audit.archives(mine, { limit: 1 })).rejects.toMatchObject(refusal);
  await expect(audit.read(mine, { limit: 1 })).rejects.toMatchObject(refusal);
});

it('the application may add seals and never change or remove one', async () => {
  for (const sql of ['UPDATE log.seals SET rows = 0', 'DELETE FROM log.seals', 'TRUNCATE log.seals']) {
    await expect(t.app.db.write(fleetScope, (tx) => tx.query(sql))).rejects.toMatchObject({ code: '42501' });
  }
});

describe('sealing', () => {
  it('never reaches over a row whose transaction is still open, and by two engines at once makes one chain', async () => {
    await small.seal(8);
    const holder = t.app.db.write(fleetScope, async (tx) => {
      const [row] = await tx.query<{ seq: number }>(
        `INSERT INTO log.event_log (event_type, source_agent) VALUES ('week.late', 'slow') RETURNING seq`,
      );
      await small.fill(1, 20);
      const limits = { rows: 8, bytes: 1_000_000, ageSeconds: 0 };
      const turns = () => sealNext(t.app.db, t.app.log, t.app.systemCall(), limits);
      for (let i = 0; i < 4; i++) await Promise.all([turns(), turns()]);
      const last = await t.app.db.read(fleetScope, store.lastSeal);
      expect(last!.to_seq).toBeLessThan(row!.seq);
      return row!.seq;
    });
    const late = await holder;
    const limits = { rows: 8, bytes: 1_000_000, ageSeconds: 0 };
    const turns = () => sealNext(t.app.db, t.app.log, t.app.systemCall(), limits);
    for (let i = 0; i < 6; i++) await Promise.all([turns(), turns(), turns()]);
    const last = await t.app.db.read(fleetScope, store.lastSeal);
    expect(last!.to_seq).toBeGreaterThan(late);
    expect((await verifyAll()).found).toEqual([]);
  });

  it('waits for age or rows, and the word of a seal alone asks for none', async () => {
    await small.seal(8);
    const { db, log } = t.app;
    const patient = { rows: 1_000, bytes: 1_000_000, ageSeconds: 3_600 };
    expect(await sealNext(db, log, t.app.systemCall(), patient)).toBe(false);
    await small.admin.query(
      `INSERT INTO log.event_log (at, event_type, source_agent) VALUES (now() - interval '2 hours', 'log.segment.sealed', 'x')`,
    );
    expect(await sealNext(db, log, t.app.systemCall(), patient)).toBe(false);
    await small.admin.query(
      `INSERT INTO log.event_log (at, event_type, source_agent) VALUES (now() - interval '2 hours', 'week.old', 'x')`,
    );
    expect(await sealNext(db, log, t.app.systemCall(), patient)).toBe(true);
  });
});

/** Changes a row and makes the seals `from` to `to` anew, as whoever knows how they are made would. */
async function forge(seq: number, from: number, to: number): Promise<void> {
  await run(`UPDATE log.event_log SET source_agent = 'forger' WHERE seq = $1`, [seq]);
  for (let number = from; number <= to; number++) {
    const [seal, before, lines] = await t.app.db.read(fleetScope, async (tx) => {
      const seal = (await store.findSeal(tx, number))!;
      return [seal, await store.findSeal(tx, number - 1), await store.readLines(tx, seal.from_seq, seal.to_seq, 100)];
    });
    const digest = new SegmentDigest(seal.from_seq - 1);
    for (const line of lines) digest.add(line);
    const { rows, bytes, first_at, last_at } = digest;
    const facts = {
      ...seal,
      rows,
      bytes,
      first_at,
      last_at,
      ...digest.end(),
      prev_hash: before?.hash ?? seal.prev_hash,
    };
    await run(
      `UPDATE log.seals SET rows_hash = $2, leaves = $3, prev_hash = $4, hash = $5, bytes = $6 WHERE number = $1`,
      [number, facts.rows_hash, facts.leaves, facts.prev_hash, sealHash(facts), bytes],
    );
  }
}
