// What the surroundings of the program say: variables, and being told to leave. A browser says nothing of either.

interface ProcessLike {
  readonly env?: Readonly<Record<string, string | undefined>>;
  once?(event: string, listener: () => void): unknown;
  off?(event: string, listener: () => void): unknown;
}

const surroundings = (globalThis as { readonly process?: ProcessLike }).process;

export function variable(name: string): string | undefined {
  const value = surroundings?.env?.[name];
  return value === '' ? undefined : value;
}

/** Calls `leave` at the first SIGTERM or SIGINT; a second one ends the process as usual. Answers how to undo it. */
export function onLeaving(leave: () => void): () => void {
  const signals = ['SIGTERM', 'SIGINT'];
  const undo = () => {
    for (const name of signals) surroundings?.off?.(name, leaveOnce);
  };
  const leaveOnce = () => {
    undo();
    leave();
  };
  for (const name of signals) surroundings?.once?.(name, leaveOnce);
  return undo;
}
