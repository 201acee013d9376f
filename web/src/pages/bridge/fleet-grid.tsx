// The fleet at one glance: a cell for each agent, grouped by tenant and host. Small fleets show names, large ones shapes.
import { Link } from '@tanstack/react-router';
import { HoverCard } from 'radix-ui';
import { memo } from 'react';
import type { AddressedAgent } from '../../api/queries.ts';
import { classes } from '../../ui/classes.ts';
import { Flash } from '../../ui/flash.tsx';
import { Panel } from '../../ui/panel.tsx';
import { lookOf, StateBadge, StateIcon } from '../../ui/state.tsx';
import { stateOrder } from '../../ui/state-order.ts';
import { Ago } from '../../ui/time.tsx';
import { doing } from '../agents/agent-row.tsx';
import { words } from './words.ts';

const NAMES_UP_TO = 80;

export function FleetGrid({ agents }: { agents: readonly AddressedAgent[] }) {
  const groups = Map.groupBy(
    agents.toSorted((a, b) => placeOf(a).localeCompare(placeOf(b)) || a.agent.localeCompare(b.agent)),
    placeOf,
  );
  const hasNames = agents.length <= NAMES_UP_TO;
  return (
    <Panel title={words.fleet.title} aside={<Legend agents={agents} />}>
      <div className="flex flex-col gap-3 p-3">
        {[...groups].map(([place, members]) => (
          <section key={place}>
            <h3 className="mb-1.5 text-caption text-muted">
              {place} <span>({members.length})</span>
            </h3>
            <ul
              className={
                hasNames
                  ? 'grid gap-1.5 [grid-template-columns:repeat(auto-fill,minmax(168px,1fr))]'
                  : 'flex flex-wrap gap-1'
              }
            >
              {members.map((agent) => (
                <li key={agent.address}>
                  <Cell agent={agent} hasName={hasNames} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Panel>
  );
}

function placeOf(agent: AddressedAgent): string {
  return words.fleet.place(agent.tenant, agent.host ?? words.fleet.outside);
}

function Legend({ agents }: { agents: readonly AddressedAgent[] }) {
  return (
    <ul className="flex flex-wrap gap-x-3">
      {stateOrder.map((state) => {
        const count = agents.filter((agent) => agent.state === state).length;
        return (
          count > 0 && (
            <li key={state} className="flex items-center gap-1">
              <StateIcon look={lookOf(state)} size={12} />
              {count} {lookOf(state).word.toLowerCase()}
            </li>
          )
        );
      })}
    </ul>
  );
}

const Cell = memo(
  function Cell({ agent, hasName }: { agent: AddressedAgent; hasName: boolean }) {
    const look = lookOf(agent.state);
    return (
      <HoverCard.Root openDelay={250} closeDelay={80}>
        <HoverCard.Trigger asChild>
          <Link
            to="/agents/$agent"
            params={{ agent: agent.address }}
            data-cell={agent.address}
            data-state-of={agent.state}
            {...(hasName ? {} : { 'aria-label': `${agent.agent} ${look.word}` })}
            className="block rounded-control border border-line bg-bg hover:border-control"
          >
            <Flash
              value={agent.state}
              className={classes(
                'flex items-center rounded-control',
                hasName ? 'h-8.5 gap-2 px-2 phone:h-11' : 'size-7 justify-center phone:size-11',
              )}
            >
              <StateIcon look={look} size={15} />
              {hasName && (
                <>
                  <span className="min-w-0 flex-1 truncate font-medium">{agent.agent}</span>
                  <span className={agent.state === 'healthy' ? 'sr-only' : 'text-caption text-muted'}>{look.word}</span>
                </>
              )}
            </Flash>
          </Link>
        </HoverCard.Trigger>
        <HoverCard.Portal>
          <HoverCard.Content
            side="top"
            sideOffset={6}
            collisionPadding={8}
            className="fade z-30 w-72 rounded-panel border border-line bg-panel p-3 shadow-float"
          >
            <p className="flex items-center gap-2">
              <span className="min-w-0 flex-1 truncate font-semibold">{agent.agent}</span>
              <StateBadge state={agent.state} />
            </p>
            <p className="mt-1">{agent.state_reason}</p>
            <p className="mt-1 text-caption text-muted">
              {agent.tenant} · {agent.kind} · {doing(agent)}
            </p>
            {agent.last_seen !== null && (
              <p className="text-caption text-muted">
                <Ago at={agent.last_seen} />
              </p>
            )}
          </HoverCard.Content>
        </HoverCard.Portal>
      </HoverCard.Root>
    );
  },
  (a, b) =>
    a.hasName === b.hasName &&
    a.agent.address === b.agent.address &&
    a.agent.state === b.agent.state &&
    a.agent.state_reason === b.agent.state_reason &&
    a.agent.last_seen === b.agent.last_seen &&
    a.agent.row_version === b.agent.row_version,
);
