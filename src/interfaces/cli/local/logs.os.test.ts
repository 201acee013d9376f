import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { plainEnvironment } from '../../../../test/support/installation.ts';
import { LOG_LIMITS, LogWriter } from '../../../platform/process/log-file.ts';

const MAIN = resolve(import.meta.dirname, '../../../main.ts');

it('whoever follows a log sees every line once, in order, also while the file is moved aside', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'qd-logs-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  mkdirSync(join(dataDir, 'logs'));
  const writer = new LogWriter(join(dataDir, 'logs', 'api.log'), { ...LOG_LIMITS, bytes: 1_000 });
  onTestFinished(() => writer.close());
  writer.write('line 0\n');
  const words = ['logs', 'api', '--follow', '--data', dataDir];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words], {
    cwd: dataDir,
    env: plainEnvironment(dataDir),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const limit = { timeout: 30_000, interval: 20 };
  let written = 1;
  // Each round begins when the last one was seen, and moves the file aside once.
  for (let round = 0; round < 5; round++) {
    await vi.waitFor(() => expect(said).toContain(`line ${written - 1}\n`), limit);
    for (let count = 0; count < 120; count++) writer.write(`line ${written++}\n`);
  }
  await vi.waitFor(() => expect(said).toContain(`line ${written - 1}\n`), limit);
  expect(said.trim().split('\n')).toEqual(Array.from({ length: written }, (_, number) => `line ${number}`));
}, 60_000);
