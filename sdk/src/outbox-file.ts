// The file of an outbox: one JSON line an event, and now and then a line that says up to which byte all is sent. It only
// grows, until everything is sent; then it is emptied. The Python SDK reads and writes the same file.
import { type FileHandle, open } from 'node:fs/promises';

export interface StoredEvent {
  readonly id: string;
  readonly event_type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly subject?: string | undefined;
  readonly correlation_id?: string | undefined;
  readonly causation_id?: string | undefined;
}

/** A line of the file, and the byte behind it. */
export interface Entry<T = StoredEvent> {
  readonly item: T;
  readonly end: number;
}

const NEWLINE = 0x0a;

/** Of events, or of anything else that has an `id`. */
export class OutboxFile<T extends { readonly id: string } = StoredEvent> {
  readonly #file: FileHandle;
  #end: number;
  /** The byte behind the last event; lines about what is sent may stand behind it. */
  #lastEvent: number;
  #waiting: Append<T>[] = [];
  // One thing at a time: a cut between a write and its sync would take away what was acknowledged.
  #turn: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, end: number, lastEvent: number) {
    this.#file = file;
    this.#end = end;
    this.#lastEvent = lastEvent;
  }

  /** Cuts what was not written to its end, and answers what is still to be sent, in order. */
  static async open<T extends { readonly id: string } = StoredEvent>(
    path: string,
  ): Promise<{ readonly file: OutboxFile<T>; readonly unsent: readonly Entry<T>[] }> {
    // 0600: events may hold what is nobody else's business.
    const file = await open(path, 'a+', 0o600);
    const bytes = await file.readFile();
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end < bytes.length) {
      await file.truncate(end);
      await file.datasync();
    }
    const unsent = readEntries<T>(bytes.subarray(0, end));
    return { file: new OutboxFile<T>(file, end, unsent.at(-1)?.end ?? 0), unsent };
  }

  /** Resolves when it is on the disk; what is appended meanwhile shares the next sync. Rejects with nothing kept. */
  append(item: T): Promise<Entry<T>> {
    return new Promise((resolve, reject) => {
      // Here, so that what is no JSON fails alone.
      const line = Buffer.from(`${JSON.stringify(item)}\n`);
      this.#waiting.push({ item, line, resolve, reject });
      if (this.#waiting.length === 1) void this.#inTurn(() => this.#writeWaiting());
    });
  }

  /** Notes that everything before `end` is sent. Not synced: what is sent twice is known by its id. */
  markSent(end: number): Promise<void> {
    return this.#inTurn(async () => {
      if (end < this.#lastEvent)
        this.#end += (await this.#file.write(`${JSON.stringify({ sent: end })}\n`)).bytesWritten;
      else await this.#cut(0);
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#file.close());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #writeWaiting(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    let end = this.#end;
    const entries = batch.map(({ item, line }) => {
      end += line.length;
      return { item, end };
    });
    try {
      await this.#file.appendFile(Buffer.concat(batch.map(({ line }) => line)));
      await this.#file.datasync();
      this.#end = end;
      this.#lastEvent = end;
      for (const [i, { resolve }] of batch.entries()) resolve(entries[i]!);
    } catch (error) {
      // Half a line in the middle would be lost with the one behind it.
      await this.#cut(this.#end).catch(() => undefined);
      for (const { reject } of batch) reject(error);
    }
  }

  async #cut(end: number): Promise<void> {
    await this.#file.truncate(end);
    this.#end = end;
  }
}

interface Append<T> {
  readonly item: T;
  readonly line: Buffer;
  resolve(entry: Entry<T>): void;
  reject(error: unknown): void;
}

function readEntries<T>(bytes: Buffer): Entry<T>[] {
  const entries: Entry<T>[] = [];
  let sent = 0;
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start) + 1;
    const line = readLine(bytes.toString('utf8', start, end));
    if (typeof line?.['sent'] === 'number') sent = line['sent'];
    else if (typeof line?.['id'] === 'string') entries.push({ item: line as T, end });
    start = end;
  }
  return entries.filter(({ end }) => end > sent);
}

// A power cut can leave a line of zeros where nothing had been acknowledged yet.
function readLine(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
