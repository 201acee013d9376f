// Carries `database move` out: through the keeper when the installation runs, in this process when nothing does.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { readConfig } from '../../../config.ts';
import { createLogger } from '../../../platform/logger.ts';
import { isSameProcess } from '../../../platform/process/facts.ts';
import type { KeeperFacts } from '../../../roles/keeper/keeper.ts';
import { problemOf } from '../../../roles/keeper/move/keeper-move.ts';
import type { MoveRequest } from '../../../roles/keeper/move/move.ts';
import type { MovePlan } from '../../../roles/keeper/move/plan.ts';
import { type MoveOutcome, type MoveReport, type Progress, readReport } from '../../../roles/keeper/move/progress.ts';
import { MoveRefused } from '../../../roles/keeper/move/refused.ts';
import { placeRequest, withdrawRequest } from '../../../roles/keeper/move/request.ts';
import { moveStopped } from '../../../roles/keeper/move/stopped-move.ts';
import { findKeeper } from '../../../roles/keeper/survey.ts';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../local-operation.ts';
import { table } from '../show.ts';
import type { MoveInput } from './database-move.ts';
import { readTarget } from './database-target.ts';
import { findDataDir } from './place.ts';
import { refusalOf } from './refusals.ts';

const TAKE_UP_LIMIT_MS = 20_000;
const LOOK_MS = 100;

export async function move(input: MoveInput, output: Output): Promise<number> {
  const to = await readTarget(input, output);
  const { dataDir, exists } = await findDataDir(input);
  if (!exists) {
    throw new CliFailure(`there is no installation in ${dataDir}`, exitCodes.notFound, 'Name it with --data.');
  }
  const request: MoveRequest = { id: randomUUID(), to, dryRun: input.dry_run };
  try {
    const keeper = findKeeper(dataDir);
    const outcome =
      keeper === undefined ? await moveHere(request, input, output) : await moveThere(request, keeper, dataDir, output);
    if (outcome !== undefined) sayOutcome(outcome, keeper !== undefined, output);
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof MoveRefused) throw failureOf(problemOf(error));
    throw refusalOf(error);
  }
}

/** Undefined for a dry run; its plan has been said. */
async function moveHere(request: MoveRequest, input: MoveInput, output: Output): Promise<MoveOutcome | undefined> {
  const config = readConfig({ flags: { data: input.data }, env: process.env, cwd: process.cwd(), file: input.config });
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => abort.abort(new Error(`called off by ${signal}`)));
  }
  const say = sayer(output);
  return moveStopped({
    config,
    request,
    logger: createLogger('move', 'error'),
    events: { tell: say, planned: (plan) => sayPlan(plan, request.dryRun, output), signal: abort.signal },
  });
}

async function moveThere(
  request: MoveRequest,
  keeper: KeeperFacts,
  dataDir: string,
  output: Output,
): Promise<MoveOutcome | undefined> {
  refuseWhileMoving(dataDir, request.id);
  placeRequest(dataDir, request);
  process.kill(keeper.pid, 'SIGUSR2');
  const say = sayer(output);
  const deadline = performance.now() + TAKE_UP_LIMIT_MS;
  let isPlanSaid = false;
  for (;;) {
    const report = readReport(dataDir);
    const isAlive = isSameProcess(keeper.pid, keeper.start_time);
    if (report?.id !== request.id) {
      if (isAlive) refuseWhileMoving(dataDir, request.id);
      if (!isAlive || performance.now() > deadline) {
        withdrawRequest(dataDir);
        throw new MoveRefused('move_failed', 'the running Quarterdeck did not take it up: nothing was moved');
      }
    } else {
      if (report.plan !== null && !isPlanSaid) {
        isPlanSaid = true;
        sayPlan(report.plan, request.dryRun, output);
      }
      if (report.state === 'planned') return undefined;
      if (report.state === 'done') return report.outcome ?? undefined;
      if (report.problem !== null) throw failureOf(report.problem);
      if (!isAlive) throw interrupted(report.progress);
      say(report.progress);
    }
    await delay(LOOK_MS);
  }
}

function refuseWhileMoving(dataDir: string, id: string): void {
  const other = readReport(dataDir);
  const isUnderWay = other?.state === 'running' && other.id !== id && findKeeper(dataDir)?.pid === other.pid;
  if (!isUnderWay) return;
  withdrawRequest(dataDir);
  throw new MoveRefused('move_under_way', `a move is under way (${other.progress.phase})`, 'Wait for its end.');
}

function interrupted({ phase }: MoveReport['progress']): MoveRefused {
  return new MoveRefused(
    'move_interrupted',
    `Quarterdeck ended in the middle of the move (${phase})`,
    'Start it with `quarterdeck up`: it says where it lives. If it is the old database, move again.',
  );
}

function failureOf({ code, message, hint }: NonNullable<MoveReport['problem']>): CliFailure {
  const exitCode = code === 'move_under_way' || code === 'target_in_use' ? exitCodes.conflict : exitCodes.failed;
  const problem = { code, detail: message, ...(hint === null ? {} : { hint }) };
  return new CliFailure(message, exitCode, hint ?? undefined, problem);
}

/** A line for each phase, and for each table that takes a while. */
function sayer(output: Output): (progress: Progress) => void {
  let last = '';
  return ({ phase, table: name, done, of }) => {
    const line = name === undefined ? phase : `${phase} ${name} (${(done ?? 0) + 1} of ${of})`;
    if (line === last) return;
    last = line;
    if (!output.json) output.say(`  ${line}`);
  };
}

function sayPlan(plan: MovePlan, isAll: boolean, output: Output): void {
  const isPossible = plan.checks.every(({ ok }) => ok);
  if (output.json) {
    if (isAll) output.out(JSON.stringify({ dry_run: true, possible: isPossible, ...plan }));
    return;
  }
  output.say(`from ${plan.from} to ${plan.to}: ${plan.tables.length} tables, ${mebibytes(plan.bytes)} with indexes`);
  if (isAll) {
    const largest = [...plan.tables].sort((a, b) => b.bytes - a.bytes);
    output.say(table(largest as unknown as Record<string, unknown>[], ['table', 'bytes']));
  }
  for (const { check, ok, detail } of plan.checks) output.say(`${ok ? '[ok]' : '[no]'} ${check}: ${detail}`);
  if (isAll) output.say(isPossible ? 'nothing was changed; without --dry-run it is moved' : 'it cannot be moved so');
}

function sayOutcome(outcome: MoveOutcome, isRunning: boolean, output: Output): void {
  if (output.json) {
    output.out(JSON.stringify({ moved: true, verified: true, running: isRunning, ...outcome }));
    return;
  }
  const { from, to, tables, rows, sequences, stopped_seconds: stopped } = outcome;
  output.say(`moved from ${from} to ${to}: ${rows} rows in ${tables.length} tables, ${sequences} sequences; all equal`);
  output.say(
    isRunning ? `the roles run on it again; they stood still for ${stopped} s` : 'start it with `quarterdeck up`',
  );
  if (outcome.sql_roles.length > 0) {
    output.say(
      `database roles for plain SQL are the server's and stayed there; make them anew: ${outcome.sql_roles.join(', ')}`,
    );
  }
  output.say(`what was left at ${from} is kept, closed for writing`);
  if (from !== 'embedded') output.say('take DATABASE_URL out of the environment of the next start, if it is there');
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
