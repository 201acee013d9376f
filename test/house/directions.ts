// Which file may import which: rooms only to their left and through their door, the platform no room, the interfaces no
// room's insides.
import { posix } from 'node:path';
import { importsOf, type SourceFile } from './source-files.ts';

export const rooms = [
  'log',
  'access',
  'work',
  'relay',
  'fleet',
  'knowledge',
  'projects',
  'runs',
  'sites',
  'guardian',
] as const;

/** Why each import that breaks a direction does; empty when none does. */
export function wrongImports(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !/\.test\.ts$/.test(path))
    .flatMap(({ path, text }) =>
      importsOf(text)
        .filter((target) => target.startsWith('.'))
        .map((target) => posix.normalize(posix.join(posix.dirname(path), target)))
        .flatMap((target) => {
          const why = wrongBecause(path, target);
          return why === undefined ? [] : [`${path} imports ${target}: ${why}`];
        }),
    );
}

function wrongBecause(from: string, to: string): string | undefined {
  if (!to.startsWith('src/')) return from.startsWith('src/') ? 'the sources import nothing beside them' : undefined;
  const own = roomOf(from);
  const other = roomOf(to);
  if (own !== undefined && !isRoom(own)) return `there is no room ${own}`;
  if (other !== undefined && !isRoom(other)) return `there is no room ${other}`;
  if (from.startsWith('src/platform/')) return to.startsWith('src/platform/') ? undefined : 'the platform knows nobody';
  if (own !== undefined) return wrongFromRoom(own, to, other);
  if (from === 'src/operations.ts') {
    return to.startsWith('src/platform/') || isContract(to) ? undefined : 'it collects contracts only';
  }
  if (from.startsWith('src/interfaces/') || from.startsWith('web/')) {
    // The command line alone starts and stops processes.
    const isLocalCommand = from.startsWith('src/interfaces/cli/local/');
    if (to.startsWith('src/roles/') && !isLocalCommand) return 'an interface knows no role';
    if (from.startsWith('web/') && !to.startsWith('src/platform/') && to !== 'src/operations.ts' && !isContract(to)) {
      return 'the page knows contracts only';
    }
  }
  if (other !== undefined) {
    return to === `src/domains/${other}/index.ts` || isContract(to) ? undefined : `only through the door of ${other}`;
  }
  return undefined;
}

function wrongFromRoom(own: string, to: string, other: string | undefined): string | undefined {
  if (to.startsWith('src/platform/')) return undefined;
  if (other === undefined) return 'a room knows the platform and rooms only';
  if (other === own) return undefined;
  if (rooms.indexOf(other as (typeof rooms)[number]) > rooms.indexOf(own as (typeof rooms)[number])) {
    return `${other} is to the right of ${own}`;
  }
  return to === `src/domains/${other}/index.ts` ? undefined : `only through the door of ${other}`;
}

// Values that say what there is and load no room: the contracts of its operations, of its part of the manifest, and what
// each ability lets one do.
function isContract(path: string): boolean {
  return /^src\/domains\/\w+\/(operations|manifest|abilities)\.ts$/.test(path);
}

function roomOf(path: string): string | undefined {
  return /^src\/domains\/([^/]+)\//.exec(path)?.[1];
}

function isRoom(name: string): boolean {
  return (rooms as readonly string[]).includes(name);
}
