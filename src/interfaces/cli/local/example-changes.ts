// Adds and removes examples. The files are changed here; a running keeper is told to read them again, a stopped
// installation finds them so when it starts.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readConfig } from '../../../config.ts';
import { acquireDataLock, createDataDir } from '../../../platform/process/data-lock.ts';
import { exampleDir, MANIFEST, placedExamples } from '../../../roles/keeper/examples.ts';
import { REREAD, type Reread } from '../../../roles/keeper/keeper.ts';
import { findKeeper } from '../../../roles/keeper/survey.ts';
import { readRunFile } from '../../../roles/role-file.ts';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../local-operation.ts';
import { checkExample, placeExample } from './examples.ts';
import { findDataDir, type Place } from './place.ts';
import { refusalOf } from './refusals.ts';

type Given = Place & { readonly example: string };

// A host gives each process five seconds to leave.
const REREAD_LIMIT_MS = 20_000;
const LEAVE_LIMIT_MS = 20_000;
const LOOK_MS = 50;

export async function add({ example, ...place }: Given, output: Output): Promise<number> {
  try {
    const { config: file, data } = place;
    checkExample(readConfig({ flags: { data }, env: process.env, cwd: process.cwd(), file }), example);
  } catch (error) {
    throw refusalOf(error);
  }
  const located = await findDataDir(place);
  if (!located.exists) createDataDir(located.dataDir);
  const { dataDir } = await findDataDir(place);
  const wasHere = placedExamples(dataDir).includes(example);
  const reread = await change(dataDir, 'example add', () => placeExample(dataDir, example));
  if (reread !== undefined && reread.problem !== null) {
    if (!wasHere) rmSync(exampleDir(dataDir, example), { recursive: true, force: true });
    throw new CliFailure(reread.problem, exitCodes.failed);
  }
  const agents = stepsOf(reread, 'create');
  if (output.json) {
    output.out(
      JSON.stringify({ example, agents, left_out: reread?.leftOut ?? [], directory: exampleDir(dataDir, example) }),
    );
  } else if (reread === undefined) output.say(`${example} is here; its agents start with the next \`quarterdeck up\``);
  else {
    output.say(`added: ${agents.join(', ') || 'nothing that was not here'}`);
    for (const message of reread.leftOut) output.say(message);
  }
  return exitCodes.ok;
}

export async function remove({ example, ...place }: Given, output: Output): Promise<number> {
  const { dataDir } = await findDataDir(place);
  const directory = exampleDir(dataDir, example);
  // What an interrupted removal left is finished by the next.
  if (!existsSync(directory)) {
    const hint = 'Those that are here: `quarterdeck example list`.';
    throw new CliFailure(`the example ${example} is not here`, exitCodes.notFound, hint);
  }
  const reread = await change(dataDir, 'example remove', () => rmSync(join(directory, MANIFEST), { force: true }));
  if (reread !== undefined && reread.problem !== null) {
    const hint = 'Repeat it; otherwise its agents go with the next start.';
    throw new CliFailure(reread.problem, exitCodes.failed, hint);
  }
  const removed = (reread?.steps ?? []).filter(({ action }) => action === 'remove');
  // An agent that still ran would write into the directory again.
  const kept = await untilGone(removed.map(({ tenant, agent }) => join(dataDir, 'agents', tenant, agent)));
  rmSync(directory, { recursive: true, force: true });
  removeEmpty(dirname(directory));
  const left = [directory, ...kept].filter((path) => existsSync(path));
  say({ example, agents: stepsOf(reread, 'remove'), directory, left, isRunning: reread !== undefined }, output);
  return left.length === 0 ? exitCodes.ok : exitCodes.timedOut;
}

interface Removal {
  readonly example: string;
  readonly agents: readonly string[];
  readonly directory: string;
  readonly left: readonly string[];
  readonly isRunning: boolean;
}

function say({ example, agents, directory, left, isRunning }: Removal, output: Output): void {
  const stays = 'what happened stays in the log, which is append-only; its tenant stays with its jobs';
  if (output.json) {
    const pending = isRunning ? [] : ['agents'];
    output.out(JSON.stringify({ example, agents, directory, left, with_next_start: pending, stays }));
    return;
  }
  if (isRunning)
    output.say(`removed ${agents.length} agents with processes, tokens and consoles: ${agents.join(', ')}`);
  output.say(`removed ${directory}`);
  if (!isRunning) output.say('its agents, which do not run, go with the next `quarterdeck up`');
  else if (left.length === 0) output.say('checked: no agent, no process and no file of it is left');
  else output.say(`still there: ${left.join(', ')}`);
  output.say(stays);
}

/** Changes files and has a running keeper read them again; undefined when none runs, and none starts meanwhile. */
async function change(dataDir: string, command: string, act: () => void): Promise<Reread | undefined> {
  const keeper = findKeeper(dataDir);
  if (keeper !== undefined) {
    const askedAt = Date.now();
    act();
    process.kill(keeper.pid, 'SIGUSR2');
    return rereadSince(dataDir, askedAt);
  }
  try {
    const lock = acquireDataLock(dataDir, {
      pid: process.pid,
      started_at: new Date().toISOString(),
      command: `quarterdeck ${command}`,
    });
    try {
      act();
    } finally {
      lock.release();
    }
  } catch (error) {
    throw refusalOf(error);
  }
  return undefined;
}

async function rereadSince(dataDir: string, askedAt: number): Promise<Reread> {
  const deadline = performance.now() + REREAD_LIMIT_MS;
  for (;;) {
    const reread = readRunFile<Reread>(dataDir, REREAD);
    if (reread !== undefined && reread.began >= askedAt) return reread;
    if (performance.now() > deadline) {
      const hint = 'See `quarterdeck logs keeper`; otherwise it takes effect with the next start.';
      throw new CliFailure('the running Quarterdeck did not take it up', exitCodes.timedOut, hint);
    }
    await delay(LOOK_MS);
  }
}

/** Answers those that are still there after the limit. */
async function untilGone(paths: readonly string[]): Promise<string[]> {
  const deadline = performance.now() + LEAVE_LIMIT_MS;
  for (;;) {
    const left = paths.filter((path) => existsSync(path));
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(LOOK_MS);
  }
}

function stepsOf(reread: Reread | undefined, action: 'create' | 'remove'): string[] {
  return (reread?.steps ?? []).filter((step) => step.action === action).map(({ agent }) => agent);
}

function removeEmpty(directory: string): void {
  if (readdirSync(directory).length === 0) rmdirSync(directory);
}
