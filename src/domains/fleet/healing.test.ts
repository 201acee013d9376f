import fc from 'fast-check';
import { expect, it } from 'vitest';
import { diagnose, MOST_RESTARTS, type Watched } from './healing.ts';

const LONG = 1_000_000;
const agent = (id: string, more: Partial<Watched> = {}): Watched => ({
  id,
  limitSeconds: 60,
  silentSeconds: 0,
  isBusy: false,
  restarts: 0,
  ...more,
});
const treated = (agents: readonly Watched[], hearing = LONG) => {
  const diagnosis = diagnose(agents, hearing);
  return diagnosis.kind === 'treat' ? diagnosis.treatments.map(({ id, step }) => `${id} ${step}`) : diagnosis.kind;
};

it('restarts who is silent beyond its own limit, and nobody else', () => {
  expect(treated([agent('a', { silentSeconds: 61 }), agent('b', { silentSeconds: 60 }), agent('c')])).toEqual([
    'a restart',
  ]);
});

it('leaves alone who holds a valid lease, however quiet', () => {
  expect(treated([agent('a', { silentSeconds: LONG, isBusy: true }), agent('b')])).toEqual([]);
});

it('pauses who stays silent after three restarts within an hour', () => {
  const silent = { silentSeconds: 61 };
  expect(treated([agent('a', { ...silent, restarts: MOST_RESTARTS - 1 }), agent('b'), agent('c')])).toEqual([
    'a restart',
  ]);
  expect(treated([agent('a', { ...silent, restarts: MOST_RESTARTS }), agent('b'), agent('c')])).toEqual(['a pause']);
});

it('counts no silence from before the centre could hear: after an outage each gets its whole limit', () => {
  const silent = [agent('a', { silentSeconds: LONG })];
  expect(treated(silent, 60)).toEqual([]);
  expect(treated(silent, 61)).toEqual(['a restart']);
});

it('touches nobody when most went silent at once', () => {
  const silent = (count: number) => Array.from({ length: count }, (_, n) => agent(`s${n}`, { silentSeconds: 90 }));
  const well = (count: number) => Array.from({ length: count }, (_, n) => agent(`w${n}`));
  expect(treated([...silent(3), ...well(2)])).toBe('mass_silence');
  expect(treated([...silent(3), ...well(3)])).toHaveLength(3);
  expect(treated(silent(1))).toHaveLength(1);
});

it('never does more than it may, whatever the fleet', () => {
  const watched = fc.record({
    limitSeconds: fc.integer({ min: 1, max: 1_000 }),
    silentSeconds: fc.nat(5_000),
    isBusy: fc.boolean(),
    restarts: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(watched, { maxLength: 30 }), fc.nat(5_000), (drawn, hearing) => {
      const agents = drawn.map((facts, n) => ({ ...facts, id: String(n) }));
      const diagnosis = diagnose(agents, hearing);
      if (diagnosis.kind === 'mass_silence') {
        expect(diagnosis.silent * 2).toBeGreaterThan(agents.length);
        return;
      }
      for (const { id, step } of diagnosis.treatments) {
        const { isBusy, silentSeconds, limitSeconds, restarts } = agents[Number(id)]!;
        expect(isBusy).toBe(false);
        expect(Math.min(silentSeconds, hearing)).toBeGreaterThan(limitSeconds);
        expect(step).toBe(restarts < MOST_RESTARTS ? 'restart' : 'pause');
      }
    }),
  );
});
