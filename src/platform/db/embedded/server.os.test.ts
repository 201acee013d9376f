import { readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeDataDir, query, rootOrCi } from '../../../../test/support/embedded-data-dir.ts';
import { listenerPort } from '../../../../test/support/listener.ts';
import { EmbeddedFailure } from './failure.ts';
import { type EmbeddedServer, startEmbedded } from './server.ts';

const log = () => {};

describe('a server that only answers', () => {
  let dataDir: string;
  let server: EmbeddedServer;

  beforeAll(async () => {
    dataDir = makeDataDir('file');
    server = await startEmbedded({ dataDir, log });
  });

  test('the owner is no superuser, and makes roles that it can take on itself', async () => {
    expect(
      await query(
        server.url,
        `SELECT rolsuper, rolbypassrls, rolcreaterole, (SELECT datdba::regrole::text FROM pg_database WHERE datname = 'quarterdeck') AS owner
           FROM pg_roles WHERE rolname = current_user`,
      ),
    ).toEqual([{ rolsuper: false, rolbypassrls: false, rolcreaterole: true, owner: 'quarterdeck' }]);
    // PostgreSQL 16 and newer give the maker of a role only the right to administer it: it has to grant itself the rest.
    const rows = await query(
      server.url,
      'CREATE ROLE qd_app NOLOGIN NOINHERIT NOBYPASSRLS',
      'CREATE ROLE qd_system NOLOGIN NOINHERIT NOBYPASSRLS',
      'GRANT qd_app, qd_system TO quarterdeck WITH SET TRUE, INHERIT FALSE',
      'CREATE SCHEMA work CREATE TABLE jobs (id int)',
      'GRANT USAGE ON SCHEMA work TO qd_app',
      'GRANT SELECT ON work.jobs TO qd_app',
      'BEGIN',
      `SELECT set_config('role', 'qd_app', true)`,
      'SELECT current_user::text, (SELECT count(*)::int FROM work.jobs) AS jobs',
    );
    expect(rows).toEqual([{ current_user: 'qd_app', jobs: 0 }]);
    await expect(query(server.url, 'SET ROLE qd_system', 'SELECT * FROM work.jobs')).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('the settings of a small server that loses nothing are in force', async () => {
    const names = [
      ...[
        'data_checksums',
        'fsync',
        'synchronous_commit',
        'wal_compression',
        'shared_buffers',
        'max_connections',
        'reserved_connections',
        'jit',
      ],
      ...['huge_pages', 'io_method', 'max_parallel_workers_per_gather', 'idle_in_transaction_session_timeout'],
      ...['TimeZone', 'listen_addresses', 'dynamic_shared_memory_type', 'password_encryption', 'server_encoding'],
    ];
    const rows = await query(
      server.url,

      `SELECT name, current_setting(name) AS value FROM pg_settings WHERE name IN ('${names.join("','")}')`,
    );
    expect(Object.fromEntries(rows.map((row) => [row['name'], row['value']]))).toEqual({
      TimeZone: 'UTC',
      data_checksums: 'on',
      dynamic_shared_memory_type: 'mmap',
      fsync: 'on',
      huge_pages: 'off',
      idle_in_transaction_session_timeout: '1min',
      io_method: 'sync',
      jit: 'off',
      listen_addresses: '127.0.0.1',
      max_connections: '60',
      max_parallel_workers_per_gather: '0',
      password_encryption: 'scram-sha-256',
      reserved_connections: '30',
      server_encoding: 'UTF8',
      shared_buffers: '64MB',
      synchronous_commit: 'on',
      wal_compression: 'pglz',
    });
  });

  test('strangers who take every connection they may leave the owner enough', async () => {
    await query(server.adminUrl, `CREATE ROLE stranger LOGIN PASSWORD 'x'`);
    const url = new URL(server.url);
    url.username = 'stranger';
    url.password = 'x';
    const strangers: Client[] = [];
    try {
      let refusal: { code?: string } | undefined;
      while (refusal === undefined && strangers.length < 60) {
        const client = new Client({ connectionString: url.href });
        refusal = await client.connect().then(
          () => void strangers.push(client),
          (error: { code?: string }) => error,
        );
      }
      expect(refusal).toMatchObject({ code: '53300' });
      expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await Promise.all(strangers.map((client) => client.end()));
      await query(server.adminUrl, 'DROP ROLE stranger');
    }
  });

  test('nobody gets in without a password, by loopback or by the socket', async () => {
    await expect(query(`postgres://postgres:wrong@127.0.0.1:${server.port}/postgres`)).rejects.toMatchObject({
      code: '28P01',
    });
    const socket = `postgres://postgres:wrong@/postgres?host=${encodeURIComponent(server.sockets!)}&port=${server.port}`;
    await expect(query(socket)).rejects.toMatchObject({ code: '28P01' });
  });

  test('the owner gets in by the socket', async () => {
    const { password } = new URL(server.url);
    const socket = `postgres://quarterdeck:${password}@/quarterdeck?host=${encodeURIComponent(server.sockets!)}&port=${server.port}`;
    expect(await query(socket, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('passwords are in files for their owner alone and nowhere else, the log included', async () => {
    const secrets = readdirSync(join(dataDir, 'secrets'));
    expect(secrets.sort()).toEqual(['postgres.owner', 'postgres.superuser']);
    const words = readFileSync(join(dataDir, 'logs', 'postgres.log'), 'utf8');
    for (const name of secrets) {
      const file = join(dataDir, 'secrets', name);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(words).not.toContain(readFileSync(file, 'utf8').trim());
    }
    for (const name of ['secrets', 'logs', 'postgres']) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dataDir).filter((name) => name.includes('.init.'))).toEqual([]);
  });

  test('a failing statement leaves neither its text nor its values in the log', async () => {
    const twice = `INSERT INTO mails VALUES ('canary@example.test')`;
    await expect(query(server.url, 'CREATE TABLE mails (mail text PRIMARY KEY)', twice, twice)).rejects.toMatchObject({
      code: '23505',
    });
    const words = readFileSync(join(dataDir, 'logs', 'postgres.log'), 'utf8');
    expect(words).toContain('duplicate key');
    expect(words).not.toContain('canary');
  });

  test.runIf(rootOrCi)('a server started by root does not run as root (needs root)', async () => {
    expect(statSync(`/proc/${server.pid}`).uid).not.toBe(0);
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(statSync(`/proc/${server.pid}`).uid);
  });
});

test('a new directory gets a server with our owner and database, and a second start the same server', async () => {
  const dataDir = makeDataDir();
  const first = await startEmbedded({ dataDir, log });
  expect(first).toMatchObject({ major: 18, adopted: false });
  await query(first.url, 'CREATE TABLE kept (id int)', 'INSERT INTO kept VALUES (1)');
  await first.stop();
  await expect(first.exited).resolves.toBeDefined();

  const second = await startEmbedded({ dataDir, log });
  // Clients that reconnect look for it there.
  expect(second).toMatchObject({ port: first.port, url: first.url, adopted: false });
  expect(await query(second.url, 'SELECT id FROM kept')).toEqual([{ id: 1 }]);
  await second.stop();
});

test.each([
  [
    'role',
    ['DROP DATABASE quarterdeck', 'REVOKE pg_monitor, pg_signal_backend FROM quarterdeck', 'DROP ROLE quarterdeck'],
  ],
  ['database', ['DROP DATABASE quarterdeck']],
  ['grants', ['REVOKE pg_use_reserved_connections, pg_signal_backend FROM quarterdeck']],
])('a first start killed before the %s was made is completed by the next', async (_what, undo) => {
  const dataDir = makeDataDir();
  const first = await startEmbedded({ dataDir, log });
  await query(first.adminUrl, ...undo);
  await first.stop();
  const second = await startEmbedded({ dataDir, log });
  expect(
    await query(second.url, `SELECT current_user::text, pg_has_role('pg_signal_backend', 'member') AS may_end`),
  ).toEqual([{ current_user: 'quarterdeck', may_end: true }]);
  await second.stop();
});

test('a lost password of the owner is replaced, a lost password of the superuser is said', async () => {
  const dataDir = makeDataDir();
  const first = await startEmbedded({ dataDir, log });
  await first.stop();
  writeFileSync(join(dataDir, 'secrets', 'postgres.owner'), '');
  const second = await startEmbedded({ dataDir, log });
  expect(second.url).not.toBe(first.url);
  expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await second.stop();
  unlinkSync(join(dataDir, 'secrets', 'postgres.superuser'));
  await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({ code: 'secret_missing' });
});

test('a taken port makes it choose another, unless that port was demanded', async () => {
  const dataDir = makeDataDir();
  const first = await startEmbedded({ dataDir, log });
  await first.stop();
  const squatter = createServer();
  try {
    await listenerPort(squatter, first.port);
    await expect(startEmbedded({ dataDir, log, port: first.port })).rejects.toMatchObject({
      code: 'port_taken',
      retryable: true,
    });
    const second = await startEmbedded({ dataDir, log });
    expect(second.port).not.toBe(first.port);
    await second.stop();
    const third = await startEmbedded({ dataDir, log });
    expect(third.port).toBe(second.port);
    await third.stop();
  } finally {
    squatter.close();
  }
});

test('a directory of another major version is refused and left as it is', async () => {
  const dataDir = makeDataDir();
  const server = await startEmbedded({ dataDir, log });
  await server.stop();
  const file = join(dataDir, 'postgres', 'PG_VERSION');
  writeFileSync(file, '17\n');
  const refusal = await startEmbedded({ dataDir, log }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(EmbeddedFailure);
  expect(refusal).toMatchObject({
    code: 'wrong_major',
    retryable: false,
    message: expect.stringMatching(/PostgreSQL 17.*PostgreSQL 18/),
  });
  writeFileSync(file, '18\n');
  await (await startEmbedded({ dataDir, log })).stop();
});

test('a directory with files but without a database is not touched', async () => {
  const dataDir = makeDataDir();
  const server = await startEmbedded({ dataDir, log });
  await server.stop();
  rmSync(join(dataDir, 'postgres', 'PG_VERSION'));
  await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({
    message: expect.stringContaining('PG_VERSION'),
  });
  expect(readdirSync(join(dataDir, 'postgres'))).toContain('base');
});
