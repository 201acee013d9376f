// Which Node the scripts of bin/ run: the machine's when it is recent enough, else one fetched by npm. The npm here is a stand-in that fetches nothing.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Checkout, untilExists, withFirstInPath } from './checkout.ts';

const version = /node_version=(\S+)/.exec(readFileSync(join(import.meta.dirname, '../../bin/prepare.sh'), 'utf8'))?.[1];
const fetched = `.runtime/node-${version}`;

let checkout: Checkout;
let env: NodeJS.ProcessEnv;
let calls: string;

beforeEach(() => {
  checkout = new Checkout();
  calls = join(checkout.home, 'calls');
  // The lockfile's packages are there: what is fetched here is Node.
  checkout.write('node_modules/.quarterdeck', '');
  checkout.command('cksum', 'echo fresh');
  checkout.write('node_modules/.quarterdeck', 'fresh\n');
  env = withFirstInPath(fakeNode('v20.20.2'));
});
afterEach(() => checkout.remove());

function fakeNode(said: string): string {
  return checkout.command(
    'node',
    `[ "$1" = --version ] && { echo ${said}; exit; }\necho "an old Node ran" >&2; exit 1\n`,
  );
}

/** Does what `npm install --prefix DIR … PACKAGE` does, with a Node that says `said`. */
function fakeNpm(said: string, before = ''): void {
  checkout.command(
    'npm',
    `if [ "$1" = config ]; then echo '${checkout.home}/npmrc'; exit; fi
echo "$*" >> '${calls}'
prefix=$3/node_modules/.bin
mkdir -p "$prefix"
${before}
printf '#!/bin/sh\\n[ "$1" = --version ] && { echo ${said}; exit; }\\nexec "${process.execPath}" "$@"\\n' > "$prefix/node"
chmod +x "$prefix/node"
`,
  );
}

test.each(['v24.0.0', 'v31.2.1'])('Node %s of the machine is used as it is', async (said) => {
  env = withFirstInPath(
    checkout.command('node', `[ "$1" = --version ] && { echo ${said}; exit; }\nexec "${process.execPath}" "$@"\n`),
  );
  fakeNpm('unused');
  expect(await checkout.run(checkout.at('bin/quarterdeck'), { env })).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(calls)).toBe(false);
});

test('an older Node is replaced by a fetched one, once, which then stands first in PATH', async () => {
  fakeNpm(`v${version}`);
  const first = await checkout.run(checkout.at('bin/quarterdeck'), { env });
  expect(first).toMatchObject({ code: 0, stderr: `quarterdeck: fetching Node ${version}\n` });
  expect(JSON.parse(first.stdout).path.split(':')[0]).toBe(checkout.at(fetched, 'node_modules/.bin'));
  expect(await checkout.run(checkout.at('bin/quarterdeck'), { env })).toMatchObject({ code: 0, stderr: '' });
  const asked = readFileSync(calls, 'utf8').trim().split('\n');
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatch(/--ignore-scripts node-.*@\d+\.\d+\.\d+ --prefer-offline/);
});

test('two at once fetch once', async () => {
  fakeNpm(`v${version}`);
  const done = await Promise.all([1, 2].map(async () => await checkout.run(checkout.at('bin/quarterdeck'), { env })));
  expect(done.map(({ code }) => code)).toEqual([0, 0]);
  expect(readFileSync(calls, 'utf8').trim().split('\n')).toHaveLength(1);
});

test('a killed fetch leaves nothing half-done, even while its npm runs on', async () => {
  const hang = join(checkout.home, 'hang');
  const hanging = join(checkout.home, 'hanging');
  writeFileSync(hang, '');
  fakeNpm(`v${version}`, `if [ -e '${hang}' ]; then rm '${hang}'; : > '${hanging}'; sleep 60; fi`);
  const { child, finished } = checkout.start(checkout.at('bin/quarterdeck'), { env });
  await untilExists(hanging);
  child.kill('SIGKILL');
  await finished;
  expect(existsSync(checkout.at(fetched))).toBe(false);

  expect(await checkout.run(checkout.at('bin/quarterdeck'), { env })).toMatchObject({ code: 0 });
  expect(readdirSync(checkout.at('.runtime'))).toEqual([`node-${version}`]);
});

test('a fetched Node that does not run here is not kept', async () => {
  fakeNpm('cannot execute');
  const failed = await checkout.run(checkout.at('bin/quarterdeck'), { env });
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toContain('install Node 24 or newer');
  expect(readdirSync(checkout.at('.runtime'))).toEqual([]);
});

test('a fetched Node finds the settings of the machine’s npm, which say where packages come from', async () => {
  fakeNpm(`v${version}`);
  writeFileSync(join(checkout.home, 'npmrc'), 'fund=false\n');
  await checkout.run(checkout.at('bin/quarterdeck'), { env });
  const [platformPackage = ''] = readdirSync(checkout.at(fetched, 'node_modules')).filter((name) =>
    name.startsWith('node-'),
  );
  expect(readFileSync(checkout.at(fetched, 'node_modules', platformPackage, 'etc/npmrc'), 'utf8')).toBe('fund=false\n');
});

test.each([
  ['the network is away', 'EAI_AGAIN', ['--prefer-offline']],
  ['the cache is too old', 'ETARGET', ['--prefer-offline', '--prefer-online']],
])('when %s the fetch fails with npm’s words and what to do', async (_, code, tries) => {
  checkout.command('npm', `echo "$*" >> '${calls}'; echo 'npm error code ${code}' >&2; exit 1\n`);
  const failed = await checkout.run(checkout.at('bin/quarterdeck'), { env });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain(`npm error code ${code}`);
  expect(failed.stderr).toContain('install Node 24 or newer');
  const asked = readFileSync(calls, 'utf8').trim().split('\n');
  expect(asked.map((words) => /--prefer-\w+/.exec(words)?.[0])).toEqual(tries);
});
