// Facts about the window that change what is built, not only how it looks.
import { useSyncExternalStore } from 'react';

const phone = matchMedia('(width < 768px)');

export function useIsPhone(): boolean {
  return useSyncExternalStore(subscribe, () => phone.matches);
}

function subscribe(listener: () => void): () => void {
  phone.addEventListener('change', listener);
  return () => phone.removeEventListener('change', listener);
}
