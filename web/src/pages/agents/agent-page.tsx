// One agent: what it is and does now, and tabs for its console, its events and its facts.
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ChevronLeft, Pause, Play, RotateCw } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { Problem } from '../../api/problem.ts';
import { agentQuery } from '../../api/queries.ts';
import type { AgentDetail } from '../../api/routes.ts';
import { useKeys } from '../../app/keyboard.ts';
import { useTitle } from '../../app/title.ts';
import { words as shellWords } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Flash } from '../../ui/flash.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { StateBadge } from '../../ui/state.tsx';
import { Ago, Elapsed } from '../../ui/time.tsx';
import { useAgentActions } from './actions.ts';
import { AgentEvents } from './agent-events.tsx';
import { AgentFacts } from './agent-facts.tsx';
import { doing } from './agent-row.tsx';
import { Console } from './console/console.tsx';
import { words } from './words.ts';

const route = getRouteApi('/agents/$agent');
const tabs = ['console', 'events', 'facts'] as const;

export function AgentPage() {
  const { agent: address } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(agentQuery(address));
  useTitle(address);
  const agent = query.data;
  if (agent === undefined) {
    if (query.error === null) return <RowSkeletons rows={6} />;
    const isRetryable = query.error instanceof Problem && query.error.retryable;
    return (
      <div>
        <ProblemView error={query.error} {...(isRetryable ? { onRetry: () => void query.refetch() } : {})} />
        <Link to="/agents" className="ml-4 text-accent hover:underline">
          {words.notFound}
        </Link>
      </div>
    );
  }
  const tab = tabs.find((name) => name === search.tab) ?? (agent.kind === 'process' ? 'console' : 'events');
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <AgentHead agent={agent} address={address} onBack={() => void navigate({ to: '/agents' })} />
      <Tabs.Root
        value={tab}
        onValueChange={(value) => void navigate({ search: { tab: value }, replace: true })}
        className="flex min-h-0 flex-1 flex-col"
      >
        <Tabs.List aria-label={agent.agent} className="flex shrink-0 gap-1 border-b border-line px-3">
          {tabs.map((name) => (
            <Tabs.Trigger
              key={name}
              value={name}
              className="h-9 border-b-2 border-transparent px-2 font-medium text-muted hover:text-fg data-[state=active]:border-accent data-[state=active]:text-fg phone:h-11 phone:px-4"
            >
              {words.tabs[name]}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value="console" className="flex min-h-0 flex-1 flex-col" tabIndex={-1}>
          <Console key={address} address={address} isSupervised={agent.kind === 'process'} />
        </Tabs.Content>
        <Tabs.Content value="events" className="flex min-h-0 flex-1 flex-col" tabIndex={-1}>
          <AgentEvents agent={agent} />
        </Tabs.Content>
        <Tabs.Content value="facts" className="min-h-0 flex-1 overflow-auto">
          <AgentFacts agent={agent} />
        </Tabs.Content>
      </Tabs.Root>
    </div>
  );
}

function AgentHead({ agent, address, onBack }: { agent: AgentDetail; address: string; onBack: () => void }) {
  const actions = useAgentActions();
  const target = { ...agent, address };
  const isHeld = agent.desired !== 'run';
  useKeys([
    { keys: 'p', words: shellWords.keys.pause, run: () => actions.togglePause(target) },
    { keys: 'r', words: shellWords.keys.restart, run: () => actions.restart(target) },
    { keys: 'Esc', words: shellWords.keys.back, run: onBack },
  ]);
  return (
    <header className="flex shrink-0 flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5" data-state={agent.state}>
      <Link
        to="/agents"
        aria-label={words.notFound}
        className="-ml-2 flex size-7 items-center justify-center rounded-control text-muted hover:bg-raised phone:size-11"
      >
        <ChevronLeft size={18} aria-hidden="true" />
      </Link>
      <h1 className="-ml-3 text-title font-semibold">{agent.agent}</h1>
      <Flash value={agent.state} className="rounded px-1" title={agent.state_reason}>
        <StateBadge state={agent.state} />
      </Flash>
      <ul className="flex flex-wrap gap-x-3 text-muted phone:order-last phone:w-full phone:text-caption">
        <li>{agent.tenant}</li>
        <li>{agent.kind}</li>
        {agent.host !== null && <li>{agent.host}</li>}
        {agent.pid !== null && <li>pid {agent.pid}</li>}
        {agent.pid !== null && agent.started_at !== null && (
          <li>
            {words.up} <Elapsed since={agent.started_at} />
          </li>
        )}
        {agent.last_seen !== null && (
          <li>
            {words.facts.lastSeen.toLowerCase()} <Ago at={agent.last_seen} />
          </li>
        )}
        {doing(agent) !== '–' && <li className="text-fg">{doing(agent)}</li>}
      </ul>
      <div className="ml-auto flex gap-2">
        <Button
          onClick={() => actions.restart(target)}
          disabled={agent.kind !== 'process'}
          title={agent.kind === 'process' ? 'R' : words.actions.notSupervised}
        >
          <RotateCw aria-hidden="true" size={13} /> {words.actions.restart}
        </Button>
        <Button onClick={() => actions.togglePause(target)} title="P" tone={isHeld ? 'primary' : 'plain'}>
          {isHeld ? <Play aria-hidden="true" size={13} /> : <Pause aria-hidden="true" size={13} />}
          {isHeld ? words.actions.resume : words.actions.pause}
        </Button>
      </div>
      {agent.state !== 'healthy' && <p className="w-full text-muted">{agent.state_reason}</p>}
    </header>
  );
}
