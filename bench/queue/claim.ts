// One claim with a long backlog in front that may not run (paused, used-up and full channels) and a long history, beside
// the same claim with neither, and beside the plain ordered claim of most queues over the same rows.
import pg from 'pg';
import { Quarterdeck } from '../../sdk/src/index.ts';
import { quantile } from '../figures.ts';
import type { Installation } from '../installation.ts';
import type { Hands } from './quarterdeck.ts';

const QUEUE = 'bench';
const CHANNELS = 48;
const RUNNABLE = 1_000;
const MOST_PLAIN = 25;

export interface ClaimTimes {
  /** The function work.claim alone, by the server's clock. */
  readonly inDatabase: number;
  /** The claim of the service: pauses, claim, event, commit. */
  readonly whole: number;
  /** ORDER BY … FOR UPDATE SKIP LOCKED LIMIT 1 over all that waits, by the server's clock. */
  readonly plain: number;
}

export async function openClaim(installation: Installation, hands: Hands) {
  const operator = new Quarterdeck({ url: installation.url, token: installation.token });
  const admin = new pg.Client({ connectionString: installation.adminUrl });
  await admin.connect();
  const insertJobs = (channel: string | undefined, count: number, priority: number) =>
    admin.query(
      `WITH lane AS (
         SELECT l.* FROM work.lanes l LEFT JOIN work.channels c ON c.id = l.channel_id
         WHERE l.queue = $1 AND c.name IS NOT DISTINCT FROM $2)
       INSERT INTO work.jobs (id, tenant_id, lane_id, queue, kind, state, priority, payload, run_at, created_by,
         max_attempts, channel_id, channel)
       SELECT uuidv7(), lane.tenant_id, lane.id, $1, $1, 'queued', $4, '{}', clock_timestamp(), 'bench', 5,
         lane.channel_id, $2
       FROM lane, generate_series(1, $3)`,
      [QUEUE, channel, count, priority],
    );
  return {
    /** A third each of the channels is paused, used up for hours, and full. */
    async block(count: number): Promise<void> {
      for (let i = 0; i < CHANNELS; i++) {
        const channel = `bench-${i}`;
        // One job of each starts: it makes the lane, uses the window up, and fills what runs one at a time.
        await operator.channel.set({
          channel,
          ...(i % 3 === 1 ? { limits: [{ limit: 1, window_seconds: 86_400 }] } : {}),
        });
        if (i % 3 === 2) await operator.channel.set({ channel, concurrency: 1 });
        await operator.job.add({ kind: QUEUE, channel });
      }
      if ((await hands.claim(CHANNELS)).length !== CHANNELS) throw new Error('not every channel started its job');
      for (let i = 0; i < CHANNELS; i += 3) await operator.channel.pause({ channel: `bench-${i}` });
      for (let i = 0; i < CHANNELS; i++) await insertJobs(`bench-${i}`, Math.ceil(count / CHANNELS), 1);
      // A claim notes of a used-up window when it allows more: of all of them, before anything is timed.
      for (let i = 0; i < CHANNELS; i++) {
        if ((await hands.claim(1)).length !== 0) throw new Error('a blocked job was handed out');
      }
      await admin.query('VACUUM ANALYZE work.jobs');
    },
    async endMany(count: number): Promise<void> {
      await admin.query(
        `INSERT INTO work.ended_jobs (id, tenant_id, queue, kind, state, priority, payload, run_at, created_at,
           created_by, attempt, max_attempts, ended_at, version)
         SELECT uuidv7(), (SELECT tenant_id FROM work.lanes LIMIT 1), $1, $1, 'done', 100, '{}', now(), now(), 'bench',
           1, 5, now(), 3
         FROM generate_series(1, $2)`,
        [QUEUE, count],
      );
      await admin.query('VACUUM ANALYZE work.ended_jobs');
    },
    /** p50 of each, in ms. */
    async measure(samples: number): Promise<ClaimTimes> {
      await operator.job.add({ kind: QUEUE });
      await insertJobs(undefined, RUNNABLE, 100);
      await admin.query('ANALYZE work.jobs');
      const whole: number[] = [];
      for (let n = 0; n < samples; n++) {
        const begun = performance.now();
        const jobs = await hands.claim(1);
        whole.push(performance.now() - begun);
        if (jobs.length !== 1) throw new Error('a claim found nothing to run');
      }
      return {
        inDatabase: await timed(admin, samples, CLAIM),
        whole: quantile(whole, 0.5),
        plain: await timed(admin, Math.min(samples, MOST_PLAIN), PLAIN),
      };
    },
    async clear(): Promise<void> {
      await admin.query('DELETE FROM work.jobs');
      await admin.query('VACUUM work.jobs');
    },
    close: () => admin.end(),
  };
}

// As the server's own role, for which row policies hold, as for the workers of the fleet.
const CLAIM = `SELECT job.id FROM work.claim('{${QUEUE}}', 1, gen_random_uuid(), 'bench', 600,
  ARRAY[decode(repeat('00', 32), 'hex')]) job WHERE a.at IS NOT NULL`;
const PLAIN = `SELECT j.id FROM work.jobs j LEFT JOIN work.channels c ON c.id = j.channel_id
  WHERE a.at IS NOT NULL AND j.queue = '${QUEUE}' AND j.state = 'queued'
    AND (c.paused_at IS NULL OR c.paused_until <= clock_timestamp())
    AND (c.next_at IS NULL OR c.next_at <= clock_timestamp())
    AND (c.concurrency IS NULL OR c.concurrency > (
      SELECT count(*) FROM work.jobs r WHERE r.channel_id = c.id AND r.state = 'running'))
  ORDER BY j.urgent DESC, j.priority, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED`;

async function timed(admin: pg.Client, samples: number, claim: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < samples; n++) {
    await admin.query('BEGIN; SET LOCAL ROLE qd_system');
    // The clock is read before and after, because the claim needs the first reading.
    const { rows } = await admin.query(
      `SELECT 1000 * extract(epoch FROM clock_timestamp() - a.at)::float8 AS ms
       FROM (SELECT clock_timestamp() AS at OFFSET 0) a CROSS JOIN LATERAL (${claim}) job`,
    );
    await admin.query('COMMIT');
    if (rows.length !== 1) throw new Error('a claim in the database found nothing to run');
    times.push(rows[0].ms);
  }
  return quantile(times, 0.5);
}
