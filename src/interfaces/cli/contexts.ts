// The servers that this user named: a file each in the user's configuration directory, with the address and the token.
// A file each, so that two commands at once never write over each other. Nobody else may read them.
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CliFailure } from './client.ts';
import { exitCodes } from './exit-codes.ts';
import { suggestion } from './nearest.ts';
import { escapeControl } from './plain-text.ts';

export interface Context {
  readonly url: string;
  readonly token?: string | undefined;
}

/** The installation in the data directory of this machine; always there, and never a file. */
export const LOCAL = 'local';
export const CONTEXT_NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

type Environment = Readonly<Record<string, string | undefined>>;

export class Contexts {
  readonly directory: string;

  constructor(env: Environment = process.env) {
    const base = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config');
    this.directory = join(base, 'quarterdeck');
  }

  /** Names of those that are kept, sorted. */
  names(): string[] {
    const directory = join(this.directory, 'contexts');
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .filter((name) => CONTEXT_NAME.test(name))
      .sort();
  }

  /** The one that commands use when none is named: `local` unless another was chosen. */
  current(): string {
    const chosen = readIfThere(this.#currentFile())?.trim() ?? LOCAL;
    return CONTEXT_NAME.test(chosen) ? chosen : LOCAL;
  }

  /** Throws CliFailure when there is none, or when others of this machine can read it. */
  get(name: string): Context {
    const file = this.#file(name);
    if (!this.has(name)) throw unknownContext(name, this.names());
    const text = readPrivate(file);
    const { url, token } = parse(text) as { url?: unknown; token?: unknown };
    if (typeof url !== 'string' || (token !== undefined && typeof token !== 'string')) {
      throw new CliFailure(`${file} is no context`, exitCodes.failed, `Add it again: quarterdeck context add ${name}`);
    }
    return { url, token };
  }

  has(name: string): boolean {
    return CONTEXT_NAME.test(name) && existsSync(this.#file(name));
  }

  put(name: string, context: Context): void {
    makePrivate(this.directory);
    makePrivate(join(this.directory, 'contexts'));
    writePrivate(this.#file(name), `${JSON.stringify(context, null, 2)}\n`);
  }

  use(name: string): void {
    if (name !== LOCAL && !this.has(name)) throw unknownContext(name, this.names());
    makePrivate(this.directory);
    if (name === LOCAL) rmSync(this.#currentFile(), { force: true });
    else writePrivate(this.#currentFile(), `${name}\n`);
  }

  remove(name: string): void {
    if (!this.has(name)) throw unknownContext(name, this.names());
    if (this.current() === name) this.use(LOCAL);
    rmSync(this.#file(name));
  }

  #file(name: string): string {
    return join(this.directory, 'contexts', `${name}.json`);
  }

  #currentFile(): string {
    return join(this.directory, 'context');
  }
}

function unknownContext(name: string, known: readonly string[]): CliFailure {
  const near = suggestion(name, [...known, LOCAL]);
  return new CliFailure(
    `there is no context ${escapeControl(name)}`,
    exitCodes.notFound,
    near === '' ? `There are: ${[LOCAL, ...known].join(', ')}. Add one with \`quarterdeck context add\`.` : near,
  );
}

// The mode is read from the descriptor that is read from, so that nothing can be exchanged in between.
function readPrivate(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { mode, uid } = fstatSync(descriptor);
    const text = readFileSync(descriptor, 'utf8');
    const isOthers = process.getuid !== undefined && process.getuid() !== 0 && uid !== process.getuid();
    if (text.includes('"token"') && ((mode & 0o077) !== 0 || isOthers)) {
      throw new CliFailure(
        `${file} holds a token and others on this machine can read it (mode ${(mode & 0o777).toString(8)})`,
        exitCodes.denied,
        `Close it with \`chmod 600 ${file}\`; if somebody may have read it, revoke the token.`,
      );
    }
    return text;
  } finally {
    closeSync(descriptor);
  }
}

function makePrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
}

// Beside, then renamed: a kill in the middle leaves the old one.
function writePrivate(file: string, text: string): void {
  const beside = `${file}.${process.pid}`;
  try {
    writeFileSync(beside, text, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(beside, file);
  } finally {
    rmSync(beside, { force: true });
  }
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
