// The page's one view of the live feed. Events are taken in at once; React is told at most once per animation frame.
import type { EventItem } from '../api/routes.ts';
import type { LadderEvents, LinkStatus } from './ladder.ts';
import { makeTail, type Tail } from './tail.ts';

export interface LiveView {
  readonly link: LinkStatus;
  /** Time of the last sign of life, in ms; 0 before the first. */
  readonly lastAlive: number;
  /** Position of the tail at which the operator stopped the view; undefined while it runs. */
  readonly pausedAt: number | undefined;
  readonly end: number;
  /** Grows when continuity broke; views of the tail start anew then. */
  readonly epoch: number;
}

export interface LiveStore {
  readonly tail: Tail;
  readonly feed: LadderEvents;
  view(): LiveView;
  subscribe(listener: () => void): () => void;
  /** Told of every event at once, outside of rendering. */
  onEvent(listener: (event: EventItem) => void): () => void;
  onMissed(listener: () => void): () => void;
  togglePause(): void;
}

export interface StoreParts {
  /** Calls back before the next paint; a hidden tab calls back when it is shown again. */
  frame(callback: () => void): void;
  signedOut(): void;
  serverTime(time: string): void;
}

export function makeLiveStore(parts: StoreParts): LiveStore {
  const tail = makeTail();
  const listeners = new Set<() => void>();
  const eventListeners = new Set<(event: EventItem) => void>();
  const missedListeners = new Set<() => void>();
  let view: LiveView = { link: { phase: 'connecting' }, lastAlive: 0, pausedAt: undefined, end: 0, epoch: 0 };
  let next = view;
  let isAsked = false;

  const publish = (): void => {
    isAsked = false;
    view = { ...next, end: tail.end };
    for (const listener of listeners) listener();
  };
  const change = (part: Partial<LiveView>): void => {
    next = { ...next, ...part };
    if (isAsked) return;
    isAsked = true;
    parts.frame(publish);
  };

  return {
    tail,
    view: () => view,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onEvent(listener) {
      eventListeners.add(listener);
      return () => eventListeners.delete(listener);
    },
    onMissed(listener) {
      missedListeners.add(listener);
      return () => missedListeners.delete(listener);
    },
    togglePause: () => change({ pausedAt: next.pausedAt === undefined ? tail.end : undefined }),
    feed: {
      status: (link) => change({ link }),
      ready: (missed) => {
        if (!missed) return;
        change({ epoch: next.epoch + 1 });
        for (const listener of missedListeners) listener();
      },
      event: (event) => {
        if (!tail.push(event)) return;
        change({});
        for (const listener of eventListeners) listener(event);
      },
      alive: (time) => {
        if (time !== undefined) parts.serverTime(time);
        change({ lastAlive: Date.now() });
      },
      signedOut: () => parts.signedOut(),
    },
  };
}
