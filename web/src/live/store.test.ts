import { describe, expect, it } from 'vitest';
import { event } from './event.fixture.ts';
import { makeLiveStore } from './store.ts';

function world() {
  const frames: (() => void)[] = [];
  const store = makeLiveStore({
    frame: (callback) => frames.push(callback),
    signedOut: () => undefined,
    serverTime: () => undefined,
  });
  return { store, frames, paint: () => frames.splice(0).forEach((frame) => void frame()) };
}

describe('the live store', () => {
  it('tells its listeners once a frame, however many events came', () => {
    const { store, frames, paint } = world();
    let told = 0;
    store.subscribe(() => {
      told += 1;
    });
    for (let n = 0; n < 100; n += 1) store.feed.event(event(n));
    expect(frames.length).toBe(1);
    expect(store.view().end).toBe(0);
    paint();
    expect(told).toBe(1);
    expect(store.view().end).toBe(100);
  });

  it('counts what is held from where the view was paused', () => {
    const { store, paint } = world();
    store.feed.event(event(1));
    store.togglePause();
    store.feed.event(event(2));
    store.feed.event(event(3));
    paint();
    expect(store.view().end - store.view().pausedAt!).toBe(2);
    store.togglePause();
    paint();
    expect(store.view().pausedAt).toBeUndefined();
  });

  it('hands an event on once, also when it is delivered twice', () => {
    const { store } = world();
    const seen: string[] = [];
    store.onEvent((item) => seen.push(item.cursor));
    store.feed.event(event(1));
    store.feed.event(event(1));
    expect(seen).toEqual(['e-1']);
  });
});
