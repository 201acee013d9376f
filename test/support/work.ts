// A work room on a database of its own without the grace after a start, and short words for what its tests do all the time.
import { tenantDirectory } from '../../src/domains/access/index.ts';
import { Work } from '../../src/domains/work/index.ts';
import { operations } from '../../src/domains/work/operations.ts';
import type { Call, Caller } from '../../src/platform/call.ts';
import { fleetScope } from '../../src/platform/db/database.ts';
import { getUuid } from '../../src/platform/ids.ts';
import type { InputOf, OutputOf } from '../../src/platform/operation.ts';
import { openTestApp, type TestApp } from './app.ts';

export type Claimed = OutputOf<typeof operations.claimJobs>['jobs'][number];

export interface TestWork {
  readonly t: TestApp;
  readonly work: Work;
  /** A call by the operator of the fleet, or of one tenant. */
  operator(tenant?: string): Promise<Call>;
  /** A call by an agent of the fleet, or of one tenant. */
  agent(slug: string, tenant?: string): Promise<Call>;
  /** Adds jobs; answers their ids. */
  add(call: Call, input: InputOf<typeof operations.addJobs>): Promise<string[]>;
  claim(call: Call, input: InputOf<typeof operations.claimJobs>): Promise<Claimed[]>;
  complete(
    call: Call,
    ...jobs: InputOf<typeof operations.completeJobs>['jobs']
  ): Promise<OutputOf<typeof operations.completeJobs>>;
  renew(call: Call, ...jobs: { id: string; lease: string }[]): Promise<OutputOf<typeof operations.renewJobs>>;
  /** Lets the leases of these jobs run out, as if their time had passed. */
  expire(...jobs: string[]): Promise<void>;
  /** Makes scheduled jobs due, as if their time had come, and queues them. */
  makeDue(...jobs: string[]): Promise<void>;
  rescue(): Promise<void>;
  sql<R>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** Payloads of the events of this type, oldest first. */
  events(type: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function openTestWork(connections?: number): Promise<TestWork> {
  const t = await openTestApp(connections);
  const { app } = t;
  const tenants = tenantDirectory(app.db);
  const work = new Work({ ...app, tenants, graceSeconds: 0 });
  const callers = new Map<string, Promise<Caller>>();
  const agent = async (slug: string, tenant?: string) => {
    const key = `${slug}@${tenant}`;
    if (!callers.has(key)) callers.set(key, t.agentCaller(slug, tenant));
    return app.call(await callers.get(key)!);
  };
  const sql = <R>(text: string, values: readonly unknown[] = []) =>
    app.db.write(fleetScope, (tx) => tx.query<R>(text, values));
  const uuids = (jobs: readonly string[]) => jobs.map((job) => getUuid('job', job, 'job'));
  return {
    t,
    work,
    sql,
    operator: async (tenant) => app.call(await t.operatorCaller(tenant)),
    agent,
    async add(call, input) {
      const { jobs } = await work.add(call, operations.addJobs.input.parse(input));
      return jobs.map((job) => job.id);
    },
    async claim(call, input) {
      return (await work.claim(call, operations.claimJobs.input.parse(input))).jobs;
    },
    complete: (call, ...jobs) => work.complete(call, operations.completeJobs.input.parse({ jobs })),
    renew: (call, ...jobs) =>
      work.renew(call, operations.renewJobs.input.parse({ jobs: jobs.map(({ id, lease }) => ({ id, lease })) })),
    async expire(...jobs) {
      await sql(`UPDATE work.jobs SET lease_until = clock_timestamp() - interval '1 ms' WHERE id = ANY ($1)`, [
        uuids(jobs),
      ]);
    },
    async makeDue(...jobs) {
      await sql(`UPDATE work.jobs SET run_at = clock_timestamp() WHERE id = ANY ($1) AND state = 'scheduled'`, [
        uuids(jobs),
      ]);
      await work.queueDue(app.systemCall());
    },
    async rescue() {
      await work.rescue(app.systemCall());
    },
    async events(type) {
      const { items } = await app.log.list(app.systemCall(), { event_type: type, limit: 500, order: 'asc' });
      return items.map((item) => item.payload);
    },
    async close() {
      work.stop();
      await t.close();
    },
  };
}
