// What `up` says when everything answers: one line of JSON, or a few for people. Only what is true of this start.
import { homedir } from 'node:os';
import { version } from '../../../platform/version.ts';
import type { Keeper } from '../../../roles/keeper/keeper.ts';
import { DETACHED_MARKER } from '../../../roles/keeper/keeper-logger.ts';

/** The line that `up --json` prints; what does not exist is null. */
export interface Announcement {
  readonly ready: true;
  readonly url: string | null;
  readonly sign_in_url: string | null;
  readonly token: string;
  readonly relay_url: string | null;
  readonly edge_url: string | null;
  readonly data_dir: string;
  readonly pid: number;
}

export function announcement(keeper: Keeper): Announcement {
  return {
    ready: true,
    url: keeper.url ?? null,
    sign_in_url: keeper.signInUrl ?? null,
    token: keeper.token,
    relay_url: null,
    edge_url: null,
    data_dir: keeper.dataDir,
    pid: process.pid,
  };
}

type Greeted = Pick<Keeper, 'database' | 'migrations' | 'roles'>;

export function greet(facts: Announcement, { database, migrations, roles }: Greeted, ms: number): string {
  const place =
    database.kind === 'embedded'
      ? `embedded (PostgreSQL ${database.major}, 127.0.0.1:${database.port})`
      : `at ${database.host}`;
  const schema = migrations.length === 0 ? 'schema up to date' : `schema brought up to date (${migrations.length})`;
  const lines = [
    `Quarterdeck ${version}   data ${shortPath(facts.data_dir)}   database ${place}`,
    `${[schema, ...roles].map((part) => `[ok] ${part}`).join('   ')}   (${(ms / 1000).toFixed(1)} s)`,
  ];
  if (facts.sign_in_url !== null) lines.push(`Open    ${facts.sign_in_url}   (one-time link, 10 min)`);
  const stop = process.env[DETACHED_MARKER] === undefined ? 'Ctrl C' : 'qd down';
  lines.push(`Status  qd status     Agents  qd agent add --help     Stop  ${stop}`);
  return lines.map((line) => `  ${line}`).join('\n');
}

function shortPath(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
