// The Markdown files of the repository, and what a test wants to know of one: its links, its headings, its commands.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface MarkdownFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

/**
 * Every Markdown file that is in the repository or about to be; what git ignores is not. What the examples work on is their
 * input, with mistakes to be found by them.
 */
export function markdownFiles(): MarkdownFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed
    .split('\0')
    .filter((path) => path !== '' && !/^examples\/[^/]+\/documents\//.test(path) && existsSync(join(root, path)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** Targets of links and images, as written. Code is left out: what looks like a link there is none. */
export function linksOf({ text }: MarkdownFile): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map((match) => match[1]!);
}

/** Why a link leads nowhere; undefined when it resolves. Addresses of other sites are not asked. */
export function brokenReason(file: MarkdownFile, link: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined;
  const [target = '', fragment] = link.split('#');
  const path = target === '' ? file.path : normalize(join(dirname(file.path), decodeURIComponent(target)));
  if (path.startsWith('..')) return 'it leaves the repository';
  if (!existsSync(join(root, path))) return 'there is no such file';
  if (fragment === undefined || !path.endsWith('.md')) return undefined;
  return anchorsOf(readFileSync(join(root, path), 'utf8')).has(fragment) ? undefined : 'there is no such heading';
}

// As GitHub makes them.
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#{1,6}\s+(.+)$/gm)].map((match) => match[1]!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}

/** Command lines of the program: in shell blocks and those of no language, and in code within a sentence. `bin/up` stands for `quarterdeck up`. */
export function commandLines({ text }: MarkdownFile): string[] {
  const blocks = [...text.matchAll(/^```(?:sh)?\n([\s\S]*?)^```/gm)].flatMap((match) =>
    match[1]!.replaceAll('\\\n', ' ').split('\n'),
  );
  const spans = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  return [...blocks, ...spans].flatMap((line) => {
    // Variables before the command belong to the shell, and so do the parts of a list.
    const parts = line.split(/\s+(?:&&|\|\|?)\s+/).map((part) => part.trim().replace(/^(?:[A-Z_]+=\S*\s+)+/, ''));
    return parts.flatMap((part) => {
      const match = /^(?:bin\/)?(quarterdeck|up)(?=\s|$)(.*)$/.exec(part);
      if (match === null || (match[1] === 'up' && !part.startsWith('bin/'))) return [];
      return [`${match[1] === 'up' ? 'up' : ''}${match[2]}`.trim()];
    });
  });
}
