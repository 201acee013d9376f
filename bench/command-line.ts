// From the command to its end, as a shell runs it, beside the bare Node that runs it: a command that needs nothing, one that
// reads every operation, one question of the completion. Command: node bench/command-line.ts
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ms, print, quantile } from './figures.ts';

const ROUNDS = 21;
const quarterdeck = join(fileURLToPath(new URL('..', import.meta.url)), 'bin', 'quarterdeck');
const commands: readonly (readonly [string, readonly string[]])[] = [
  ['node, doing nothing', [process.execPath, '--eval', '0']],
  ['quarterdeck version', [quarterdeck, 'version']],
  ['quarterdeck version --json', [quarterdeck, 'version', '--json']],
  ['quarterdeck agent list --help', [quarterdeck, 'agent', 'list', '--help']],
  ['quarterdeck agent li<TAB>', [quarterdeck, '__complete', 'quarterdeck agent li']],
];

function elapsed([program, ...args]: readonly string[]): number {
  const begun = performance.now();
  const { status } = spawnSync(program!, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return performance.now() - begun;
}

// In turn, so that what else the machine does meets each alike. The first round fills the compile cache.
const times = commands.map((): number[] => []);
for (let round = 0; round <= ROUNDS; round++) {
  for (const [i, [, command]] of commands.entries()) {
    const took = elapsed(command);
    if (round > 0) times[i]!.push(took);
  }
}
print([
  ['command', 'median', 'p95'],
  ...commands.map(([name], i) => [name, ms(quantile(times[i]!, 0.5)), ms(quantile(times[i]!, 0.95))]),
  ['load', loadavg()[0]!.toFixed(1), ''],
]);
