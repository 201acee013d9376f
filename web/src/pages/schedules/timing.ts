// When a schedule comes, in words and as places on a line of the next 24 hours. Pure.
import type { Schedule } from '../../api/routes.ts';
import { words } from './words.ts';

export type Timing = Pick<Schedule, 'cron' | 'every_seconds' | 'at' | 'zone' | 'next_at' | 'paused'>;

export interface Tick {
  readonly at: string;
  /** The time of day in the schedule's own zone, like `2026-03-29 03:00:00`. */
  readonly local: string;
}

export interface Lane {
  /** Moments in ms. */
  readonly ticks: readonly number[];
  /** Set where it comes too often to be drawn tick by tick: from this moment to the end. */
  readonly often: number | undefined;
}

export const PREVIEWED = 100;
const MOST_DRAWN = 150;

export function timingWords({ cron, every_seconds, at }: Pick<Schedule, 'cron' | 'every_seconds' | 'at'>): string {
  if (cron !== null) return cron;
  if (every_seconds !== null) return words.every(lengthWords(every_seconds));
  return at === null ? '' : words.once;
}

/** `10 seconds`, `5 minutes`, `2 hours`, `day`. */
export function lengthWords(seconds: number): string {
  const [length, one] = words.units.findLast(([unit]) => seconds % unit === 0) ?? words.units[0]!;
  const n = seconds / length;
  return n === 1 ? one : `${n.toLocaleString('en')} ${one}s`;
}

/** What of it falls between two moments. The ticks of a cron line are known only as far as they were asked for. */
export function laneOf(timing: Timing, cronTicks: readonly Tick[] | undefined, from: number, to: number): Lane {
  const none: Lane = { ticks: [], often: undefined };
  if (timing.paused !== null || timing.next_at === null) return none;
  const next = Date.parse(timing.next_at);
  if (timing.every_seconds !== null) {
    const step = timing.every_seconds * 1000;
    const first = next + Math.max(0, Math.ceil((from - next) / step)) * step;
    if ((to - first) / step > MOST_DRAWN) return { ticks: [], often: first };
    const count = Math.max(0, Math.ceil((to - first) / step));
    return { ...none, ticks: Array.from({ length: count }, (_, n) => first + n * step) };
  }
  const all = timing.cron === null ? [next] : (cronTicks ?? []).map((tick) => Date.parse(tick.at));
  const ticks = all.filter((at) => at >= from && at < to);
  const last = all.at(-1);
  const isCut = all.length === PREVIEWED && last !== undefined && last < to;
  return isCut && ticks[0] !== undefined ? { ticks: [], often: ticks[0] } : { ...none, ticks };
}

/** Ticks before which the clock of their zone was put forward or back. */
export function clockChanges(ticks: readonly Tick[]): ReadonlySet<string> {
  const offsetOf = ({ at, local }: Tick): number =>
    Math.round((Date.parse(`${local.replace(' ', 'T')}Z`) - Date.parse(at)) / 60_000);
  const changed = ticks.filter((tick, place) => place > 0 && offsetOf(tick) !== offsetOf(ticks[place - 1]!));
  return new Set(changed.map((tick) => tick.at));
}

/** `Mon 14:00`, in a zone or in the reader's. An unknown zone is the reader's. */
export function dayTimeWords(at: Date, zone?: string): string {
  const options = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  try {
    return new Intl.DateTimeFormat('en-GB', { ...options, ...(zone === undefined ? {} : { timeZone: zone }) }).format(
      at,
    );
  } catch {
    return new Intl.DateTimeFormat('en-GB', options).format(at);
  }
}

export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** What a field for a local moment holds: `2026-03-29T03:00`. */
export function localField(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The moment that such a field means, or undefined. */
export function momentOf(field: string): string | undefined {
  const at = new Date(field);
  return field === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
