// Gives the focus back to where it was before a dialog opened. Radix does so only for a dialog with a trigger of its own;
// ours are opened by keys, commands and rows.
import { useMemo } from 'react';

export interface FocusReturn {
  readonly onOpenAutoFocus: (event: Event) => void;
  readonly onCloseAutoFocus: (event: Event) => void;
}

/** `first`: what takes the focus when the dialog opens, if it is not the first control. */
export function useReturnFocus(first?: { readonly current: HTMLElement | null }): FocusReturn {
  return useMemo(() => {
    let before: Element | null = null;
    return {
      onOpenAutoFocus: (event) => {
        before = document.activeElement;
        if (first === undefined) return;
        event.preventDefault();
        first.current?.focus();
      },
      onCloseAutoFocus: (event) => {
        event.preventDefault();
        if (before instanceof HTMLElement && before.isConnected) before.focus();
      },
    };
  }, [first]);
}
