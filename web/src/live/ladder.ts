// Chooses the transport and keeps the feed going: WebSocket, then SSE, then polling, always from the last position.
// A way that fails, or is silent for 5 s, gives room to the next at once, and the WebSocket is tried again beside it:
// soon, then every 60 s. (Browsers delay the WebSocket after a failed one by up to 5 s; waiting for it would leave the
// page without news.) While the server itself is away nobody climbs down: then no way works, and the best is wanted when
// it is back.
import type { EventItem } from '../api/routes.ts';
import type { Continuity, EndReason, Transport, TransportName } from './transport.ts';

const SILENCE_AT_START_MS = 5000;
// Heartbeats come every 15 s; a connection without any sign for this long is dead, whatever it says of itself.
const SILENCE_MS = 35_000;
const CLIMB_SOON_MS = 3000;
const CLIMB_MS = 60_000;
const SHORTEST_MS = 500;
const LONGEST_MS = 15_000;

export type Reach = 'up' | 'down' | 'signed_out';

export interface LadderEvents {
  status(status: LinkStatus): void;
  /** `missed` is true when what happened between is not known, so snapshots must be fetched again. */
  ready(missed: boolean): void;
  event(event: EventItem): void;
  alive(time?: string): void;
  signedOut(): void;
}

export type LinkStatus =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'live'; readonly transport: TransportName }
  | { readonly phase: 'reconnecting'; readonly retryAt: number };

export interface LadderParts {
  readonly transports: readonly Transport[];
  /** Asks whether the server is there at all and still knows us. */
  probe(): Promise<Reach>;
  random(): number;
}

export interface Ladder {
  start(): void;
  stop(): void;
  /** Try now: the network or the tab is back. */
  wake(): void;
}

export function makeLadder(parts: LadderParts, on: LadderEvents): Ladder {
  let rung = 0;
  let failures = 0;
  let cursor: string | undefined;
  let close: (() => void) | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let climb: ReturnType<typeof setTimeout> | undefined;
  let closeClimber: (() => void) | undefined;
  let running = false;
  let isLive = false;
  // Each connection has a number; what a former one still says is not heard.
  let turn = 0;

  const expectLife = (ms: number): void => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      close?.();
      void ended(turn, 'failed');
    }, ms);
  };

  const connect = (): void => {
    clearTimeout(retry);
    retry = undefined;
    turn += 1;
    const mine = turn;
    const transport = parts.transports[rung]!;
    const before = cursor;
    expectLife(SILENCE_AT_START_MS);
    close = transport.open(before, {
      ready: (state, position) => mine === turn && became(transport.name, state, position, before),
      event: (event) => mine === turn && took(event),
      alive: (time) => mine === turn && lived(time),
      end: (reason) => void ended(mine, reason),
    });
  };

  const became = (name: TransportName, state: Continuity, position: string, before: string | undefined): void => {
    const missed = before === undefined || state === 'reset';
    if (missed) cursor = position;
    failures = 0;
    isLive = true;
    expectLife(SILENCE_MS);
    on.status({ phase: 'live', transport: name });
    on.alive();
    on.ready(missed);
  };

  const took = (event: EventItem): void => {
    cursor = event.cursor;
    expectLife(SILENCE_MS);
    on.alive();
    on.event(event);
  };

  const lived = (time: string | undefined): void => {
    if (isLive) expectLife(SILENCE_MS);
    on.alive(time);
  };

  const ended = async (mine: number, reason: EndReason): Promise<void> => {
    if (mine !== turn || !running) return;
    turn += 1;
    const next = turn;
    clearTimeout(silence);
    close = undefined;
    const wasLive = isLive;
    isLive = false;
    if (reason === 'signed_out') return leave();
    if (reason === 'slow') return connect();
    if (reason === 'failed' && !wasLive) {
      const reach = await parts.probe();
      if (next !== turn || !running) return;
      if (reach === 'signed_out') return leave();
      if (reach === 'up') rung = (rung + 1) % parts.transports.length;
      if (reach === 'up' && rung > 0) {
        climbIn(CLIMB_SOON_MS);
        return connect();
      }
    }
    later();
  };

  const later = (): void => {
    const most = Math.min(SHORTEST_MS * 2 ** failures, LONGEST_MS);
    const delay = Math.max(SHORTEST_MS, most * (0.5 + parts.random() / 2));
    failures += 1;
    on.status({ phase: 'reconnecting', retryAt: Date.now() + delay });
    retry = setTimeout(connect, delay);
  };

  const leave = (): void => {
    stop();
    on.signedOut();
  };

  const climbIn = (ms: number): void => {
    clearTimeout(climb);
    climb = setTimeout(tryTop, ms);
  };

  // The new way is opened beside the old one and takes over when it has said that it continues; the overlap is dropped
  // by whoever keeps the events.
  const tryTop = (): void => {
    climbIn(CLIMB_MS);
    if (rung === 0 || !isLive || closeClimber !== undefined) return;
    const top = parts.transports[0]!;
    const before = cursor;
    let takenOver = false;
    let mine = -1;
    const give = (): void => {
      clearTimeout(limit);
      closeClimber?.();
      closeClimber = undefined;
    };
    const limit = setTimeout(give, SILENCE_AT_START_MS);
    closeClimber = top.open(before, {
      ready: (state, position) => {
        if (!isLive) return give();
        clearTimeout(limit);
        takenOver = true;
        close?.();
        close = closeClimber;
        closeClimber = undefined;
        turn += 1;
        mine = turn;
        rung = 0;
        became(top.name, state, position, before);
      },
      event: (event) => takenOver && mine === turn && took(event),
      alive: (time) => takenOver && mine === turn && lived(time),
      end: (reason) => (takenOver ? void ended(mine, reason) : give()),
    });
  };

  const stop = (): void => {
    running = false;
    isLive = false;
    turn += 1;
    clearTimeout(retry);
    clearTimeout(silence);
    clearTimeout(climb);
    close?.();
    closeClimber?.();
    close = undefined;
    closeClimber = undefined;
  };

  return {
    start() {
      if (running) return;
      running = true;
      on.status({ phase: 'connecting' });
      climbIn(CLIMB_MS);
      connect();
    },
    stop,
    wake() {
      if (running && retry !== undefined) connect();
    },
  };
}
