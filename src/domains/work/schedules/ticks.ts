// When a schedule comes, and what becomes of ticks that nobody acted on in time: pure rules, no SQL, no clock.
import { Cron } from 'croner';

/** One of `cron`, `everySeconds` and `onceAt`. */
export interface Timing {
  /** Five fields, or six with seconds first; read in `zone`. */
  readonly cron: string | null;
  readonly everySeconds: number | null;
  readonly onceAt: Date | null;
  /** IANA name of a time zone. */
  readonly zone: string;
  /** From which moment intervals count. */
  readonly anchor: Date;
}

export type TimingProblem = 'zone_unknown' | 'cron_invalid' | 'cron_never_runs' | 'cron_too_often';

/** Ticks closer together than this are refused: such work belongs into a loop of the agent's own. */
export const CLOSEST_TICKS_SECONDS = 10;
/** Most ticks that are looked at when a schedule was not acted on for long. */
const MOST_TICKS = 1_000;
/** A tick that is acted on later than this was missed. */
const LATE_SECONDS = 60;
const LOOKED_AT = 50;

/** What is wrong with it, and in the words of whoever found it; undefined: nothing. `now` is where the search begins. */
export function findTimingProblem(
  timing: Timing,
  now: Date,
): { readonly problem: TimingProblem; readonly because: string } | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timing.zone });
  } catch {
    return { problem: 'zone_unknown', because: timing.zone };
  }
  if (timing.cron === null) return undefined;
  let ticks: Date[];
  try {
    ticks = cronOf(timing).nextRuns(LOOKED_AT, now);
  } catch (error) {
    return { problem: 'cron_invalid', because: (error as Error).message.replace(/^\w+: /, '') };
  }
  if (ticks.length === 0) return { problem: 'cron_never_runs', because: timing.cron };
  const distances = ticks.slice(1).map((tick, i) => tick.getTime() - ticks[i]!.getTime());
  if (Math.min(...distances) < CLOSEST_TICKS_SECONDS * 1_000) {
    return { problem: 'cron_too_often', because: timing.cron };
  }
  return undefined;
}

/** The first tick after a moment; undefined when it never comes again. */
export function nextTick(timing: Timing, after: Date): Date | undefined {
  const { everySeconds, onceAt, anchor } = timing;
  if (onceAt !== null) return onceAt > after ? onceAt : undefined;
  if (everySeconds !== null) {
    const passed = Math.floor((after.getTime() - anchor.getTime()) / (everySeconds * 1_000));
    return new Date(anchor.getTime() + Math.max(1, passed + 1) * everySeconds * 1_000);
  }
  return cronOf(timing).nextRun(after) ?? undefined;
}

/** The next `count` ticks after a moment. */
export function nextTicks(timing: Timing, after: Date, count: number): Date[] {
  const ticks: Date[] = [];
  for (let at = nextTick(timing, after); at !== undefined && ticks.length < count; at = nextTick(timing, at)) {
    ticks.push(at);
  }
  return ticks;
}

export interface DueTicks {
  /** Oldest first. */
  readonly run: readonly Date[];
  /** Ticks whose time has passed and that are not acted on. */
  readonly missed: { readonly count: number; readonly from: Date; readonly to: Date } | undefined;
  /** True when there were more than are looked at; those are missed uncounted. */
  readonly more: boolean;
  readonly next: Date | undefined;
}

/**
 * What to do at `now` about a schedule whose next tick was `due`. `skip` acts on a tick only in time, `once` on the last
 * one however late, `all` on every one.
 */
export function judgeTicks(timing: Timing, due: Date, now: Date, catchUp: 'skip' | 'once' | 'all'): DueTicks {
  const ticks = [due];
  let at = nextTick(timing, due);
  while (at !== undefined && at <= now && ticks.length < MOST_TICKS) {
    ticks.push(at);
    at = nextTick(timing, at);
  }
  const more = at !== undefined && at <= now;
  const last = ticks.at(-1)!;
  const isInTime = now.getTime() - last.getTime() <= LATE_SECONDS * 1_000 && !more;
  const run = catchUp === 'all' ? ticks : catchUp === 'once' || isInTime ? [last] : [];
  const missed = ticks.filter((tick) => !run.includes(tick));
  return {
    run,
    missed: missed.length === 0 ? undefined : { count: missed.length, from: missed[0]!, to: missed.at(-1)! },
    more,
    next: more ? nextTick(timing, now) : at,
  };
}

// Built anew each time: it takes microseconds, and nothing has to be kept in step with the table.
function cronOf({ cron, zone }: Timing): Cron {
  return new Cron(cron!, { timezone: zone, paused: true });
}
