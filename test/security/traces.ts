// Where a secret could have been left behind, and the forms in which it could stand there.
import pg from 'pg';
import { ownSchemas } from './footprint.ts';

export interface Secret {
  readonly name: string;
  readonly text: string;
}

/** Forms under which the secret part of a token could be found again, whatever stands around it. */
function formsOf(text: string): string[] {
  // Without kind and checksum: 30 random characters or more are the secret.
  const secret = /^qd_[a-z]+_([0-9A-Za-z]{30,52})_/.exec(text)?.[1] ?? text;
  const bytes = Buffer.from(secret);
  // Base64 of three alignments; the characters at the ends depend on the neighbours.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4)
      .replace(/=+$/, ''),
  );
  return [
    secret,
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    [...bytes].map((byte) => `%${byte.toString(16)}`).join(''),
    [...secret].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join(''),
  ];
}

/** Names of the secrets that stand in a text. */
export function secretsIn(text: string, secrets: readonly Secret[]): string[] {
  const lower = text.toLowerCase();
  return secrets
    .filter((secret) => formsOf(secret.text).some((form) => text.includes(form) || lower.includes(form.toLowerCase())))
    .map(({ name }) => name);
}

/** `table: secret` for every secret that stands in any column of any table of the database. */
export async function secretsInTables(adminUrl: string, secrets: readonly Secret[]): Promise<string[]> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const { rows: tables } = await admin.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${ownSchemas}`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const { rows } = await admin.query(`SELECT * FROM ${name}`);
      const text = rows.flatMap((row) => Object.values(row as object).map(textOf)).join('\n');
      found.push(...secretsIn(text, secrets).map((secret) => `${name}: ${secret}`));
    }
    return found;
  } finally {
    await admin.end();
  }
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value)
    ? `${value.toString('latin1')} ${value.toString('hex')}`
    : (JSON.stringify(value) ?? '');
}
