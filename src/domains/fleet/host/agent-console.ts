// The output of one agent on this host: its log file with the older parts, and the tail that follows it.
import { ConsoleTail } from './console-tail.ts';
import type { Journal } from './journal.ts';
import { currentSize, openForAppend, rotateByCopy, rotateByRename } from './log-file.ts';
import type { Wanted } from './store.ts';

export class AgentConsole {
  readonly #dir: string;
  readonly #journal: Journal;
  #tail: ConsoleTail | undefined;
  #capBytes = Number.POSITIVE_INFINITY;

  constructor(dir: string, journal: Journal) {
    this.#dir = dir;
    this.#journal = journal;
  }

  /** Undefined until there is output to follow. */
  get tail(): ConsoleTail | undefined {
    return this.#tail;
  }

  /** Follows what is there, from where the database has it. */
  follow(wanted: Wanted, secrets: readonly string[]): void {
    this.#capBytes = wanted.log_cap_bytes;
    if (this.#tail === undefined && currentSize(this.#dir) > 0) this.#begin(wanted, secrets);
  }

  /** Opens the file for a process about to start. Nobody has it open, so a large one is closed without losing a byte. */
  open(wanted: Wanted, secrets: readonly string[]): number {
    const { logBase } = this.#journal.record;
    const isLarge = currentSize(this.#dir) > wanted.log_cap_bytes;
    if (isLarge) this.#journal.save({ logBase: logBase + rotateByRename(this.#dir) });
    const output = openForAppend(this.#dir);
    if (isLarge) this.#tail?.followRenamed(this.#journal.record.logBase);
    if (this.#tail === undefined) this.#begin(wanted, secrets);
    // The last lines of the process before may not be read yet, and it may have held older values.
    else this.#tail.secrets = [...this.#tail.secrets, ...secrets];
    return output;
  }

  /** Closes the file's part when it is larger than its cap, under the running process. */
  rotateWhenLarge(): void {
    if (this.#tail === undefined || this.#tail.size <= this.#capBytes) return;
    const { logBase } = this.#journal.record;
    const { size, skipped } = rotateByCopy(this.#dir, this.#capBytes);
    this.#journal.save({ logBase: logBase + size });
    this.#tail.followCopied(logBase + skipped, logBase + size);
  }

  close(): void {
    this.#tail?.close();
    this.#tail = undefined;
  }

  #begin(wanted: Wanted, secrets: readonly string[]): void {
    this.#tail = new ConsoleTail(this.#dir, wanted.console_end, this.#journal.record.logBase);
    this.#tail.secrets = secrets;
  }
}
