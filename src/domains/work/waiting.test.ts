import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { platformErrors } from '../../platform/platform-errors.ts';
import type { ReadyLane } from './read-store.ts';
import { WaitingClaims } from './waiting.ts';

let ready: ReadyLane[];
let looks: number;
let counted: number;
let failure: unknown;
let inMs: number | undefined;
let room: WaitingClaims;
const signal = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
  ready = [];
  looks = 0;
  failure = undefined;
  inMs = undefined;
  room = new WaitingClaims(async (_, most) => {
    looks++;
    counted = most;
    if (failure !== undefined) throw failure;
    return { lanes: ready, inMs };
  });
});
afterEach(() => {
  room.close();
  vi.useRealTimers();
});

/** Waits for `queue` of a tenant; writes its name to the list when it is woken. */
function wait(woken: string[], name: string, tenantId?: string, vain = 0): Promise<void> {
  const want = { queues: ['q'], tenantId, limit: 1 };
  return room.wait(want, 60_000, signal, vain).then(() => {
    woken.push(name);
  });
}
const settle = () => vi.advanceTimersByTimeAsync(0);
const lane = (tenant_id: string, jobs: number): ReadyLane => ({ queue: 'q', tenant_id, jobs });

it('lets no more be counted than all of them want together', async () => {
  void wait([], 'one');
  void room.wait({ queues: ['q'], tenantId: 'b', limit: 7 }, 60_000, signal, 0);
  room.wake();
  await settle();
  expect(counted).toBe(8);
});

it('wakes as many as there are jobs, those who wait longest first, and only for what they may have', async () => {
  const woken: string[] = [];
  for (const name of ['first', 'second', 'third']) void wait(woken, name);
  void wait(woken, 'of-b', 'b');
  await settle();
  ready = [lane('a', 2)];
  room.wake();
  await settle();
  expect(woken).toEqual(['first', 'second']);
  ready = [lane('b', 5)];
  room.wake();
  await settle();
  expect(woken).toEqual(['first', 'second', 'third', 'of-b']);
});

it('shares one look among all who come together', async () => {
  for (let i = 0; i < 20; i++) void wait([], `${i}`);
  await settle();
  expect(looks).toBeLessThanOrEqual(2);
});

it('polls after a second and then ever more rarely, down to every ten seconds', async () => {
  void wait([], 'patient');
  await settle();
  const at: number[] = [];
  for (let second = 1; second <= 40; second++) {
    const before = looks;
    await vi.advanceTimersByTimeAsync(1_000);
    if (looks > before) at.push(second);
  }
  expect(at).toEqual([1, 3, 7, 15, 25, 35]);
});

it('lets one who was woken in vain wait for the poll instead of looking again at once', async () => {
  ready = [lane('a', 1)];
  const woken: string[] = [];
  void wait(woken, 'avoided', undefined, 1);
  await settle();
  expect(woken).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(woken).toEqual(['avoided']);
});

it('goes on waiting while the database is away, and fails when the look itself is wrong', async () => {
  failure = platformErrors.unavailable();
  const waiting = room.wait({ queues: ['q'], tenantId: undefined, limit: 1 }, 60_000, signal, 0);
  const outcome = waiting.then(
    () => 'woken',
    (error: Error) => error.message,
  );
  await settle();
  failure = new Error('a mistake');
  room.wake();
  await settle();
  expect(await outcome).toBe('a mistake');
});

it('polls no more once nobody waits', async () => {
  const gone = new AbortController();
  const waiting = room.wait({ queues: ['q'], tenantId: undefined, limit: 1 }, 60_000, gone.signal, 0);
  await settle();
  gone.abort();
  await waiting;
  expect(vi.getTimerCount()).toBe(0);
});

it('looks again when a channel that is used up allows more', async () => {
  const woken: string[] = [];
  inMs = 120;
  void wait(woken, 'first');
  await settle();
  ready = [lane('a', 1)];
  await vi.advanceTimersByTimeAsync(100);
  expect(woken).toEqual([]);
  await vi.advanceTimersByTimeAsync(30);
  expect(woken).toEqual(['first']);
});
