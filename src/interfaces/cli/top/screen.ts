// A full screen of a terminal for a while: other content is kept beside it, keys come one by one, and whatever ends this
// process, the terminal is what it was. Only kill -9 leaves that undone.
import { writeSync } from 'node:fs';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
// Between these two a terminal that knows them shows nothing half drawn; others pass over them.
const BEGIN = '\u001b[?2026h\u001b[H';
const END = '\u001b[J\u001b[?2026l';
const CLEAR_LINE = '\u001b[K';
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys arrive as such
const KEY = /\u001b(?:\[[\d;]*[A-Za-z~]|O[A-Z])|[\s\S]/g;

const KEY_NAMES: Readonly<Record<string, string>> = {
  '\u0003': 'ctrl-c',
  '\u001a': 'ctrl-z',
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  '\u001b[5~': 'page-up',
  '\u001b[6~': 'page-down',
};

export interface ScreenListener {
  onKey(key: string): void;
  onResize(): void;
}

export class Screen {
  readonly #listener: ScreenListener;
  #isOpen = false;

  constructor(listener: ScreenListener) {
    this.#listener = listener;
  }

  get size(): { readonly width: number; readonly height: number } {
    const { columns, rows } = process.stdout;
    // The last column stays free: in it some terminals wrap, and others lose the letter to the end of the line.
    return { width: Math.max(1, (columns || 80) - 1), height: Math.max(1, rows || 24) };
  }

  open(): void {
    // Before the words about a crash are printed, so that they are seen; and at every other end.
    process.on('uncaughtExceptionMonitor', this.#leave);
    process.on('exit', this.#leave);
    process.on('SIGCONT', this.#enter);
    process.stdout.on('resize', this.#resized);
    process.stdin.on('data', this.#typed);
    this.#enter();
  }

  /** Line by line over what was there, without clearing first: nothing flickers. */
  draw(lines: readonly string[]): void {
    // A terminal that does not take what it was given gets the next picture instead of this one.
    if (!this.#isOpen || process.stdout.writableLength > 0) return;
    process.stdout.write(`${BEGIN}${lines.map((line) => line + CLEAR_LINE).join('\r\n')}${END}`);
  }

  close(): void {
    this.#leave();
    process.off('uncaughtExceptionMonitor', this.#leave);
    process.off('exit', this.#leave);
    process.off('SIGCONT', this.#enter);
    process.stdout.off('resize', this.#resized);
    process.stdin.off('data', this.#typed);
    process.stdin.pause();
  }

  readonly #enter = () => {
    this.#isOpen = true;
    if (process.stdin.isTTY) process.stdin.setRawMode(true).resume();
    write(ENTER);
    this.#listener.onResize();
  };

  readonly #leave = () => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    write(LEAVE);
    try {
      if (process.stdin.isTTY) process.stdin.setRawMode(false);
    } catch {
      // The terminal is gone, and its modes with it.
    }
  };

  readonly #resized = () => this.#listener.onResize();

  readonly #typed = (typed: Buffer) => {
    for (const [key] of typed.toString().matchAll(KEY)) {
      const name = KEY_NAMES[key] ?? key;
      if (name === 'ctrl-z') this.#suspend();
      else this.#listener.onKey(name);
    }
  };

  // Raw mode keeps the terminal from doing this itself.
  #suspend(): void {
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
  }
}

// At once, also in a process that is about to end.
function write(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // The terminal is gone.
  }
}
