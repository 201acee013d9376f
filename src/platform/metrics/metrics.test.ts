import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readExposition, seriesValue } from '../../../test/support/exposition.ts';
import { toText } from './exposition.ts';
import { labelled, Metrics, mergeFamilies } from './metrics.ts';

async function read(metrics: Metrics) {
  return readExposition(toText(await metrics.collect()));
}

it('a counter adds up by its labels', async () => {
  const metrics = new Metrics();
  const count = metrics.counter('qd_requests_total', 'Requests', ['operation', 'status']);
  count(['work.job.add', '201']);
  count(['work.job.add', '201'], 2);
  count(['work.job.add', '400']);
  const families = await read(metrics);
  expect(seriesValue(families, 'qd_requests_total', { status: '201' })).toBe(3);
  expect(seriesValue(families, 'qd_requests_total', { status: '400' })).toBe(1);
});

it('a counter without labels is there before anything happened', async () => {
  const metrics = new Metrics();
  metrics.counter('qd_failures_total', 'Failures');
  expect(seriesValue(await read(metrics), 'qd_failures_total')).toBe(0);
});

it('a histogram counts each observation in every bucket that holds it', async () => {
  const metrics = new Metrics();
  const time = metrics.histogram('qd_seconds', 'Time', ['kind'], [0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 3]) time(['read'], seconds);
  const families = await read(metrics);
  const bucket = (le: string) => seriesValue(families, 'qd_seconds_bucket', { le });
  expect([bucket('0.1'), bucket('1'), bucket('+Inf')]).toEqual([2, 3, 4]);
  expect(seriesValue(families, 'qd_seconds_sum')).toBeCloseTo(3.65);
});

it('labels without end do not grow the memory without end, and nothing is left uncounted', async () => {
  const metrics = new Metrics();
  const count = metrics.counter('qd_total', 'All', ['name']);
  for (let number = 0; number < 5_000; number++) count([`name ${number}`]);
  const { samples } = (await read(metrics)).get('qd_total')!;
  expect(samples.length).toBeLessThanOrEqual(1_000);
  expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(5_000);
});

it('any help and any label value can be read again as it was', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      async (help, value) => {
        const metrics = new Metrics();
        metrics.gauge('qd_gauge', `. ${help}`, () => [{ labels: { name: value }, value: -1.5e-9 }]);
        const { samples } = (await read(metrics)).get('qd_gauge')!;
        expect(samples).toEqual([{ name: 'qd_gauge', labels: { name: value }, value: -1.5e-9 }]);
      },
    ),
  );
});

it('the same family of several processes is one, told apart by a label', async () => {
  const [api, engine] = [new Metrics(), new Metrics()];
  api.gauge('qd_up', 'Up', () => 1);
  engine.gauge('qd_up', 'Up', () => 0);
  engine.gauge('qd_only', 'Only here', () => 7);
  const text = toText(
    mergeFamilies([
      labelled(await api.collect(), { role: 'api' }),
      labelled(await engine.collect(), { role: 'engine' }),
    ]),
  );
  const families = readExposition(text);
  expect(seriesValue(families, 'qd_up', { role: 'api' })).toBe(1);
  expect(seriesValue(families, 'qd_up', { role: 'engine' })).toBe(0);
  expect(families.size).toBe(2);
});

it('a gauge that has nothing to tell is left out', async () => {
  const metrics = new Metrics();
  metrics.gauge('qd_up', 'Up', () => 1);
  metrics.gauge('qd_unknown', 'Not known yet', () => []);
  expect([...(await read(metrics)).keys()]).toEqual(['qd_up']);
});

it('a name is given once', () => {
  const metrics = new Metrics();
  metrics.counter('qd_total', 'One');
  expect(() => metrics.counter('qd_total', 'Two')).toThrow('there already');
});

it.each([
  ['a sample before its type', 'qd_up 1\n'],
  ['a family twice', '# HELP qd_up U\n# TYPE qd_up gauge\nqd_up 1\n# HELP qd_up U\n# TYPE qd_up gauge\nqd_up 1\n'],
  ['a series twice', '# HELP qd_up U\n# TYPE qd_up gauge\nqd_up{a="1"} 1\nqd_up{a="1"} 2\n'],
  ['a counter without its ending', '# HELP qd_up U\n# TYPE qd_up counter\nqd_up 1\n'],
  ['a label that is not escaped', '# HELP qd_up U\n# TYPE qd_up gauge\nqd_up{a="x"y"} 1\n'],
  ['a histogram without +Inf', '# HELP q S\n# TYPE q histogram\nq_bucket{le="1"} 1\nq_sum 1\nq_count 1\n'],
  ['a last line without end', '# HELP qd_up U\n# TYPE qd_up gauge\nqd_up 1'],
])('the reader of these tests notices %s', (_, text) => {
  expect(() => readExposition(text)).toThrow();
});
