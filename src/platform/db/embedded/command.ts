// Runs a short command to its end and gathers what it said. Not for the server itself, which outlives us.
import { spawn } from 'node:child_process';
import type { Account } from './account.ts';

export interface CommandOutcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Both streams, in the order they came. */
  output: string;
}

export interface CommandOptions {
  /** Runs under this account; as ourselves when left out. */
  account?: Account | undefined;
  env?: Record<string, string>;
  /** Handed on as file descriptor 3. */
  descriptor?: number;
}

/** Environment of everything that PostgreSQL's programs run in: none of ours, for it may hold secrets or PG* settings. */
export const PLAIN_ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

export async function runCommand(file: string, args: string[], options: CommandOptions = {}): Promise<CommandOutcome> {
  const { account, env, descriptor } = options;
  const child = spawn(file, args, {
    cwd: '/',
    env: { ...PLAIN_ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...(descriptor === undefined ? [] : [descriptor])],
    ...(account && { uid: account.uid, gid: account.gid }),
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  });
}
