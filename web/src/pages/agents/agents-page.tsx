// All agents: facets by state, filter, table (cards on a phone), and a drawer for the one that is looked at.
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { agentsQuery } from '../../api/queries.ts';
import { useKeys } from '../../app/keyboard.ts';
import { useListKeys } from '../../app/list-keys.ts';
import { useTitle } from '../../app/title.ts';
import { words as shellWords } from '../../app/words.ts';
import { Button, buttonClasses } from '../../ui/button.tsx';
import { Command } from '../../ui/copy.tsx';
import { Empty } from '../../ui/empty.tsx';
import { useIsPhone } from '../../ui/media.ts';
import { Peek } from '../../ui/peek.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { useAgentActions } from './actions.ts';
import { AgentFacts } from './agent-facts.tsx';
import { countsByState, shownAgents, statesOf } from './agent-filter.ts';
import { AgentCard } from './agent-row.tsx';
import { AgentTable } from './agent-table.tsx';
import { AgentsFilterBar } from './agents-filter-bar.tsx';
import { words } from './words.ts';

const route = getRouteApi('/agents');

export function AgentsPage() {
  useTitle(words.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(agentsQuery);
  const isPhone = useIsPhone();
  const actions = useAgentActions();
  const [active, setActive] = useState<string | undefined>(search.peek);
  const all = query.data?.items;
  const { state, tenant, q, sort } = search;
  const filter = useMemo(() => ({ state, tenant, q, sort }), [state, tenant, q, sort]);
  const shown = useMemo(() => shownAgents(all ?? [], filter), [all, filter]);
  const counts = useMemo(() => countsByState(all ?? [], filter), [all, filter]);
  const change = (part: Partial<typeof search>): void => {
    void navigate({ search: (old) => ({ ...old, ...part }), replace: true });
  };
  const chosen = shown.find((agent) => agent.address === active);
  const peeked = all?.find((agent) => agent.address === search.peek);

  useListKeys({
    ids: shown.map((agent) => agent.address),
    active,
    onActive: (address) => {
      setActive(address);
      document.querySelector(`[data-agent="${CSS.escape(address)}"]`)?.scrollIntoView({ block: 'nearest' });
      if (search.peek !== undefined) change({ peek: address });
    },
    onOpen: (address) => void navigate({ to: '/agents/$agent', params: { agent: address } }),
    onPeek: (address) => change({ peek: search.peek === address ? undefined : address }),
    onBack: () => change({ peek: undefined }),
  });
  useKeys([
    { keys: 'p', words: shellWords.keys.pause, run: () => chosen && actions.togglePause(chosen) },
    { keys: 'r', words: shellWords.keys.restart, run: () => chosen && actions.restart(chosen) },
  ]);

  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <AgentsFilterBar
          filter={filter}
          tenants={[...new Set(all?.map((agent) => agent.tenant))].sort()}
          counts={counts}
          states={statesOf(filter)}
          title={words.title}
          count={words.count(shown.length, all?.length ?? 0)}
          onChange={change}
        />
        {query.data?.cut === true && <p className="border-b border-line px-4 py-1.5 text-warn">{words.cut}</p>}
        <ScrollRegion label={words.title} className="@container relative">
          {all === undefined && query.error !== null && (
            <ProblemView error={query.error} onRetry={() => void query.refetch()} />
          )}
          {query.isPending && <RowSkeletons rows={12} />}
          {all?.length === 0 && (
            <Empty kind="nothing-yet" title={words.none.title} text={words.none.text}>
              <Command text="quarterdeck agent add scout" />
              <Command text="bin/up --example harbour" />
            </Empty>
          )}
          {all !== undefined && all.length > 0 && shown.length === 0 && (
            <Empty kind="no-match" title={words.noMatch.title} text={words.noMatch.text(all.length)}>
              <Button onClick={() => change({ state: undefined, tenant: undefined, q: undefined })}>
                {words.noMatch.clear}
              </Button>
            </Empty>
          )}
          {shown.length > 0 &&
            (isPhone ? (
              <ul aria-label={words.title}>
                {shown.map((agent) => (
                  <AgentCard key={agent.address} agent={agent} />
                ))}
              </ul>
            ) : (
              <AgentTable
                agents={shown}
                active={active}
                sort={filter.sort}
                onActive={setActive}
                onSort={(sort) => change({ sort })}
              />
            ))}
        </ScrollRegion>
      </div>
      {peeked !== undefined && (
        <Peek
          title={peeked.agent}
          onClose={() => change({ peek: undefined })}
          actions={
            <Link to="/agents/$agent" params={{ agent: peeked.address }} className={buttonClasses()}>
              {words.actions.open}
            </Link>
          }
        >
          <AgentFacts agent={peeked} />
        </Peek>
      )}
    </div>
  );
}
