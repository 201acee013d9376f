import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sseParser } from './sse-parser.ts';

describe('an event stream', () => {
  it('gives the same messages however it is cut into pieces', () => {
    const stream =
      'retry: 2000\n\nid: c-1\nevent: event\ndata: {"a":1}\n\n: beat\n\nid: c-2\r\ndata: one\r\ndata: two\r\n\r\n';
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const places = [0, ...[...new Set(cuts)].sort((a, b) => a - b), stream.length];
        const parser = sseParser();
        const messages = places
          .slice(1)
          .flatMap((end, index) => parser.push(stream.slice(places[index], end)).messages);
        expect(messages).toEqual([
          { event: 'event', data: '{"a":1}', id: 'c-1' },
          { event: 'message', data: 'one\ntwo', id: 'c-2' },
        ]);
      }),
    );
  });

  it('counts a comment as a sign of life', () => {
    expect(sseParser().push(': beat\n\n').comment).toBe(true);
    expect(sseParser().push('data: x\n\n').comment).toBe(false);
  });
});
