// What the database needs before the roles may use it: the newest schema, the search path for plain SQL, the first
// operator with a token, and the agents that the manifest declares.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type App, createApp } from '../../app.ts';
import { apiUrl } from '../../config/addresses.ts';
import type { Config } from '../../config.ts';
import { abilities } from '../../domains/access/index.ts';
import { hostIdOf } from '../../domains/fleet/index.ts';
import type { Caller } from '../../platform/call.ts';
import { migrate } from '../../platform/db/migrate.ts';
import { DatabaseUnsuitable } from '../../platform/db/roles.ts';
import { isAppError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { sayNoCopy } from './before-migrating.ts';
import { declareFleet } from './declare.ts';
import { ourMigrations } from './our-migrations.ts';

const SCHEMAS = 'log, access, work, relay, fleet, knowledge, projects, runs, sites, guardian, public';
const OPERATOR = 'admin';

/** The database cannot be reached or used. */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused';
  readonly code = 'database_refused';
}

/**
 * Brings the schema up to date; answers the migrations applied. `isOurs`: the server is the embedded one, of which a copy
 * was made. Throws DatabaseRefused, SchemaRefused.
 */
export async function prepareSchema(url: string, logger: Logger, isOurs = false): Promise<string[]> {
  const migrations = await ourMigrations();
  return orRefused(url, async () => {
    if (!isOurs) await sayNoCopy(url, logger);
    const applied = await migrate(url, migrations);
    await setSearchPath(url, logger);
    return applied;
  });
}

/** Does something with a database; one that is unsuitable or cannot be reached is told as DatabaseRefused. */
export async function orRefused<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseUnsuitable) throw new DatabaseRefused(error.message, { cause: error });
    const { code } = error as { code?: string };
    if (code === undefined || !UNREACHABLE.test(code)) throw error;
    const { host } = new URL(url);
    throw new DatabaseRefused(`the database at ${host} cannot be used: ${(error as Error).message || code}`, {
      cause: error,
    });
  }
}

// No such host, nobody listens, no answer; wrong password, no such database, starting up.
const UNREACHABLE = /^(E[A-Z_]+|28\d{3}|3D000|57P03)$/;

// So that an agent with plain SQL can write `INSERT INTO event_log …`. Only a convenience: whoever may not set it goes on.
async function setSearchPath(url: string, logger: Logger): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'quarterdeck up' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; path: string }>(
      `SELECT quote_ident(current_database()) AS name, current_setting('search_path') AS path`,
    );
    const { name, path } = rows[0]!;
    if (path === SCHEMAS) return;
    await client.query(`ALTER DATABASE ${name} SET search_path = ${SCHEMAS}`);
  } catch (error) {
    logger.warn({ err: error }, 'the search path could not be set: plain SQL has to name the schemas');
  } finally {
    await client.end();
  }
}

export interface Introduction {
  /** The operator's token, also in <data>/operator.token. */
  readonly token: string;
  /** A new one-time link for the operator. */
  signInUrl(): Promise<string>;
  end(): Promise<void>;
}

/** The rooms, for the keeper's own few acts; stop it when they are done. */
export function keepersApp(config: Config, databaseUrl: string, logger: Logger): App {
  return createApp({ databaseUrl, connections: 2, part: 'keeper', logger, publicUrl: () => apiUrl(config) });
}

/**
 * Makes sure of the operator and of what the manifests declare. `hasHost`: agents are started too, so those that had
 * crashed get a new try.
 */
export async function introduce(
  config: Config,
  { databaseUrl, hasHost }: { readonly databaseUrl: string; readonly hasHost: boolean },
  logger: Logger,
): Promise<Introduction> {
  const app = keepersApp(config, databaseUrl, logger);
  try {
    await app.log.reserveTypes();
    const operator = (await findOperator(config.dataDir, app)) ?? (await makeOperator(config.dataDir, app));
    await declareFleet(app, config);
    if (hasHost) await app.fleet.retryCrashed(app.systemCall(), hostIdOf(config.dataDir));
    return {
      token: operator.token,
      async signInUrl() {
        return (await app.access.sessions.makeLink(app.systemCall(), operator)).url;
      },
      end: () => app.stop(),
    };
  } catch (error) {
    await app.stop();
    throw error;
  }
}

interface Operator {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}

function tokenFile(dataDir: string): string {
  return join(dataDir, 'operator.token');
}

// The token of the last start, while it is good: scripts that hold it go on.
async function findOperator(dataDir: string, app: App): Promise<Operator | undefined> {
  const token = readToken(dataDir);
  if (token === undefined) return undefined;
  let caller: Caller;
  try {
    caller = await app.access.credentials.getCaller(token);
  } catch (error) {
    if (isAppError(error) && error.status === 401) return undefined;
    throw error;
  }
  if (caller.kind !== 'operator') return undefined;
  // A version that knows more abilities makes another token: whoever holds the old one goes on with what it could do.
  if (abilities.some((ability) => !caller.abilities.has(ability))) return undefined;
  return { id: caller.id, name: caller.name.slice('operator:'.length), token };
}

async function makeOperator(dataDir: string, app: App): Promise<Operator> {
  const operator = await app.access.bootstrapOperator(app.systemCall(), OPERATOR);
  const file = tokenFile(dataDir);
  writeFileSync(`${file}.new`, `${operator.token}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return operator;
}

function readToken(dataDir: string): string | undefined {
  try {
    return readFileSync(tokenFile(dataDir), 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
