// The first page: what needs the operator on top, then figures, fleet and what happened last.
import { useQuery } from '@tanstack/react-query';
import { agentsQuery, statusQuery, workQuery } from '../../api/queries.ts';
import { useTitle } from '../../app/title.ts';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { FirstSteps } from './first-steps.tsx';
import { FleetGrid } from './fleet-grid.tsx';
import { LastDecisions, LastEvents } from './last-events.tsx';
import { NeedsYou } from './needs-you.tsx';
import { Queues } from './queues.tsx';
import { Tiles } from './tiles.tsx';
import { words } from './words.ts';

export function BridgePage() {
  const status = useQuery(statusQuery);
  const work = useQuery(workQuery);
  const agents = useQuery(agentsQuery);
  const needs = status.data?.needs.length ?? 0;
  useTitle(needs === 0 ? words.title : `(${needs}) ${words.title}`);
  const failed = [status, agents, work].find((query) => query.data === undefined && query.error !== null);
  return (
    <ScrollRegion label={words.title}>
      <div className="mx-auto flex max-w-[1680px] flex-col gap-3 p-4 phone:gap-2 phone:p-2">
        <h1 className="sr-only">{words.title}</h1>
        {failed !== undefined && <ProblemView error={failed.error} onRetry={() => void failed.refetch()} />}
        {agents.data?.items.length === 0 && <FirstSteps />}
        {(agents.data === undefined || agents.data.items.length > 0) && (
          <NeedsYou status={status.data} agents={agents.data?.items ?? []} />
        )}
        <Tiles status={status.data} work={work.data} />
        <div className="grid items-start gap-3 phone:gap-2 xl:grid-cols-[2fr_1fr]">
          <div className="flex min-w-0 flex-col gap-3 phone:gap-2">
            {agents.data !== undefined && agents.data.items.length > 0 && <FleetGrid agents={agents.data.items} />}
            <LastEvents />
          </div>
          <div className="flex min-w-0 flex-col gap-3 phone:gap-2">
            <Queues work={work.data} />
            <LastDecisions />
          </div>
        </div>
      </div>
    </ScrollRegion>
  );
}
