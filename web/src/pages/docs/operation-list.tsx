// The operations by room, with the field that finds among them.
import { Search } from 'lucide-react';
import { classes } from '../../ui/classes.ts';
import { revealedText } from '../../ui/reveal.ts';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { MethodBadge } from './method-badge.tsx';
import type { ApiOperation } from './openapi.ts';
import { words } from './words.ts';

interface OperationListProps {
  readonly operations: readonly ApiOperation[];
  readonly query: string;
  readonly chosen: string | undefined;
  readonly onQuery: (text: string) => void;
  readonly onChoose: (operation: string) => void;
}

export function OperationList({ operations, query, chosen, onQuery, onChoose }: OperationListProps) {
  const rooms = [...Map.groupBy(operations, (one) => one.room)];
  return (
    <>
      <div className="shrink-0 border-b border-line px-3 py-2">
        <h1 className="mb-1.5 text-title font-semibold">
          {words.title} <span className="text-body font-normal text-muted">{words.count(operations.length)}</span>
        </h1>
        <label className="flex h-8 min-w-0 items-center gap-2 rounded-control border border-control bg-panel px-2 focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent phone:h-11">
          <Search aria-hidden="true" size={14} className="shrink-0 text-muted" />
          <input
            data-filter
            type="search"
            aria-label={words.search}
            placeholder={words.search}
            value={query}
            onChange={(event) => onQuery(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
            className="w-full min-w-0 bg-transparent outline-none placeholder:text-muted"
          />
        </label>
      </div>
      <ScrollRegion label={words.list}>
        {operations.length === 0 && <p className="px-3 py-4 text-muted">{words.none(revealedText(query))}</p>}
        {rooms.map(([room, list]) => (
          <section key={room} aria-label={room} className="pb-2">
            <h2 className="sticky top-0 bg-bg px-3 py-1.5 text-caption font-semibold text-muted uppercase">{room}</h2>
            <ul>
              {list.map((one) => (
                <li key={one.operation}>
                  <button
                    type="button"
                    data-operation={one.operation}
                    aria-current={one.operation === chosen}
                    onClick={() => onChoose(one.operation)}
                    title={one.summary}
                    className={classes(
                      'flex min-h-8 w-full items-center gap-2.5 px-3 py-1 text-left outline-offset-[-2px] hover:bg-raised phone:min-h-11',
                      one.operation === chosen && 'bg-raised shadow-[inset_2px_0_0_var(--qd-accent)]',
                    )}
                  >
                    <MethodBadge method={one.method} />
                    <span className="min-w-0 flex-1 truncate">{one.operation.slice(room.length + 1)}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </ScrollRegion>
    </>
  );
}
