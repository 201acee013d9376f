// One clock for the whole page: it ticks once a second for everybody, and it goes by the server's time, so that a
// laptop with a wrong clock does not show agents as late.
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let skewMs = 0;
let now = Date.now();

export const clock = {
  /** The server said what time it is. Skews below a second are the way of the message. */
  learn(serverTime: string): void {
    const skew = Date.parse(serverTime) - Date.now();
    if (Number.isFinite(skew)) skewMs = Math.abs(skew) < 1000 ? 0 : skew;
  },
  now: (): number => Date.now() + skewMs,
};

/** The time in ms, renewed once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, read);
}

function read(): number {
  return now;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = clock.now();
    timer = setInterval(() => {
      now = clock.now();
      for (const told of listeners) told();
    }, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
