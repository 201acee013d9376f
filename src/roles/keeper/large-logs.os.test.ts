import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../../platform/logger.ts';
import { LOG_LIMITS } from '../../platform/process/log-file.ts';
import { emptyLargeLogs } from './large-logs.ts';

const LIMITS = { ...LOG_LIMITS, bytes: 100 };

it('large logs of PostgreSQL and of a role’s stderr are emptied, each by itself; what roles write themselves is theirs', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'qd-large-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  mkdirSync(join(dataDir, 'logs'));
  const at = (name: string) => join(dataDir, 'logs', name);
  for (const name of ['postgres.log', 'host.stderr.log', 'engine.stderr.log', 'api.log']) {
    writeFileSync(at(name), `${name}\n`.repeat(20));
  }
  // One that cannot be moved aside keeps no other from it.
  mkdirSync(at('engine.stderr.log.copy'));
  const lines: string[] = [];
  emptyLargeLogs(
    dataDir,
    createLogger('keeper', 'warn', (line) => void lines.push(line)),
    LIMITS,
  );
  for (const name of ['postgres.log', 'host.stderr.log']) {
    expect(statSync(at(name)).size).toBe(0);
    expect(readFileSync(at(`${name}.1`), 'utf8')).toBe(`${name}\n`.repeat(20));
  }
  expect(statSync(at('api.log')).size).toBe(160);
  expect(readFileSync(at('engine.stderr.log'), 'utf8')).toBe('engine.stderr.log\n'.repeat(20));
  expect(lines.join('')).toContain('engine.stderr.log');
});
