// A background loop: one turn after the other, by a period or when woken, never two at once; a turn that throws is
// reported and the next comes later. One of the three places that catch (the others are the interfaces' edges).
import { announce } from './signals.ts';

export interface LoopOptions {
  /** `work.rescue`: room and what it does. */
  readonly name: string;
  readonly everyMs: number;
  /** One turn. Answering true asks for the next at once, because there is more to do. */
  turn(signal: AbortSignal): Promise<unknown>;
  /** Told of a failed turn. */
  failed(name: string, error: unknown, failures: number): void;
}

const LONGEST_PAUSE_MS = 30_000;

export class Loop {
  readonly #options: LoopOptions;
  readonly #abort = new AbortController();
  #wake: (() => void) | undefined;
  #woken = false;
  #failures = 0;
  #done: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): this {
    this.#done ??= this.#run();
    return this;
  }

  /** Asks for a turn now. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Resolves when the turn under way has ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake?.();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { name, everyMs, turn, failed } = this.#options;
    while (!this.#abort.signal.aborted) {
      let again = false;
      try {
        this.#woken = false;
        again = (await turn(this.#abort.signal)) === true;
        this.#failures = 0;
        announce(`loop.${name}`);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        this.#failures++;
        failed(name, error, this.#failures);
      }
      if (!again) await this.#pause(everyMs);
    }
  }

  // After failures the pause doubles and waking does not shorten it, so that a broken loop does not spin.
  async #pause(everyMs: number): Promise<void> {
    const backOff = Math.min(LONGEST_PAUSE_MS, everyMs * 2 ** Math.min(this.#failures, 10));
    if (this.#abort.signal.aborted || (this.#woken && this.#failures === 0)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, backOff);
      this.#wake = () => {
        if (this.#failures > 0 && !this.#abort.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
