// A reader of the log as a live tail is one: from the last row it got, up to the horizon.

export class LogReader {
  readonly got: number[] = [];
  readonly #read: (after: number) => Promise<number[]>;

  /** `read` answers the numbers above the one given that can be read now, in order. */
  constructor(read: (after: number) => Promise<number[]>) {
    this.#read = read;
  }

  async poll(): Promise<void> {
    this.got.push(...(await this.#read(this.got.at(-1) ?? 0)));
  }
}
