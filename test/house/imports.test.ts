import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { rooms, wrongImports } from './directions.ts';
import { importsOf, readSources } from './source-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const planted = mkdtempSync(join(tmpdir(), 'qd-house-'));
afterAll(() => rmSync(planted, { recursive: true, force: true }));

const read = (from: string, directories = ['src']) => readSources(from, directories, ['.ts', '.tsx']);

describe('imports', () => {
  it('go only where they may', () => {
    expect(wrongImports(read(root, ['src', 'web/src']))).toEqual([]);
  });

  it('are really read: every room that is there imports from others', () => {
    const files = read(root);
    expect(files.length).toBeGreaterThan(100);
    expect(files.flatMap(({ text }) => importsOf(text)).length).toBeGreaterThan(400);
    for (const room of rooms.slice(1)) {
      const ofRoom = files.filter(({ path }) => path.startsWith(`src/domains/${room}/`));
      if (ofRoom.length > 3)
        expect(ofRoom.flatMap(({ text }) => importsOf(text)).join()).toMatch(/\.\.\/log\/index\.ts/);
    }
  });

  it.each([
    [
      'a room to the right',
      'src/domains/access/service.ts',
      "import { Work } from '../work/index.ts';",
      'right of access',
    ],
    ['another room’s inside', 'src/domains/work/service.ts', "import { x } from '../log/store.ts';", 'door of log'],
    [
      'another room’s contracts',
      'src/domains/work/a.ts',
      "import type { x } from '../log/operations.ts';",
      'door of log',
    ],
    ['a type only', 'src/domains/log/a.ts', "import type { A } from '../access/index.ts';", 'right of log'],
    ['over several lines', 'src/domains/log/b.ts', "import {\n  a,\n  b,\n} from '../work/index.ts';", 'right of log'],
    ['when it runs', 'src/domains/log/c.ts', "const a = await import('../work/index.ts');", 'right of log'],
    ['by exporting it on', 'src/domains/log/d.ts', "export * from '../work/index.ts';", 'right of log'],
    ['for its effect', 'src/domains/log/e.ts', "import '../work/index.ts';", 'right of log'],
    ['a room from the platform', 'src/platform/a.ts', "import { Log } from '../domains/log/index.ts';", 'knows nobody'],
    ['the composition from a room', 'src/domains/log/f.ts', "import { createApp } from '../../app.ts';", 'rooms only'],
    [
      'an inside from an interface',
      'src/interfaces/http/a.ts',
      "import { x } from '../../domains/log/store.ts';",
      'door of log',
    ],
    ['an inside from a role', 'src/roles/a.ts', "import { x } from '../domains/work/store.ts';", 'door of work'],
    ['a role from an interface', 'src/interfaces/http/b.ts', "import { x } from '../../roles/api.ts';", 'no role'],
    ['more than contracts', 'src/operations.ts', "import { Log } from './domains/log/index.ts';", 'contracts only'],
    ['a room that is none', 'src/domains/billing/a.ts', "import { x } from '../log/index.ts';", 'no room billing'],
    ['the tests', 'src/platform/b.ts', "import { x } from '../../test/support/app.ts';", 'nothing beside'],
    [
      'a service from the page',
      'web/src/a.ts',
      "import { x } from '../../src/domains/log/index.ts';",
      'contracts only',
    ],
  ])('that are wrong are found: %s', (_, path, text, why) => {
    const file = join(planted, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    try {
      const found = wrongImports(read(planted, [path.split('/', 1)[0]!]));
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(`${path} imports`);
      expect(found[0]).toContain(why);
    } finally {
      rmSync(file);
    }
  });
});
