// JSON as text with colours. Everything is text in spans; nothing that came from outside is ever markup.
import { Fragment, useMemo } from 'react';
import { classes } from './classes.ts';
import { revealed } from './reveal.ts';

type Kind = 'key' | 'string' | 'number' | 'word' | 'plain';

const look: Record<Kind, string> = {
  key: 'text-accent',
  string: 'text-ok',
  number: 'text-pause',
  word: 'text-warn',
  plain: 'text-muted',
};

const token = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)/g;

export function Json({ value, className }: { value: unknown; className?: string }) {
  const parts = useMemo(() => tokensOf(JSON.stringify(value, null, 2) ?? 'null'), [value]);
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className={classes(
        'overflow-auto p-3 font-mono text-[12px] leading-[18px] whitespace-pre-wrap [overflow-wrap:anywhere]',
        className,
      )}
    >
      {parts.map(({ kind, text }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never move
        <span key={index} className={look[kind]}>
          {revealed(text).map((piece, at) =>
            piece.isEscape ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text never move
              <span key={at} className="escape">
                {piece.text}
              </span>
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text never move
              <Fragment key={at}>{piece.text}</Fragment>
            ),
          )}
        </span>
      ))}
    </pre>
  );
}

export function tokensOf(text: string): { kind: Kind; text: string }[] {
  const parts: { kind: Kind; text: string }[] = [];
  let last = 0;
  for (const match of text.matchAll(token)) {
    if (match.index > last) parts.push({ kind: 'plain', text: text.slice(last, match.index) });
    const [all, quoted, colon, number] = match;
    if (quoted !== undefined) {
      parts.push({ kind: colon === undefined ? 'string' : 'key', text: quoted });
      if (colon !== undefined) parts.push({ kind: 'plain', text: colon });
    } else parts.push({ kind: number === undefined ? 'word' : 'number', text: all });
    last = match.index + all.length;
  }
  if (last < text.length) parts.push({ kind: 'plain', text: text.slice(last) });
  return parts;
}
