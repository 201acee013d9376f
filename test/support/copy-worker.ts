// Makes a copy of the database in a data directory, or takes one back, in a process that tests can kill; says in words how
// far it is, judged by what lies on disk: begun, copied, opened, end.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareGround } from '../../src/platform/db/embedded/ground.ts';
import { layoutOf } from '../../src/platform/db/embedded/layout.ts';
import { makeCopy } from '../../src/platform/db/embedded/make-copy.ts';
import { restoreCopy } from '../../src/platform/db/embedded/restore-copy.ts';

const [dataDir, what, name] = process.argv.slice(2);
if (!dataDir || !name) throw new Error('name a data directory and a copy');
const layout = layoutOf(dataDir);
const ground = await prepareGround(layout, { log: () => {} });
const { migrations } = JSON.parse(readFileSync(join(layout.copies, name, 'copy.json'), 'utf8')) as {
  migrations: string[];
};

const told = new Set<string>();
function say(word: string): void {
  if (told.has(word)) return;
  told.add(word);
  process.stdout.write(`${word}\n`);
}

// What is being made: the copy that is not whole yet, or the cluster that is to come in.
function underWay(): string | undefined {
  if (what === 'restore') return existsSync(layout.restored) ? layout.restored : undefined;
  const half = readdirSync(layout.copies).find((one) => one.endsWith('.half'));
  return half === undefined ? undefined : join(layout.copies, half, 'postgres');
}

const looking = setInterval(() => {
  const cluster = underWay();
  if (cluster === undefined) return;
  say('begun');
  if (existsSync(join(cluster, 'postmaster.pid'))) say('copied');
  else if (told.has('copied')) say('opened');
}, 1);
const label = { version: 'killed', migrations };
if (what === 'restore') await restoreCopy({ ground, name, present: label, log: () => {} });
else await makeCopy({ ground, label, log: () => {} });
clearInterval(looking);
say('begun');
say('copied');
say('opened');
say('end');
