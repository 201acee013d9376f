// The floor: the same rows by the same driver into a bare table, one INSERT … unnest per turn, without HTTP, tenants,
// floors or ids.
import pg from 'pg';
import type { Installation } from './installation.ts';

export interface RawInsert {
  /** Joins whatever else is asked in the same turn into one INSERT. */
  append(rows: readonly number[]): Promise<void>;
  /** One row, one commit. */
  commitOne(n: number): Promise<void>;
  close(): Promise<void>;
}

export async function openRaw(installation: Installation): Promise<RawInsert> {
  const client = new pg.Client({ connectionString: installation.databaseUrl });
  await client.connect();
  await client.query(`CREATE TABLE public.bench_raw (
    seq bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), event_type text, source_agent text,
    subject text, payload jsonb)`);
  const text = 'x'.repeat(100);
  let waiting: { rows: readonly number[]; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let running = false;
  const insert = (rows: readonly number[]) =>
    client.query({
      name: 'raw',
      text: `INSERT INTO public.bench_raw (event_type, source_agent, subject, payload)
             SELECT 'bench.appended', 'raw', 'bench:1', p FROM unnest($1::jsonb[]) p RETURNING seq`,
      values: [rows.map((n) => JSON.stringify({ n, text }))],
    });
  const run = async () => {
    running = true;
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await insert(batch.flatMap(({ rows }) => rows));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  };
  return {
    append: (rows) =>
      new Promise((resolve, reject) => {
        waiting.push({ rows, resolve, reject });
        if (!running) void run();
      }),
    commitOne: async (n) => {
      await insert([n]);
    },
    close: async () => {
      await client.query('DROP TABLE public.bench_raw');
      await client.end();
    },
  };
}
