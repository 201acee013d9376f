// A schedule as its form holds it: from what there is, and to what the server is asked for. Pure.
import type { Schedule } from '../../api/routes.ts';
import { localField, momentOf } from './timing.ts';
import { words } from './words.ts';

export interface Draft {
  readonly name: string;
  readonly how: 'cron' | 'every' | 'at';
  readonly cron: string;
  readonly zone: string;
  readonly every: string;
  readonly unit: number;
  readonly at: string;
  readonly kind: string;
  readonly queue: string;
  readonly channel: string;
  readonly payload: string;
  readonly overlap: 'skip' | 'queue' | 'allow';
  readonly catchUp: 'skip' | 'once' | 'all';
  readonly jitter: string;
}

type Job = { readonly kind: string } & Readonly<Record<string, unknown>>;
type Problems = Readonly<Partial<Record<keyof Draft, string>>>;

const SLUG = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const w = words.form;

export function draftOf(schedule: Schedule | undefined, zone: string): Draft {
  const every = schedule?.every_seconds ?? 3600;
  const unit = words.units.findLast(([length]) => every % length === 0)?.[0] ?? 1;
  const job: Job = schedule?.job ?? { kind: '' };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    name: schedule?.schedule ?? '',
    how: schedule === undefined || schedule.cron !== null ? 'cron' : schedule.every_seconds === null ? 'at' : 'every',
    cron: schedule?.cron ?? '',
    zone: schedule?.zone ?? zone,
    every: String(every / unit),
    unit,
    at: typeof schedule?.at === 'string' ? localField(new Date(schedule.at)) : '',
    kind: job.kind,
    queue: text(job['queue']),
    channel: text(job['channel']),
    payload: JSON.stringify(job['payload'] ?? {}, null, 2),
    overlap: (schedule?.overlap as Draft['overlap']) ?? 'skip',
    catchUp: (schedule?.catch_up as Draft['catchUp']) ?? 'once',
    jitter: String(schedule?.jitter_seconds ?? 0),
  };
}

/** What the form does not show of a job stays as it was. */
export function readDraft(draft: Draft, job: Job | undefined) {
  const problems: { -readonly [field in keyof Draft]?: string } = {};
  if (!SLUG.test(draft.name)) problems.name = w.nameBad;
  if (!SLUG.test(draft.kind)) problems.kind = w.kindBad;
  const every = Number(draft.every) * draft.unit;
  if (draft.how === 'every' && !(Number.isInteger(Number(draft.every)) && every >= 10 && every <= 31_536_000)) {
    problems.every = w.everyBad;
  }
  const at = momentOf(draft.at);
  if (draft.how === 'at' && at === undefined) problems.at = w.atBad;
  if (draft.how === 'cron' && draft.cron.trim() === '') problems.cron = w.cronHint;
  const payload = readObject(draft.payload);
  if (payload === undefined) problems.payload = w.payloadBad;
  const jitter = Number(draft.jitter);
  if (draft.jitter.trim() === '' || !Number.isInteger(jitter) || jitter < 0 || jitter > 86_400) {
    problems.jitter = w.jitterBad;
  }
  if (draft.catchUp === 'all' && draft.overlap !== 'allow') problems.catchUp = w.allNeeds;
  if (Object.keys(problems).length > 0 || payload === undefined) {
    return { input: undefined, problems: problems as Problems };
  }
  const { queue: _, channel: __, ...kept } = job ?? { kind: '' };
  const name = (field: 'queue' | 'channel') => (draft[field].trim() === '' ? {} : { [field]: draft[field].trim() });
  const input = {
    ...(draft.how === 'cron' ? { cron: draft.cron.trim(), zone: draft.zone.trim() } : {}),
    ...(draft.how === 'every' ? { every_seconds: every } : {}),
    ...(draft.how === 'at' && at !== undefined ? { at } : {}),
    job: { ...kept, kind: draft.kind, payload, ...name('queue'), ...name('channel') },
    overlap: draft.overlap,
    catch_up: draft.catchUp,
    jitter_seconds: jitter,
  };
  return { input, problems: problems as Problems };
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
