// Three readers of the live feed, one a transport, that come again from their last cursor after every break.
import { WebSocket } from 'ws';

export interface Target {
  readonly url: string;
  readonly token: string;
}

export interface Seen {
  readonly cursor: string;
  readonly id: string;
}

export interface FeedReader {
  readonly transport: 'websocket' | 'sse' | 'poll';
  readonly seen: Seen[];
  /** Breaks of the connection that it came back from. */
  readonly breaks: number;
  /** Times that continuity was declared broken. */
  readonly resets: number;
  /** Resolves when the event of this id has arrived. */
  until(id: string): Promise<void>;
  stop(): void;
}

abstract class Reader {
  readonly seen: Seen[] = [];
  breaks = 0;
  resets = 0;
  protected stopped = false;
  protected readonly target: Target;
  protected readonly topics: string;
  protected after: string;
  #wanted: string | undefined;
  readonly #found = Promise.withResolvers<void>();

  constructor(target: Target, topics: string, after: string) {
    this.target = target;
    this.topics = topics;
    this.after = after;
  }

  until(id: string): Promise<void> {
    this.#wanted = id;
    if (this.seen.some((event) => event.id === id)) this.#found.resolve();
    return this.#found.promise;
  }

  stop(): void {
    this.stopped = true;
  }

  protected take(event: { cursor: string; id: string }): void {
    this.seen.push({ cursor: event.cursor, id: event.id });
    this.after = event.cursor;
    if (event.id === this.#wanted) this.#found.resolve();
  }

  /** Runs `connect` again and again until stopped; each failure is a break. */
  async run(connect: () => Promise<void>): Promise<void> {
    while (!this.stopped) {
      try {
        await connect();
      } catch {
        this.breaks++;
        // A refused connection answers at once: without a pause this loop would only burn the processor.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

class PollReader extends Reader {
  readonly transport = 'poll';
  start(): this {
    void this.run(async () => {
      const query = new URLSearchParams({ topics: this.topics, after: this.after, wait: '2', limit: '500' });
      const response = await fetch(`${this.target.url}/v1/live?${query}`, {
        headers: { authorization: `Bearer ${this.target.token}` },
        signal: AbortSignal.timeout(10_000),
      });
      if (!response.ok) throw new Error(String(response.status));
      const body = (await response.json()) as { items: Seen[]; next_cursor: string; state: string };
      if (body.state === 'reset') this.resets++;
      for (const item of body.items) this.take(item);
      this.after = body.next_cursor;
    });
    return this;
  }
}

class SseReader extends Reader {
  readonly transport = 'sse';
  start(): this {
    void this.run(async () => {
      const response = await fetch(`${this.target.url}/v1/live?topics=${this.topics}`, {
        headers: {
          authorization: `Bearer ${this.target.token}`,
          accept: 'text/event-stream',
          'last-event-id': this.after,
        },
      });
      if (!response.ok || response.body === null) throw new Error(String(response.status));
      let rest = '';
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        rest += chunk;
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.#block(block);
        if (this.stopped) return;
      }
      throw new Error('the stream ended');
    });
    return this;
  }

  #block(block: string): void {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data === undefined) return;
    if (/^event: event$/m.test(block)) this.take(JSON.parse(data) as Seen);
    else if (/^event: state$/m.test(block) && (JSON.parse(data) as { state: string }).state === 'reset') this.resets++;
  }
}

class WebSocketReader extends Reader {
  readonly transport = 'websocket';
  #socket: WebSocket | undefined;
  start(): this {
    void this.run(
      () =>
        new Promise<void>((_, reject) => {
          const socket = new WebSocket(`${this.target.url.replace('http', 'ws')}/v1/live`, {
            headers: { authorization: `Bearer ${this.target.token}` },
            handshakeTimeout: 5_000,
          });
          this.#socket = socket;
          socket.on('open', () =>
            socket.send(
              JSON.stringify({ type: 'subscribe', id: 'r', topics: this.topics.split(','), after: this.after }),
            ),
          );
          socket.on('message', (data) => {
            const message = JSON.parse(String(data)) as { type: string; state?: string; event?: Seen };
            if (message.type === 'event') this.take(message.event!);
            if (message.type === 'subscribed' && message.state === 'reset') this.resets++;
          });
          socket.on('error', reject);
          socket.on('close', () => reject(new Error('closed')));
        }),
    );
    return this;
  }
  override stop(): void {
    super.stop();
    this.#socket?.terminate();
  }
}

export function startReaders(target: Target, topics: string, after: string): FeedReader[] {
  return [
    new WebSocketReader(target, topics, after).start(),
    new SseReader(target, topics, after).start(),
    new PollReader(target, topics, after).start(),
  ];
}
