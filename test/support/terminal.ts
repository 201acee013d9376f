// A program on a terminal of its own, as a person sees it: keys in, pictures out. The terminal is Python's, for Node has none.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { vi } from 'vitest';

export interface TerminalEnd {
  /** Negative: the signal that ended it. */
  readonly exit: number;
  /** Whether its modes are those of before. */
  readonly restored: boolean;
}

export interface Terminal {
  /** Everything that was drawn so far. */
  readonly drawn: string;
  type(keys: string): void;
  resize(rows: number, columns: number): void;
  signal(name: NodeJS.Signals): void;
  /** Waits until what is drawn from `from` on satisfies. */
  until(look: (drawn: string) => boolean, from?: number): Promise<void>;
  ended(): Promise<TerminalEnd>;
  /** Ends it when it still runs. */
  close(): Promise<void>;
}

const SCRIPT = resolve(import.meta.dirname, 'terminal.py');
const LIMIT_MS = 30_000;

export function openTerminal(
  python: string,
  command: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Terminal {
  const child = spawn(python, [SCRIPT, ...command], { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  let drawn = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    drawn += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.on('error', () => undefined);
  const closed = once(child, 'close');
  const send = (order: object) => void child.stdin.write(`${JSON.stringify(order)}\n`);
  return {
    get drawn() {
      return drawn;
    },
    type: (keys) => send({ type: keys }),
    resize: (rows, columns) => send({ resize: [rows, columns] }),
    signal: (name) => send({ signal: name }),
    until: (look, from = 0) =>
      vi.waitFor(
        () => {
          if (!look(drawn.slice(from)))
            throw new Error(`not drawn; so far: ${JSON.stringify(drawn.slice(-2000))}${said}`);
        },
        { timeout: LIMIT_MS, interval: 20 },
      ),
    async ended() {
      await closed;
      return JSON.parse(said.trim().split('\n').at(-1)!) as TerminalEnd;
    },
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}
