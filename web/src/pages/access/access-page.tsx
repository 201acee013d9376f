// Who may do what: tokens, credentials of agents, browser sessions, tenants, SQL roles.
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { meQuery } from '../../api/queries.ts';
import { useTitle } from '../../app/title.ts';
import { Empty } from '../../ui/empty.tsx';
import { TabBar, TabPanel } from '../../ui/tabs.tsx';
import { AgentsTab } from './agents-tab.tsx';
import { SessionsTab } from './sessions-tab.tsx';
import { SqlTab } from './sql-tab.tsx';
import { TenantsTab } from './tenants-tab.tsx';
import { TokensTab } from './tokens-tab.tsx';
import { words } from './words.ts';

const route = getRouteApi('/access');
const tabs = Object.entries(words.tabs).map(([name, word]) => ({ name, word }));
const NEEDED = 'access:read';

export function AccessPage() {
  useTitle(words.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const me = useQuery(meQuery).data;
  const current = tabs.find(({ name }) => name === search.tab)?.name ?? 'tokens';
  if (me !== undefined && !me.abilities.includes(NEEDED)) {
    return <Empty kind="unavailable" title={words.denied.title} text={words.denied.text(NEEDED)} />;
  }
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <h1 className="px-4 pt-2 text-title font-semibold">{words.title}</h1>
      <TabBar
        label={words.title}
        tabs={tabs}
        current={current}
        onChange={(tab) => void navigate({ search: { tab }, replace: true })}
      >
        <TabPanel name="tokens">
          <TokensTab
            showsEnded={search.ended !== undefined}
            onShowEnded={(shows) =>
              void navigate({ search: { tab: current, ended: shows ? '1' : undefined }, replace: true })
            }
          />
        </TabPanel>
        <TabPanel name="agents">
          <AgentsTab />
        </TabPanel>
        <TabPanel name="sessions">
          <SessionsTab />
        </TabPanel>
        <TabPanel name="tenants">
          <TenantsTab />
        </TabPanel>
        <TabPanel name="sql">
          <SqlTab />
        </TabPanel>
      </TabBar>
    </div>
  );
}
