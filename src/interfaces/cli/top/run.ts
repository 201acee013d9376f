// `top`, running: facts every two seconds and after events, events as they come, a picture after each change.
import { CliFailure, type Connection } from '../client.ts';
import type { Colours } from '../colours.ts';
import { exitCodes } from '../exit-codes.ts';
import { liveEvents } from '../follow.ts';
import { type EventLine, loadEvents, loadFacts, MOST_EVENTS } from './facts.ts';
import { Screen } from './screen.ts';
import { draw, lastScroll, type Picture } from './view.ts';

const EVERY_MS = 2_000;
// A busy log must not become a storm of questions.
const AFTER_EVENT_MS = 400;
const REDRAW_MS = 50;
const SIGNALS = { SIGINT: exitCodes.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

export interface TopOptions {
  readonly connection: Connection;
  readonly timeoutMs: number;
  readonly colours: Colours;
}

/** The picture of this moment. */
export async function loadPicture({ connection, timeoutMs }: TopOptions): Promise<Picture> {
  const [facts, events] = await Promise.all([loadFacts(connection, timeoutMs), loadEvents(connection, timeoutMs)]);
  return { facts, events, url: connection.url, now: new Date(), away: undefined, isFrozen: false, scroll: 0 };
}

/** Shows it until somebody ends it; answers the exit code. */
export async function runTop(options: TopOptions): Promise<number> {
  // Asked before the screen is taken, so that a refusal is an ordinary one.
  const top = new Top(options, await loadPicture(options));
  return top.run();
}

class Top {
  readonly #options: TopOptions;
  readonly #screen: Screen;
  readonly #ended = Promise.withResolvers<number>();
  readonly #abort = new AbortController();
  #picture: Picture;
  #redraw: NodeJS.Timeout | undefined;
  #reload: NodeJS.Timeout | undefined;
  #isLoading = false;

  constructor(options: TopOptions, picture: Picture) {
    this.#options = options;
    this.#picture = picture;
    this.#screen = new Screen({ onKey: (key) => this.#onKey(key), onResize: () => this.#draw() });
  }

  async run(): Promise<number> {
    const handlers = Object.entries(SIGNALS).map(([signal, code]) => {
      const end = () => this.#ended.resolve(code);
      process.on(signal, end);
      return () => process.off(signal, end);
    });
    const clock = setInterval(() => this.#change({ now: new Date() }), 1_000);
    const regular = setInterval(() => void this.#load(), EVERY_MS);
    this.#screen.open();
    if (this.#picture.events !== undefined) void this.#follow();
    try {
      return await this.#ended.promise;
    } finally {
      clearInterval(clock);
      clearInterval(regular);
      clearTimeout(this.#redraw);
      clearTimeout(this.#reload);
      this.#abort.abort();
      this.#screen.close();
      for (const off of handlers) off();
    }
  }

  #onKey(key: string): void {
    const { height } = this.#screen.size;
    const steps = { up: -1, k: -1, down: 1, j: 1, 'page-up': -10, 'page-down': 10 }[key];
    if (key === 'q') this.#ended.resolve(exitCodes.ok);
    else if (key === 'ctrl-c') this.#ended.resolve(exitCodes.interrupted);
    else if (key === 'p') this.#change({ isFrozen: !this.#picture.isFrozen }, true);
    else if (steps !== undefined) {
      const scroll = this.#picture.scroll + steps;
      this.#change({ scroll: Math.max(0, Math.min(scroll, lastScroll(this.#picture, height))) }, true);
    }
  }

  // While it is frozen only keys change the picture.
  #change(change: Partial<Picture>, byKey = false): void {
    if (this.#picture.isFrozen && !byKey) return;
    this.#picture = { ...this.#picture, ...change };
    this.#redraw ??= setTimeout(() => this.#draw(), REDRAW_MS);
  }

  #draw(): void {
    clearTimeout(this.#redraw);
    this.#redraw = undefined;
    this.#screen.draw(draw(this.#picture, this.#screen.size, this.#options.colours));
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      const facts = await loadFacts(this.#options.connection, this.#options.timeoutMs);
      this.#change({ facts, now: new Date(), away: undefined });
    } catch (error) {
      this.#onFailure(error);
    } finally {
      this.#isLoading = false;
    }
  }

  async #follow(): Promise<void> {
    const input = { after: this.#picture.events?.[0]?.cursor };
    for (;;) {
      try {
        const given = input.after === undefined ? {} : input;
        for await (const { event, state } of liveEvents(this.#options.connection, given, this.#abort.signal)) {
          if (event !== undefined) this.#onEvent(event as unknown as EventLine);
          else if (state === 'reset') this.#change({ events: [] });
        }
        return;
      } catch (error) {
        this.#onFailure(error);
        input.after = this.#picture.events?.[0]?.cursor;
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
    }
  }

  #onEvent(event: EventLine): void {
    this.#change({ events: [event, ...(this.#picture.events ?? [])].slice(0, MOST_EVENTS) });
    this.#reload ??= setTimeout(() => {
      this.#reload = undefined;
      void this.#load();
    }, AFTER_EVENT_MS);
  }

  // A server that is away comes back; a token that was revoked does not.
  #onFailure(error: unknown): void {
    if (!(error instanceof CliFailure)) this.#ended.reject(error);
    else if (error.exitCode === exitCodes.denied) this.#ended.reject(error);
    else this.#change({ away: error.message, now: new Date() });
  }
}
