// A run of the suite with small steps of its own: what fails is shown, what is left behind is named, ended and counted.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runSuite } from './run.ts';
import type { Step } from './steps.ts';
import { type StepResult, stepFailed } from './summary.ts';

let scratch: string;
let written: string;
let interruption: AbortController;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'qd-suite-'));
  written = '';
  interruption = new AbortController();
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

async function run(steps: readonly Step[], ci = false): Promise<StepResult[]> {
  const write = (text: string): void => {
    written += text;
    if (text.includes('waits …')) interruption.abort();
  };
  return await runSuite({ root: scratch, steps, long: false, ci, signal: interruption.signal, write });
}

const shell = (name: string, script: string): Step => ({ name, commands: [['sh', '-c', script]] });

/** A step that leaves a process behind, which tells its number through a file in the scratch directory. */
function leaving(start: string): Step {
  const daemon = `require('fs').writeFileSync('${scratch}/pid', String(process.pid)); setInterval(() => {}, 1000)`;
  writeFileSync(join(scratch, 'daemon.js'), daemon);
  const node = process.execPath;
  return shell('leaves', `${start} '${node}' '${scratch}/daemon.js' & while [ ! -s '${scratch}/pid' ]; do :; done`);
}

function isAlive(): boolean {
  try {
    process.kill(Number(readFileSync(join(scratch, 'pid'), 'utf8')), 0);
    // Killed, but not collected yet by who adopted it: that is gone too.
    return !/\) Z /.test(readFileSync(`/proc/${readFileSync(join(scratch, 'pid'), 'utf8')}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Processes are found by /proc. */
const testOnLinux = test.skipIf(process.platform !== 'linux');

async function untilGone(): Promise<void> {
  await expect.poll(isAlive, { timeout: 5_000, interval: 20 }).toBe(false);
}

test('a failing step is shown in full and the next one runs', async () => {
  const results = await run([shell('bad', 'echo first; echo second >&2; exit 3'), shell('good', 'echo silent')]);
  expect(results.map(stepFailed)).toEqual([true, false]);
  expect(written).toContain('first\nsecond\n');
  expect(written).toContain('exit 3');
  expect(written).not.toContain('silent');
});

test('the first command that fails ends its step', async () => {
  const step = { name: 'two', commands: [['false'], ['touch', join(scratch, 'second')]] };
  expect((await run([step])).map(stepFailed)).toEqual([true]);
  expect(existsSync(join(scratch, 'second'))).toBe(false);
});

test('a command that does not exist fails its step', async () => {
  expect((await run([{ name: 'none', commands: [['no-such-command']] }])).map(stepFailed)).toEqual([true]);
  expect(written).toContain('ENOENT');
});

testOnLinux.each([
  ['with the mark', 'setsid'],
  ['in the session of the step without the mark', 'env -i'],
  ['in a directory of the run, with neither', 'cd "$TMPDIR"; mkdir d; cd d; setsid env -i'],
])('a process left behind %s is named, ended and a failure', async (_, start) => {
  const [result] = await run([leaving(start)]);
  expect(result?.passed).toBe(true);
  expect(result?.complaints[0]).toMatch(/^process \d+ still runs: .*daemon\.js/);
  await untilGone();
});

testOnLinux('the ports of a process left behind are named', async () => {
  const listens = `require('net').createServer().listen(0, '127.0.0.1', function () { require('fs').writeFileSync('${scratch}/port', String(this.address().port)); })`;
  writeFileSync(join(scratch, 'listens.js'), listens);
  const script = `setsid '${process.execPath}' '${scratch}/listens.js' & while [ ! -s '${scratch}/port' ]; do :; done`;
  const [result] = await run([shell('listens', script)]);
  expect(result?.complaints[0]).toContain(`listening on ${readFileSync(join(scratch, 'port'), 'utf8')}:`);
});

test('temporary files left behind are named, also by a failing step, and removed', async () => {
  const leave = 'echo "$TMPDIR" > place; mkdir "$TMPDIR/qd-left"';
  const results = await run([shell('fails', `${leave}; exit 1`), shell('after', 'ls "$TMPDIR" > seen')]);
  expect(results[0]?.complaints).toEqual(['temporary file or directory: qd-left']);
  expect(results.map(stepFailed)).toEqual([true, false]);
  expect(readFileSync(join(scratch, 'seen'), 'utf8')).toBe('');
  expect(existsSync(readFileSync(join(scratch, 'place'), 'utf8').trim())).toBe(false);
});

testOnLinux('another user can enter the temporary directory, whose path is short', async () => {
  await run([shell('place', 'stat -c "%a %n" "$TMPDIR" "$TMPDIR/.." > place')]);
  const modes = readFileSync(join(scratch, 'place'), 'utf8').trim().split('\n');
  expect(modes.map((line) => line.split(' ')[0])).toEqual(['755', '711']);
  expect(modes[0]?.split(' ')[1]?.length).toBeLessThan(60);
});

const reportOf = (status: string): Step => {
  const json = `{"testResults":[{"name":"a","status":"passed","assertionResults":[{"fullName":"one","status":"${status}"}]}]}`;
  const script = `for word; do case $word in --outputFile.json=*) echo '${json}' > "\${word#*=}" ;; esac; done`;
  return { name: 'tests', project: 'unit', commands: [['sh', '-c', script, 'vitest']] };
};

test('a skipped test is a failure under CI only', async () => {
  expect((await run([reportOf('skipped')])).map(stepFailed)).toEqual([false]);
  const [result] = await run([reportOf('skipped')], true);
  expect(result?.complaints).toEqual(['skipped: one']);
});

test('a project in which no test ran is a failure', async () => {
  const script = `for word; do case $word in --outputFile.json=*) echo '{"testResults":[]}' > "\${word#*=}" ;; esac; done`;
  const [result] = await run([{ name: 'tests', project: 'unit', commands: [['sh', '-c', script, 'vitest']] }]);
  expect(result?.complaints).toEqual(['no test ran']);
});

test('an interruption ends the step that runs, and no other begins', async () => {
  const results = await run([shell('waits', 'sleep 600'), shell('never', `touch '${scratch}/never'`)]);
  expect(results.map(({ name }) => name)).toEqual(['waits']);
  expect(results.map(stepFailed)).toEqual([true]);
  expect(existsSync(join(scratch, 'never'))).toBe(false);
});
