// Follows the console of an agent by long poll from byte offset to byte offset, and loads what is older when asked.
import { useCallback, useEffect, useRef, useState } from 'react';
import { call } from '../../../api/client.ts';
import { Problem } from '../../../api/problem.ts';
import { routes } from '../../../api/routes.ts';
import { type ConsoleBuffer, type ConsoleLine, makeConsoleBuffer } from './console-buffer.ts';

const PIECE = 262_144;
const WAIT_SECONDS = 20;

export interface ConsoleView {
  readonly lines: readonly ConsoleLine[];
  readonly isLoaded: boolean;
  /** True while older bytes can be loaded. */
  readonly hasOlder: boolean;
  readonly isCut: boolean;
  /** Why nothing comes at the moment; it is tried again by itself unless it will never work. */
  readonly problem: Problem | undefined;
  /** Gives how many lines were added at the front. */
  loadOlder(): Promise<number>;
}

export function useConsole(address: string, isSupervised: boolean): ConsoleView {
  const buffer = useRef<ConsoleBuffer>(undefined);
  buffer.current ??= makeConsoleBuffer();
  const [, render] = useState(0);
  const [isLoaded, setLoaded] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  useEffect(() => {
    if (!isSupervised) return;
    const stop = new AbortController();
    const lines = makeConsoleBuffer();
    buffer.current = lines;
    void follow(address, lines, stop.signal, (trouble) => {
      setProblem(trouble);
      if (trouble === undefined) setLoaded(true);
      render((n) => n + 1);
    });
    return () => stop.abort();
  }, [address, isSupervised]);

  const loadOlder = useCallback(async (): Promise<number> => {
    const lines = buffer.current!;
    const start = Math.max(lines.first, lines.from - PIECE);
    if (start >= lines.from) return 0;
    const before = lines.lines.length;
    lines.prepend(await call(routes.readConsole, { agent: address, after: start, bytes: lines.from - start, wait: 0 }));
    render((n) => n + 1);
    return lines.lines.length - before;
  }, [address]);

  const { lines, from, first, isCut } = buffer.current;
  return { lines, isLoaded, hasOlder: isLoaded && !isCut && from > first, isCut, problem, loadOlder };
}

async function follow(
  agent: string,
  buffer: ConsoleBuffer,
  signal: AbortSignal,
  changed: (problem: Problem | undefined) => void,
): Promise<void> {
  let delay = 500;
  let after: number | undefined;
  for (;;) {
    try {
      const place = after === undefined ? {} : { after, wait: WAIT_SECONDS };
      const piece = await call(routes.readConsole, { agent, bytes: PIECE, ...place }, signal);
      if (signal.aborted) return;
      buffer.append(piece);
      after = piece.next_offset;
      delay = 500;
      changed(undefined);
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem(0, 'page_error', String(error));
      changed(problem);
      if (!problem.retryable) return;
      await pause(delay, signal);
      delay = Math.min(delay * 2, 15_000);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
