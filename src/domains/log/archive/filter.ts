// Which archived events a question wants, and which files and segments need not be opened for it. Pure.
import type { Line } from '../seals/canonical.ts';
import type { EventRow } from '../store.ts';
import type { Archive } from './store.ts';

export interface ArchiveFilter {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly event_type?: string | undefined;
  readonly source_agent?: string | undefined;
  readonly subject?: string | undefined;
  readonly correlation_id?: string | undefined;
  readonly tenantId?: string | undefined;
}

/** The event of a line. Its time is cut to milliseconds, as every answer's is. */
export function rowOf(line: Line): EventRow {
  const row = JSON.parse(line.text.toString()) as Omit<EventRow, 'at'> & { readonly at: string };
  return { ...row, at: new Date(row.at) };
}

export function passesEvent(row: EventRow, filter: ArchiveFilter): boolean {
  const { source_agent, subject, correlation_id, tenantId } = filter;
  return (
    passesTime(row.at, row.at, filter) &&
    (filter.event_type === undefined || passesType(row.event_type, filter.event_type)) &&
    (source_agent === undefined || row.source_agent === source_agent) &&
    (subject === undefined || row.subject === subject) &&
    (correlation_id === undefined || row.correlation_id === correlation_id) &&
    (tenantId === undefined || row.tenant_id === tenantId)
  );
}

/** Whether anything between these times can be meant; no times: it is empty. */
export function passesTime(first: Date | null, last: Date | null, { since, until }: ArchiveFilter): boolean {
  if (first === null || last === null) return false;
  // Bounds of files and segments were cut to milliseconds on their way here, rows too: both look alike.
  return (
    (since === undefined || last.getTime() >= Date.parse(since)) &&
    (until === undefined || first.getTime() <= Date.parse(until))
  );
}

/** Whether the file can hold any such event, by what was counted when it was written. */
export function passesCounts({ counts }: Pick<Archive, 'counts'>, filter: ArchiveFilter): boolean {
  const { types, agents, tenants } = counts;
  const { event_type, source_agent, tenantId } = filter;
  return (
    (event_type === undefined ||
      types === undefined ||
      Object.keys(types).some((type) => passesType(type, event_type))) &&
    (source_agent === undefined || agents === undefined || Object.hasOwn(agents, source_agent)) &&
    (tenantId === undefined || tenants === undefined || Object.hasOwn(tenants, tenantId))
  );
}

function passesType(type: string, wanted: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}
