// The filter of jobs: from what is typed, to the address, to the request and to a command. Pure.
import type { JobState } from '../../api/routes.ts';
import type { Filter, QualifierRules } from '../../ui/qualifiers.ts';
import { words } from './words.ts';

export const filterNames = ['state', 'queue', 'kind', 'channel', 'schedule', 'agent', 'tenant'] as const;
export type FilterName = (typeof filterNames)[number];
export type JobFilter = Filter<FilterName>;

/** What needs time first: waiting, then at work, then over. */
export const stateNames = [
  'queued',
  'scheduled',
  'awaiting_approval',
  'running',
  'done',
  'dead',
  'cancelled',
] as const satisfies JobState[];

const slug = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

export const rules: QualifierRules<FilterName> = {
  names: filterNames,
  unknown: words.unknown,
  freeText: words.freeText,
  emptyValue: words.emptyValue,
  problemOf: (name, value) => {
    if (name === 'state') return isState(value) ? undefined : words.badState(value, stateNames.join(', '));
    // The server would refuse these; an agent may be written with its tenant.
    return name === 'agent' || slug.test(value) ? undefined : words.badName(name, value);
  },
};

/** The parameters of the request. A state that is none, from an address typed by hand, is left to the server to refuse. */
export function requestOf(filter: JobFilter) {
  const given = filterNames.flatMap((name) => (filter[name] === undefined ? [] : [[name, filter[name]] as const]));
  return Object.fromEntries(given) as { readonly [name in Exclude<FilterName, 'state'>]?: string } & {
    readonly state?: JobState;
  };
}

export function commandOf(filter: JobFilter): string {
  const options = Object.entries(requestOf(filter)).map(([name, value]) => `--${name} ${value}`);
  return ['quarterdeck job list', ...options].join(' ');
}

function isState(text: string): text is JobState {
  return (stateNames as readonly string[]).includes(text);
}
