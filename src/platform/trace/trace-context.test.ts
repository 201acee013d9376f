import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatTraceparent, newSpanId, newTraceId, parseTraceparent } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

it('the example of the standard is read', () => {
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.isSampled).toBe(false);
});

it('a later version is read as far as it is known', () => {
  expect(parseTraceparent(`cc-${TRACE}-${SPAN}-09-what-comes-later`)?.isSampled).toBe(true);
});

it.each([
  ['nothing', ''],
  ['version ff', `ff-${TRACE}-${SPAN}-01`],
  ['version 00 with more', `00-${TRACE}-${SPAN}-01-more`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a blank before it', ` 00-${TRACE}-${SPAN}-01`],
  ['too long', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(1_000)}`],
  ['half of it', `00-${TRACE}`],
])('%s is no trace', (_, header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});

it('what is written can be read again; any text is either a trace or none', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.string(), (isSampled, text) => {
      const context = { traceId: newTraceId(), spanId: newSpanId(), isSampled };
      expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
      expect(parseTraceparent(text)).toBeUndefined();
    }),
  );
});
