// A background loop: one turn after the other, by a period or when woken, never two at once; a turn that throws is
// reported and the next comes later. One of the three places that catch (the others are the interfaces' edges).
import { isAppError } from './errors.ts';
import { announce } from './signals.ts';

export interface LoopOptions {
  /** `work.rescue`: room and what it does. */
  readonly name: string;
  readonly everyMs: number;
  /** Wake-ups that come closer together than this share a turn; the first is never delayed. Default: none. */
  readonly apartMs?: number;
  /** One turn. Answering true asks for the next at once, because there is more to do. */
  turn(signal: AbortSignal): Promise<unknown>;
  /** Told of a failed turn, unless it failed because the database is away, of which its own watch tells. */
  failed(name: string, error: unknown, failures: number): void;
}

const LONGEST_PAUSE_MS = 30_000;
/** Between two looks while the database is away; a look is refused at once and costs nothing. */
const AWAY_PAUSE_MS = 500;

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
    const { name, everyMs, apartMs = 0, turn, failed } = this.#options;
    while (!this.#abort.signal.aborted) {
      let again = false;
      let isAway = false;
      const begun = performance.now();
      try {
        this.#woken = false;
        again = (await turn(this.#abort.signal)) === true;
        this.#failures = 0;
        announce(`loop.${name}`);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        isAway = isAppError(error) && error.code === 'unavailable';
        if (!isAway) failed(name, error, ++this.#failures);
      }
      if (again) continue;
      await this.#pause(isAway ? Math.min(everyMs, AWAY_PAUSE_MS) : everyMs, isAway);
      const early = begun + apartMs - performance.now();
      if (early > 0 && !this.#abort.signal.aborted) await new Promise((resolve) => setTimeout(resolve, early));
    }
  }

  // After failures the pause doubles and waking does not shorten it, so that a broken loop does not spin.
  // It does not grow while the database is away: what is back is to be found at once.
  async #pause(everyMs: number, isAway: boolean): Promise<void> {
    const backOff = isAway ? everyMs : Math.min(LONGEST_PAUSE_MS, everyMs * 2 ** Math.min(this.#failures, 10));
    const heedsWakes = this.#failures === 0 && !isAway;
    if (this.#abort.signal.aborted || (this.#woken && heedsWakes)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, backOff);
      this.#wake = () => {
        if (!heedsWakes && !this.#abort.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
