import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agentsSection } from '../domains/fleet/index.ts';
import { missingPrograms } from './missing-programs.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-programs-'));
  mkdirSync(join(dir, 'bin/folder'), { recursive: true });
  writeFileSync(join(dir, 'bin/there'), '#!/bin/sh\n');
  chmodSync(join(dir, 'bin/there'), 0o755);
  writeFileSync(join(dir, 'bin/text'), 'no program');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const missing = (command: string | string[], path = `/nonexistent:${join(dir, 'bin')}`) =>
  missingPrograms(
    agentsSection.parse({ agent: { command, cwd: dir, ...(typeof command === 'string' ? { shell: true } : {}) } }),
    path,
  );

it('a program in any directory of PATH is there', () => {
  expect(missing(['there', 'argument'])).toEqual([]);
});

it('a program given by its place counts from the working directory', () => {
  expect(missing(['bin/there'], '')).toEqual([]);
  expect(missing(['./there'], '')).toEqual([{ agent: 'agent', program: './there' }]);
});

it('neither a missing file nor a text nor a folder is a program', () => {
  for (const program of ['missing', 'text', 'folder']) {
    expect(missing([program])).toEqual([{ agent: 'agent', program }]);
  }
});

it('a line for the shell is never judged', () => {
  expect(missing('missing --now | there')).toEqual([]);
});
