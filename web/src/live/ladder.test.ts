import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { event } from './event.fixture.ts';
import { type LinkStatus, makeLadder, type Reach } from './ladder.ts';
import type { Transport, TransportEvents, TransportName } from './transport.ts';

interface Opened {
  readonly name: TransportName;
  readonly after: string | undefined;
  readonly on: TransportEvents;
  isClosed: boolean;
}

function world(reach: Reach = 'up') {
  const opened: Opened[] = [];
  const transport = (name: TransportName): Transport => ({
    name,
    open(after, on) {
      const one: Opened = { name, after, on, isClosed: false };
      opened.push(one);
      return () => {
        one.isClosed = true;
      };
    },
  });
  const statuses: LinkStatus[] = [];
  const seen: string[] = [];
  const missed: boolean[] = [];
  const facts = { signedOut: 0, reach };
  const ladder = makeLadder(
    {
      transports: [transport('ws'), transport('sse'), transport('poll')],
      probe: async () => facts.reach,
      random: () => 1,
    },
    {
      status: (status) => statuses.push(status),
      ready: (isMissed) => missed.push(isMissed),
      event: (item) => seen.push(item.cursor),
      alive: () => undefined,
      signedOut: () => {
        facts.signedOut += 1;
      },
    },
  );
  return { ladder, opened, statuses, seen, missed, facts, last: () => opened.at(-1)! };
}

describe('the ladder of transports', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('resumes from the last position after a connection is lost, and asks for no new snapshot', async () => {
    const w = world();
    w.ladder.start();
    w.last().on.ready('resumed', 'e-10');
    w.last().on.event(event(11));
    w.last().on.end('away');
    await vi.advanceTimersByTimeAsync(1000);
    expect(w.last()).toMatchObject({ name: 'ws', after: 'e-11' });
    w.last().on.ready('resumed', 'e-12');
    expect(w.missed).toEqual([true, false]);
    w.ladder.stop();
  });

  it('asks for snapshots again when the server answers reset', () => {
    const w = world();
    w.ladder.start();
    w.last().on.ready('resumed', 'e-10');
    w.last().on.end('slow');
    expect(w.last().after).toBe('e-10');
    w.last().on.ready('reset', 'f-1');
    expect(w.missed).toEqual([true, true]);
    w.ladder.stop();
  });

  it('climbs down as soon as a way fails while the server itself answers', async () => {
    const w = world();
    w.ladder.start();
    for (const name of ['ws', 'sse', 'poll']) {
      expect(w.last().name).toBe(name);
      if (name === 'poll') break;
      const count = w.opened.length;
      w.last().on.end('failed');
      await vi.waitFor(() => expect(w.opened.length).toBe(count + 1));
    }
    w.ladder.stop();
  });

  it('climbs down when a way stays silent for five seconds', async () => {
    const w = world();
    w.ladder.start();
    await vi.advanceTimersByTimeAsync(12_000);
    expect(w.opened.slice(0, 3).map((one) => one.name)).toEqual(['ws', 'sse', 'poll']);
    expect(w.opened[0]?.isClosed).toBe(true);
    w.ladder.stop();
  });

  it('stays on its rung while the server is away', async () => {
    const w = world('down');
    w.ladder.start();
    for (let n = 0; n < 5; n += 1) {
      w.last().on.end('failed');
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(new Set(w.opened.map((one) => one.name))).toEqual(new Set(['ws']));
    expect(w.statuses.at(-1)?.phase).toBe('reconnecting');
    w.ladder.stop();
  });

  it('takes over with a WebSocket that works again and drops nothing between', async () => {
    const w = world();
    w.ladder.start();
    w.last().on.end('failed');
    await vi.waitFor(() => expect(w.opened.length).toBe(2));
    const sse = w.last();
    expect(sse.name).toBe('sse');
    sse.on.ready('resumed', 'e-1');
    sse.on.event(event(2));
    const climbed = () => w.opened.find((one) => one.name === 'ws' && one.after === 'e-2');
    await vi.advanceTimersByTimeAsync(3000);
    sse.on.event(event(3));
    climbed()!.on.ready('resumed', 'e-3');
    climbed()!.on.event(event(3));
    climbed()!.on.event(event(4));
    expect(sse.isClosed).toBe(true);
    expect(w.seen).toEqual(['e-2', 'e-3', 'e-3', 'e-4']);
    expect(w.statuses.at(-1)).toEqual({ phase: 'live', transport: 'ws' });
    w.ladder.stop();
  });

  it('tries the WebSocket again soon, then once a minute', async () => {
    const w = world();
    w.ladder.start();
    w.last().on.end('failed');
    await vi.waitFor(() => expect(w.opened.length).toBe(2));
    const sse = w.last();
    sse.on.ready('resumed', 'e-1');
    const tried: number[] = [];
    for (let s = 1; s <= 130; s += 1) {
      const before = w.opened.length;
      await vi.advanceTimersByTimeAsync(1000);
      sse.on.alive();
      if (w.opened.length > before) {
        tried.push(s);
        w.last().on.end('failed');
      }
    }
    expect(tried).toEqual([3, 63, 123]);
    expect(sse.isClosed).toBe(false);
    w.ladder.stop();
  });

  it('stops for good when the credential has ended', async () => {
    const w = world();
    w.ladder.start();
    w.last().on.end('signed_out');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(w.facts.signedOut).toBe(1);
    expect(w.opened.length).toBe(1);
  });

  it('notices a connection that is open and dead', async () => {
    const w = world();
    w.ladder.start();
    w.last().on.ready('resumed', 'e-1');
    await vi.advanceTimersByTimeAsync(50_000);
    expect(w.opened[0]?.isClosed).toBe(true);
    expect(w.opened.length).toBeGreaterThan(1);
    w.ladder.stop();
  });
});
