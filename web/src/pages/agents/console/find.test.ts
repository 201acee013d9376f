import { describe, expect, it } from 'vitest';
import { plainStyle, readLine } from './ansi.ts';
import { marked } from './find.ts';

describe('finding in a line', () => {
  it('marks a hit that spans two colours', () => {
    const { spans } = readLine('time\u001b[31mOUT here, timeout', plainStyle);
    expect(marked(spans, 'timeout').map((span) => [span.text, span.look, span.isHit])).toEqual([
      ['time', '', true],
      ['OUT', 'c1', true],
      [' here, ', 'c1', false],
      ['timeout', 'c1', true],
    ]);
  });

  it('leaves the spans as they are without a query', () => {
    const { spans } = readLine('a\u001b[31mb', plainStyle);
    expect(marked(spans, '').map((span) => span.text)).toEqual(['a', 'b']);
  });
});
