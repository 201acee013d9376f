import { Client } from 'pg';
import { expect, inject, test } from 'vitest';

test('the server of the run lets its superuser make databases and roles', async () => {
  const { host, port, superuser } = inject('pg');
  const client = new Client({ connectionString: `postgres://${superuser}@${host}:${port}/postgres` });
  await client.connect();
  try {
    const { rows } = await client.query(
      'SELECT (rolcreatedb AND rolcreaterole) OR rolsuper AS may FROM pg_roles WHERE rolname = current_user',
    );
    expect(rows).toEqual([{ may: true }]);
  } finally {
    await client.end();
  }
});
