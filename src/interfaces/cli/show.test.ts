import fc from 'fast-check';
import { expect, it } from 'vitest';
import { displayWidth } from './plain-text.ts';
import { fields, fittedTable, fitWidths, table, valueAt } from './show.ts';

const items = [
  { agent: 'pricer', state: 'healthy', reason: 'Process 4711 runs on the machine with the long name.' },
  { agent: 'scout', state: 'late', reason: null },
];

it('a table goes whole into a pipe', () => {
  expect(table(items, ['agent', 'reason'])).toBe(
    'AGENT   REASON\npricer  Process 4711 runs on the machine with the long name.\nscout   -',
  );
});

it('a table fits its terminal: the widest column gives way', () => {
  const { text, leftOut } = fittedTable(items, ['agent', 'state', 'reason'], { width: 40 });
  expect(text.split('\n').map((line) => displayWidth(line))).toSatisfy((all: number[]) => Math.max(...all) <= 40);
  expect(text).toContain('pricer');
  expect(text).toContain('healthy');
  expect(text).toContain('…');
  expect(leftOut).toEqual([]);
});

it('columns for which there is no room are named', () => {
  expect(fittedTable(items, ['agent', 'state', 'reason'], { width: 20 }).leftOut).toEqual(['reason']);
});

it('widths never exceed the terminal, and nothing is cut that fits', () => {
  const widths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(widths, fc.integer({ min: 8, max: 250 }), (natural, width) => {
      const fitted = fitWidths(natural, width);
      const total = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) + 2 * (all.length - 1);
      expect(total(fitted)).toBeLessThanOrEqual(width);
      expect(fitted.every((one, i) => one <= natural[i]! && one >= Math.min(natural[i]!, 8))).toBe(true);
      if (total(natural) <= width) expect(fitted).toEqual(natural);
    }),
  );
});

it('one thing is a line a field, with what it holds escaped', () => {
  expect(fields({ name: 'a\u001b[2J\nb', 'x\n': [1] })).toBe('name     a\\u001b[2J\\u000ab\nx\\u000a  [1]');
});

it('a path goes only into what a thing has itself', () => {
  expect(valueAt({ payload: { sku: 'A1' } }, 'payload.sku')).toBe('A1');
  expect(valueAt({}, 'constructor.name')).toBeUndefined();
  expect(valueAt({ a: null }, 'a.b')).toBeUndefined();
});
