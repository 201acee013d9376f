// The verbs of schedules, and what their ticks do. A tick acts in the transaction that moves its schedule on.
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Call } from '../../../platform/call.ts';
import type { Tx } from '../../../platform/db/database.ts';
import { isAppError } from '../../../platform/errors.ts';
import type { NewEvent } from '../../../platform/event-table.ts';
import { wireId } from '../../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../../platform/operation.ts';
import { platformErrors } from '../../../platform/platform-errors.ts';
import { FLEET_SLUG, type TenantDirectory } from '../../../platform/tenants.ts';
import type { Access } from '../../access/index.ts';
import type { Log } from '../../log/index.ts';
import type { Adding } from '../adding.ts';
import { workErrors } from '../errors.ts';
import { workEvents } from '../events.ts';
import type {
  backfillSchedule,
  listSchedules,
  pauseSchedule,
  previewSchedule,
  runSchedule,
  ScheduleItem,
  scheduledJob,
  setSchedule,
  showSchedule,
} from './schedule-operations.ts';
import * as store from './schedule-store.ts';
import { findTimingProblem, judgeTicks, nextTick, nextTicks, type Timing } from './ticks.ts';

export interface SchedulesOptions {
  readonly log: Log;
  readonly access: Access;
  readonly tenants: TenantDirectory;
  readonly adding: Adding;
}

/** What each tick adds: a job but for its moment and its key. */
export type ScheduledJob = z.output<typeof scheduledJob>;

interface Address {
  readonly schedule: string;
  readonly tenant?: string | undefined;
}

type Settings = Omit<ParsedInput<typeof setSchedule>, 'schedule' | 'tenant'>;

const SHOWN_TICKS = 5;
const MOST_BACKFILLED = 1_000;
const DUE_AT_ONCE = 50;

export class Schedules {
  readonly #options: SchedulesOptions;

  constructor(options: SchedulesOptions) {
    this.#options = options;
  }

  async set(call: Call, input: ParsedInput<typeof setSchedule>): Promise<OutputOf<typeof setSchedule>> {
    const { schedule: name, tenant, ...given } = input;
    const tenantId = await this.#home(call, tenant);
    const row = await call.write(async (tx) => {
      const existing = await store.lockSchedule(tx, tenantId, name);
      refuseDeclared(existing);
      return this.put(tx, call, { tenantId, name, declaredBy: null }, given);
    });
    return this.#item(row);
  }

  /**
   * Makes or changes a schedule; what is so already is left alone. A changed timing counts from now on. Throws what
   * `work.schedule.set` names.
   */
  async put(
    tx: Tx,
    call: Call,
    of: { tenantId: string; name: string; declaredBy: string | null },
    given: Settings,
  ): Promise<store.ScheduleRow> {
    const settings = settingsOf(given);
    const { adding } = this.#options;
    const existing = await store.lockSchedule(tx, of.tenantId, of.name);
    const now = await store.readClock(tx);
    const timing = timingOf({ ...settings, created_at: existing?.created_at ?? now });
    refuseTiming(timing, now);
    if (settings.catch_up === 'all' && settings.overlap !== 'allow') throw workErrors.catch_up_overlaps();
    await adding.check(tx, of.tenantId, [jobOf(settings.job)]);
    if (existing !== undefined && existing.declared_by === of.declaredBy && isSame(existing, settings)) return existing;
    const isSameTiming = existing !== undefined && isDeepStrictEqual(timingOf(existing), timing);
    const nextAt = isSameTiming ? existing.next_at : (settings.once_at ?? nextTick(timing, now));
    const row = await store.putSchedule(tx, { ...of, nextAt: nextAt ?? undefined }, settings);
    const { once_at, job, ...told } = settings;
    const payload = { schedule: of.name, ...told, at: once_at?.toISOString() ?? null, kind: job.kind };
    await this.#tell(tx, call, row, workEvents.make('schedule.set', payload));
    return row;
  }

  async list(call: Call, input: ParsedInput<typeof listSchedules>): Promise<OutputOf<typeof listSchedules>> {
    const { tenants, log } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await tenants.getId(call, input.tenant);
    const after = input.after === undefined ? undefined : readAfter(input.after);
    const as_of = await log.asOf(call);
    const rows = await call.read((tx) => store.listSchedules(tx, { after, tenantId, limit: input.limit }));
    const last = rows.at(-1);
    return {
      items: await Promise.all(rows.map((row) => this.#item(row))),
      next_cursor: rows.length === input.limit && last !== undefined ? `${last.tenant_id}/${last.name}` : null,
      as_of,
    };
  }

  async show(call: Call, address: Address): Promise<OutputOf<typeof showSchedule>> {
    const tenantId = await this.#home(call, address.tenant);
    const { row, now } = await call.read(async (tx) => ({
      row: await store.findSchedule(tx, tenantId, address.schedule),
      now: await store.readClock(tx),
    }));
    if (row === undefined) throw workErrors.schedule_not_found({ schedule: address.schedule });
    const ticks =
      row.next_at === null ? [] : [row.next_at, ...nextTicks(timingOf(row), later(row.next_at, now), SHOWN_TICKS - 1)];
    return { ...(await this.#item(row)), ticks: ticks.map((tick) => tick.toISOString()) };
  }

  remove(call: Call, address: Address): Promise<{ schedule: string; removed: boolean }> {
    return this.#change(call, address, async (tx, row) => {
      refuseDeclared(row);
      await this.drop(tx, call, row);
      return { schedule: row.name, removed: true };
    });
  }

  async drop(tx: Tx, call: Call, row: store.ScheduleRow): Promise<void> {
    await store.removeSchedule(tx, row.tenant_id, row.name);
    await this.#tell(tx, call, row, workEvents.make('schedule.removed', { schedule: row.name }));
  }

  async pause(call: Call, input: ParsedInput<typeof pauseSchedule>): Promise<ScheduleItem> {
    const row = await this.#change(call, input, async (tx, row) => {
      await store.setPause(tx, row, { by: call.caller.name, reason: input.reason }, row.next_at);
      await this.#tell(tx, call, row, workEvents.make('schedule.paused', { schedule: row.name, reason: input.reason }));
      return (await store.findSchedule(tx, row.tenant_id, row.name))!;
    });
    return this.#item(row);
  }

  /** What would have come meanwhile is left out: a pause is the operator's wish, not a fault to make good. */
  async resume(call: Call, address: Address): Promise<ScheduleItem> {
    const row = await this.#change(call, address, async (tx, row) => {
      if (row.paused_at === null) return row;
      const now = await store.readClock(tx);
      const next = row.next_at !== null && row.next_at > now ? row.next_at : nextTick(timingOf(row), now);
      await store.setPause(tx, row, undefined, next ?? null);
      await this.#tell(tx, call, row, workEvents.make('schedule.resumed', { schedule: row.name }));
      return (await store.findSchedule(tx, row.tenant_id, row.name))!;
    });
    return this.#item(row);
  }

  run(call: Call, address: Address): Promise<OutputOf<typeof runSchedule>> {
    return this.#change(call, address, async (tx, row) => {
      const [id] = await this.#addJobs(tx, call, row, [undefined]);
      return { schedule: row.name, job: wireId('job', id!) };
    });
  }

  /** Each tick of that time adds its job, unless one of the same tick waits or runs. Throws `work.too_many_ticks`. */
  backfill(call: Call, input: ParsedInput<typeof backfillSchedule>): Promise<OutputOf<typeof backfillSchedule>> {
    return this.#change(call, input, async (tx, row) => {
      const [since, until] = [new Date(input.since), new Date(input.until)];
      const found = nextTicks(timingOf(row), new Date(since.getTime() - 1), MOST_BACKFILLED + 1);
      const ticks = found.filter((tick) => tick <= until);
      if (ticks.length > MOST_BACKFILLED) throw workErrors.too_many_ticks({ most: MOST_BACKFILLED });
      const ids = input.dry_run ? [] : await this.#addJobs(tx, call, row, ticks);
      return {
        schedule: row.name,
        ticks: ticks.length,
        first: ticks[0]?.toISOString() ?? null,
        last: ticks.at(-1)?.toISOString() ?? null,
        jobs: ids.map((id) => wireId('job', id)),
      };
    });
  }

  async preview(call: Call, input: ParsedInput<typeof previewSchedule>): Promise<OutputOf<typeof previewSchedule>> {
    const from = input.after === undefined ? await call.read(store.readClock) : new Date(input.after);
    const timing = { cron: input.cron, everySeconds: null, onceAt: null, zone: input.zone, anchor: from };
    refuseTiming(timing, from);
    const local = new Intl.DateTimeFormat('sv-SE', {
      timeZone: input.zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const ticks = nextTicks(timing, from, input.count);
    return { ticks: ticks.map((tick) => ({ at: tick.toISOString(), local: local.format(tick) })) };
  }

  /** Acts on the schedules whose tick has come; answers whether there may be more. */
  async tick(call: Call): Promise<boolean> {
    return call.write(async (tx) => {
      const rows = await store.lockDue(tx, DUE_AT_ONCE);
      for (const row of rows) await this.#actOn(tx, call, row);
      return rows.length === DUE_AT_ONCE;
    });
  }

  async #actOn(tx: Tx, call: Call, row: store.ScheduleRow): Promise<void> {
    const { name: schedule } = row;
    const now = await store.readClock(tx);
    const { run, missed, more, next } = judgeTicks(timingOf(row), row.next_at!, now, row.catch_up);
    const events: NewEvent[] = [];
    if (missed !== undefined) {
      const { count, from, to } = missed;
      const span = { from: from.toISOString(), to: to.toISOString() };
      events.push(workEvents.make('schedule.missed', { schedule, count, more, ...span, run: run.length }));
    }
    const unended = await store.countUnended(tx, row);
    const overlaps = row.overlap === 'skip' ? unended.all > 0 : row.overlap === 'queue' && unended.waiting > 0;
    const ticks = overlaps ? [] : run;
    if (overlaps && run.length > 0) {
      events.push(workEvents.make('schedule.overlapped', { schedule, tick: run.at(-1)!.toISOString() }));
    }
    let lastJob: string | undefined;
    try {
      lastJob = (await this.#addJobs(tx, call, row, ticks)).at(-1);
    } catch (error) {
      // Its channel was removed, say: the schedule goes on, and tells so each time.
      if (!isAppError(error)) throw error;
      events.push(workEvents.make('schedule.failed', { schedule, code: error.code, error: error.message }));
    }
    await store.moveOn(tx, row, { next, lastTick: ticks.at(-1), lastJob });
    for (const event of events) await this.#tell(tx, call, row, event);
  }

  // One job per tick; without a tick it is asked for by hand. Answers the ids of those that were added.
  async #addJobs(tx: Tx, call: Call, row: store.ScheduleRow, ticks: readonly (Date | undefined)[]): Promise<string[]> {
    if (ticks.length === 0) return [];
    const jobs = ticks.map((tick) => {
      const job = jobOf(row.job);
      if (tick === undefined) return job;
      const run_at = new Date(tick.getTime() + Math.random() * row.jitter_seconds * 1_000).toISOString();
      return { ...job, unique_key: `schedule:${row.name}:${tick.toISOString()}`, run_at };
    });
    const { added } = await this.#options.adding.addIn(tx, call, row.tenant_id, jobs, { schedule: row.name });
    return [...added.keys()];
  }

  async #change<T>(call: Call, address: Address, change: (tx: Tx, row: store.ScheduleRow) => Promise<T>): Promise<T> {
    const tenantId = await this.#home(call, address.tenant);
    return call.write(async (tx) => {
      const row = await store.lockSchedule(tx, tenantId, address.schedule);
      if (row === undefined) throw workErrors.schedule_not_found({ schedule: address.schedule });
      return change(tx, row);
    });
  }

  #home(call: Call, tenant: string | undefined): Promise<string> {
    return this.#options.access.tenants.home(call, tenant, 'default');
  }

  async #tell(tx: Tx, call: Call, row: store.ScheduleRow, event: NewEvent): Promise<void> {
    const { log } = this.#options;
    await log.append(tx, call, [{ ...event, subject: `schedule:${row.name}`, tenantId: row.tenant_id }]);
  }

  async #item(row: store.ScheduleRow): Promise<ScheduleItem> {
    const slugs = await this.#options.tenants.slugs([row.tenant_id]);
    return {
      schedule: row.name,
      tenant: slugs.get(row.tenant_id) ?? FLEET_SLUG,
      cron: row.cron,
      every_seconds: row.every_seconds,
      at: row.once_at?.toISOString() ?? null,
      zone: row.zone,
      job: row.job,
      catch_up: row.catch_up,
      overlap: row.overlap,
      jitter_seconds: row.jitter_seconds,
      next_at: row.next_at?.toISOString() ?? null,
      last_tick: row.last_tick?.toISOString() ?? null,
      last_job: row.last_job === null ? null : wireId('job', row.last_job),
      paused:
        row.paused_at === null
          ? null
          : { since: row.paused_at.toISOString(), by: row.paused_by ?? '', reason: row.paused_reason },
      declared_by: row.declared_by,
      version: row.version,
    };
  }
}

function jobOf(job: ScheduledJob) {
  return { ...job, unique_key: undefined, run_at: undefined, on_duplicate: 'ignore' as const };
}

function timingOf(row: Pick<store.ScheduleRow, 'cron' | 'every_seconds' | 'once_at' | 'zone' | 'created_at'>): Timing {
  const { cron, every_seconds: everySeconds, once_at: onceAt, zone, created_at: anchor } = row;
  return { cron, everySeconds, onceAt, zone, anchor };
}

// Throws `invalid_input` unless exactly one of the three timings is given.
function settingsOf({ cron, every_seconds, at, ...rest }: Settings): store.ScheduleSettings {
  if ([cron, every_seconds, at].filter((timing) => timing !== undefined).length !== 1) {
    throw platformErrors.invalid_input({
      problem: 'give one of `cron`, `every_seconds` and `at`',
      errors: [{ field: 'cron', message: 'one of `cron`, `every_seconds` and `at`' }],
    });
  }
  const once_at = at === undefined ? null : new Date(at);
  return { ...rest, cron: cron ?? null, every_seconds: every_seconds ?? null, once_at };
}

function isSame(row: store.ScheduleRow, settings: store.ScheduleSettings): boolean {
  const now: Record<string, unknown> = { ...row };
  return Object.entries(settings).every(([key, value]) => isDeepStrictEqual(now[key], plain(value)));
}

// As the database gives it back.
function plain(value: unknown): unknown {
  return value instanceof Date || typeof value !== 'object' ? value : JSON.parse(JSON.stringify(value));
}

// Throws `work.zone_unknown`, `work.cron_invalid`, `work.cron_never_runs`, `work.cron_too_often`.
function refuseTiming(timing: Timing, now: Date): void {
  const found = findTimingProblem(timing, now);
  if (found !== undefined) throw workErrors[found.problem]({ because: found.because });
}

// Throws `work.schedule_declared`: the next start would undo it.
function refuseDeclared(row: store.ScheduleRow | undefined): void {
  if (row === undefined || row.declared_by === null) return;
  throw workErrors.schedule_declared({ schedule: row.name, file: row.declared_by });
}

function later(one: Date, other: Date): Date {
  return one > other ? one : other;
}

function readAfter(after: string): [string, string] {
  const [tenantId = '', name = ''] = after.split('/');
  if (/^[0-9a-f-]{36}$/.test(tenantId)) return [tenantId, name];
  throw platformErrors.invalid_input({
    problem: '`after` is not what an earlier answer gave',
    errors: [{ field: 'after', message: 'give next_cursor of the page before' }],
  });
}
