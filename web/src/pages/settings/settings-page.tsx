// The running server: its version and parts, every setting with where it came from, and what concerns only this browser.
import { useQuery } from '@tanstack/react-query';
import { Problem } from '../../api/problem.ts';
import { serverQuery } from '../../api/queries.ts';
import { useTitle } from '../../app/title.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { NotRenewed } from '../../ui/not-renewed.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { BrowserSettings } from './browser-settings.tsx';
import { Parts, ServerFacts } from './server-facts.tsx';
import { SettingList } from './setting-list.tsx';
import { words } from './words.ts';

export function SettingsPage() {
  useTitle(words.title);
  const { data: server, error, isPending, refetch } = useQuery(serverQuery);
  const isDenied = error instanceof Problem && error.status === 403;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex items-center gap-2 border-b border-line px-4 py-2">
        <h1 className="flex-1 text-title font-semibold">{words.title}</h1>
        <CopyButton label={words.copyCommand} text="quarterdeck server show" />
      </div>
      {server !== undefined && <NotRenewed error={error} />}
      <ScrollRegion label={words.title} className="@container">
        <div className="grid grid-cols-2 items-start gap-3 p-4 @max-3xl:grid-cols-[minmax(0,1fr)] phone:gap-2 phone:p-2">
          {isDenied && <p className="col-span-full text-muted">{words.denied}</p>}
          {server === undefined && error !== null && !isDenied && (
            <div className="col-span-full rounded-panel border border-line bg-panel">
              <ProblemView error={error} onRetry={() => void refetch()} />
            </div>
          )}
          {isPending && (
            <div className="col-span-full">
              <RowSkeletons rows={8} />
            </div>
          )}
          {server !== undefined && (
            <>
              <ServerFacts server={server} />
              <Parts parts={server.parts} />
            </>
          )}
          <BrowserSettings />
          {server !== undefined && <SettingList settings={server.settings} />}
        </div>
      </ScrollRegion>
    </div>
  );
}
