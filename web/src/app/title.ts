// The title of the browser's tab.
import { useEffect } from 'react';
import { words } from './words.ts';

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${words.product}`;
  }, [title]);
}
