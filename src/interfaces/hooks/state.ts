// What the hooks of this account keep on this machine, outside of every repository: the program that they run, where each
// of them reports to, and what is not sent yet. Only the account itself may look into it.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where events go: an installation on this machine, whose address and token are looked up each time, or a server. */
export type Target = { readonly data: string } | { readonly url: string; readonly token: string };

export interface Connection {
  readonly url: string;
  readonly token: string;
}

/** One place that reports: a repository, or a settings file of Claude Code. */
export interface Install {
  readonly tool: 'git' | 'claude';
  /** The common directory of the repository, or the settings file. */
  readonly place: string;
  readonly target: Target;
  /** Where git looked for its hooks then. */
  readonly hooksDir?: string;
  /** Of a settings file: its text before, null when there was none, and the digest of what was written. */
  readonly before?: string | null;
  readonly after?: string;
}

export function stateDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env['XDG_STATE_HOME'];
  return join(base?.startsWith('/') ? base : join(homedir(), '.local', 'state'), 'quarterdeck', 'hooks');
}

export function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export function installKey(tool: Install['tool'], place: string): string {
  return digest(tool, place).slice(0, 16);
}

export function readInstall(state: string, key: string): Install | undefined {
  try {
    return JSON.parse(readFileSync(installFile(state, key), 'utf8')) as Install;
  } catch {
    return undefined;
  }
}

export function writeInstall(state: string, key: string, install: Install): void {
  privateDir(join(state, 'installs'));
  writePrivate(installFile(state, key), JSON.stringify(install));
}

export function removeInstall(state: string, key: string): void {
  rmSync(installFile(state, key), { force: true });
}

/** Every place on this machine that reports for this account. */
export function readInstalls(state: string): { readonly key: string; readonly install: Install }[] {
  return namesIn(join(state, 'installs')).flatMap((name) => {
    const key = name.replace(/\.json$/, '');
    const install = readInstall(state, key);
    return install === undefined ? [] : [{ key, install }];
  });
}

const FORGOTTEN_MS = 7 * 24 * 3600 * 1000;

/** Boxes of credentials from surroundings, of which nobody came back for a week: agents get new ones with every start. */
export function forgetOldBoxes(state: string, now = Date.now()): void {
  for (const name of namesIn(join(state, 'boxes')).filter((one) => one.startsWith('env-'))) {
    const box = join(state, 'boxes', name);
    const changed = statSync(box, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (now - changed > FORGOTTEN_MS) rmSync(box, { recursive: true, force: true });
  }
}

/** The credential in the surroundings of the tool, that of the agent that runs it, before the one that was installed. */
export function findTarget(
  state: string,
  key: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly box: string; readonly connect: () => Connection | undefined } | undefined {
  const { QUARTERDECK_URL: url, QUARTERDECK_TOKEN: token } = env;
  if (url && token) {
    // Its token is written nowhere: what it could not send waits for the next event of the same credential.
    return { box: `env-${digest(url, token).slice(0, 16)}`, connect: () => ({ url, token }) };
  }
  const install = readInstall(state, key);
  return install === undefined ? undefined : { box: key, connect: () => connectionOf(install.target) };
}

/** Undefined while the installation does not say where it is. */
export function connectionOf(target: Target): Connection | undefined {
  if ('url' in target) return target;
  try {
    const { url } = JSON.parse(readFileSync(join(target.data, 'run', 'api.json'), 'utf8')) as { url: string };
    return { url, token: readFileSync(join(target.data, 'operator.token'), 'utf8').trim() };
  } catch {
    return undefined;
  }
}

export function privateDir(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Whole or not at all, and for this account only. */
export function writePrivate(path: string, text: string, mode = 0o600): void {
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, text, { mode });
  renameSync(beside, path);
}

export function namesIn(dir: string): string[] {
  return statSync(dir, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(dir).sort();
}

function installFile(state: string, key: string): string {
  return join(state, 'installs', `${key}.json`);
}
