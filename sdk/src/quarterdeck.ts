// The client: every operation as a method, the live feed and beats, for one credential.
import { Beats, type Desired } from './beats.ts';
import { type Connection, sendCall } from './connection.ts';
import { variable } from './environment.ts';
import { followLive, type LiveInput, type LiveMessage } from './live.ts';
import { Operations } from './operations.ts';

export interface QuarterdeckOptions {
  /** Default: QUARTERDECK_URL. */
  readonly url?: string | undefined;
  /** Default: QUARTERDECK_TOKEN. It alone says who asks. */
  readonly token?: string | undefined;
  /** The agent that beats are for; default: QUARTERDECK_AGENT. */
  readonly agent?: string | undefined;
  /** Longest wait for one answer; default 30 s. */
  readonly timeoutMs?: number | undefined;
  /** How long a call goes on trying while the server is away or busy; default 60 s. */
  readonly retryForMs?: number | undefined;
  /** The trace that every call belongs to, as W3C Trace Context writes it; for who traces already. */
  readonly traceparent?: string | undefined;
}

export class Quarterdeck extends Operations {
  readonly url: string;
  readonly #agentName: string | undefined;
  readonly #connection: Connection;
  readonly #beats: Beats;

  constructor(options: QuarterdeckOptions = {}) {
    const connection = {
      url: addressOf(options.url ?? variable('QUARTERDECK_URL')),
      token: tokenOf(options.token ?? variable('QUARTERDECK_TOKEN')),
      timeoutMs: options.timeoutMs ?? 30_000,
      retryForMs: options.retryForMs ?? 60_000,
      traceparent: traceOf(options.traceparent),
    };
    super((wire, input, callOptions) => sendCall(connection, wire, input, callOptions));
    this.url = connection.url;
    this.#agentName = options.agent ?? variable('QUARTERDECK_AGENT');
    this.#connection = connection;
    this.#beats = new Beats(this.agent, this.#agentName);
  }

  /** The same server with another credential: the token of a job, for what is done in its tenant's name. */
  withToken(token: string, traceparent?: string): Quarterdeck {
    return new Quarterdeck({ ...this.#connection, agent: this.#agentName, token, traceparent });
  }

  /** What a program that is started from here needs in its environment to speak to the same server as this client does. */
  environment(): Readonly<Record<string, string>> {
    const { url, token, traceparent } = this.#connection;
    return {
      QUARTERDECK_URL: url,
      QUARTERDECK_TOKEN: token,
      ...(traceparent === undefined ? {} : { TRACEPARENT: traceparent }),
    };
  }

  /** Follows the log: every event once and in order, also over broken connections. */
  live(input: LiveInput = {}): AsyncGenerator<LiveMessage> {
    return followLive(this.#connection, input);
  }

  /** Whether the next beat will be sent. */
  get beatIsDue(): boolean {
    return this.#beats.isDue;
  }

  /**
   * Says that the agent is well, and answers what is wanted of it. Call it from the work itself, as often as you like: one
   * in five seconds is sent, and while the server is away the last answer counts.
   */
  beat(status?: string, job?: string): Promise<Desired> {
    return this.#beats.beat(status, job);
  }
}

function addressOf(url: string | undefined): string {
  if (url === undefined) throw new TypeError('no address: set QUARTERDECK_URL, or give `url`');
  if (!/^https?:$/.test(new URL(url).protocol)) throw new TypeError(`"${url}" is no address of http or https`);
  return url.replace(/\/+$/, '');
}

function traceOf(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined || /^[0-9a-f-]{55}$/.test(traceparent)) return traceparent;
  throw new TypeError(`"${traceparent}" is no traceparent`);
}

function tokenOf(token: string | undefined): string {
  if (token === undefined) throw new TypeError('no credential: set QUARTERDECK_TOKEN, or give `token`');
  // What a header cannot carry would be refused later with an error that shows it.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('the token has characters that no token has');
  return token;
}
