// The live feed of this page: made once, started when somebody is signed in, read by the hooks below.
import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { call } from '../api/client.ts';
import { isSignedOut } from '../api/problem.ts';
import { routes } from '../api/routes.ts';
import { clock } from '../ui/clock.ts';
import { makeLadder, type Reach } from './ladder.ts';
import { fetchAgain, refresher } from './outdated.ts';
import { pollTransport } from './poll.ts';
import { sseTransport } from './sse.ts';
import { type LiveStore, type LiveView, makeLiveStore } from './store.ts';
import { webSocketTransport } from './websocket.ts';

const LiveContext = createContext<LiveStore | undefined>(undefined);

export function LiveProvider({ onSignedOut, children }: { onSignedOut: () => void; children: ReactNode }) {
  const queries = useQueryClient();
  const [store] = useState(() =>
    makeLiveStore({
      frame: (callback) => requestAnimationFrame(callback),
      signedOut: onSignedOut,
      serverTime: clock.learn,
    }),
  );
  useEffect(() => {
    const ladder = makeLadder(
      { transports: [webSocketTransport, sseTransport, pollTransport], probe, random: Math.random },
      store.feed,
    );
    const soon = refresher((due) => fetchAgain(queries, due));
    const forget = [
      store.onEvent(soon.take),
      store.onMissed(() => void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'me' })),
    ];
    const wake = (): void => ladder.wake();
    addEventListener('online', wake);
    document.addEventListener('visibilitychange', wake);
    ladder.start();
    return () => {
      ladder.stop();
      soon.stop();
      for (const stop of forget) stop();
      removeEventListener('online', wake);
      document.removeEventListener('visibilitychange', wake);
    };
  }, [store, queries]);
  return <LiveContext value={store}>{children}</LiveContext>;
}

export function useLiveStore(): LiveStore {
  const store = useContext(LiveContext);
  if (store === undefined) throw new Error('the live feed is read outside of LiveProvider');
  return store;
}

export function useLiveView(): LiveView {
  const store = useLiveStore();
  return useSyncExternalStore(store.subscribe, store.view);
}

/** One part of the view; renders only when that part changes. */
export function useLivePart<T>(pick: (view: LiveView) => T): T {
  const store = useLiveStore();
  return useSyncExternalStore(store.subscribe, () => pick(store.view()));
}

async function probe(): Promise<Reach> {
  try {
    await call(routes.me, {}, AbortSignal.timeout(4000));
    return 'up';
  } catch (error) {
    return isSignedOut(error) ? 'signed_out' : 'down';
  }
}
