// The package as it would be published: packed, unpacked elsewhere, and used by plain JavaScript.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const SDK = resolve(import.meta.dirname, '..');

it('the package holds what it needs, and nothing of the tests', { timeout: 120_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'qd-sdk-package-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const run = (command: string, args: string[], cwd: string) =>
    execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  run('npm', ['pack', SDK, '--pack-destination', dir], dir);
  const target = join(dir, 'node_modules', '@quarterdeck', 'sdk');
  mkdirSync(target, { recursive: true });
  run('tar', ['-xzf', join(dir, 'quarterdeck-sdk-0.1.0.tgz'), '--strip-components=1', '-C', target], dir);
  const files = run('find', ['.', '-type', 'f'], target);
  expect(files).toContain('./dist/index.d.ts');
  expect(files).toContain('./src/index.ts');
  expect(files).not.toContain('.test.');
  const program = `
    import { Quarterdeck, work } from '@quarterdeck/sdk';
    import { openOutbox } from '@quarterdeck/sdk/outbox';
    console.log(typeof work, typeof openOutbox, typeof new Quarterdeck({ url: 'http://127.0.0.1:1', token: 'x' }).job.add);`;
  expect(run(process.execPath, ['--input-type=module', '--eval', program], dir).trim()).toBe(
    'function function function',
  );
});
