// Who is signed in. The key of a sign-in link comes behind `#`, is exchanged once, and leaves the address at once, so
// that it stays in no history and no screenshot.
import { useSyncExternalStore } from 'react';
import { call } from '../api/client.ts';
import { routes } from '../api/routes.ts';

const KEY = /^#k=(.+)$/;

let exchange: Promise<unknown> | undefined;
let isEnded = false;
const listeners = new Set<() => void>();

/** A link opened in a tab that shows the page already changes only what is behind `#`: the page starts anew then. */
export function watchAddressForKey(): void {
  addEventListener('hashchange', () => {
    if (KEY.test(location.hash)) location.reload();
  });
}

/** Starts the exchange if the address carries a key. Called once, before the first render. */
export function takeKeyFromAddress(): void {
  const key = KEY.exec(location.hash)?.[1];
  if (key === undefined) return;
  history.replaceState(history.state, '', `${location.pathname}${location.search}`);
  exchange = call(routes.signIn, { key: decodeURIComponent(key) });
  // Whoever shows the page waits for it; a failure before that is not an unhandled one.
  exchange.catch(() => undefined);
}

/** Resolves when there is no exchange under way; rejects with why a key was refused. */
export function exchanged(): Promise<unknown> {
  return exchange ?? Promise.resolve(undefined);
}

export function hadKey(): boolean {
  return exchange !== undefined;
}

/** The server no longer knows this session. */
export function endSession(): void {
  if (isEnded) return;
  isEnded = true;
  for (const listener of listeners) listener();
}

export function useSessionEnded(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isEnded,
  );
}
