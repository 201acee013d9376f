// Connections for a move: one statement after the other, no limits of the pool's, ended in any case.
import pg from 'pg';

const CONNECT_LIMIT_MS = 10_000;

export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'quarterdeck move',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  });
  // A lost connection fails the statement that is under way; nobody else has to hear of it.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Also one in the middle of a statement. */
export async function disconnect(client: pg.Client | undefined): Promise<void> {
  await client?.end().catch(() => undefined);
}
