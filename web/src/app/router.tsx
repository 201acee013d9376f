// Every address of the page. Each page is fetched when it is first shown.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { filterNames } from '../pages/events/filters.ts';
import { filterNames as jobFilterNames } from '../pages/jobs/job-filter.ts';
import { NotFound, PageFailed } from './failed.tsx';
import { Root } from './root.tsx';
import { only, parseSearch, stringifySearch } from './search-params.ts';

const root = createRootRoute({ component: Root, notFoundComponent: NotFound, errorComponent: PageFailed });
const under = <const P extends string>(path: P) => ({ getParentRoute: () => root, path });

// Made outside of the routes: inside of one the names would be inferred as any string.
const agentsSearch = only(['state', 'tenant', 'q', 'sort', 'peek']);
const agentSearch = only(['tab', 'of', 'peek']);
const jobsSearch = only([...jobFilterNames, 'peek']);
const eventsSearch = only([...filterNames, 'peek']);

const channelsSearch = only(['tenant']);
const schedulesSearch = only(['tenant']);
const accessSearch = only(['tab', 'ended']);
const docsSearch = only(['operation', 'q']);

const bridge = createRoute({
  ...under('/'),
  component: lazyRouteComponent(() => import('../pages/bridge/bridge-page.tsx'), 'BridgePage'),
});

export const agentsRoute = createRoute({
  ...under('/agents'),
  validateSearch: agentsSearch,
  component: lazyRouteComponent(() => import('../pages/agents/agents-page.tsx'), 'AgentsPage'),
});

export const agentRoute = createRoute({
  ...under('/agents/$agent'),
  validateSearch: agentSearch,
  component: lazyRouteComponent(() => import('../pages/agents/agent-page.tsx'), 'AgentPage'),
});

export const jobsRoute = createRoute({
  ...under('/jobs'),
  validateSearch: jobsSearch,
  component: lazyRouteComponent(() => import('../pages/jobs/jobs-page.tsx'), 'JobsPage'),
});

export const jobRoute = createRoute({
  ...under('/jobs/$job'),
  component: lazyRouteComponent(() => import('../pages/jobs/job-page.tsx'), 'JobPage'),
});

export const eventsRoute = createRoute({
  ...under('/events'),
  validateSearch: eventsSearch,
  component: lazyRouteComponent(() => import('../pages/events/events-page.tsx'), 'EventsPage'),
});

export const channelsRoute = createRoute({
  ...under('/channels'),
  validateSearch: channelsSearch,
  component: lazyRouteComponent(() => import('../pages/channels/channels-page.tsx'), 'ChannelsPage'),
});

export const schedulesRoute = createRoute({
  ...under('/schedules'),
  validateSearch: schedulesSearch,
  component: lazyRouteComponent(() => import('../pages/schedules/schedules-page.tsx'), 'SchedulesPage'),
});

export const accessRoute = createRoute({
  ...under('/access'),
  validateSearch: accessSearch,
  component: lazyRouteComponent(() => import('../pages/access/access-page.tsx'), 'AccessPage'),
});

const settingsRoute = createRoute({
  ...under('/settings'),
  component: lazyRouteComponent(() => import('../pages/settings/settings-page.tsx'), 'SettingsPage'),
});

export const docsRoute = createRoute({
  ...under('/docs'),
  validateSearch: docsSearch,
  component: lazyRouteComponent(() => import('../pages/docs/docs-page.tsx'), 'DocsPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    bridge,
    agentsRoute,
    agentRoute,
    jobsRoute,
    jobRoute,
    channelsRoute,
    schedulesRoute,
    eventsRoute,
    accessRoute,
    settingsRoute,
    docsRoute,
  ]),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailed,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
