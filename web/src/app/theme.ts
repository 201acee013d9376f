// The theme: what the operator chose, and what it comes to on this screen. public/theme.js applies it before the first
// paint by the same rule.
import { useSyncExternalStore } from 'react';

export const themeChoices = ['system', 'light', 'dark', 'contrast'] as const;
export type ThemeChoice = (typeof themeChoices)[number];

const KEY = 'qd.theme';
const listeners = new Set<() => void>();
const prefersLight = matchMedia('(prefers-color-scheme: light)');
const prefersContrast = matchMedia('(prefers-contrast: more)');

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => readChoice(),
  );
}

export function chooseTheme(choice: ThemeChoice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Without storage the choice holds until the page is left.
  }
  apply(choice);
  for (const listener of listeners) listener();
}

/** Follows the system while the choice is to do so. */
export function watchSystemTheme(): void {
  for (const query of [prefersLight, prefersContrast]) {
    query.addEventListener('change', () => apply(readChoice()));
  }
}

function apply(choice: ThemeChoice): void {
  const system = prefersContrast.matches ? 'contrast' : prefersLight.matches ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = choice === 'system' ? system : choice;
}

function readChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return themeChoices.find((choice) => choice === stored) ?? 'system';
  } catch {
    return 'system';
  }
}
