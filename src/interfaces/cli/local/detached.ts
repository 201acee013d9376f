// `up --detach`: the same command again as a process of its own, which reports to this one when it is ready.
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDataDir } from '../../../platform/process/data-lock.ts';
import { openLogFile } from '../../../platform/process/log-file.ts';
import type { Keeper } from '../../../roles/keeper/keeper.ts';
import { DETACHED_MARKER } from '../../../roles/keeper/keeper-logger.ts';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../local-operation.ts';
import { type Announcement, greet } from './announcement.ts';

interface Report {
  readonly facts: Announcement;
  readonly text: string;
}

/** Starts it apart from this terminal, waits until it is ready and prints what it would have printed. */
export async function startDetached(dataDir: string, output: Output): Promise<number> {
  createDataDir(dataDir);
  const file = join(dataDir, 'logs', 'keeper.log');
  const log = openLogFile(file);
  const logStart = fstatSync(log).size;
  const args = process.argv.slice(1).filter((word) => word !== '--detach');
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    env: { ...process.env, [DETACHED_MARKER]: '1' },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const reported = Promise.withResolvers<Report | undefined>();
  child.once('message', (message) => reported.resolve(message as Report));
  child.once('exit', () => reported.resolve(undefined));
  child.once('error', () => reported.resolve(undefined));
  const report = await reported.promise;
  if (report === undefined) {
    throw failureOf(child.exitCode, readFileSync(file).subarray(logStart).toString());
  }
  child.disconnect();
  child.unref();
  output.out(output.json ? JSON.stringify(report.facts) : report.text);
  return exitCodes.ok;
}

/** Tells the process that waits; false when this one was not started so. */
export function detachedReport(facts: Announcement, keeper: Keeper, ms: number): boolean {
  if (process.env[DETACHED_MARKER] === undefined || process.send === undefined) return false;
  const report: Report = { facts, text: greet(facts, keeper, ms) };
  // Whoever waited may be gone; the installation runs all the same.
  process.send(report, undefined, {}, () => undefined);
  return true;
}

function failureOf(exitCode: number | null, words: string): CliFailure {
  const lines = words.trim().split('\n');
  const problem = lines.map(parse).find((line) => typeof line?.['code'] === 'string');
  const shown = lines.filter((line) => parse(line) === undefined).join('\n');
  return new CliFailure(shown || 'it did not start', exitCode ?? exitCodes.failed, undefined, problem);
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
