// One run of the suite: a temporary directory of its own, each step in it, and a check after each step that nothing of it is left.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { chromiumVariable, provideChromium } from './chromium.ts';
import { runCommand } from './command.ts';
import { clearLeftovers, surroundings } from './leftovers.ts';
import { markName, startOfThisProcess, type Trace } from './processes.ts';
import { type Counts, readResults } from './results.ts';
import type { Request, Step } from './steps.ts';
import { describeStep, type StepResult, stepFailed } from './summary.ts';

/** A bound for what hangs, so that there is a summary all the same; the whole takes about 26 minutes on two cores. */
const limitMs = 60 * 60_000;
const longLimitMs = 4 * 60 * 60_000;

export interface Suite extends Request {
  readonly root: string;
  readonly ci: boolean;
  readonly signal: AbortSignal;
  readonly write: (text: string) => void;
}

interface Place {
  readonly logs: string;
  readonly env: NodeJS.ProcessEnv;
  readonly trace: Trace;
  readonly sessions: Set<number>;
  readonly deadline: number;
}

export async function runSuite(suite: Suite): Promise<StepResult[]> {
  const base = mkdtempSync(join(shortTemporary(), 'qt-'));
  try {
    const before = surroundings(suite.root, suite.ci);
    const place = makePlace(suite, base);
    const results: StepResult[] = [];
    for (const step of suite.steps) {
      if (suite.signal.aborted) break;
      results.push(await runStep(suite, place, step));
    }
    const changed = [...surroundings(suite.root, suite.ci)].filter((line) => !before.has(line));
    if (changed.length > 0) results.push({ name: 'leftovers', seconds: 0, passed: true, complaints: changed });
    return results;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** A UNIX socket's path ends at 107 bytes, and as root the database runs as another user, who must get in. */
function shortTemporary(): string {
  const usual = tmpdir();
  return usual.length <= 40 && isOpenToAll(usual) ? usual : '/tmp';
}

function isOpenToAll(directory: string): boolean {
  if ((statSync(directory).mode & 0o001) === 0) return false;
  return dirname(directory) === directory || isOpenToAll(dirname(directory));
}

function makePlace(suite: Suite, base: string): Place {
  const temporary = join(base, 't');
  const logs = join(base, 'log');
  mkdirSync(temporary);
  mkdirSync(logs);
  chmodSync(base, 0o711);
  chmodSync(temporary, 0o755);
  const outer = process.env[markName];
  const id = base.slice(-6);
  const mark = outer === undefined ? id : `${outer}.${id}`;
  const sessions = new Set<number>();
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${join(suite.root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    TMPDIR: temporary,
    // Python agents are run from the checkout and would leave their compiled files there.
    PYTHONDONTWRITEBYTECODE: '1',
    [markName]: mark,
    ...(suite.long ? { QD_LONG: '1' } : {}),
    ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
  };
  const trace = { mark, temporary, sessions, since: startOfThisProcess() };
  return { logs, env, trace, sessions, deadline: Date.now() + (suite.long ? longLimitMs : limitMs) };
}

async function runStep(suite: Suite, place: Place, step: Step): Promise<StepResult> {
  const started = performance.now();
  const log = join(place.logs, `${step.name}.log`);
  const report = join(place.logs, `${step.name}.json`);
  suite.write(`${step.name} …\n`);
  const complaints: string[] = [];
  const env = await stepEnvironment(suite, place, step);
  let passed = env !== undefined;
  if (env === undefined) complaints.push('there is no Chromium and none could be installed');
  for (const words of step.commands) {
    if (!passed || env === undefined) break;
    passed = await runCommand({
      command: step.project === undefined ? words : [...words, ...reporters(report)],
      cwd: suite.root,
      env,
      log,
      limitMs: Math.max(1_000, place.deadline - Date.now()),
      signal: suite.signal,
      onSession: (session) => place.sessions.add(session),
    });
  }
  const counts = step.project === undefined ? undefined : readResults(report);
  if (suite.ci && counts !== undefined) complaints.push(...counts.skipped.map((name) => `skipped: ${name}`));
  if (counts !== undefined && isEmpty(counts)) complaints.push('no test ran');
  complaints.push(...(await clearLeftovers(place.trace)));
  const seconds = (performance.now() - started) / 1000;
  const result = { name: step.name, seconds, passed, complaints, ...(counts === undefined ? {} : { counts }) };
  if (!passed && env !== undefined) suite.write(`${readFileSync(log, 'utf8').trimEnd()}\n`);
  for (const complaint of complaints) suite.write(`  ${complaint}\n`);
  suite.write(`${stepFailed(result) ? '✗' : '✓'} ${describeStep(result)}\n`);
  return result;
}

/** The environment of a step; undefined when it lacks what it cannot run without. */
async function stepEnvironment(suite: Suite, place: Place, step: Step): Promise<NodeJS.ProcessEnv | undefined> {
  if (step.needsChromium !== true) return place.env;
  const chromium = await provideChromium(suite.root, (line) => suite.write(`  ${line}\n`));
  return chromium === undefined ? undefined : { ...place.env, [chromiumVariable]: chromium };
}

function reporters(report: string): string[] {
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
}

function isEmpty(counts: Counts): boolean {
  return counts.passed + counts.failed + counts.skipped.length === 0;
}
