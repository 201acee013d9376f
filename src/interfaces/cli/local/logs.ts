// `quarterdeck logs`: what the parts wrote into their log files, and what they go on writing.
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { LOG_LIMITS } from '../../../platform/process/log-file.ts';
import { type RoleName, roleLogFile, roleNames, roleStderrFile } from '../../../roles/role-file.ts';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';
import { escapeControl } from '../plain-text.ts';
import { findDataDir, placeInput } from './place.ts';

const parts = ['keeper', 'postgres', ...roleNames] as const;
const TAIL_BYTES = 256 * 1024;
const LOOK_MS = 200;

export const logs = localOperation({
  name: 'logs',
  summary: 'What the parts on this machine wrote into their logs',
  input: z.strictObject({
    part: z
      .enum(parts, `one of ${parts.join(', ')}`)
      .optional()
      .describe(`One of ${parts.join(', ')}; all when absent`),
    lines: z.int().min(0).max(10_000).default(50).describe('Newest lines of each to begin with'),
    follow: z.boolean().default(false).describe('Goes on as more is written'),
    ...placeInput,
  }),
  cli: { words: 'logs', positional: ['part'], example: 'quarterdeck logs api --follow' },
  async run(input, output) {
    const { dataDir } = await findDataDir(input);
    const chosen = input.part === undefined ? parts : [input.part];
    const files = chosen.flatMap((part) => filesOf(dataDir, part).map((path) => new LogFile(part, path)));
    if (!files.some((file) => file.exists())) {
      throw new CliFailure(`there are no logs in ${join(dataDir, 'logs')}`, exitCodes.notFound);
    }
    const print = (file: LogFile, lines: readonly string[]) => {
      for (const line of lines) output.out(escapeControl(chosen.length === 1 ? line : `${file.part}  ${line}`));
    };
    for (const file of files) print(file, file.tail(input.lines));
    while (input.follow) {
      for (const file of files) print(file, file.more());
      await delay(LOOK_MS);
    }
    return exitCodes.ok;
  },
});

// What its process said beside its log comes first: most often nothing, and else why it is not there any more.
function filesOf(dataDir: string, part: (typeof parts)[number]): string[] {
  if (!isRole(part)) return [join(dataDir, 'logs', `${part}.log`)];
  return [roleStderrFile(dataDir, part), roleLogFile(dataDir, part)];
}

function isRole(part: string): part is RoleName {
  return (roleNames as readonly string[]).includes(part);
}

/** One log file, read on from where the last look ended; one that was moved aside is read to its end, then begun anew. */
class LogFile {
  readonly part: string;
  readonly #path: string;
  #inode = 0;
  #offset = 0;
  #rest = '';

  constructor(part: string, path: string) {
    this.part = part;
    this.#path = path;
  }

  exists(): boolean {
    return existsSync(this.#path);
  }

  tail(lines: number): string[] {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    this.#offset = Math.max(0, size - TAIL_BYTES);
    const cutsLine = this.#offset > 0;
    const found = this.#read();
    return lines === 0 ? [] : (cutsLine ? found.slice(1) : found).slice(-lines);
  }

  more(): string[] {
    const facts = statSync(this.#path, { throwIfNoEntry: false });
    if (facts === undefined) return [];
    if (facts.ino === this.#inode && facts.size >= this.#offset) {
      const lines = this.#readOf(this.#inode);
      if (lines !== undefined) return lines;
    }
    const lines: string[] = [];
    // It may have been moved aside more than once since the last look.
    for (const path of this.#movedSince()) {
      lines.push(...this.#read(path));
      this.#offset = 0;
    }
    this.#offset = 0;
    return [...lines, ...this.#read()];
  }

  // The file read last and those that came after it, oldest first; none when it is not there any more.
  #movedSince(): string[] {
    const aside = Array.from({ length: LOG_LIMITS.kept }, (_, i) => `${this.#path}.${i + 1}`);
    const last = aside.findIndex((path) => statSync(path, { throwIfNoEntry: false })?.ino === this.#inode);
    return aside.slice(0, last + 1).reverse();
  }

  #read(path = this.#path): string[] {
    return this.#readOf(undefined, path) ?? [];
  }

  // Undefined when another file lies there by now than the one that is expected, or none for a moment.
  #readOf(expected: number | undefined, path = this.#path): string[] | undefined {
    const descriptor = openIfThere(path);
    if (descriptor === undefined) return undefined;
    try {
      const { ino, size } = fstatSync(descriptor);
      if (expected !== undefined && ino !== expected) return undefined;
      this.#inode = ino;
      const buffer = Buffer.alloc(Math.max(0, size - this.#offset));
      const read = readSync(descriptor, buffer, 0, buffer.length, this.#offset);
      this.#offset += read;
      const lines = (this.#rest + buffer.subarray(0, read).toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      return lines;
    } finally {
      closeSync(descriptor);
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
