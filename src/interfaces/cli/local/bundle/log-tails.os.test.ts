import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { logFiles, logTail } from './log-tails.ts';

function logs(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-tails-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

it('of a line of ours what is known and numbers are told, and no content', () => {
  const line = {
    level: 'error',
    time: '2026-03-02T08:15:00Z',
    pid: 7,
    msg: 'could not be read: {"payload":"CANARY"}',
    job: 'CANARY',
    payload: { sku: 'CANARY' },
    err: {
      type: 'Error',
      message: `invalid "${'CANARY '.repeat(10)}"`,
      stack: 'at x',
      detail: 'CANARY',
      where: 'CANARY',
    },
  };
  const shown = logTail(logs({ 'api.log': `${JSON.stringify(line)}\nnot JSON at all\n` }), 'api.log');
  expect(shown).not.toContain('CANARY');
  const [first, second] = shown.split('\n');
  expect(JSON.parse(first!)).toMatchObject({
    level: 'error',
    pid: 7,
    job: '[left out]',
    err: { type: 'Error', stack: 'at x' },
  });
  expect(second).toBe('not JSON at all');
});

it('of the database’s log the statements and rows are left out, with the lines that go on with them', () => {
  const text = [
    '2026-03-02 08:15:00.000 UTC [7] quarterdeck ERROR:  duplicate key value violates unique constraint "jobs_pkey"',
    '2026-03-02 08:15:00.000 UTC [7] quarterdeck DETAIL:  Key (unique_key)=(CANARY) already exists.',
    '2026-03-02 08:15:00.000 UTC [7] quarterdeck STATEMENT:  INSERT INTO jobs',
    "\tVALUES ('CANARY')",
    '',
  ].join('\n');
  const shown = logTail(logs({ 'postgres.log': text }), 'postgres.log');
  expect(shown).not.toContain('CANARY');
  expect(shown).toContain('violates unique constraint "jobs_pkey"');
});

it('only the end of a large file is read, from the beginning of a line', () => {
  const shown = logTail(logs({ 'api.log': `${'x'.repeat(99)}\n`.repeat(10_000) }), 'api.log');
  expect(shown.length).toBeLessThanOrEqual(512 * 1024);
  expect(new Set(shown.trim().split('\n'))).toEqual(new Set(['x'.repeat(99)]));
});

it('nothing but log files is taken, and no link', () => {
  const dir = logs({ 'api.log': 'a', 'api.log.1': 'b', 'operator.token': 'c', 'core.1234': 'd' });
  symlinkSync('/etc/passwd', join(dir, 'linked.log'));
  expect(logFiles(dir).sort()).toEqual(['api.log', 'api.log.1']);
});
