// Under which account of the operating system the server runs. PostgreSQL refuses root, so as root one is found or made:
// postgres, else quarterdeck, else a bare number.
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { runCommand } from './command.ts';
import { EmbeddedFailure } from './failure.ts';
import { ensureDirectory, type Layout } from './layout.ts';

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** The accounts of a server started by root. Only initdb needs an entry in passwd, the server runs under any number. */
export interface DatabaseAccount {
  run: Account;
  init: Account;
}

export interface AccountSource {
  /** Text of /etc/passwd. */
  passwd: () => string;
  /** Creates a system account; false when that is not possible. */
  create: (name: string) => Promise<boolean>;
}

const OWN_ACCOUNT = 'quarterdeck';
// Above what distributions hand out to people and services, below nobody (65534), and not in a usual subuid range.
const BARE_NUMBER = 64_670;

const systemAccounts: AccountSource = {
  passwd: () => readFileSync('/etc/passwd', 'utf8'),
  create: createByUseradd,
};

/**
 * The accounts to use, or undefined when we are not root and the server runs as ourselves. An existing cluster keeps the
 * account that owns it.
 */
export async function chooseAccount(
  cluster: string,
  source: AccountSource = systemAccounts,
): Promise<DatabaseAccount | undefined> {
  const owner = statSync(cluster, { throwIfNoEntry: false });
  const ourselves = process.getuid?.();
  if (ourselves !== 0) {
    if (owner && ourselves !== undefined && owner.uid !== ourselves) throw foreignOwner(cluster, owner.uid);
    return undefined;
  }
  if (owner) {
    if (owner.uid === 0) throw foreignOwner(cluster, 0);
    const account = { name: nameOf(source, owner.uid), uid: owner.uid, gid: owner.gid };
    return { run: account, init: account };
  }
  return findOrCreate(source);
}

/** The choice for a new cluster started by root. */
export async function findOrCreate(source: AccountSource): Promise<DatabaseAccount> {
  const present = () => readAccounts(source.passwd());
  const named = (name: string) => present().find((account) => account.name === name && account.uid !== 0);
  const same = (account: Account) => ({ run: account, init: account });

  const existing = named('postgres') ?? named(OWN_ACCOUNT);
  if (existing) return same(existing);
  if (await source.create(OWN_ACCOUNT)) {
    const created = named(OWN_ACCOUNT);
    if (created) return same(created);
  }
  const init = present().find((account) => account.uid !== 0);
  if (!init) {
    throw new EmbeddedFailure('no_account', 'this machine has no account besides root, and none could be made', {
      hint: 'Add one with: useradd --system quarterdeck. Or set DATABASE_URL to use a server of your own.',
    });
  }
  const taken = new Set(present().map((account) => account.uid));
  let number = BARE_NUMBER;
  while (taken.has(number)) number += 1;
  return { run: { name: String(number), uid: number, gid: number }, init };
}

/**
 * Makes sure that the account can reach the data directory: opens the data directory itself for passing (0711), and
 * says which directory above is closed, for those are not ours to open.
 */
export async function openTheWay(layout: Layout, account: DatabaseAccount): Promise<void> {
  if (!(await mayEnter(layout.root, account.run))) {
    if (await mayEnter(dirname(layout.root), account.run)) {
      ensureDirectory(layout.root, (statSync(layout.root).mode & 0o777) | 0o011);
    }
  }
  for (const one of new Set([account.run, account.init])) {
    if (await mayEnter(layout.root, one)) continue;
    const closed = await firstClosed(layout.root, one);
    throw new EmbeddedFailure('data_dir_unreachable', `the database's account ${one.name} cannot enter ${closed}`, {
      hint: `Choose a data directory outside it with --data (as root: /var/lib/quarterdeck), or: chmod o+x ${closed}`,
    });
  }
}

async function firstClosed(path: string, account: Account): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await mayEnter(parent, account)) ? path : firstClosed(parent, account);
}

// Asked of the kernel under the account itself, because modes alone do not tell (access lists, mounts).
async function mayEnter(path: string, account: Account): Promise<boolean> {
  const { code } = await runCommand('/bin/sh', ['-c', 'test -x "$0"', path], { account });
  return code === 0;
}

function readAccounts(passwd: string): Account[] {
  return passwd
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 7)
    .map((fields) => ({ name: fields[0] ?? '', uid: Number(fields[2]), gid: Number(fields[3]) }))
    .filter((account) => Number.isInteger(account.uid) && Number.isInteger(account.gid));
}

function nameOf(source: AccountSource, uid: number): string {
  return readAccounts(source.passwd()).find((account) => account.uid === uid)?.name ?? String(uid);
}

async function createByUseradd(name: string): Promise<boolean> {
  try {
    const args = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
    const { code } = await runCommand('useradd', [...args, '--shell', '/usr/sbin/nologin', name]);
    return code === 0;
  } catch {
    // No useradd on this machine (a small image): a bare number serves as well.
    return false;
  }
}

function foreignOwner(cluster: string, uid: number): EmbeddedFailure {
  const reason = uid === 0 ? 'root, under whom PostgreSQL does not run' : `the account ${uid}, and we are another`;
  return new EmbeddedFailure('foreign_owner', `the database in ${cluster} belongs to ${reason}`, {
    hint: 'Run as that account or as root, or give the directory to the right account with chown -R.',
  });
}
