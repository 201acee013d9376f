import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../../platform/logger.ts';
import { findProcessesByMarker } from '../../platform/process/facts.ts';
import { nextAnnouncement } from '../../platform/signals.ts';
import { DATA_MARKER } from '../role-file.ts';
import { KeptRole, type KeptRoleOptions, RoleFailed } from './kept-role.ts';

const FAKE = resolve(import.meta.dirname, '../../../test/support/fake-role.ts');
const LIMIT_MS = 20_000;

function keep(options: Partial<KeptRoleOptions> = {}): { role: KeptRole; dataDir: string } {
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'qd-role-')));
  const role = new KeptRole({
    role: 'engine',
    dataDir,
    entry: FAKE,
    environment: () => ({}),
    logger: createLogger('test', 'silent'),
    ...options,
  });
  onTestFinished(async () => {
    await role.stop('SIGTERM', 1_000);
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { role, dataDir };
}

it('a role that does not come up is given up after three tries, and its last words are told', async () => {
  let starts = 0;
  const { role } = keep({
    environment: () => {
      starts++;
      return { FAKE_ROLE: 'broken' };
    },
  });
  const failure = await role.start().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RoleFailed);
  expect((failure as Error).message).toMatch(/engine does not start \(exit 3\).*\nthe mast is broken$/s);
  expect(starts).toBe(3);
});

it('a role that was ready once is started again however often it dies', async () => {
  let broken = false;
  let starts = 0;
  const { role } = keep({
    environment: () => {
      starts++;
      return broken ? { FAKE_ROLE: 'broken' } : {};
    },
  });
  const { pid } = await role.start();
  broken = true;
  process.kill(pid, 'SIGKILL');
  while (starts < 5) await nextAnnouncement('keeper.role_ended', LIMIT_MS);
  broken = false;
  await nextAnnouncement('keeper.role_ready', LIMIT_MS);
});

it('a role that lives and does not answer is ended and started again', async () => {
  const { role, dataDir } = keep({ patience: { everyMs: 50, limitMs: 200, unanswered: 3 } });
  const { pid } = await role.start();
  const again = nextAnnouncement('keeper.role_ready', LIMIT_MS);
  process.kill(pid, 'SIGSTOP');
  await again;
  const living = findProcessesByMarker(DATA_MARKER, dataDir);
  expect(living).toHaveLength(1);
  expect(living).not.toContain(pid);
});

it('a role that is stopped while it waits for its next start stays away', async () => {
  let starts = 0;
  const { role, dataDir } = keep({
    environment: () => {
      starts++;
      return starts === 1 ? {} : { FAKE_ROLE: 'broken' };
    },
  });
  const { pid } = await role.start();
  process.kill(pid, 'SIGKILL');
  while (starts < 4) await nextAnnouncement('keeper.role_ended', LIMIT_MS);
  await role.stop('SIGTERM', 1_000);
  expect(findProcessesByMarker(DATA_MARKER, dataDir)).toEqual([]);
  expect(starts).toBeLessThanOrEqual(5);
});
