// The list of jobs; only the rows that can be seen are built.
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowUp } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useKeys } from '../../app/keyboard.ts';
import { useListKeys } from '../../app/list-keys.ts';
import { buttonClasses } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { copyText } from '../../ui/copy.tsx';
import { useIsPhone } from '../../ui/media.ts';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { toast } from '../../ui/toasts.ts';
import { words as uiWords } from '../../ui/words.ts';
import { JOB_COLUMNS, JobRow, leftOut } from './job-row.tsx';
import type { JobsView } from './use-jobs.ts';
import { words } from './words.ts';

const ROW_PX = 32;
const PHONE_ROW_PX = 60;

interface JobListProps {
  readonly view: JobsView;
  readonly peek: string | undefined;
  readonly onPeek: (job: string | undefined) => void;
  readonly onOpen: (job: string) => void;
}

export function JobList({ view, peek, onPeek, onOpen }: JobListProps) {
  const { jobs, hasOlder, loadOlder } = view;
  const isPhone = useIsPhone();
  const box = useRef<HTMLElement>(null);
  const [active, setActive] = useState(peek);
  const virtual = useVirtualizer({
    count: jobs.length,
    getScrollElement: () => box.current,
    estimateSize: () => (isPhone ? PHONE_ROW_PX : ROW_PX),
    overscan: 12,
    getItemKey: (index) => jobs[index]?.id ?? index,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasOlder && last >= jobs.length - 20) loadOlder();
  }, [hasOlder, last, jobs.length, loadOlder]);
  useListKeys({
    ids: jobs.map((job) => job.id),
    active,
    onActive: (id, index) => {
      setActive(id);
      virtual.scrollToIndex(index);
      if (peek !== undefined) onPeek(id);
    },
    onOpen,
    onPeek: (id) => onPeek(peek === id ? undefined : id),
    onBack: () => onPeek(undefined),
  });
  useKeys([
    {
      keys: 'y',
      words: words.copyId,
      run: () => {
        if (active !== undefined)
          void copyText(active).then((isCopied) => isCopied && toast({ title: uiWords.copied }));
      },
    },
  ]);
  const toTop = (): void => {
    box.current?.scrollTo({ top: 0 });
    view.hold(false);
  };
  return (
    <div className="@container relative flex min-h-0 flex-1 flex-col">
      {!isPhone && (
        <div
          aria-hidden="true"
          className={classes(
            'grid h-8 shrink-0 items-center gap-3 border-b border-line px-4 text-caption font-medium text-muted',
            JOB_COLUMNS,
          )}
        >
          {(Object.entries(words.columns) as [keyof typeof words.columns, string][]).map(([name, column]) => (
            <span
              key={name}
              className={classes(
                'truncate',
                leftOut[name],
                ['priority', 'attempt', 'time'].includes(name) && 'text-right',
              )}
            >
              {column}
            </span>
          ))}
        </div>
      )}
      {view.held > 0 && (
        <button
          type="button"
          onClick={toTop}
          className={buttonClasses(
            'primary',
            'absolute top-10 left-1/2 z-10 -translate-x-1/2 rounded-full shadow-float',
          )}
        >
          <ArrowUp aria-hidden="true" size={13} /> {words.newer(view.held)}
        </button>
      )}
      <ScrollRegion ref={box} label={words.title} onScroll={() => view.hold((box.current?.scrollTop ?? 0) > 4)}>
        <ol className="relative" style={{ height: virtual.getTotalSize() }} aria-label={words.title}>
          {items.map((item) => {
            const job = jobs[item.index];
            return (
              job !== undefined && (
                <li
                  key={item.key}
                  data-job={job.id}
                  data-state={job.state}
                  aria-current={job.id === active}
                  className="absolute inset-x-0 top-0"
                  style={{ transform: `translateY(${item.start}px)`, height: item.size }}
                >
                  <JobRow job={job} isActive={job.id === active} isPhone={isPhone} onActive={setActive} />
                </li>
              )
            );
          })}
        </ol>
        <p className="py-2 text-center text-caption text-muted">{hasOlder ? words.older : words.begin}</p>
      </ScrollRegion>
    </div>
  );
}
