// The table of agents; a click on a heading sorts, a second one turns the order around.
import { ArrowDown, ArrowUp } from 'lucide-react';
import type { AddressedAgent } from '../../api/queries.ts';
import { classes } from '../../ui/classes.ts';
import { type SortColumn, sortOf } from './agent-filter.ts';
import { AgentRow } from './agent-row.tsx';
import { words } from './words.ts';

interface AgentTableProps {
  readonly agents: readonly AddressedAgent[];
  readonly active: string | undefined;
  readonly sort: string | undefined;
  readonly onActive: (address: string) => void;
  readonly onSort: (sort: string) => void;
}

const columns: readonly { readonly column: SortColumn | 'job'; readonly width: string; readonly isNumber?: boolean }[] =
  [
    { column: 'state', width: 'w-[116px] pl-4' },
    { column: 'agent', width: 'w-[22%]' },
    { column: 'tenant', width: 'w-[11%]' },
    { column: 'kind', width: 'w-[84px] @max-4xl:hidden' },
    { column: 'job', width: '' },
    { column: 'host', width: 'w-[12%] @max-4xl:hidden' },
    { column: 'restarts', width: 'w-[84px] @max-3xl:hidden', isNumber: true },
    { column: 'last_seen', width: 'w-[108px]', isNumber: true },
  ];

export function AgentTable({ agents, active, sort, onActive, onSort }: AgentTableProps) {
  const { column: sorted, isReverse } = sortOf(sort);
  return (
    <table className="w-full table-fixed">
      <thead className="sticky top-0 z-10 bg-bg">
        <tr className="h-8 border-b border-line text-left text-caption text-muted">
          {columns.map(({ column, width, isNumber }) => (
            <th
              key={column}
              scope="col"
              className={classes('px-2 font-medium', width, isNumber && 'text-right')}
              {...(column === sorted ? { 'aria-sort': isReverse ? 'descending' : 'ascending' } : {})}
            >
              {column === 'job' ? (
                words.columns.job
              ) : (
                <button
                  type="button"
                  className="inline-flex h-6 items-center gap-1 rounded hover:text-fg"
                  onClick={() => onSort(column === sorted && !isReverse ? `-${column}` : column)}
                >
                  {words.columns[column]}
                  {column === sorted &&
                    (isReverse ? <ArrowUp aria-hidden="true" size={12} /> : <ArrowDown aria-hidden="true" size={12} />)}
                </button>
              )}
            </th>
          ))}
          <td className="w-[72px]" />
        </tr>
      </thead>
      <tbody>
        {agents.map((agent) => (
          <AgentRow key={agent.address} agent={agent} isActive={agent.address === active} onActive={onActive} />
        ))}
      </tbody>
    </table>
  );
}
