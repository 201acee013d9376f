// Announcements for tests: code says what it has just done, a test waits for it with a limit instead of sleeping.
import { EventEmitter } from 'node:events';

const emitter = new EventEmitter();
emitter.setMaxListeners(0);

/** Says that `name` happened. Free when nobody listens. */
export function announce(name: string, fact?: unknown): void {
  emitter.emit(name, fact);
}

/** Waits for the next announcement of `name` that passes `accept`; rejects after `limitMs`. */
export function nextAnnouncement<T>(
  name: string,
  limitMs: number,
  accept: (fact: T) => boolean = () => true,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      emitter.off(name, listen);
      reject(new Error(`"${name}" was not announced within ${limitMs} ms`));
    }, limitMs);
    const listen = (fact: T) => {
      if (!accept(fact)) return;
      clearTimeout(timer);
      emitter.off(name, listen);
      resolve(fact);
    };
    emitter.on(name, listen);
  });
}
