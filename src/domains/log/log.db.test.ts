import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from '../../../test/support/app.ts';
import { fleetScope } from '../../platform/db/database.ts';

let t: TestApp;
beforeAll(async () => {
  t = await openTestApp();
});
afterAll(() => t.close());

describe('appending from outside', () => {
  it('writes a batch in order under the credential’s own name', async () => {
    const call = t.app.call(await t.agentCaller('scout'));
    const answer = await t.app.log.appendFromOutside(call, {
      events: [
        { event_type: 'a.first', payload: { n: 1 } },
        { event_type: 'a.second', payload: { n: 2 } },
      ],
    });
    expect(answer.events).toHaveLength(2);
    const list = await t.app.log.list(call, { source_agent: 'scout', limit: 10, order: 'asc' });
    const own = list.items.filter((item) => item.event_type.startsWith('a.'));
    expect(own.map((item) => item.payload)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(own.map((item) => item.cursor)).toEqual(answer.events.map((event) => event.cursor));
  });

  it('answers the first result when an id comes again, also within one batch', async () => {
    const call = t.app.call(await t.agentCaller('scout'));
    const event = { event_type: 'a.once', payload: {}, id: 'x-1' };
    const first = await t.app.log.appendFromOutside(call, { events: [event, event] });
    const second = await t.app.log.appendFromOutside(call, { events: [event] });
    expect(first.events.map((e) => e.duplicate)).toEqual([false, true]);
    expect(second.events[0]).toMatchObject({ duplicate: true, cursor: first.events[0]!.cursor });
    const list = await t.app.log.list(call, { event_type: 'a.once', limit: 10, order: 'asc' });
    expect(list.items).toHaveLength(1);
  });

  it('refuses an id with other content and changes nothing, while the group’s other submissions stand', async () => {
    const call = t.app.call(await t.agentCaller('scout'));
    await t.app.log.appendFromOutside(call, { event_type: 'a.two', payload: { v: 1 }, id: 'x-2' });
    const good = t.app.log.appendFromOutside(call, { event_type: 'a.good', payload: {} });
    const bad = t.app.log.appendFromOutside(call, {
      events: [
        { event_type: 'a.side', payload: {} },
        { event_type: 'a.two', payload: { v: 2 }, id: 'x-2' },
      ],
    });
    await expect(bad).rejects.toMatchObject({ code: 'log.event_id_reused' });
    await expect(good).resolves.toMatchObject({ durable: 'db' });
    const side = await t.app.log.list(call, { event_type: 'a.side', limit: 10, order: 'asc' });
    expect(side.items).toEqual([]);
  });

  it('refuses types that the server writes itself', async () => {
    const call = t.app.call(await t.agentCaller('scout'));
    await expect(
      t.app.log.appendFromOutside(call, { event_type: 'access.token.revoked', payload: {} }),
    ).rejects.toMatchObject({ code: 'log.reserved_event_type' });
  });
});

it('reads the last number under the lock of the sequence, never as a row that may be half written', async () => {
  const { rows } = await t.app.db.read(fleetScope, async (tx) => ({
    rows: await tx.query<{ name: string; reads_row: boolean }>(
      `SELECT p.proname AS name, p.prosrc ~* 'from\\s+log\\.event_seq' AS reads_row FROM pg_proc p
       JOIN pg_namespace n ON n.oid = p.pronamespace
       WHERE n.nspname = 'log' AND p.proname IN ('next_seq', 'horizon') ORDER BY 1`,
    ),
  }));
  expect(rows).toEqual([
    { name: 'horizon', reads_row: false },
    { name: 'next_seq', reads_row: false },
  ]);
});
