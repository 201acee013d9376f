// The long poll of a console: what is there from an offset on, or the first that comes.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import { type ConsoleText, readConsole } from './console.ts';

export interface ConsoleRange {
  readonly after: number | undefined;
  /** Most bytes in one answer. */
  readonly most: number;
  readonly waitSeconds: number;
}

/** A reader looks again after so long also when no wake-up came. */
const POLL_MS = 1_000;

export async function waitForConsole(
  call: Call,
  wakeups: Wakeups,
  agentId: string,
  range: ConsoleRange,
): Promise<ConsoleText> {
  const deadline = performance.now() + range.waitSeconds * 1000;
  let woken = Promise.withResolvers<void>();
  const wake = () => woken.resolve();
  const forget = wakeups.on('console', wake);
  call.signal.addEventListener('abort', wake, { once: true });
  try {
    for (;;) {
      // Made before the look, so that news between the look and the wait is not missed.
      woken = Promise.withResolvers<void>();
      const text = await call.read((tx) => readConsole(tx, agentId, range));
      const left = deadline - performance.now();
      if (text.next_offset > text.offset || left <= 0 || call.signal.aborted) return text;
      const timer = setTimeout(wake, Math.min(left, POLL_MS));
      await woken.promise;
      clearTimeout(timer);
    }
  } finally {
    forget();
    call.signal.removeEventListener('abort', wake);
  }
}
