// Keys: screens register what they listen to, one listener on the window finds the binding. Which keys are meant is
// decided by keyboard-match.ts; the newest binding of the same keys wins, so a page goes before the shell.
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { type KeyPress, match } from './keyboard-match.ts';

export interface KeyBinding {
  /** `j`, `?`, `Enter`, `Space`, `Esc`, `g b` (one after the other) or `Mod k` (Ctrl or Cmd). */
  readonly keys: string;
  readonly words: string;
  readonly run: () => void;
}

const PAUSE_MS = 1200;
const OFF_KEY = 'qd.keys';
const sets: (readonly KeyBinding[])[] = [];
const listeners = new Set<() => void>();
let snapshot: readonly (readonly KeyBinding[])[] = [];
let isOff = readOff();

/** Registers keys while the component is shown. */
export function useKeys(bindings: readonly KeyBinding[]): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  const names = bindings.map((binding) => binding.keys).join('|');
  // biome-ignore lint/correctness/useExhaustiveDependencies: registered anew only when the keys themselves change
  useEffect(() => {
    const set = latest.current.map((binding, index) => ({
      ...binding,
      run: () => latest.current[index]?.run(),
    }));
    sets.push(set);
    publish();
    return () => {
      sets.splice(sets.indexOf(set), 1);
      publish();
    };
  }, [names]);
}

/** All keys that are listened to now; the shell's own set is the first. */
export function useKeySets(): readonly (readonly KeyBinding[])[] {
  return useSyncExternalStore(subscribe, () => snapshot);
}

export function useLettersOff(): boolean {
  return useSyncExternalStore(subscribe, () => isOff);
}

export function setLettersOff(off: boolean): void {
  isOff = off;
  try {
    localStorage.setItem(OFF_KEY, off ? 'off' : 'on');
  } catch {
    // Without storage the choice holds until the page is left.
  }
  publish();
}

/** Starts listening; the result stops it. */
export function listenToKeys(): () => void {
  let before: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = (): void => {
    before = undefined;
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || ['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return;
    const all = sets.flat();
    const known = new Set(all.map((binding) => binding.keys));
    const press = pressOf(event);
    const keys = match(press, before, known, isOff);
    clearTimeout(timer);
    const isFirst = keys === undefined && press.place !== 'field' && press.place !== 'dialog' && !press.hasMod;
    before = isFirst && [...known].some((name) => name.startsWith(`${event.key} `)) ? event.key : undefined;
    if (before !== undefined) timer = setTimeout(forget, PAUSE_MS);
    if (keys === undefined) return;
    event.preventDefault();
    all.findLast((binding) => binding.keys === keys)?.run();
  };
  window.addEventListener('keydown', onKey);
  return () => {
    clearTimeout(timer);
    window.removeEventListener('keydown', onKey);
  };
}

function pressOf(event: KeyboardEvent): KeyPress {
  const target = event.target instanceof Element ? event.target : document.body;
  const isIn = (selector: string): boolean => target.closest(selector) !== null;
  const place = isIn('[role="dialog"],[role="alertdialog"],[role="menu"]')
    ? 'dialog'
    : isIn('input,textarea,select,[contenteditable="true"]')
      ? 'field'
      : isIn('a,button,summary,[role="tab"]')
        ? 'control'
        : 'page';
  return { key: event.key, hasMod: event.ctrlKey || event.metaKey, hasAlt: event.altKey, place };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function publish(): void {
  snapshot = [...sets];
  for (const listener of listeners) listener();
}

function readOff(): boolean {
  try {
    return localStorage.getItem(OFF_KEY) === 'off';
  } catch {
    return false;
  }
}
