// The operations that the page uses, each with the method and path that the server's own declaration states: a change
// there that is not made here is a type error.
import type * as Access from '../../../src/domains/access/operations.ts';
import type * as Fleet from '../../../src/domains/fleet/operations.ts';
import type * as Log from '../../../src/domains/log/operations.ts';
import type { operations as Work } from '../../../src/domains/work/operations.ts';
import type { InputOf, OutputOf } from '../../../src/platform/operation.ts';

export interface Route<I, O> {
  readonly method: string;
  readonly path: string;
  /** Never set: they carry the types of input and output. */
  readonly input?: I;
  readonly output?: O;
}

export const routes = {
  me: route<typeof Access.me>('GET', '/v1/me'),
  signIn: route<typeof Access.signIn>('POST', '/v1/session'),
  signOut: route<typeof Access.signOut>('DELETE', '/v1/session'),
  listSessions: route<typeof Access.listSessions>('GET', '/v1/sessions'),
  revokeSession: route<typeof Access.revokeSession>('DELETE', '/v1/sessions/{session_id}'),
  listTenants: route<typeof Access.listTenants>('GET', '/v1/tenants'),
  createTenant: route<typeof Access.createTenant>('POST', '/v1/tenants'),
  listTokens: route<typeof Access.listTokens>('GET', '/v1/tokens'),
  createToken: route<typeof Access.createToken>('POST', '/v1/tokens'),
  revokeToken: route<typeof Access.revokeToken>('DELETE', '/v1/tokens/{token_id}'),
  createSqlRole: route<typeof Access.createSqlRole>('POST', '/v1/sql-roles'),
  listSqlRoles: route<typeof Access.listSqlRoles>('GET', '/v1/sql-roles'),
  removeSqlRole: route<typeof Access.removeSqlRole>('DELETE', '/v1/sql-roles/{agent}'),
  issueAgentToken: route<typeof Fleet.issueAgentToken>('POST', '/v1/agents/{agent}/tokens'),
  showServer: route<typeof Fleet.showServer>('GET', '/v1/server'),
  status: route<typeof Fleet.status>('GET', '/v1/status'),
  listAgents: route<typeof Fleet.listAgents>('GET', '/v1/agents'),
  showAgent: route<typeof Fleet.showAgent>('GET', '/v1/agents/{agent}'),
  pauseAgent: route<typeof Fleet.pauseAgent>('PUT', '/v1/agents/{agent}/pause'),
  resumeAgent: route<typeof Fleet.resumeAgent>('DELETE', '/v1/agents/{agent}/pause'),
  restartAgent: route<typeof Fleet.restartAgent>('POST', '/v1/agents/{agent}/restarts'),
  readConsole: route<typeof Fleet.readConsole>('GET', '/v1/agents/{agent}/console'),
  listJobs: route<(typeof Work)['listJobs']>('GET', '/v1/jobs'),
  showJob: route<(typeof Work)['showJob']>('GET', '/v1/jobs/{job}'),
  cancelJobs: route<(typeof Work)['cancelJobs']>('POST', '/v1/jobs/cancellations'),
  replayJobs: route<(typeof Work)['replayJobs']>('POST', '/v1/jobs/replays'),
  changeJob: route<(typeof Work)['changeJob']>('PATCH', '/v1/jobs/{job}'),
  listChannels: route<(typeof Work)['listChannels']>('GET', '/v1/channels'),
  setChannel: route<(typeof Work)['setChannel']>('PUT', '/v1/channels/{channel}'),
  removeChannel: route<(typeof Work)['removeChannel']>('DELETE', '/v1/channels/{channel}'),
  pauseChannel: route<(typeof Work)['pauseChannel']>('PUT', '/v1/channels/{channel}/pause'),
  resumeChannel: route<(typeof Work)['resumeChannel']>('DELETE', '/v1/channels/{channel}/pause'),
  pauseWork: route<(typeof Work)['pauseWork']>('PUT', '/v1/work/pause'),
  resumeWork: route<(typeof Work)['resumeWork']>('DELETE', '/v1/work/pause'),
  listSchedules: route<(typeof Work)['listSchedules']>('GET', '/v1/schedules'),
  setSchedule: route<(typeof Work)['setSchedule']>('PUT', '/v1/schedules/{schedule}'),
  removeSchedule: route<(typeof Work)['removeSchedule']>('DELETE', '/v1/schedules/{schedule}'),
  pauseSchedule: route<(typeof Work)['pauseSchedule']>('PUT', '/v1/schedules/{schedule}/pause'),
  resumeSchedule: route<(typeof Work)['resumeSchedule']>('DELETE', '/v1/schedules/{schedule}/pause'),
  runSchedule: route<(typeof Work)['runSchedule']>('POST', '/v1/schedules/{schedule}/runs'),
  backfillSchedule: route<(typeof Work)['backfillSchedule']>('POST', '/v1/schedules/{schedule}/backfills'),
  previewSchedule: route<(typeof Work)['previewSchedule']>('GET', '/v1/schedule-previews'),
  workSummary: route<(typeof Work)['summary']>('GET', '/v1/work/summary'),
  listEvents: route<typeof Log.listEvents>('GET', '/v1/events'),
  live: route<typeof Log.live>('GET', '/v1/live'),
} as const;

export type Me = OutputOf<typeof Access.me>;
export type Session = OutputOf<typeof Access.listSessions>['items'][number];
export type Tenant = OutputOf<typeof Access.listTenants>['items'][number];
export type Token = OutputOf<typeof Access.listTokens>['items'][number];
export type SqlRole = OutputOf<typeof Access.listSqlRoles>['items'][number];
export type Server = OutputOf<typeof Fleet.showServer>;
export type Status = OutputOf<typeof Fleet.status>;
export type Need = Status['needs'][number];
export type Agent = OutputOf<typeof Fleet.listAgents>['items'][number];
export type AgentDetail = OutputOf<typeof Fleet.showAgent>;
export type AgentState = Agent['state'];
export type ConsolePiece = OutputOf<typeof Fleet.readConsole>;
export type Job = OutputOf<(typeof Work)['listJobs']>['items'][number];
export type JobPage = OutputOf<(typeof Work)['listJobs']>;
export type JobDetail = OutputOf<(typeof Work)['showJob']>;
export type JobState = Job['state'];
export type Channel = OutputOf<(typeof Work)['listChannels']>['items'][number];
export type Schedule = OutputOf<(typeof Work)['listSchedules']>['items'][number];
export type WorkSummary = OutputOf<(typeof Work)['summary']>;
export type WorkPause = WorkSummary['pauses'][number];
export type EventItem = OutputOf<typeof Log.listEvents>['items'][number];
export type EventPage = OutputOf<typeof Log.listEvents>;
export type LivePage = OutputOf<typeof Log.live>;

interface Declared {
  readonly method: string;
  readonly path: string;
}

function route<T extends Declared>(method: T['method'], path: T['path']): Route<InputOf<T>, OutputOf<T>> {
  return { method, path };
}
