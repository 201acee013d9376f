// A database of a peer on the server of the installation, so that all share its settings. Its owner is no superuser, as ours.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Installation } from '../installation.ts';

export interface PeerDatabase {
  readonly name: string;
  readonly url: string;
}

export async function createPeerDatabase(installation: Installation, name: string): Promise<PeerDatabase> {
  const password = randomBytes(12).toString('hex');
  const admin = new pg.Client({ connectionString: installation.adminUrl });
  await admin.connect();
  try {
    await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
    // The product keeps most connections for its own role, of which a peer here has as much right.
    await admin.query(`GRANT pg_use_reserved_connections TO ${name}`);
    await admin.query(`CREATE DATABASE ${name} OWNER ${name}`);
  } finally {
    await admin.end();
  }
  const url = new URL(installation.adminUrl);
  url.username = name;
  url.password = password;
  url.pathname = `/${name}`;
  return { name, url: url.href };
}
