// The lines of a console on screen: only those that can be seen are built. Follows the end until the reader scrolls up.
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type RefObject, useEffect, useImperativeHandle, useLayoutEffect, useRef } from 'react';
import { classes } from '../../../ui/classes.ts';
import { ScrollRegion } from '../../../ui/scroll-region.tsx';
import { words } from '../words.ts';
import { type ConsoleLine, LONGEST_LINE } from './console-buffer.ts';
import { marked } from './find.ts';

const LINE_PX = 18;
const AT_END_PX = 24;

export interface ConsoleScroll {
  toLine(index: number): void;
  /** Lines were added at the front: what was read stays where it was. */
  keepPlace(added: number): void;
}

interface ConsoleLinesProps {
  readonly lines: readonly ConsoleLine[];
  readonly label: string;
  readonly query: string;
  readonly current: number | undefined;
  readonly isWrapped: boolean;
  readonly isFollowing: boolean;
  readonly onFollowing: (following: boolean) => void;
  readonly scroll: RefObject<ConsoleScroll | null>;
}

export function ConsoleLines(props: ConsoleLinesProps) {
  const { lines, label, query, current, isWrapped, isFollowing, onFollowing, scroll } = props;
  const box = useRef<HTMLElement>(null);
  const lastTop = useRef(0);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    overscan: 24,
    getItemKey: (index) => lines[index]?.id ?? index,
  });
  useImperativeHandle(
    scroll,
    () => ({
      toLine: (index) => virtual.scrollToIndex(index, { align: 'center' }),
      keepPlace: (added) => {
        if (box.current !== null) box.current.scrollTop += added * LINE_PX;
      },
    }),
    [virtual],
  );
  const total = virtual.getTotalSize();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height and the last line are what is followed
  useLayoutEffect(() => {
    if (isFollowing && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [isFollowing, total, lines]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: all heights change with the wrapping
  useEffect(() => virtual.measure(), [isWrapped]);

  const onScroll = (): void => {
    const element = box.current;
    if (element === null) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < AT_END_PX;
    // Lines that turn out higher than guessed move the end away; only who scrolls up wants to stay.
    const isUpwards = element.scrollTop < lastTop.current - 1;
    lastTop.current = element.scrollTop;
    if (isFollowing && isUpwards && !isAtEnd) onFollowing(false);
    if (!isFollowing && isAtEnd) onFollowing(true);
  };

  return (
    <ScrollRegion ref={box} label={label} onScroll={onScroll} className="console bg-panel">
      <div className="relative min-w-full" style={{ height: total, ...(isWrapped ? {} : { width: 'max-content' }) }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          return (
            line !== undefined && (
              <div
                key={item.key}
                data-index={item.index}
                ref={isWrapped ? virtual.measureElement : undefined}
                className={classes('left-0 min-w-full px-4', isWrapped ? 'absolute w-full' : 'absolute')}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Line line={line} query={query} isCurrent={item.index === current} isWrapped={isWrapped} />
              </div>
            )
          );
        })}
      </div>
    </ScrollRegion>
  );
}

interface LineProps {
  readonly line: ConsoleLine;
  readonly query: string;
  readonly isCurrent: boolean;
  readonly isWrapped: boolean;
}

const Line = memo(function Line({ line, query, isCurrent, isWrapped }: LineProps) {
  if (line.gap !== undefined) {
    return (
      <div className="border-y border-dashed border-line text-center text-muted">{words.console.gap(line.gap)}</div>
    );
  }
  const { spans, more } = shortened(line);
  return (
    <div
      className={classes(
        'min-h-[18px]',
        isWrapped ? 'whitespace-pre-wrap [overflow-wrap:anywhere]' : 'whitespace-pre',
        isCurrent && 'bg-raised',
      )}
    >
      {marked(spans, query).map((span, index) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: the spans of one line never move
          key={index}
          className={
            classes(
              span.look,
              span.isEscape && 'escape',
              span.isHit && 'hit',
              span.isHit && isCurrent && 'hit-current',
            ) || undefined
          }
        >
          {span.text}
        </span>
      ))}
      {more > 0 && <span className="text-muted">{words.console.more(more)}</span>}
    </div>
  );
});

function shortened(line: ConsoleLine) {
  if (line.text.length <= LONGEST_LINE) return { spans: line.spans, more: 0 };
  let left = LONGEST_LINE;
  const spans = [];
  for (const span of line.spans) {
    if (left <= 0) break;
    spans.push(span.text.length <= left ? span : { ...span, text: span.text.slice(0, left) });
    left -= span.text.length;
  }
  return { spans, more: line.text.length - LONGEST_LINE };
}
