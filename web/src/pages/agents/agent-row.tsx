// One agent in the list: a row of the table, or a card on a phone. It renders again only when its version or its state
// changes.
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { AddressedAgent } from '../../api/queries.ts';
import { classes } from '../../ui/classes.ts';
import { Flash } from '../../ui/flash.tsx';
import { StateBadge } from '../../ui/state.tsx';
import { Ago } from '../../ui/time.tsx';
import { AgentButtons } from './agent-buttons.tsx';
import { words } from './words.ts';

interface AgentRowProps {
  readonly agent: AddressedAgent;
  readonly isActive: boolean;
  readonly onActive: (address: string) => void;
}

const cell = 'truncate px-2 py-1.5';

export const AgentRow = memo(function AgentRow({ agent, isActive, onActive }: AgentRowProps) {
  return (
    <tr
      data-agent={agent.address}
      data-state={agent.state}
      aria-current={isActive}
      onClick={() => onActive(agent.address)}
      className={classes(
        'group h-8 border-b border-line hover:bg-raised',
        isActive && 'bg-raised shadow-[inset_2px_0_0_var(--qd-accent)]',
      )}
    >
      <td className={classes(cell, 'pl-4')}>
        <Flash value={agent.state} className="-mx-1 rounded px-1 py-0.5" title={agent.state_reason}>
          <StateBadge state={agent.state} />
        </Flash>
      </td>
      <td className={classes(cell, 'font-medium')}>
        <Link to="/agents/$agent" params={{ agent: agent.address }} className="hover:underline">
          {agent.agent}
        </Link>
      </td>
      <td className={classes(cell, 'text-muted')}>{agent.tenant}</td>
      <td className={classes(cell, 'text-muted @max-4xl:hidden')}>{agent.kind}</td>
      <td className={cell} title={agent.status ?? undefined}>
        {doing(agent)}
      </td>
      <td className={classes(cell, 'text-muted @max-4xl:hidden')}>{agent.host ?? '–'}</td>
      <td className={classes(cell, 'figures text-right text-muted @max-3xl:hidden')}>{agent.restarts}</td>
      <td className={classes(cell, 'text-right text-muted')}>
        {agent.last_seen === null ? words.never : <Ago at={agent.last_seen} />}
      </td>
      <td className="w-[1%] py-0.5 pr-3 pl-1 text-right">
        <AgentButtons agent={agent} />
      </td>
    </tr>
  );
}, sameRow);

export const AgentCard = memo(function AgentCard({ agent }: { agent: AddressedAgent }) {
  return (
    <li
      data-agent={agent.address}
      data-state={agent.state}
      className="flex items-center gap-3 border-b border-line py-2 pr-2 pl-4"
    >
      <div className="min-w-0 flex-1">
        <div className="flex items-center gap-2">
          <Link to="/agents/$agent" params={{ agent: agent.address }} className="truncate py-2 font-medium">
            {agent.agent}
          </Link>
          <span className="truncate text-caption text-muted">{agent.tenant}</span>
        </div>
        <div className="flex items-center gap-2 text-caption">
          <StateBadge state={agent.state} />
          <span className="truncate text-muted">
            {agent.last_seen === null ? words.never : <Ago at={agent.last_seen} />} · {doing(agent)}
          </span>
        </div>
      </div>
      <AgentButtons agent={agent} />
    </li>
  );
}, sameRow);

export function doing(agent: Pick<AddressedAgent, 'job' | 'status'>): string {
  return [agent.status, agent.job].filter((part) => part !== null).join(' · ') || '–';
}

// Heartbeats change `last_seen` without a new version; state and reason are derived when reading.
function sameRow(a: { agent: AddressedAgent; isActive?: boolean }, b: { agent: AddressedAgent; isActive?: boolean }) {
  const x = a.agent;
  const y = b.agent;
  return (
    a.isActive === b.isActive &&
    x.address === y.address &&
    x.row_version === y.row_version &&
    x.state === y.state &&
    x.state_reason === y.state_reason &&
    x.desired === y.desired &&
    x.last_seen === y.last_seen &&
    x.job === y.job &&
    x.status === y.status
  );
}
