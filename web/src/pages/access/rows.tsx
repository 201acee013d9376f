// The pieces that the lists of this page are made of.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { WholeList } from '../../api/queries.ts';
import { classes } from '../../ui/classes.ts';
import { NotRenewed } from '../../ui/not-renewed.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { words } from './words.ts';

interface ListOfProps<T> {
  readonly label: string;
  readonly text: string;
  readonly query: UseQueryResult<WholeList<T>>;
  readonly actions?: ReactNode;
  readonly none: ReactNode;
  readonly children: (items: readonly T[]) => ReactNode;
}

/** A list with what it is for above it; loading, failed and empty look the same in all of them. */
export function ListOf<T>({ label, text, query, actions, none, children }: ListOfProps<T>) {
  const { data, error } = query;
  return (
    <>
      <div className="flex shrink-0 flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-4 py-2">
        <p className="min-w-0 flex-1 basis-64 text-muted">{text}</p>
        {actions}
      </div>
      {data !== undefined && <NotRenewed error={error} />}
      {data?.cut === true && <p className="border-b border-line px-4 py-1.5 text-warn">{words.cut}</p>}
      <ScrollRegion label={label}>
        {query.isPending && <RowSkeletons rows={6} />}
        {data === undefined && error !== null && <ProblemView error={error} onRetry={() => void query.refetch()} />}
        {data !== undefined && (data.items.length === 0 ? none : children(data.items))}
      </ScrollRegion>
    </>
  );
}

interface RowProps {
  readonly id: string;
  readonly title: ReactNode;
  readonly facts: readonly ReactNode[];
  readonly actions?: ReactNode;
  readonly isOver?: boolean;
  /** On a phone its actions stand below. */
  readonly hasWideActions?: boolean;
  readonly children?: ReactNode;
}

export function Row({ id, title, facts, actions, isOver = false, hasWideActions = false, children }: RowProps) {
  return (
    <li
      data-row={id}
      data-over={isOver}
      className={classes(
        'flex items-start gap-3 border-b border-line px-4 py-2.5 data-[over=true]:text-muted',
        hasWideActions && 'phone:flex-col',
      )}
    >
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5 font-medium">{title}</div>
        <ul className="flex flex-wrap gap-x-1.5 text-caption text-muted">
          {facts.map((fact, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the facts of a row never move
            <li key={index} className="not-last:after:content-['_·']">
              {fact}
            </li>
          ))}
        </ul>
        {children}
      </div>
      {actions !== undefined && <div className="flex shrink-0 gap-1">{actions}</div>}
    </li>
  );
}
