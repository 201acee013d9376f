// The program behind bin/test: reads the arguments, runs the suite, writes the summary, ends with 1 when anything failed.
import { spawnSync } from 'node:child_process';
import { availableParallelism, constants } from 'node:os';
import { join } from 'node:path';
import { runSuite } from './run.ts';
import { readArguments, usage } from './steps.ts';
import { stepFailed, summarize } from './summary.ts';

function write(text: string): void {
  process.stdout.write(text);
}

function pythonVersion(): string {
  const asked = spawnSync('python3', ['--version'], { encoding: 'utf8' });
  return asked.status === 0 ? asked.stdout.trim() : 'no python3 (what is written in Python does not run here)';
}

async function main(): Promise<number> {
  const request = readArguments(process.argv.slice(2));
  if (typeof request === 'string') {
    process.stderr.write(`${request}\n${usage}`);
    return 2;
  }
  const interruption = new AbortController();
  let ended = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      ended = 128 + constants.signals[signal];
      interruption.abort();
    });
  }
  const ci = process.env['CI'] === 'true';
  write(`Node ${process.versions.node}, ${pythonVersion()}, ${availableParallelism()} cores${ci ? ', CI' : ''}\n`);
  const root = join(import.meta.dirname, '../..');
  const results = await runSuite({ ...request, root, ci, signal: interruption.signal, write });
  write(`\n${summarize(results)}`);
  if (ended !== 0) return ended;
  return results.some(stepFailed) ? 1 : 0;
}

process.exitCode = await main();
