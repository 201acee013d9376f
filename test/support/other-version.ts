// Another version of the program: its sources as they are, with a version of its own and more migrations.
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface OtherVersion {
  /** Entry, for `startInstallation`. */
  readonly main: string;
  remove(): void;
}

const ROOT = resolve(import.meta.dirname, '../..');
const LINKED = ['node_modules', 'web', 'sdk', 'python', 'examples'];

/** `migrations`: texts by file name. */
export function makeOtherVersion(version: string, migrations: Readonly<Record<string, string>>): OtherVersion {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'qd-version-')));
  chmodSync(dir, 0o711);
  cpSync(join(ROOT, 'src'), join(dir, 'src'), { recursive: true });
  for (const name of LINKED) symlinkSync(join(ROOT, name), join(dir, name));
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as object;
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ ...manifest, version }));
  for (const [name, sql] of Object.entries(migrations)) {
    writeFileSync(join(dir, 'src', 'platform', 'db', 'migrations', name), sql);
  }
  return {
    main: join(dir, 'src', 'main.ts'),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
