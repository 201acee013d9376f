// Moving through a list by j and k, opening by Enter, peeking by Space. The active row is known by its id, so rows that
// arrive do not move it.
import { useKeys } from './keyboard.ts';
import { words } from './words.ts';

interface ListKeys {
  readonly ids: readonly string[];
  readonly active: string | undefined;
  readonly onActive: (id: string, index: number) => void;
  readonly onOpen: (id: string) => void;
  readonly onPeek: (id: string) => void;
  readonly onBack: () => void;
}

export function useListKeys({ ids, active, onActive, onOpen, onPeek, onBack }: ListKeys): void {
  const step = (by: number): void => {
    const at = active === undefined ? -1 : ids.indexOf(active);
    const next = at < 0 ? (by > 0 ? 0 : ids.length - 1) : Math.min(Math.max(at + by, 0), ids.length - 1);
    const id = ids[next];
    if (id !== undefined) onActive(id, next);
  };
  const withActive = (run: (id: string) => void) => (): void => {
    if (active !== undefined) run(active);
  };
  useKeys([
    { keys: 'j', words: words.keys.down, run: () => step(1) },
    { keys: 'k', words: words.keys.up, run: () => step(-1) },
    { keys: 'Enter', words: words.keys.open, run: withActive(onOpen) },
    { keys: 'Space', words: words.keys.peek, run: withActive(onPeek) },
    { keys: 'Esc', words: words.keys.back, run: onBack },
  ]);
}
