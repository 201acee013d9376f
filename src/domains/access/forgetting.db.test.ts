import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestApp, type TestApp } from '../../../test/support/app.ts';

let t: TestApp;
let admin: pg.Client;
beforeAll(async () => {
  t = await openTestApp();
  admin = new pg.Client({ connectionString: t.database.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await admin?.end();
  await t?.close();
});

it('tokens of agents are removed 90 days after their end; valid ones and operators’ never', async () => {
  await t.operatorToken();
  for (const name of ['valid', 'revoked-lately', 'revoked-long-ago', 'expired-long-ago']) await t.agentToken(name);
  const end = (slug: string, column: string, ago: string) =>
    admin.query(
      `UPDATE access.tokens SET ${column} = now() - $2::interval WHERE agent_id = (SELECT id FROM access.agents WHERE slug = $1)`,
      [slug, ago],
    );
  await end('revoked-lately', 'revoked_at', '89 days');
  await end('revoked-long-ago', 'revoked_at', '91 days');
  await end('expired-long-ago', 'expires_at', '91 days');
  await admin.query(`UPDATE access.tokens SET revoked_at = now() - interval '91 days' WHERE kind = 'operator'`);
  await t.app.access.forgetOld();
  const { rows } = await admin.query(
    `SELECT coalesce(a.slug, k.kind) AS of FROM access.tokens k LEFT JOIN access.agents a ON a.id = k.agent_id ORDER BY 1`,
  );
  expect(rows.map((row) => row.of)).toEqual(['operator', 'revoked-lately', 'valid']);
});
