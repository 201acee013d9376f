// What a move would do, found out without changing anything: what is to be copied, and everything that the target has to be.
import { statfsSync } from 'node:fs';
import type pg from 'pg';
import { readTables } from '../../../platform/db/copy/catalog.ts';
import type { Migration } from '../../../platform/db/migrate.ts';
import { type Label, readLogIdentity } from './label.ts';
import { findOccupant, type Occupant } from './occupant.ts';
import { type MoveProblem, MoveRefused } from './refused.ts';

export interface Check {
  readonly check: 'server' | 'rights' | 'database' | 'contents' | 'room' | 'source';
  readonly ok: boolean;
  /** What was found, in a sentence. */
  readonly detail: string;
}

export interface MovePlan {
  readonly from: string;
  readonly to: string;
  readonly tables: readonly { readonly table: string; readonly bytes: number }[];
  readonly bytes: number;
  readonly checks: readonly Check[];
}

export interface Planned {
  readonly plan: MovePlan;
  /** The first reason against it. */
  readonly refusal: MoveRefused | undefined;
  /** Of the log that is to be moved. */
  readonly log: string;
}

export interface Inspected {
  readonly source: pg.ClientBase;
  /** Undefined for an embedded server that is yet to be made. */
  readonly target: pg.ClientBase | undefined;
  readonly from: string;
  readonly to: string;
  readonly migrations: readonly Migration[];
  readonly schemas: readonly string[];
  /** The data directory, when the target is the embedded server. */
  readonly disk?: string | undefined;
}

const OLDEST = 150_000;
/** Tables and indexes anew, and the log of writes beside them. */
const ROOM_FACTOR = 1.5;
const ROOM_BESIDE = 256 * 1024 * 1024;

type Finding = Check & { readonly problem?: MoveProblem; readonly hint?: string };

export async function planMove(inspected: Inspected): Promise<Planned> {
  const { source, target, from, to, schemas } = inspected;
  const tables = (await readTables(source, schemas)).filter(({ isLeaf }) => isLeaf);
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const log = (await readLogIdentity(source)) ?? '';
  const findings: Finding[] = [
    await checkSource(source, inspected.migrations),
    ...(target === undefined ? [] : await checkTarget(inspected, target, log)),
    ...(inspected.disk === undefined ? [] : [checkRoom(inspected.disk, bytes)]),
  ];
  const bad = findings.find(({ ok }) => !ok);
  return {
    plan: {
      from,
      to,
      tables: tables.map((table) => ({ table: table.name, bytes: table.bytes })),
      bytes,
      checks: findings.map(({ check, ok, detail }) => ({ check, ok, detail })),
    },
    refusal:
      bad &&
      new MoveRefused(
        bad.problem ?? 'target_unsuitable',
        `${bad.check === 'source' ? from : to}: ${bad.detail}`,
        bad.hint,
      ),
    log,
  };
}

async function checkTarget({ source, schemas }: Inspected, target: pg.ClientBase, log: string): Promise<Finding[]> {
  return [
    await checkServer(target),
    await checkDatabase(source, target),
    await checkRights(target),
    judgeContents(await findOccupant(target, schemas, log)),
  ];
}

async function checkSource(source: pg.ClientBase, migrations: readonly Migration[]): Promise<Finding> {
  const { rows } = await source.query<{ number: number; checksum: string }>(
    'SELECT number, checksum FROM platform.migrations ORDER BY number',
  );
  const key = (list: readonly { number: number; checksum: string }[]) =>
    list.map(({ number, checksum }) => `${number}:${checksum}`).join();
  const ok = key(rows) === key(migrations);
  const detail = ok ? 'its schema is the one of this program' : 'its schema is of another version of this program';
  const hint = 'Start this version once with `quarterdeck up`, then move.';
  return { check: 'source', ok, detail, problem: 'tables_differ', hint };
}

async function checkServer(target: pg.ClientBase): Promise<Finding> {
  const { rows } = await target.query<ServerFacts>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS readonly,
       pg_encoding_to_char(encoding) AS encoding
     FROM pg_database WHERE datname = current_database()`,
  );
  return judgeServer(rows[0]!);
}

export interface ServerFacts {
  /** `150018` */
  readonly number: number;
  readonly version: string;
  /** A stand-by, or told to refuse changes. */
  readonly readonly: boolean;
  readonly encoding: string;
}

export function judgeServer({ number, version, readonly, encoding }: ServerFacts): Finding {
  const against = [
    ...(number < OLDEST ? [`PostgreSQL ${version} is too old: 15 or newer is needed`] : []),
    ...(readonly ? ['it only reads: name the primary'] : []),
    ...(encoding === 'UTF8' ? [] : [`its encoding is ${encoding}: UTF8 is needed`]),
  ];
  if (against.length === 0)
    return { check: 'server', ok: true, detail: `PostgreSQL ${version}, ${encoding}, a primary` };
  return { check: 'server', ok: false, detail: against.join('; ') };
}

async function checkDatabase(source: pg.ClientBase, target: pg.ClientBase): Promise<Finding> {
  const identity = `SELECT c.system_identifier::text || '/' || d.oid AS id
    FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()`;
  const [one, other] = await Promise.all([source.query(identity), target.query(identity)]);
  const ok = one.rows[0].id !== other.rows[0].id;
  const detail = ok ? 'it is another database' : 'it is the very database that is in use';
  return { check: 'database', ok, detail, problem: 'same_database' };
}

async function checkRights(target: pg.ClientBase): Promise<Finding> {
  const { rows } = await target.query(
    `SELECT current_user::text AS name, has_database_privilege(current_database(), 'CREATE') AS creates,
       pg_has_role(d.datdba, 'MEMBER') AS owns, r.rolcreaterole OR r.rolsuper AS makes_roles,
       (SELECT count(*) FROM pg_roles q WHERE q.rolname IN ('qd_app', 'qd_system') AND pg_has_role(q.oid, 'MEMBER'))::int = 2
         AS has_roles
     FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`,
  );
  const { name, creates, owns, makes_roles, has_roles } = rows[0];
  const against = [
    ...(creates && owns ? [] : [`${name} does not own it (ALTER DATABASE … OWNER TO ${name})`]),
    ...(makes_roles || has_roles ? [] : [`${name} may neither make the roles qd_app and qd_system nor act as them`]),
  ];
  const detail = against.length === 0 ? `${name} owns it and can act as qd_app and qd_system` : against.join('; ');
  const hint = 'docs/guides/own-postgresql.md has the statements for an administrator.';
  return { check: 'rights', ok: against.length === 0, detail, hint };
}

function judgeContents(occupant: Occupant): Finding {
  const check = 'contents';
  const at = (label: Label) => label.at.slice(0, 19).replace('T', ' ');
  const elsewhere = 'Give it a database of its own: CREATE DATABASE … OWNER …';
  switch (occupant.kind) {
    case 'nobody':
      return { check, ok: true, detail: 'nothing of Quarterdeck is in it' };
    case 'formerly_ours': {
      const { state } = occupant.label;
      const what = state === 'left' ? 'what this installation left there' : 'an unfinished move of this installation';
      return { check, ok: true, detail: `${what} on ${at(occupant.label)} is replaced` };
    }
    case 'in_use': {
      const detail = 'a Quarterdeck lives in it';
      return { check, ok: false, detail, problem: 'target_in_use', hint: elsewhere };
    }
    case 'of_another': {
      const detail = `another installation's move of ${at(occupant.label)} uses it`;
      return { check, ok: false, detail, problem: 'target_in_use', hint: elsewhere };
    }
    case 'foreign': {
      const detail = `it has schemas that Quarterdeck needs and did not make: ${occupant.schemas.join(', ')}`;
      return { check, ok: false, detail, problem: 'target_not_empty', hint: elsewhere };
    }
  }
}

function checkRoom(disk: string, bytes: number): Finding {
  const { bavail, bsize } = statfsSync(disk);
  const free = bavail * bsize;
  const needed = Math.ceil(bytes * ROOM_FACTOR) + ROOM_BESIDE;
  const ok = free >= needed;
  const mib = (value: number) => `${Math.ceil(value / 1024 / 1024)} MiB`;
  const detail = `${mib(free)} are free on its disk, ${mib(needed)} are needed`;
  return { check: 'room', ok, detail, problem: 'no_room', hint: 'Free some space, or move the data directory.' };
}
