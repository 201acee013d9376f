import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { MoveInput } from './database-move.ts';
import { readTarget } from './database-target.ts';

const URL_TEXT = 'postgres://quarterdeck:s3cret@db.example.com:5432/quarterdeck';

async function read(input: Partial<MoveInput>): Promise<{ place: unknown; said: string[] }> {
  const said: string[] = [];
  const place = await readTarget({ dry_run: false, ...input } as MoveInput, { say: (text) => said.push(text) });
  return { place, said };
}

function file(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-target-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'url'), text);
  return join(dir, 'url');
}

test('embedded, a file, a file with the direct address, and a variable', async () => {
  expect(await read({ to: 'embedded' })).toEqual({ place: { kind: 'embedded' }, said: [] });
  expect(await read({ url_file: file(`\n  ${URL_TEXT}\n\n`) })).toEqual({
    place: { kind: 'own', url: URL_TEXT },
    said: [],
  });
  const direct = 'postgres://quarterdeck:s3cret@10.0.0.5/quarterdeck';
  expect((await read({ url_file: file(`${URL_TEXT}\r\n${direct}\r\n`) })).place).toEqual({
    kind: 'own',
    url: URL_TEXT,
    directUrl: direct,
  });
  process.env['QD_TEST_TARGET'] = URL_TEXT;
  onTestFinished(() => {
    delete process.env['QD_TEST_TARGET'];
  });
  expect((await read({ url_env: 'QD_TEST_TARGET' })).place).toEqual({ kind: 'own', url: URL_TEXT });
});

test('a password on the command line is taken, with a warning that does not repeat it', async () => {
  const { place, said } = await read({ to: URL_TEXT });
  expect(place).toEqual({ kind: 'own', url: URL_TEXT });
  expect(said).toEqual([expect.stringContaining('--url-file')]);
  expect(said.join()).not.toContain('s3cret');
  expect((await read({ to: 'postgres://quarterdeck@127.0.0.1/quarterdeck' })).said).toEqual([]);
});

test.for([
  [{}, /said once/],
  [{ to: 'embedded', url_env: 'X' }, /said once/],
  [{ to: 's3cret' }, /no address/],
  [{ to: 'mysql://a:s3cret@b/c' }, /no address/],
  [{ to: 'postgres://a:s3cret@b/' }, /no address/],
  [{ url_env: 'QD_NOT_SET_ANYWHERE' }, /not set/],
  [{ url_file: '/nonexistent/s' }, /ENOENT/],
] as const)('refused without repeating it: %j', async ([input, message]) => {
  const refused = await read(input).catch((error: Error) => error);
  expect((refused as Error).message).toMatch(message);
  expect((refused as Error).message).not.toContain('s3cret');
});
