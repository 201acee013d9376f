// Git's hooks in one directory: ours beside those that are there. A script of the shell gets a few marked lines behind its
// first one; anything else (another language, a link, a file that git does not run) is moved into a directory of its own,
// and a script of ours runs it. Taking ours out again leaves every byte as it was.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { quoted } from '../../../hooks/shell.ts';

export const workTreeHooks = ['post-commit', 'post-applypatch', 'post-merge', 'post-checkout', 'pre-push'] as const;
export const bareHooks = ['post-receive'] as const;

const BEGIN = '# >>> quarterdeck >>>';
const END = '# <<< quarterdeck <<<';
const READS_INPUT: ReadonlySet<string> = new Set(['pre-push', 'post-receive']);
const KEPT = 'quarterdeck-kept';
const MADE = '#!/bin/sh\n# Made by `quarterdeck hook install git`.\n';
const SHELL = /^#!\s*(?:\/\S*\/)?(?:env\s+(?:-\S+\s+)?)?(?:sh|bash|dash|ash|ksh|zsh)(?:\s.*)?\n/;

/** Answers the hooks that were changed; none when all were as they should be. */
export function installGitHooks(hooksDir: string, names: readonly string[], report: string, key: string): string[] {
  mkdirSync(hooksDir, { recursive: true });
  return names.filter((name) => installOne(join(hooksDir, name), report, key));
}

/** Answers the files from which ours was taken out, whatever they are called now. */
export function removeGitHooks(hooksDir: string): string[] {
  return filesWithOurs(hooksDir)
    .filter((path) => removeOne(path))
    .map((path) => basename(path));
}

export function installedGitHooks(hooksDir: string): string[] {
  return filesWithOurs(hooksDir).map((path) => basename(path));
}

function installOne(path: string, report: string, key: string): boolean {
  const lines = block(basename(path), report, key);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) {
    replace(path, insert(MADE, lines), 0o755);
    return true;
  }
  const text = there.isFile() ? readFileSync(path, 'latin1') : '';
  const without = cut(text);
  if (without !== undefined) {
    const wanted = insert(without, lines);
    if (wanted === text) return false;
    replace(path, wanted, there.mode);
    return true;
  }
  const isRun = (there.mode & 0o111) !== 0;
  if (there.isFile() && isRun && SHELL.test(text)) replace(path, insert(text, lines), there.mode);
  else {
    keepAside(path);
    replace(path, insert(runsKept(basename(path)), lines), 0o755);
  }
  return true;
}

function removeOne(path: string): boolean {
  const without = cut(readFileSync(path, 'latin1'));
  if (without === undefined) return false;
  if (without === MADE) rmSync(path);
  else if (without === runsKept(basename(path)) && lstatSync(keptPath(path), { throwIfNoEntry: false })) putBack(path);
  else replace(path, without, statSync(path).mode);
  return true;
}

function filesWithOurs(hooksDir: string): string[] {
  if (!existsSync(hooksDir)) return [];
  return readdirSync(hooksDir, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(hooksDir, entry.name))
    .filter((path) => statSync(path).size < 1024 * 1024 && cut(readFileSync(path, 'latin1')) !== undefined)
    .sort();
}

// First in the script, so that nothing before it ends or changes the shell; it reads its input for both.
function block(name: string, report: string, key: string): string {
  const call = `${quoted(report)} ${key} git ${name} "$PPID" "$@" || :`;
  const body = READS_INPUT.has(name)
    ? `quarterdeck_lines=$(cat)
if [ -x ${quoted(report)} ]; then printf '%s\\n' "$quarterdeck_lines" | ${call}; fi
if [ -n "$quarterdeck_lines" ]; then exec <<QUARTERDECK
$quarterdeck_lines
QUARTERDECK
else exec </dev/null; fi
unset quarterdeck_lines
`
    : `if [ -x ${quoted(report)} ]; then ${call}; fi\n`;
  return `${BEGIN} reports to Quarterdeck; \`quarterdeck hook remove git\` takes these lines out\n${body}${END}\n`;
}

function runsKept(name: string): string {
  return `${MADE}# What was here before runs as it did.
quarterdeck_kept="\${0%/*}/${KEPT}/${name}"
[ ! -x "$quarterdeck_kept" ] || exec "$quarterdeck_kept" "$@"
`;
}

function insert(text: string, lines: string): string {
  const first = text.indexOf('\n') + 1;
  return text.slice(0, first) + lines + text.slice(first);
}

// Undefined when ours is not in it.
function cut(text: string): string | undefined {
  const start = text.indexOf(BEGIN);
  const end = text.indexOf(`${END}\n`, start);
  return start < 0 || end < 0 ? undefined : text.slice(0, start) + text.slice(end + END.length + 1);
}

// With its own name, which many hooks ask for; a link goes on to where it led.
function keepAside(path: string): void {
  mkdirSync(dirname(keptPath(path)), { recursive: true });
  moveLinkOrFile(path, keptPath(path), (target) => `../${target}`);
}

function putBack(path: string): void {
  rmSync(path);
  moveLinkOrFile(keptPath(path), path, (target) => target.replace(/^\.\.\//, ''));
  const dir = dirname(keptPath(path));
  if (readdirSync(dir).length === 0) rmdirSync(dir);
}

function moveLinkOrFile(from: string, to: string, moved: (target: string) => string): void {
  if (!lstatSync(from).isSymbolicLink()) {
    renameSync(from, to);
    return;
  }
  const target = readlinkSync(from);
  symlinkSync(isAbsolute(target) ? target : moved(target), to);
  rmSync(from);
}

function keptPath(path: string): string {
  return join(dirname(path), KEPT, basename(path));
}

// Whole or not at all: git may run it at this moment. Bytes, since a hook need not be UTF-8.
function replace(path: string, text: string, mode: number): void {
  const beside = `${path}.quarterdeck-new`;
  writeFileSync(beside, text, { encoding: 'latin1', mode: mode & 0o7777 });
  chmodSync(beside, mode & 0o7777);
  renameSync(beside, path);
}
