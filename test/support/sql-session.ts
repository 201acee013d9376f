// A session of an agent that speaks plain SQL, as its connection string opens it.
import pg from 'pg';
import type { TestApp } from './app.ts';

export interface SqlSession {
  readonly role: string;
  readonly url: string;
  readonly client: pg.Client;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever comes back
  rows(text: string, values?: readonly unknown[]): Promise<any[]>;
  /** What a statement is refused with: SQLSTATE, message, detail; `accepted` when it is not. Nothing of it stays. */
  refusal(text: string, values?: readonly unknown[]): Promise<string>;
  end(): Promise<void>;
}

export async function openSqlSession(t: TestApp, agent: string, tenant?: string): Promise<SqlSession> {
  await t.agentToken(agent, tenant);
  const call = t.app.call(await t.operatorCaller());
  const { role, url } = await t.app.access.sqlRoles.create(call, `${agent}@${tenant ?? 'fleet'}`);
  return connectAs(role, url);
}

export async function connectAs(role: string, url: string): Promise<SqlSession> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return {
    role,
    url,
    client,
    rows: async (text, values = []) => (await client.query(text, [...values])).rows,
    async refusal(text, values = []) {
      await client.query('BEGIN');
      try {
        await client.query(text, [...values]);
        return 'accepted';
      } catch (error) {
        const { code, message, detail = '' } = error as { code?: string; message: string; detail?: string };
        return `${code} ${message} ${detail}`.trim();
      } finally {
        await client.query('ROLLBACK');
      }
    },
    end: () => client.end().catch(() => undefined),
  };
}
