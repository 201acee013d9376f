import { describe, expect, it } from 'vitest';
import { endOf } from './outcome.ts';

const ran = { code: 0, signal: null, stdout: '', stderr: '' };

describe('the end of a command', () => {
  it.each([
    ['nothing', '', null],
    ['one line of JSON', '{"price":12.5}\n', { price: 12.5 }],
    ['talk, and JSON last', 'reading…\ndone\n[1,2]\n\n', [1, 2]],
    ['text', 'all\nfine\n', 'all\nfine'],
    ['JSON that is not last', '{"price":12.5}\nbye', '{"price":12.5}\nbye'],
    ['a lot of text', 'x'.repeat(100_000), 'x'.repeat(32_000)],
  ])('with code 0 is done; the result of %s', (_, stdout, result) => {
    expect(endOf({ ...ran, stdout })).toEqual({ is: 'done', result });
  });

  it.each([
    [{ code: 75, stderr: 'the site is down\n' }, true, 'the command ended with exit code 75: the site is down'],
    [{ code: 1, stderr: 'no such sku' }, false, 'the command ended with exit code 1: no such sku'],
    [{ code: 127 }, false, 'the command ended with exit code 127'],
    [{ code: null, signal: 'SIGSEGV' }, true, 'the command ended by SIGSEGV'],
  ])('%o is a failure', (how, again, error) => {
    expect(endOf({ ...ran, ...how })).toEqual({ is: 'failed', again, error });
  });
});
