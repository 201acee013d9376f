// How long to wait before something that ended is started again: at once nearly, then doubling, and from the beginning
// after it has lived for a while.

const FIRST_MS = 100;
const LONGEST_MS = 10_000;
const PROVEN_MS = 10_000;

export class BackOff {
  #next = FIRST_MS;

  /** The pause after a life of this length. */
  pauseAfter(livedMs: number): number {
    if (livedMs >= PROVEN_MS) this.#next = FIRST_MS;
    const pause = this.#next;
    this.#next = Math.min(LONGEST_MS, this.#next * 2);
    return pause;
  }
}
